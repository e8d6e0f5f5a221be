"""Text and boxes on images.

The font is built into OpenCV; in OpenCV 4 it has only ASCII characters.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2
from digitedge.utils.text import printable

Colour = tuple[int, int, int]
"""BGR, 0 to 255."""

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
# From the palette of Okabe and Ito for colour-blind people (jfly.uni-koeln.de, 2008).
BLUE: Colour = (178, 114, 0)
SKY_BLUE: Colour = (233, 180, 86)
YELLOW: Colour = (66, 228, 240)
VERMILION: Colour = (0, 94, 213)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Height of a capital letter at scale 1 in pixels: getTextSize("0", _FONT, 1.0, 1) gives 21 or 22.
_FONT_HEIGHT = 22.0


def draw_text(image: NDArray[np.uint8], text: str, corner: tuple[int, int], height: int, colour: Colour) -> None:
    """Draw a line of text into an image, uint8 (H, W, 3) BGR.

    The corner is the left end of the baseline (x, y), the height that of capitals in pixels.
    """
    cv2.putText(image, printable(text), corner, _FONT, height / _FONT_HEIGHT, colour, _stroke(height), cv2.LINE_AA)


def text_width(text: str, height: int) -> int:
    """Return the width of a line of text in pixels."""
    (width, _), _ = cv2.getTextSize(printable(text), _FONT, height / _FONT_HEIGHT, _stroke(height))
    return int(width)


def shorten_text(text: str, height: int, width: int) -> str:
    """Leave out the middle of a text until it fits into `width` pixels.

    Examples:
        >>> shorten_text("a-rather-long-name-of-an-image.png", 10, 120)
        'a-rather-..image.png'
    """
    kept = len(text)
    short = text
    while kept > 0 and text_width(short, height) > width:
        kept -= 1
        short = f"{text[: kept - kept // 2]}..{text[len(text) - kept // 2 :]}"
    return short


def draw_box(image: NDArray[np.uint8], box: Box, colour: Colour, *, width: int) -> None:
    """Draw the box of some ink into an image, uint8 (H, W, 3) BGR, with a border that shows on light and dark.

    Lines of 1 or 2 pixels do not cover the ink.
    """
    x, y, w, h = box
    start, end = (x - 3, y - 3), (x + w + 2, y + h + 2)  # OpenCV 5 draws lines of 3 and 4 pixels 5 wide
    cv2.rectangle(image, start, end, BLACK, width + 2)
    cv2.rectangle(image, start, end, colour, width)


def _stroke(height: int) -> int:
    return max(1, round(height / 10))
