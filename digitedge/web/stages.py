"""The way of the newest frame, step by step, as images: what a teacher shows. Made once for all who look."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.sources.base import Frame
from digitedge.reader.reader import Reader
from digitedge.reader.stages import Judged, brighter, in_orange, judge_marks, with_boxes
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.drawing import WHITE, text_width, write
from digitedge.utils.opencv import cv2
from digitedge.vision import find_writing
from digitedge.web.encoded_frames import to_jpeg
from digitedge.web.hub import Hub

NAMES = ("grey", "light", "binary", "lines", "candidates", "crops")
# Steps are made anew after this time at the earliest: those that one page asks for together then belong together.
FRESH_S = 0.5
QUALITY = 90
# The sheet of crops: pixels of a crop, around it, and of the type below it.
ZOOM, GAP, TYPE = 3, 14, 20
COLUMNS, MOST_CROPS = 6, 30
SLATE = (30, 26, 22)
KEPT, DROPPED = (255, 205, 120), (110, 160, 255)


class Steps:
    """The steps of the newest frame, for all who ask."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = asyncio.Lock()
        self._made: dict[str, bytes] = {}
        self._number = 0
        self._when = 0.0

    async def image(self, name: str) -> bytes | None:
        """The JPEG image of one of NAMES; None before the first frame."""
        async with self._lock:
            newest, number = self._hub.newest, self._hub.frames
            if newest is not None and number != self._number and time.monotonic() - self._when > FRESH_S:
                self._made = await asyncio.to_thread(make_steps, newest.frame, self._hub.reader)
                self._number, self._when = number, time.monotonic()
            return self._made.get(name)


def make_steps(frame: Frame, reader: Reader) -> dict[str, bytes]:
    """Follow a frame through the reader.

    Args:
        frame: uint8 (H, W, 3) BGR or (H, W).
        reader: whose classifier and threshold are used.

    Returns:
        Name -> JPEG, for each of NAMES.
    """
    writing = find_writing(frame)
    judged = judge_marks(writing, reader)
    steps = writing.steps
    erased = np.asarray(cv2.subtract(steps["mask"], steps["clean"]), np.uint8)
    images = (
        steps["grey"],
        brighter(steps["ink"]),
        steps["mask"],
        in_orange(steps["clean"], erased),
        with_boxes(frame, judged),
        draw_crops([one for one in judged if one.crop is not None]),
    )
    return {name: to_jpeg(image, quality=QUALITY) for name, image in zip(NAMES, images, strict=True)}


def draw_crops(judged: Sequence[Judged]) -> NDArray[np.uint8]:
    """Draw what the classifier saw on a sheet, with its answers: uint8 (H, W, 3)."""
    shown = judged[:MOST_CROPS]
    side = ZOOM * CROP_SIZE
    wide, high = side + GAP, side + TYPE + 2 * GAP
    rows = max(1, -(-len(shown) // COLUMNS))
    sheet = np.full((rows * high + GAP, COLUMNS * wide + GAP, 3), SLATE, np.uint8)
    for index, one in enumerate(shown):
        x, y = GAP + index % COLUMNS * wide, GAP + index // COLUMNS * high
        if one.crop is not None:
            enlarged = cv2.resize(one.crop, (side, side), interpolation=cv2.INTER_NEAREST)
            sheet[y : y + side, x : x + side] = enlarged[..., None]  # (side, side, 1)
        _write_answer(sheet, one, (x, y + side + TYPE + 6), side)
    if not judged:
        write(sheet, "nothing here could be a digit", (2 * GAP, high // 2 + GAP), TYPE, WHITE)
    return sheet


def _write_answer(sheet: NDArray[np.uint8], one: Judged, corner: tuple[int, int], room: int) -> None:
    """The digit and its confidence; of what was dropped, in another colour and in brackets."""
    verdict = one.verdict
    colour = KEPT if verdict.kept else DROPPED
    write(sheet, str(verdict.digit) if verdict.kept else f"({verdict.digit})", corner, TYPE, colour)
    percent = f"{100 * verdict.confidence:.0f}%"
    height = TYPE * 2 // 3
    write(sheet, percent, (corner[0] + room - text_width(percent, height), corner[1]), height, colour)
