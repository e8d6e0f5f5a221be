"""Age of a frame of 1280x720 when its reading is shown, as a multiple of the time of reading alone.

A live source delivers 30 frames a second, like a webcam. The age is from capture to update: capture thread, reading,
tracking, stable rows. Part of `make bench`.
"""

import time
from collections.abc import Generator
from itertools import islice
from statistics import median, quantiles

from digitedge.camera import Source, Update, run
from digitedge.camera.sources.base import Frame
from digitedge.reader import Reader
from digitedge.synthetic.scenes import render_clip
from digitedge.utils.opencv import cv2

FRAMES = 150
FPS = 30


class Webcam(Source):
    """Rendered frames at the rate of a webcam."""

    live = True

    def __init__(self) -> None:
        super().__init__("webcam")
        self._list = [scene.frame for scene in islice(render_clip(seed=1, width=1280, height=720, fps=FPS), 60)]

    def _frames(self) -> Generator[Frame]:
        due, number = time.monotonic(), 0
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            due += 1 / FPS
            number += 1
            self._stamp()
            yield self._list[number % len(self._list)].copy()


class AgeSink:
    """A sink that records the ages and times of all updates."""

    def __init__(self) -> None:
        self.age_ms: list[float] = []
        self.reading_ms: list[float] = []
        self.digits: list[int] = []
        self.numbers: list[int] = []

    def show(self, update: Update) -> bool:
        if update.is_new:
            self.age_ms.append(update.age_ms)
            self.reading_ms.append(update.reading.ms)
            self.digits.append(len(update.reading.digits))
            self.numbers.append(update.reading.frame)
        return True


def main() -> None:
    """Print the ages with one thread of OpenCV and with all."""
    for threads in (1, -1):
        cv2.setNumThreads(threads)
        ages = AgeSink()
        run(Webcam(), Reader(), [ages], max_frames=FRAMES)
        skipped = ages.numbers[-1] - ages.numbers[0] + 1 - len(ages.numbers)
        print(
            f"{'one thread ' if threads == 1 else 'all threads'}  {median(ages.digits):.0f} digits  "
            f"frame to reading p50 {median(ages.age_ms):5.1f} ms, p95 {quantiles(ages.age_ms, n=20)[-1]:.1f} ms  "
            f"{median(ages.age_ms) / median(ages.reading_ms):.2f} x the {median(ages.reading_ms):.1f} ms of reading  "
            f"{skipped} of {ages.numbers[-1] + 1} frames skipped"
        )


if __name__ == "__main__":
    main()
