"""Pages with digits drawn at known places."""

from dataclasses import dataclass

import numpy as np
import pytest

from digitedge.utils.opencv import cv2


@dataclass
class Page:
    """A grey page to write on.

    Attributes:
        grey: uint8 (H, W).
        boxes: x, y, width, height of what was written, in order.
    """

    grey: np.ndarray
    boxes: list

    def write(self, text, at, height, *, level=40, pen=None):
        """Write digits from the lower left corner `at`, and note the box of each one's ink."""
        pen = pen or max(1, height // 10)
        scale = height / 21  # FONT_HERSHEY_SIMPLEX is 21 pixels high at scale 1
        x, y = at
        for digit in text:
            ink = np.zeros_like(self.grey)
            cv2.putText(ink, digit, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, pen, cv2.LINE_AA)
            self.boxes.append(cv2.boundingRect((ink > 127).astype(np.uint8)))
            self.grey[:] = np.where(ink > 0, self.grey + (level - self.grey.astype(float)) * (ink / 255), self.grey)
            x += round(1.5 * height)
        return self


@pytest.fixture
def page():
    """Make an empty page of a width, height and paper level."""

    def make(width=640, height=480, paper=220):
        return Page(np.full((height, width), paper, np.uint8), [])

    return make


def overlap(a, b):
    """Intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0, width) * max(0, height)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


@pytest.fixture
def same_boxes():
    """Assert that found boxes are the true ones, each once, whatever the order."""

    def check(found, true, least=0.75):
        assert len(found) == len(true), f"found {sorted(found)}, true {sorted(true)}"
        for box in true:
            best = max(found, key=lambda other, box=box: overlap(other, box))
            assert overlap(best, box) >= least, f"{best} is not {box}"

    return check
