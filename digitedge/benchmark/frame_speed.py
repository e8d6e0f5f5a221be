"""Time of a frame from image to reading, stage by stage. Runs in a process of its own."""

from statistics import median
from typing import Any

from digitedge.benchmark.rendered_frames import page_frame
from digitedge.benchmark.timing import BLOCKS, rounded
from digitedge.reader import Reader
from digitedge.utils.opencv import cv2
from digitedge.vision import Stage

SIZES = ((640, 480), (1280, 720), (1920, 1080))
DIGITS = (0, 1, 10, 50)


def measure_frames(path: str, *, threads: int, size: tuple[int, int], rounds: int) -> list[dict[str, Any]]:
    """Read rendered pages of one size (width, height) with each of DIGITS, each `rounds` times in a block.

    Returns:
        For each page threads, width, height, digits, digits_read; total_ms and stage_ms, medians of all rounds; and
        medians_ms, the medians of the total for each block.
    """
    cv2.setNumThreads(threads)
    reader = Reader(path, force=True, threads=threads)
    return [
        {"threads": threads, "width": size[0], "height": size[1], "digits": digits}
        | _measure(reader, digits, size, rounds)
        for digits in DIGITS
    ]


def _measure(reader: Reader, digits: int, size: tuple[int, int], rounds: int) -> dict[str, Any]:
    frame = page_frame(digits, width=size[0], height=size[1])
    digits_read = len(reader.read(frame).digits)  # also the warm-up
    blocks = [[reader.trace(frame).stage_ms for _ in range(rounds)] for _ in range(BLOCKS)]
    times = [stage_ms for block in blocks for stage_ms in block]
    return {
        "digits_read": digits_read,
        "total_ms": rounded(median(map(_total_ms, times))),
        "stage_ms": {stage: rounded(median(stage_ms[stage] for stage_ms in times)) for stage in Stage},
        "medians_ms": [rounded(median(map(_total_ms, block))) for block in blocks],
    }


def _total_ms(stage_ms: dict[Stage, float]) -> float:
    return sum(stage_ms.values())
