"""Pages with digits drawn at known places, for the tests of vision."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from digitedge.utils.boxes import Box, iou
from digitedge.utils.opencv import cv2

# FONT_HERSHEY_SIMPLEX is this many pixels high at scale 1.
FONT_HEIGHT = 21


class DrawnPage:
    """A grey page.

    Attributes:
        grey: uint8 (H, W).
        boxes: of the ink of each digit, in the order in which they were written.
    """

    def __init__(self, width: int = 640, height: int = 480, *, paper: int = 220) -> None:
        self.grey = np.full((height, width), paper, np.uint8)
        self.boxes: list[Box] = []

    def write(
        self, text: str, corner: tuple[int, int], height: int, *, level: int = 40, pen: int | None = None
    ) -> Self:
        """Write digits from a lower left corner.

        Args:
            text: digits.
            corner: x and y of the lower left corner of the first one.
            height: of each digit, in pixels.
            level: grey level of the ink.
            pen: width of the strokes in pixels; None for a tenth of the height.
        """
        x, y = corner
        for digit in text:
            ink = np.zeros_like(self.grey)
            thickness = pen or max(1, height // 10)
            cv2.putText(ink, digit, (x, y), cv2.FONT_HERSHEY_SIMPLEX, height / FONT_HEIGHT, 255, thickness, cv2.LINE_AA)
            left, top, ink_width, ink_height = cv2.boundingRect((ink > 127).astype(np.uint8))
            self.boxes.append((left, top, ink_width, ink_height))
            self.grey[:] = np.where(ink > 0, self.grey + (level - self.grey.astype(float)) * (ink / 255), self.grey)
            x += round(1.5 * height)
        return self


def assert_same_boxes(found: Sequence[Box], true: Sequence[Box], *, min_iou: float = 0.75) -> None:
    """Check that the found boxes are the true ones, each once, in any order."""
    assert len(found) == len(true), f"found {sorted(found)}, true {sorted(true)}"
    for box in true:
        best = max(found, key=lambda other: iou(other, box))
        assert iou(best, box) >= min_iou, f"{best} is not {box}"
