"""Illumination: an image in any light becomes ink on even paper.

A morphological closing at low resolution fills all dark strokes from their surroundings; what is left is the paper.
Dividing by the paper removes shadows, lamps and vignettes, because light multiplies: ink that reflects a third of what
its paper reflects is ink of 0.67 in sun and in shade. Light strokes on a dark board are inverted first.
See docs/decisions/illumination.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2, resize

# Longer side in pixels of the thumbnail on which the paper is estimated: noise is averaged out, the closing is cheap.
THUMBNAIL_SIDE = 200
# Widest stroke that the closing fills, as a share of the shorter side: twice the pen of a digit that fills the image.
MAX_STROKE_WIDTH = 0.2
# Widest stroke that counts for the polarity, as a share of the shorter side: sheets and their borders are wider.
MAX_HAT_WIDTH = 0.15
# Longer side in pixels of the copy in which thin strokes are compared, and what is thin there, in pixels: writing is
# thinner than the paper between it, but the cells of a table and strips of a sheet beside a shadow are not.
THIN_SIDE = 400
THIN_PX = 3
# Weight of thin strokes against that of all.
THIN_WEIGHT = 2
# Least grey level of the paper: dividing by less (black tables, vignettes) would turn sensor noise into ink.
MIN_PAPER_LEVEL = 48
# Largest deviation from the local median that counts, in grey levels of the thumbnail.
MAX_DEVIATION = 40
# Light strokes must outweigh dark ones by this factor.
LIGHT_ON_DARK_RATIO = 2.0
# Least side of a shaded area, in pixels: twice the broadest stroke of a digit of 46 pixels. Largest ink level of one.
MIN_SHADED_PX = 23
MAX_SHADE = 110


@dataclass(frozen=True, slots=True, eq=False)
class Illumination:
    """The illumination of an image, estimated once and valid for any resolution of it.

    Attributes:
        paper: uint8 (h, w), a thumbnail with a longer side of `THUMBNAIL_SIDE` at most: the grey level of the paper
            without strokes; of the inverted image if `inverted`.
        inverted: whether the strokes are lighter than their surroundings.
    """

    paper: NDArray[np.uint8]
    inverted: bool


def estimate_illumination(grey: NDArray[np.uint8]) -> Illumination:
    """Estimate the polarity and the paper of an image.

    Args:
        grey: uint8 (H, W), dark on light or light on dark, in any resolution.

    Examples:
        >>> board = np.full((100, 160), 40, np.uint8)
        >>> board[30:70, 80:84] = 220
        >>> illumination = estimate_illumination(board)
        >>> illumination.inverted, illumination.paper.shape, int(illumination.paper.min())
        (True, (100, 160), 215)
    """
    thumbnail = _thumbnail(grey)
    inverted = is_light_on_dark(grey)
    return Illumination(_estimate_paper(~thumbnail if inverted else thumbnail), inverted)


def extract_ink(grey: NDArray[np.uint8], illumination: Illumination) -> NDArray[np.uint8]:
    """Remove the illumination: ink of either polarity becomes bright on 0.

    Args:
        grey: uint8 (H, W).
        illumination: of the same image, from this or any other resolution.

    Returns:
        uint8 (H, W): 0 is paper, 255 is ink that reflects nothing.

    Examples:
        >>> page = np.tile(np.linspace(90, 250, 300).astype(np.uint8), (200, 1))  # lit from the right
        >>> page[80:120, 40:46] //= 2
        >>> page[80:120, 240:246] //= 2
        >>> ink = extract_ink(page, estimate_illumination(page))
        >>> bool(abs(int(ink[100, 42]) - int(ink[100, 242])) < 12), int(ink[20].max()) < 16
        (True, True)
    """
    height, width = grey.shape
    paper = resize(illumination.paper, (width, height), cv2.INTER_LINEAR_EXACT)
    ink = as_uint8(cv2.subtract(paper, ~grey if illumination.inverted else grey))
    # In place: the pages of a new array take longer to map than its values to compute.
    cv2.max(paper, MIN_PAPER_LEVEL, dst=paper)  # type: ignore[call-overload]  # the stubs lack scalars
    return as_uint8(cv2.divide(ink, paper, dst=ink, scale=255))


def remove_shading(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Remove pale areas that are broader than any stroke: shaded rows of a table, grey fields of a form.

    They are narrower than what `estimate_illumination` takes for paper.

    Args:
        ink: uint8 (H, W), 0 is paper, of a level on which a digit is at most 46 pixels high.

    Returns:
        uint8 (H, W): the shading is 0 too, and writing keeps its contrast to it. Dark areas stay as they are: a broad
        pen, an object, a filled circle.

    Examples:
        >>> form = np.zeros((100, 100), np.uint8)
        >>> form[20:60] = 70  # a grey row
        >>> form[30:50, 40:43] = 180  # a one
        >>> clean = remove_shading(form)
        >>> int(clean[40, 10]), int(clean[40, 41]), int(clean[70, 10])
        (0, 110, 0)
    """
    if min(ink.shape) < MIN_SHADED_PX:
        return ink
    shading = as_uint8(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((MIN_SHADED_PX, MIN_SHADED_PX), np.uint8)))
    shading[shading > MAX_SHADE] = 0
    return as_uint8(cv2.subtract(ink, shading, dst=shading))


