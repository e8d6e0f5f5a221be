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
# Least grey level of the paper: dividing by less (black tables, vignettes) would turn sensor noise into ink.
MIN_PAPER_LEVEL = 48
# Largest deviation from the local median that counts, in grey levels of the thumbnail.
MAX_DEVIATION = 40
# Light strokes must outweigh dark ones by this factor. Photographs of paper reach 1.0: a white sheet on a black table.
LIGHT_ON_DARK_RATIO = 1.5


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
    inverted = is_light_on_dark(thumbnail)
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


def is_light_on_dark(grey: NDArray[np.uint8]) -> bool:
    """Tell whether the strokes are lighter than their surroundings, as chalk on a board.

    Args:
        grey: uint8 (H, W).

    Returns:
        True if the deviations from the local median are clearly stronger on the light side. Large areas, such as a
        sheet on a table, do not count: they are wider than any stroke. In doubt the answer is False, ink on paper.

    Examples:
        >>> board = np.full((100, 160), 40, np.uint8)
        >>> board[30:70, 80:84] = 220
        >>> is_light_on_dark(board), is_light_on_dark(255 - board)
        (True, False)
    """
    around = as_uint8(cv2.medianBlur(grey, _odd_size(MAX_STROKE_WIDTH * min(grey.shape))))
    return _weigh_light_strokes(grey, around) > LIGHT_ON_DARK_RATIO * _weigh_light_strokes(~grey, ~around)


def _weigh_light_strokes(grey: NDArray[np.uint8], around: NDArray[np.uint8]) -> int:
    """Add up how much lighter than their surroundings the light strokes are."""
    # What is wider than a stroke has no top-hat: the border of a sheet differs from its median, but is no stroke.
    square = np.ones((_odd_size(MAX_HAT_WIDTH * min(grey.shape)),) * 2, np.uint8)
    deviation = as_uint8(cv2.min(cv2.subtract(grey, around), cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, square)))
    # The cube lets strokes outweigh shading; the limit lets them outweigh corners of sheets and lamps.
    counts = np.bincount(np.minimum(deviation, MAX_DEVIATION).ravel(), minlength=MAX_DEVIATION + 1)
    return int(counts @ np.arange(MAX_DEVIATION + 1) ** 3)


def _thumbnail(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale down to a longer side of `THUMBNAIL_SIDE`; a smaller image keeps its size."""
    scale = min(1.0, THUMBNAIL_SIDE / max(grey.shape))
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
