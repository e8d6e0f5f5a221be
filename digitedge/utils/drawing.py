"""Type and boxes on images: what overlays, contact sheets and the stages of a frame draw alike.

The type is OpenCV's own, so nothing has to be installed or carried along. That of OpenCV 4 has no letters beyond ASCII.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2

Colour = tuple[int, int, int]
"""BGR, 0 to 255."""


BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
# Of the colours that Okabe and Ito chose to be told apart by everyone (jfly.uni-koeln.de, 2008).
BLUE: Colour = (178, 114, 0)
YELLOW: Colour = (66, 228, 240)
VERMILION: Colour = (0, 94, 213)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Height of a capital of that font at scale 1, in pixels: getTextSize("0", _FONT, 1.0, 1) says 21 or 22.
_FONT_HEIGHT = 22.0


def write(image: NDArray[np.uint8], text: str, corner: tuple[int, int], height: int, colour: Colour) -> None:
    """Write a line, in place.

    Args:
        image: uint8 (H, W, 3) BGR.
        text: one line.
        corner: x and y of the left end of the baseline.
        height: of capitals and digits, in pixels.
        colour: of the letters.
    """
    cv2.putText(image, text, corner, _FONT, height / _FONT_HEIGHT, colour, _stroke(height), cv2.LINE_AA)


def text_width(text: str, height: int) -> int:
    """Pixels from the left to the right end of a line."""
    (width, _), _ = cv2.getTextSize(text, _FONT, height / _FONT_HEIGHT, _stroke(height))
    return int(width)


def shortened(name: str, height: int, room: int) -> str:
    """Leave out the middle of a name until it fits into `room` pixels: beginnings and ends tell files apart.

    Examples:
        >>> shortened("a-rather-long-name-of-an-image.png", 10, 120)
        'a-rather-..image.png'
    """
    kept = len(name)
    short = name
    while kept > 0 and text_width(short, height) > room:
        kept -= 1
        short = f"{name[: kept - kept // 2]}..{name[len(name) - kept // 2 :]}"
    return short


def draw_box(image: NDArray[np.uint8], box: Box, colour: Colour, *, width: int) -> None:
    """Draw a box around ink, with a dark edge so that it is seen on paper and on a blackboard.

    The ink itself stays free for lines of 1 or 2 pixels.

    Args:
        image: uint8 (H, W, 3) BGR, drawn into.
        box: x, y, width, height of the ink, in pixels.
        colour: of the line.
        width: of the line, in pixels.
    """
    x, y, w, h = box
    start, end = (x - 3, y - 3), (x + w + 2, y + h + 2)  # OpenCV 5 draws lines of 3 and 4 pixels 5 wide
    cv2.rectangle(image, start, end, BLACK, width + 2)
    cv2.rectangle(image, start, end, colour, width)


def _stroke(height: int) -> int:
    return max(1, round(height / 10))