def is_light_on_dark(grey: NDArray[np.uint8]) -> bool:
    """Tell whether the strokes are lighter than their surroundings, as chalk on a board.

    Args:
        grey: uint8 (H, W).

    Returns:
        True if the deviations from the local median are clearly stronger on the light side; those of thin strokes count
        more. Large areas, such as a sheet on a table, do not count: they are wider than any stroke. In doubt the answer
        is False, ink on paper.

    Examples:
        >>> board = np.full((100, 160), 40, np.uint8)
        >>> board[30:70, 80:84] = 220
        >>> is_light_on_dark(board), is_light_on_dark(255 - board)
        (True, False)
    """
    return _weigh_light_strokes(grey) > LIGHT_ON_DARK_RATIO * _weigh_light_strokes(~grey)


def _weigh_light_strokes(grey: NDArray[np.uint8]) -> int:
    """Add up how much lighter than their surroundings the light strokes are."""
    thumbnail = _thumbnail(grey)
    around = as_uint8(cv2.medianBlur(thumbnail, _odd_size(MAX_STROKE_WIDTH * min(thumbnail.shape))))
    hat = _top_hat(thumbnail, _odd_size(MAX_HAT_WIDTH * min(thumbnail.shape)))
    deviation = as_uint8(cv2.min(cv2.subtract(thumbnail, around), hat))
    return _weigh(deviation) + THIN_WEIGHT * _weigh(_top_hat(_thumbnail(grey, THIN_SIDE), THIN_PX))


def _top_hat(grey: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return how much lighter than their surroundings the light strokes are that are narrower than `size`.

    What is wider has no top-hat: the border of a sheet differs from its median, but is no stroke.
    """
    return as_uint8(cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((size, size), np.uint8)))


def _weigh(deviation: NDArray[np.uint8]) -> int:
    """Add up deviations in grey levels.

    The cube lets strokes outweigh shading; the limit lets them outweigh corners of sheets and lamps.
    """
    counts = cv2.calcHist([deviation], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    return int(counts @ np.minimum(np.arange(256), MAX_DEVIATION) ** 3)


def _thumbnail(grey: NDArray[np.uint8], side: int = THUMBNAIL_SIDE) -> NDArray[np.uint8]:
    """Scale down to a longer side in pixels; a smaller image keeps its size."""
    scale = min(1.0, side / max(grey.shape))
    target = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return resize(grey, target, cv2.INTER_AREA)


def _estimate_paper(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill dark strokes from their surroundings, and smooth the result."""
    size = _odd_size(MAX_STROKE_WIDTH * min(grey.shape))
    # Without a margin the closing would brighten the paper at a border that lies in the dark.
    margin = cv2.copyMakeBorder(grey, size, size, size, size, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(margin, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    # Not cv2.stackBlur: it takes a third of the time, but its result depends on the number of threads.
    reach = size // 2 + 2  # pixels of the margin that the smoothing needs
    rows, columns = (slice(size - reach, length - size + reach) for length in closed.shape)
    smooth = cv2.GaussianBlur(closed[rows, columns], (0, 0), max(1.0, size / 6))[reach:-reach, reach:-reach]
    return as_uint8(smooth)


def _odd_size(size: float) -> int:
    """Round to an odd kernel size of at least 3."""
    return max(3, 2 * round(size / 2) + 1)
