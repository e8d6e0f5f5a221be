"""Time of detection and crops, as a multiple of a minimal pipeline: grey, adaptive threshold, connected components.

First scenes at 1280x720, then pages of four sizes with 0 to 50 digits; the plot build/frame_cost.png shows whether the
time is linear in both. One thread, without the classifier. Processor time in alternating runs, medians of all rounds,
because a busy machine slows both. Part of `make bench`.
"""

import statistics
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from digitedge.benchmark.rendered_frames import page_frame
from digitedge.synthetic.page.scene_types import PLAIN_SCENE_TYPES
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.opencv import cv2
from digitedge.vision import detect_candidates, normalize_digit

ROUNDS = 30
SIZES = ((640, 480), (1280, 720), (1920, 1080), (2560, 1440))
DIGITS = (0, 1, 10, 50)


def minimal_pipeline(frame: NDArray[np.uint8]) -> None:
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    mask = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 10)
    cv2.connectedComponentsWithStats(mask)


def detect_and_crop(frame: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the crops of all candidates that may be digits."""
    candidates = detect_candidates(frame).candidates
    return [normalize_digit(candidate.ink) for candidate in candidates if candidate.reject_reason is None]


def main() -> None:
    cv2.setNumThreads(1)
    frames = {name: _scene(name, Difficulty.PLAIN) for name in PLAIN_SCENE_TYPES}
    frames |= {f"hard {name}": _scene(name, Difficulty.HARD) for name in ("many", "ruled")}
    for name, frame in frames.items():
        _time(name, frame)
    _time_pages(Path("build/frame_cost.png"))


def _time(name: str, frame: NDArray[np.uint8]) -> float:
    """Print and return the milliseconds of a frame, beside those of the minimal pipeline."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, taken in zip((minimal_pipeline, detect_and_crop), times, strict=True):
            started = time.process_time()
            run(frame)
            taken.append(1000 * (time.process_time() - started))
    minimal, ours = (statistics.median(taken) for taken in times)
    found = f"{len(detect_and_crop(frame)):3} candidates"
    print(f"{name:16} {found}  {ours:5.1f} ms  {ours / minimal:4.2f} x the {minimal:.1f} ms of the minimal pipeline")
    return ours


def _time_pages(plot: Path) -> None:
    """Time pages of all sizes and numbers of digits, and plot the milliseconds over both."""
    taken = [
        [_time(f"{width}x{height}", page_frame(digits, width=width, height=height)) for digits in DIGITS]
        for width, height in SIZES
    ]
    figure, (over_pixels, over_digits) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    for digits, times in zip(DIGITS, zip(*taken, strict=True), strict=True):
        over_pixels.plot([width * height / 1e6 for width, height in SIZES], times, "o-", label=f"{digits} digits")
    for (width, height), times in zip(SIZES, taken, strict=True):
        over_digits.plot(DIGITS, times, "o-", label=f"{width}x{height}")
    over_pixels.set(xlabel="megapixels", ylabel="ms per frame, detection and crops", ylim=(0, None))
    over_digits.set(xlabel="digits")
    for axes in (over_pixels, over_digits):
        axes.grid(alpha=0.3)
        axes.legend()
    plot.parent.mkdir(exist_ok=True)
    figure.savefig(plot, dpi=110)
    print(f"plot: {plot}")


def _scene(scene_type: str, difficulty: Difficulty) -> NDArray[np.uint8]:
    return render_scene(seed=3, width=1280, height=720, scene_type=scene_type, difficulty=difficulty).frame


if __name__ == "__main__":
    main()
