import time

import numpy as np
import pytest

from digitedge.camera import Source, run
from digitedge.camera.motion import STILL_S, Stillness
from digitedge.utils.opencv import cv2

FPS = 25


def noisy(page: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 8, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


def spared(frames: list[np.ndarray], *, idle_fps: float = 1) -> list[bool]:
    stillness = Stillness(idle_fps)
    return [stillness.spares(frame, number / FPS) for number, frame in enumerate(frames)]


@pytest.fixture
def blank() -> np.ndarray:
    return np.full((480, 640, 3), 200, np.uint8)


def test_of_a_still_page_with_noise_so_many_frames_a_second_are_read(blank) -> None:
    answers = spared([noisy(blank, seed) for seed in range(8 * FPS)], idle_fps=2)
    first = int(STILL_S * FPS)
    assert not any(answers[: first + 1])
    assert answers[first + 1 :].count(False) == pytest.approx(2 * (8 - STILL_S), abs=1)


def test_the_first_frame_with_a_small_pale_digit_is_read(blank) -> None:
    written = blank.copy()
    cv2.putText(written, "7", (301, 222), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (140, 140, 140), 2, cv2.LINE_AA)
    answers = spared([noisy(blank, n) for n in range(6 * FPS)] + [noisy(written, n) for n in range(FPS)], idle_fps=0)
    assert all(answers[-2 * FPS : -FPS])
    assert answers[-FPS:] == [False] * FPS


def test_light_that_changes_slowly_is_noticed_in_the_end(blank) -> None:
    frames = [np.clip(blank.astype(float) - 0.04 * n, 0, 255).astype(np.uint8) for n in range(20 * FPS)]
    answers = spared(frames, idle_fps=0)
    assert answers[5 * FPS :].count(False) > FPS


def test_another_size_is_another_image(blank) -> None:
    frames = [blank] * (6 * FPS) + [cv2.resize(blank, None, fx=0.5, fy=0.5)] * 2
    assert spared(frames)[-2:] == [False, False]


class Still(Source):
    """A still page, and after five seconds another one."""

    live = True

    def __init__(self, pages: list[np.ndarray]) -> None:
        super().__init__("still")
        self._pages = pages

    def _frames(self):
        for number in range(7 * FPS):
            time.sleep(1 / FPS)
            self._stamp()
            yield noisy(self._pages[number >= 5 * FPS], number)


def test_the_loop_sleeps_and_wakes_with_the_next_frame(page, sevens) -> None:
    class Output:
        def __init__(self):
            self.seen = []

        def show(self, update):
            if update.is_new:
                self.seen.append((update.reading.frame, update.reading.rows))
            return True

    output = Output()
    run(Still([page(1), page(3)]), sevens, [output], idle_fps=1)
    numbers = [number for number, _ in output.seen]
    asleep = [number for number in numbers if 4 * FPS <= number < 5 * FPS]
    assert len(asleep) <= 2
    woken = [number for number in numbers if number >= 5 * FPS]
    assert woken[0] <= 5 * FPS + 2
    assert len(woken) > FPS
