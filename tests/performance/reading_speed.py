"""How long the search takes with its crops, in times of the classic trio: grey, adaptive threshold, components.

First scenes at 1280x720, then pages of four sizes with 0 to 50 digits; the plot build/frame_cost.png shows whether the
time is linear in both. One thread, without the runtime. Processor time of both in turns, medians of all rounds: a busy
machine slows both.
"""

import statistics
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from digitedge.benchmark.rendered_frames import page_frame
from digitedge.synthetic.scenes.hard_scenes import render_hard_scene
from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene
from digitedge.utils.opencv import cv2
from digitedge.vision import find_digits

ROUNDS = 30
SIZES = ((640, 480), (1280, 720), (1920, 1080), (2560, 1440))
DIGITS = (0, 1, 10, 50)


def classic_trio(frame: NDArray[np.uint8]) -> None:
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    mask = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 10)
    cv2.connectedComponentsWithStats(mask)


def main() -> None:
    cv2.setNumThreads(1)
    frames = {str(medium): render_scene(seed=3, width=1280, height=720, medium=medium).frame for medium in Medium}
    frames |= {"many (hard)": _hard("many"), "ruled (hard)": _hard("ruled")}
    for name, frame in frames.items():
        _time(name, frame)
    _time_pages(Path("build/frame_cost.png"))


def _time(name: str, frame: NDArray[np.uint8]) -> float:
    """Print the time of a frame in times of the trio's; milliseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, kept in zip((classic_trio, find_digits), times, strict=True):
            started = time.process_time()
            run(frame)
            kept.append(1000 * (time.process_time() - started))
    trio, ours = (statistics.median(kept) for kept in times)
    found = f"{len(find_digits(frame)):3} candidates"
    print(f"{name:14} {found}  {ours:5.1f} ms  {ours / trio:4.2f} x the trio's {trio:.1f} ms")
    return ours


def _time_pages(plot: Path) -> None:
    """Time pages by size and digits, and draw the milliseconds over both."""
    taken = [
        [_time(f"{width}x{height}", page_frame(digits, width=width, height=height)) for digits in DIGITS]
        for width, height in SIZES
    ]
    figure, (over_pixels, over_digits) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    for digits, times in zip(DIGITS, zip(*taken, strict=True), strict=True):
        over_pixels.plot([width * height / 1e6 for width, height in SIZES], times, "o-", label=f"{digits} digits")
    for (width, height), times in zip(SIZES, taken, strict=True):
        over_digits.plot(DIGITS, times, "o-", label=f"{width}x{height}")
    over_pixels.set(xlabel="megapixels", ylabel="ms a frame, search and crops", ylim=(0, None))
    over_digits.set(xlabel="digits")
    for axes in (over_pixels, over_digits):
        axes.grid(alpha=0.3)
        axes.legend()
    plot.parent.mkdir(exist_ok=True)
    figure.savefig(plot, dpi=110)
    print(f"plot: {plot}")


def _hard(kind: str) -> NDArray[np.uint8]:
    """The first hard scene of a kind."""
    scenes = (render_hard_scene(seed=seed, width=1280, height=720, negative=False) for seed in range(1000))
    return next(scene.frame for scene in scenes if scene.kind == kind)


if __name__ == "__main__":
    main()
