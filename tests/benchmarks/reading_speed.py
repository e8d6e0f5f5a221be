"""How long the search takes at 1280x720, in times of the classic trio: grey, adaptive threshold, connected components.

One thread, without the runtime. Processor time of both in turns, medians of all rounds: a busy machine slows both.
"""

import statistics
import time

import numpy as np
from numpy.typing import NDArray

from digitedge.opencv import cv2
from digitedge.rendering.scenes.hard_scenes import render_hard_scene
from digitedge.rendering.scenes.plain_scenes import Medium, render_scene
from digitedge.vision import find_digits

ROUNDS = 30


def classic_trio(frame: NDArray[np.uint8]) -> None:
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    mask = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 10)
    cv2.connectedComponentsWithStats(mask)


def main() -> None:
    cv2.setNumThreads(1)
    frames = {str(medium): render_scene(seed=3, width=1280, height=720, medium=medium).frame for medium in Medium}
    frames |= {"many (hard)": _hard("many"), "ruled (hard)": _hard("ruled")}
    for name, frame in frames.items():
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for run, kept in zip((classic_trio, find_digits), times, strict=True):
                started = time.process_time()
                run(frame)
                kept.append(1000 * (time.process_time() - started))
        trio, ours = (statistics.median(kept) for kept in times)
        found = f"{len(find_digits(frame)):3} candidates"
        print(f"{name:14} {found}  {ours:5.1f} ms  {ours / trio:4.2f} x the trio's {trio:.1f} ms")


def _hard(kind: str) -> NDArray[np.uint8]:
    """The first hard scene of a kind."""
    scenes = (render_hard_scene(seed=seed, width=1280, height=720, negative=False) for seed in range(1000))
    return next(scene.frame for scene in scenes if scene.kind == kind)


if __name__ == "__main__":
    main()
