"""A webcam, through V4L2 on Linux, AVFoundation on macOS and DirectShow on Windows."""

import os
import sys
from collections.abc import Generator
from dataclasses import astuple
from pathlib import Path

from digitedge.camera.sources.base import Camera, Frame, Mode
from digitedge.errors import CameraError
from digitedge.utils.opencv import as_uint8, cv2

# One backend per system, see docs/decisions/camera-sources.md.
BACKENDS = {
    "linux": (cv2.CAP_V4L2, "V4L2"),
    "darwin": (cv2.CAP_AVFOUNDATION, "AVFoundation"),
    "win32": (cv2.CAP_DSHOW, "DirectShow"),
}
DEVICES = Path("/dev")
# Many webcams start with a few damaged frames; after one second of them in a row the camera counts as stopped.
DAMAGED_LIMIT = 30
ALTERNATIVES = "Raspberry Pi ribbon camera: digitedge camera rpicam. No camera at all: digitedge camera demo"


class Webcam(Camera):
    """A camera by its number ("0" is the first), or on Linux by its device file (`/dev/v4l/by-id/...`)."""

    def __init__(self, name: str, *, mode: Mode = Mode()) -> None:  # noqa: B008 - frozen
        super().__init__(name, mode=mode)
        self._device: int | str = int(name) if name.isdecimal() else name

    def _frames(self) -> Generator[Frame]:
        capture, backend = self._open()
        count = 0
        try:
            if not capture.isOpened():
                raise CameraError(f"cannot open camera {self._device} with {backend}: {self._reason()} {ALTERNATIVES}")
            while (frame := self._read(capture)) is not None:
                self._stamp()
                count += 1
                yield frame
        finally:
            capture.release()
        raise CameraError(
            f"camera {self._device} stopped after {count} frames. Was it unplugged, or taken by another program?"
        )

    def _open(self) -> tuple[cv2.VideoCapture, str]:
        """Request MJPG, because raw frames do not fit through USB 2, and a buffer of one frame instead of four."""
        backend, backend_name = BACKENDS.get(sys.platform, (cv2.CAP_ANY, "any backend"))
        try:
            capture = cv2.VideoCapture(self._device, backend)
        except cv2.error as exc:  # a number beyond the range of the driver
            raise CameraError(f"there is no camera {self._device}. {ALTERNATIVES}") from exc
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        properties = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        for property_id, value in zip(properties, astuple(self._mode), strict=True):
            if value:
                capture.set(property_id, value)
        return capture, backend_name

    def _read(self, capture: cv2.VideoCapture) -> Frame | None:
        """Return the next frame that can be decoded, or None when the camera has stopped."""
        for _ in range(DAMAGED_LIMIT):
            # The driver may repeat the last frame of an unplugged camera, so its device file is checked as well.
            if not capture.grab() or (sys.platform == "linux" and not self._device_file().exists()):
                return None
            decoded, frame = capture.retrieve()
            if decoded:
                return as_uint8(frame)
        return None

    def _device_file(self) -> Path:
        return DEVICES / f"video{self._device}" if isinstance(self._device, int) else Path(self._device)

    def _reason(self) -> str:
        """Say why this camera does not open, as far as the system tells."""
        if sys.platform != "linux":
            return "is it plugged in, free, and is this program allowed to use the camera (privacy settings)?"
        device = self._device_file()
        others = [str(path) for path in sorted(DEVICES.glob("video*")) if path != device]
        present = f"Present: {', '.join(others)}." if others else "No other /dev/video* is present."
        if not device.exists():
            return f"{device} does not exist. {present} Is it plugged in (in a container: passed through)?"
        if not os.access(device, os.R_OK | os.W_OK):
            return f"no permission for {device}. Run: sudo usermod -aG video $USER, then log in again."
        return f"{device} is used by another program, or is not a camera that gives images. {present}"
