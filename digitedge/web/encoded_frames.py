"""Frames as JPEG images, each encoded once, however many look, and not at all while nobody does."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.loop import Update
from digitedge.errors import CameraError, DigitEdgeError
from digitedge.reader.overlay import draw_reading
from digitedge.utils.opencv import cv2
from digitedge.web.hub import Hub

# Images in a second at most: what 20 viewers in a wireless network can get, and a Raspberry Pi can encode meanwhile.
MOST_FPS = 15.0
# Longer side in pixels, at most; and JPEG quality, 0 to 100.
LONGEST_SIDE, QUALITY = 1280, 80


@dataclass(frozen=True, slots=True)
class Image:
    """A JPEG image of a frame with boxes, and the number of that frame in `Hub.frames`."""

    number: int
    jpeg: bytes


class Images:
    """The newest image, for those who wait for one.

    Attributes:
        encoded: how many images were encoded.
    """

    def __init__(self, hub: Hub) -> None:
        self.encoded = 0
        self._hub = hub
        self._newest = Image(0, b"")
        self._wanted = asyncio.Event()
        self._made = asyncio.Event()

    async def after(self, number: int) -> Image | None:
        """Wait for an image of a later frame than `number`; None at the end."""
        while self._newest.number <= number and not self._hub.ended:
            self._wanted.set()
            await self._made.wait()
        return None if self._hub.ended else self._newest

    async def run(self) -> None:
        """Encode what is waited for, until the end."""
        while not self._hub.ended:
            await self._wanted.wait()
            await self._hub.frame_after(self._newest.number)
            self._wanted.clear()
            started = time.monotonic()
            if not self._hub.ended and self._hub.newest is not None:
                number = self._hub.frames
                try:
                    self._newest = Image(number, await asyncio.to_thread(encode, self._hub.newest))
                    self.encoded += 1
                except (DigitEdgeError, cv2.error) as exc:  # this frame; the next one may do
                    logging.getLogger(__name__).error("no image of a frame: %s", exc)
            self._notify()
            await asyncio.sleep(max(0.0, started + 1 / MOST_FPS - time.monotonic()))

    def end(self) -> None:
        """Send everyone home who waits, after `Hub.end`."""
        self._wanted.set()
        self._notify()

    def _notify(self) -> None:
        self._made.set()
        self._made = asyncio.Event()


def encode(update: Update) -> bytes:
    """Draw the boxes over a frame, without the rows (they stand beside it as text), and make it a JPEG image."""
    return to_jpeg(draw_reading(update.frame, replace(update.reading, rows=())))


def to_jpeg(image: NDArray[np.uint8], *, quality: int = QUALITY) -> bytes:
    """Make a JPEG image of uint8 (H, W, 3) BGR or (H, W), no larger than LONGEST_SIDE.

    Raises:
        CameraError: OpenCV cannot encode it.
    """
    scale = LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise CameraError(f"OpenCV cannot make a JPEG image of {image.dtype} {image.shape}")
    return jpeg.tobytes()
