"""A frame in any light -> ink: how far each pixel stands out from the paper around it.

The paper is what is left when every dark stroke is filled from its surroundings (a morphological closing, at low
resolution). Dividing by it takes out shadows, lamps and vignettes, because light multiplies: ink that reflects a
third of what its paper does is ink of 0.67 in sun and in shade. A board is turned into paper by inverting it first.
Without it the mean F1 of photographs fell from 98.5 to 67.2 % (with an earlier net).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

# The paper is estimated on an image of this longer side: noise is averaged out, and the closing costs little.
THUMBNAIL = 200
# The widest stroke that the closing fills, as a share of the shorter side: twice the pen of a digit that fills it.
WIDEST_STROKE = 0.2
# Dividing by less than this (black tables, vignettes) would turn sensor noise into ink.
DARKEST_PAPER = 48
# Grey levels from the local median, in the thumbnail, beyond which a stroke is no clearer.
CLEAR_DEVIATION = 40
# Chalk must outweigh dark marks by this factor. Photographs of paper reach 1.0, with a white sheet on a black table.
LIGHT_PREVAILS = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How a frame is lit, estimated once and good for any resolution of it.

    Attributes:
        paper: uint8, a thumbnail of the frame without its strokes; of the inverted frame if `inverted`.
        inverted: whether strokes are lighter than what is around them.
    """

    paper: NDArray[np.uint8]
    inverted: bool


def light_of(grey: NDArray[np.uint8]) -> Light:
    """Estimate polarity and paper.

    Args:
        grey: uint8 (H, W), dark on light or light on dark.
    """
    thumbnail = _thumbnail(grey)
    inverted = is_light_on_dark(thumbnail)
    return Light(_paper(~thumbnail if inverted else thumbnail), inverted)


def ink_of(grey: NDArray[np.uint8], light: Light) -> NDArray[np.uint8]:
    """Even out the light and turn either polarity into ink on 0.

    Args:
        grey: uint8 (H, W).
        light: of the same frame, from this or any other resolution.

    Returns:
        uint8 (H, W): 0 is paper, 255 is ink that reflects nothing.

    Examples:
        >>> page = np.tile(np.linspace(90, 250, 300).astype(np.uint8), (200, 1))  # lit from the right
        >>> page[80:120, 40:46] //= 2
        >>> page[80:120, 240:246] //= 2
        >>> ink = ink_of(page, light_of(page))
        >>> bool(abs(int(ink[100, 42]) - int(ink[100, 242])) < 12), int(ink[20].max()) < 16
        (True, True)
    """
    height, width = grey.shape
    paper = cv2.resize(light.paper, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    darker = cv2.subtract(paper, ~grey if light.inverted else grey)
    divisor = cv2.max(paper, DARKEST_PAPER)  # type: ignore[call-overload]  # the stubs know no number here
    return cv2.divide(darker, divisor, scale=255).astype(np.uint8, copy=False)


def is_light_on_dark(grey: NDArray[np.uint8]) -> bool:
    """Whether the strokes are lighter than what is around them: chalk on a board.

    Args:
        grey: uint8 (H, W).

    Returns:
        True if the deviations from the local median lean clearly to the light side. Large light and dark areas, such
        as a sheet on a table, hardly count: they are their own median. In doubt it is ink on paper.

    Examples:
        >>> board = np.full((100, 160), 40, np.uint8)
        >>> board[30:70, 80:84] = 220
        >>> is_light_on_dark(board), is_light_on_dark(255 - board)
        (True, False)
    """
    around = cv2.medianBlur(grey, _odd(WIDEST_STROKE * min(grey.shape)))
    # Cubed, so that strokes outweigh shading; cut off, so that they also outweigh corners of sheets, and lamps.
    weights = np.arange(CLEAR_DEVIATION + 1) ** 3
    light, dark = (
        int(np.bincount(np.minimum(cv2.subtract(*pair), CLEAR_DEVIATION).ravel(), minlength=len(weights)) @ weights)
        for pair in ((grey, around), (around, grey))
    )
    return light > LIGHT_PREVAILS * dark


def _thumbnail(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, THUMBNAIL / max(grey.shape))
    target = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return cv2.resize(grey, target, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _paper(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill dark strokes from their surroundings, and smooth what is left."""
    size = _odd(WIDEST_STROKE * min(grey.shape))
    # Without a margin the closing would lift the paper at a frame edge that lies in the dark.
    margin = cv2.copyMakeBorder(grey, size, size, size, size, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(margin, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    # (Rejected: cv2.stackBlur: a third of the time, but what it gives depends on the number of threads and their luck.)
    reach = size // 2 + 2  # of the smoothing; what is further out does not reach the frame
    rows, columns = (slice(size - reach, length - size + reach) for length in closed.shape)
    smooth = cv2.GaussianBlur(closed[rows, columns], (0, 0), max(1.0, size / 6))[reach:-reach, reach:-reach]
    return smooth.astype(np.uint8, copy=False)


def _odd(size: float) -> int:
    """Round to an odd kernel size of at least 3."""
    return max(3, 2 * round(size / 2) + 1)
