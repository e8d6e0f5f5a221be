"""Shared by the camera tests: pages with sevens, a reader that classifies everything as 7, sources and clips."""

import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.camera import Frame, Source
from digitedge.reader import Reader
from digitedge.utils.opencv import cv2


class Sevens:
    """A classifier that returns 7 for every crop, with a confidence."""

    def __init__(self, confidence: float) -> None:
        self.row = np.full(10, (1 - confidence) / 9, np.float32)
        self.row[7] = confidence

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.tile(self.row, (len(crops), 1))


@pytest.fixture
def sevens() -> Reader:
    return Reader(Sevens(1.0))


@pytest.fixture
def doubtful_sevens() -> Reader:
    return Reader(Sevens(0.9))


def draw_page(sevens: int) -> Frame:
    """Draw a light page with this many sevens in one row, each in a box of about 36x56: uint8 (240, 320, 3)."""
    page = np.full((240, 320, 3), 225, np.uint8)
    for number in range(sevens):
        left = 30 + 80 * number
        stroke = np.array([(left, 90), (left + 30, 90), (left + 10, 140)])
        cv2.polylines(page, [stroke], False, (30, 30, 30), 6, cv2.LINE_AA)
    return page


@pytest.fixture
def page() -> Callable[[int], Frame]:
    return draw_page


class TimedFrames(Source):
    """Frames with the times of a video; if live, at these times."""

    def __init__(self, frames: Iterable[Frame], *, fps: float = 25, live: bool = False) -> None:
        super().__init__("timed")
        self._list, self._fps, self.live = frames, fps, live

    def _frames(self) -> Generator[Frame]:
        for number, frame in enumerate(self._list):
            self.time = number / self._fps
            if self.live:
                time.sleep(1 / self._fps)
            yield frame


@pytest.fixture
def timed() -> Callable[..., Source]:
    return TimedFrames


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of 12 frames at 25 fps, each 16 grey levels lighter than the one before."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(12):
        writer.write(np.full((48, 64, 3), 16 * number + 8, np.uint8))
    writer.release()
    return path


@pytest.fixture
def jpeg() -> bytes:
    """A page as a JPEG file."""
    return cv2.imencode(".jpg", draw_page(2))[1].tobytes()
