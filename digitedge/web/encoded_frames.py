"""Frames as JPEG images: each is encoded once for all viewers, and only while one waits for it."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.loop import Update
from digitedge.errors import DigitEdgeError
from digitedge.reader.overlay import draw_reading
from digitedge.utils.opencv import cv2, encode_image, resize
from digitedge.web.hub import Hub

# What 20 viewers in a wireless network can receive, and a Raspberry Pi can encode beside reading.
MAX_FPS = 15.0
MAX_SIDE = 1280  # pixels
JPEG_QUALITY = 80  # 0 to 100


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A frame with boxes as JPEG, and its number in `Hub.frame_count`."""

    number: int
    jpeg: bytes


class FrameEncoder:
    """Encodes the newest frame for those who wait for it; `count` is the number of encoded frames."""

    def __init__(self, hub: Hub) -> None:
        self.count = 0
        self._hub = hub
        self._newest = EncodedFrame(0, b"")
        self._requested = asyncio.Event()
        self._encoded = asyncio.Event()

    async def after(self, number: int) -> EncodedFrame | None:
        """Wait for a frame after `number`; None when the page closes."""
        while self._newest.number <= number and not self._hub.is_closed:
            self._requested.set()
            await self._encoded.wait()
        return None if self._hub.is_closed else self._newest

    async def run(self) -> None:
        """Encode requested frames until the page closes."""
        while not self._hub.is_closed:
            await self._requested.wait()
            await self._hub.frame_after(self._newest.number)
            self._requested.clear()
            started = time.monotonic()
            if not self._hub.is_closed and self._hub.newest is not None:
                number = self._hub.frame_count
                try:
                    self._newest = EncodedFrame(number, await asyncio.to_thread(encode, self._hub.newest))
                    self.count += 1
                except (DigitEdgeError, cv2.error) as exc:  # skip this frame
                    logging.getLogger(__name__).error("cannot encode a frame: %s", exc)
            self._notify()
            await asyncio.sleep(max(0.0, started + 1 / MAX_FPS - time.monotonic()))

    def close(self) -> None:
        """Wake all waiting tasks, after `Hub.close`."""
        self._requested.set()
        self._notify()

    def _notify(self) -> None:
        self._encoded.set()
        self._encoded = asyncio.Event()


def encode(update: Update) -> bytes:
    """Draw the boxes on a frame, without the rows, which the page shows as text, and encode it as JPEG."""
    return to_jpeg(draw_reading(update.frame, replace(update.reading, rows=())))


def to_jpeg(image: NDArray[np.uint8], *, quality: int = JPEG_QUALITY) -> bytes:
    """Encode uint8 (H, W, 3) BGR or (H, W) as JPEG, scaled down to MAX_SIDE."""
    scale = MAX_SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = resize(image, size, cv2.INTER_AREA)
    return encode_image(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)
