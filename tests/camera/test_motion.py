import time
from collections.abc import Callable, Generator

import numpy as np
import pytest

from digitedge.camera import Frame, Source, Update, run
from digitedge.camera.motion import STILL_S, MotionGate
from digitedge.reader import Reader
from digitedge.utils.opencv import cv2

FPS = 25


def add_noise(page: Frame, seed: int) -> Frame:
    noise = np.random.default_rng(seed).normal(0, 8, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


def skipped(frames: list[Frame], *, idle_fps: float = 1) -> list[bool]:
    gate = MotionGate(idle_fps)
    return [gate.should_skip(frame, number / FPS) for number, frame in enumerate(frames)]


@pytest.fixture
def blank() -> Frame:
    return np.full((480, 640, 3), 200, np.uint8)


def test_still_page_with_noise_is_read_at_the_idle_rate(blank: Frame) -> None:
    skips = skipped([add_noise(blank, seed) for seed in range(10)] * (8 * FPS // 10), idle_fps=2)
    first = int(STILL_S * FPS)
    assert not any(skips[: first + 1])
    assert skips[first + 1 :].count(False) == pytest.approx(2 * (8 - STILL_S), abs=1)


def test_first_frame_with_a_small_pale_digit_is_read(blank: Frame) -> None:
    written = blank.copy()
    cv2.putText(written, "7", (301, 222), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (140, 140, 140), 2, cv2.LINE_AA)
    still = [add_noise(blank, n) for n in range(10)] * (6 * FPS // 10)
    frames = still + [add_noise(written, n) for n in range(FPS)]
    skips = skipped(frames, idle_fps=0)
    assert all(skips[-2 * FPS : -FPS])
    assert skips[-FPS:] == [False] * FPS


def test_slow_change_of_light_is_motion_in_the_end(blank: Frame) -> None:
    frames = [np.clip(blank.astype(float) - 0.04 * n, 0, 255).astype(np.uint8) for n in range(20 * FPS)]
    skips = skipped(frames, idle_fps=0)
    assert skips[5 * FPS :].count(False) > FPS


def test_frame_of_another_size_is_read(blank: Frame) -> None:
    frames = [blank] * (6 * FPS) + [cv2.resize(blank, None, fx=0.5, fy=0.5)] * 2
    assert skipped(frames)[-2:] == [False, False]


class Still(Source):
    """A still page, and after two seconds another one."""

    live = True

    def __init__(self, pages: list[Frame]) -> None:
        super().__init__("still")
        self._pages = pages

    def _frames(self) -> Generator[Frame]:
        for number in range(3 * FPS):
            time.sleep(1 / FPS)
            self._stamp()
            yield add_noise(self._pages[number >= 2 * FPS], number)


class FrameNumbers:
    """A sink that keeps the numbers of the frames that were read."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def show(self, update: Update) -> bool:
        if update.is_new:
            self.numbers.append(update.reading.frame)
        return True


def test_loop_idles_while_nothing_moves_and_reads_the_first_frame_that_moves(
    page: Callable[[int], Frame], sevens: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitedge.camera.motion.STILL_S", 0.8)
    sink = FrameNumbers()
    run(Still([page(1), page(3)]), sevens, [sink], idle_fps=1)
    idle = [number for number in sink.numbers if FPS <= number < 2 * FPS]
    assert len(idle) <= 2
    moved = [number for number in sink.numbers if number >= 2 * FPS]
    assert moved[0] <= 2 * FPS + 2
    assert len(moved) > FPS / 2
