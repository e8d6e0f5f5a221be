"""What cameras are shown in tests: pages with sevens on them, clips, and a net that takes everything for a 7."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitedge.reader.reader import Reader
from digitedge.utils.opencv import cv2


class Sevens:
    """A classifier that takes everything for a 7."""

    def probabilities(self, crops):
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(crops), 1))


@pytest.fixture
def sevens() -> Reader:
    return Reader.of(Sevens())


def make_page(sevens: int) -> np.ndarray:
    """A light page with this many sevens in one row, each in a box of about 36x56: uint8 (240, 320, 3)."""
    page = np.full((240, 320, 3), 225, np.uint8)
    for number in range(sevens):
        left = 30 + 80 * number
        stroke = np.array([(left, 90), (left + 30, 90), (left + 10, 140)])
        cv2.polylines(page, [stroke], False, (30, 30, 30), 6, cv2.LINE_AA)
    return page


@pytest.fixture
def page() -> Callable[..., np.ndarray]:
    return make_page


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of 12 frames at 25 frames a second, whose frames get lighter by 16 grey levels each."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(12):
        writer.write(np.full((48, 64, 3), 16 * number + 8, np.uint8))
    writer.release()
    return path


@pytest.fixture
def jpeg() -> bytes:
    """One page as a JPEG file."""
    return cv2.imencode(".jpg", make_page(2))[1].tobytes()
