"""What is crossed out in a cell is told from a digit: by its length, its width, and the classifier's doubt.

A cross, a scribble or a few lines over a digit make more line than any digit has, mostly from one side of the cell to
the other, and classifiers that were trained with non-digits doubt what they see. Nobody's 7 is crossed out because it
has a bar: each sign alone is weak, and one sum decides.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.flatten import PX_PER_MM
from digitedge.collecting.sheet import CELL_MM
from digitedge.utils.opencv import cv2
from digitedge.vision.normalize import stroke_width

# Weights of the length of the line in heights of a cell, of the width of the ink in widths of a cell, and of the
# classifier's log-odds. Fitted to 4,300 digits and 2,500 crossed-out cells of 60 rendered photographs and rounded: at
# this limit one digit in 500 is lost, and 99 % of the crosses and scribbles are found (tests/experiments/sheet_photos).
_WIDTH_WEIGHT = 4.0
_LOG_ODDS_WEIGHT = 0.4
_LIMIT = 6.1
# A digit that is wide, and that the classifier does not know, is no longer for that.
_LEAST_LENGTH = 1.9
# What is broader than any pen is blacked out, if the classifier doubts it: a thick pen fills the loops of an 8, too.
_BLOT_MM = 4.5
_DOUBT = 0.2
# Confidences beyond these say no more.
_LEAST, _MOST = 0.1, 0.999
# Share of the darkest ink from which a pixel is part of the line.
_LINE_SHARE = 0.25


def is_crossed_out(ink: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> bool:
    """Tell whether the ink of a cell is crossed out.

    Args:
        ink: uint8 (H, W), bright on 0, in pixels of the flat page, cropped to the ink.
        probabilities: float32 (10,), what the classifier says of it.

    Examples:
        >>> cell = np.zeros((87, 57), np.uint8)
        >>> cell[:, 26:30] = 255  # a one
        >>> sure = np.eye(10, dtype=np.float32)[1]
        >>> is_crossed_out(cell, sure)
        False
        >>> is_crossed_out(np.full((40, 30), 255, np.uint8), np.full(10, 0.1, np.float32))  # blacked out
        True
        >>> cell[10:80:20] = cell[11:80:20] = cell[12:80:20] = 255  # and four lines from side to side
        >>> is_crossed_out(cell, np.full(10, 0.1, np.float32))
        True
    """
    line = int((ink > _LINE_SHARE * int(ink.max())).sum()) / max(1.0, stroke_width(ink))
    length = line / (CELL_MM[1] * PX_PER_MM)
    confidence = float(np.clip(probabilities.max(), _LEAST, _MOST))
    score = length + _WIDTH_WEIGHT * ink.shape[1] / (CELL_MM[0] * PX_PER_MM)
    score -= _LOG_ODDS_WEIGHT * float(np.log(confidence / (1 - confidence)))
    return (length >= _LEAST_LENGTH and score > _LIMIT) or (confidence < _DOUBT and _thickness_mm(ink) > _BLOT_MM)


def _thickness_mm(ink: NDArray[np.uint8]) -> float:
    """Width of the broadest stroke or blot, in millimetres."""
    mask = cv2.copyMakeBorder((ink > _LINE_SHARE * int(ink.max())).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return 2 * float(cv2.distanceTransform(mask, cv2.DIST_L2, 5).max()) / PX_PER_MM
