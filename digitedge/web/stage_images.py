"""Images of the pipeline stages of the newest frame, made once for all viewers."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.reading import format_confidence
from digitedge.reader.rejection import Decision
from digitedge.reader.stage_images import IMAGE_STAGES, SHOWN_STAGES, draw_crop, stage_image
from digitedge.reader.trace import Trace
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.drawing import WHITE, draw_text, text_width
from digitedge.vision import Stage
from digitedge.web.encoded_frames import to_jpeg
from digitedge.web.hub import Hub

# Stages are drawn again after this time at the earliest, so that those that a page requests together show one frame.
REFRESH_S = 0.5
JPEG_QUALITY = 90
# The sheet of crops, in pixels: side of a crop, space around it, height of the text below it.
CROP_SIDE = 3 * CROP_SIZE
GAP = 14
TEXT_HEIGHT = 20
COLUMNS = 6
MAX_CROPS = 30
# BGR
BACKGROUND = (30, 26, 22)
KEPT = (255, 205, 120)
REJECTED = (110, 160, 255)


class StageImages:
    """The stages of the newest frame as JPEG."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = asyncio.Lock()
        self._images: dict[str, bytes] = {}
        self._frame_number = 0
        self._drawn_at = 0.0

    async def image(self, name: str) -> bytes | None:
        """The image of one of SHOWN_STAGES; None before the first frame."""
        async with self._lock:
            newest, number = self._hub.newest, self._hub.frame_count
            is_outdated = number != self._frame_number and time.monotonic() - self._drawn_at > REFRESH_S
            if newest is not None and newest.reading.trace is not None and is_outdated:
                self._images = await asyncio.to_thread(encode_stages, newest.reading.trace)
                self._frame_number, self._drawn_at = number, time.monotonic()
            return self._images.get(name)


def stages_html() -> str:
    """List the stages as HTML: an image, which the page loads by its `data-stage`, with heading and caption."""
    return "\n".join(
        f'<li><figure><img data-stage="{stage}" alt="Stage: {heading}">'
        f"<figcaption><b>{number}. {heading}</b> {caption[0].upper()}{caption[1:]}.</figcaption></figure></li>"
        for number, (stage, (heading, caption)) in enumerate(SHOWN_STAGES.items(), start=1)
    )


def encode_stages(trace: Trace) -> dict[str, bytes]:
    """Draw each of SHOWN_STAGES as JPEG, by its name."""
    crops = [decision for decision in trace.sorted_decisions() if decision.prediction.crop is not None]
    images: dict[Stage, NDArray[np.uint8]] = {stage: stage_image(trace, stage) for stage in IMAGE_STAGES}
    images[Stage.CROPS] = draw_crops(crops)
    return {stage: to_jpeg(image, quality=JPEG_QUALITY) for stage, image in images.items()}


def draw_crops(decisions: Sequence[Decision]) -> NDArray[np.uint8]:
    """Draw crops with their predictions on a sheet: uint8 (H, W, 3)."""
    shown = decisions[:MAX_CROPS]
    width, height = CROP_SIDE + GAP, CROP_SIDE + TEXT_HEIGHT + 2 * GAP
    rows = max(1, -(-len(shown) // COLUMNS))
    sheet = np.full((rows * height + GAP, COLUMNS * width + GAP, 3), BACKGROUND, np.uint8)
    for index, decision in enumerate(shown):
        x, y = GAP + index % COLUMNS * width, GAP + index // COLUMNS * height
        draw_crop(sheet, decision, (x, y), CROP_SIDE)
        _write_prediction(sheet, decision, (x, y + CROP_SIDE + TEXT_HEIGHT + 6))
    if not decisions:
        draw_text(sheet, "no candidates", (2 * GAP, height // 2 + GAP), TEXT_HEIGHT, WHITE)
    return sheet


def _write_prediction(sheet: NDArray[np.uint8], decision: Decision, corner: tuple[int, int]) -> None:
    """Write digit and confidence; those of rejected candidates in another colour and in brackets."""
    digit, colour = decision.prediction.digit, KEPT if decision.kept else REJECTED
    draw_text(sheet, str(digit) if decision.kept else f"({digit})", corner, TEXT_HEIGHT, colour)
    confidence = format_confidence(decision.prediction.confidence)
    height = TEXT_HEIGHT * 2 // 3
    left = corner[0] + CROP_SIDE - text_width(confidence, height)
    draw_text(sheet, confidence, (left, corner[1]), height, colour)
