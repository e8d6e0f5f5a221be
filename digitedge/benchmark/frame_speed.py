"""One frame on its way to a reading, stage by stage. To be called in a process of its own; see `process`."""

from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.benchmark.rendered_frames import page_frame
from digitedge.benchmark.stopwatch import STAGES, Stopwatch, stages_timed
from digitedge.benchmark.timing import BLOCKS, rounded
from digitedge.reader.reader import Reader
from digitedge.runtime import load_classifier
from digitedge.utils.opencv import cv2

SIZES = ((640, 480), (1280, 720), (1920, 1080))
DIGITS = (0, 1, 10, 50)


def measure_frames(path: str, *, threads: int, size: tuple[int, int], rounds: int) -> list[dict[str, Any]]:
    """Read rendered pages of one size with 0, 1, 10 and 50 digits.

    Args:
        path: the model file.
        threads: of OpenCV and of the runtime.
        size: width and height in pixels.
        rounds: readings of each page in a block.

    Returns:
        For each page threads, width, height, digits, digits_read; total_ms and stages_ms, medians of all rounds; and
        medians_ms, those of the whole for each block.
    """
    cv2.setNumThreads(threads)
    reader = Reader(path, force=True)
    reader.classifier = load_classifier(path, threads=threads)
    return [
        {"threads": threads, "width": size[0], "height": size[1], "digits": digits}
        | _measure(reader, digits, size, rounds)
        for digits in DIGITS
    ]


def _measure(reader: Reader, digits: int, size: tuple[int, int], rounds: int) -> dict[str, Any]:
    frame = page_frame(digits, width=size[0], height=size[1])
    read = len(reader.read(frame).digits)  # also warms up
    with stages_timed(reader) as watch:
        blocks = [[_read(reader, frame, watch) for _ in range(rounds)] for _ in range(BLOCKS)]
    taken = [times for block in blocks for times in block]
    return {
        "digits_read": read,
        "total_ms": rounded(median(sum(times.values()) for times in taken)),
        "stages_ms": {stage: rounded(median(times[stage] for times in taken)) for stage in STAGES},
        "medians_ms": [rounded(median(sum(times.values()) for times in block)) for block in blocks],
    }


def _read(reader: Reader, frame: NDArray[np.uint8], watch: Stopwatch) -> dict[str, float]:
    reader.read(frame)
    return watch.take()
