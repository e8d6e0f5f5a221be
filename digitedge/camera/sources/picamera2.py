"""The Raspberry Pi ribbon camera through the Python package picamera2. `rpicam` needs no package."""

from collections.abc import Generator
from typing import Any

from digitedge.camera.sources.base import Camera, Frame
from digitedge.camera.sources.rpicam import FPS, HEIGHT, WIDTH
from digitedge.errors import CameraError
from digitedge.utils.opencv import as_uint8


class PiCamera2(Camera):
    """Frames from picamera2, which is imported when the camera is opened."""

    def _frames(self) -> Generator[Frame]:
        camera = _open()
        try:
            size = (self._mode.width or WIDTH, self._mode.height or HEIGHT)
            # picamera2 names channels from the last byte to the first: its "RGB888" is BGR in memory.
            main = {"size": size, "format": "RGB888"}
            controls = {"FrameRate": self._mode.fps or FPS}
            camera.configure(camera.create_video_configuration(main=main, controls=controls))
            camera.start()
            while True:
                frame = as_uint8(camera.capture_array("main"))
                self._stamp()
                yield frame
        except (RuntimeError, OSError) as exc:
            raise CameraError(
                f"the Raspberry Pi camera stopped: {exc}. Check it with: rpicam-hello --list-cameras"
            ) from exc
        finally:
            camera.close()


def _open() -> Any:
    """Open the first camera."""
    try:
        from picamera2 import Picamera2
    except ImportError as exc:
        raise CameraError(
            f"picamera2 cannot be imported ({exc}). It comes with Raspberry Pi OS, not from pip: sudo apt install "
            "python3-picamera2, then a venv that sees it: python3 -m venv --system-site-packages .venv. "
            "Or without it: digitedge camera rpicam"
        ) from exc
    except ValueError as exc:  # "numpy.dtype size changed": simplejpeg was built for NumPy 1 (picamera2#1211)
        raise CameraError(
            f"picamera2 was built for another NumPy ({exc}). Run: pip install --force-reinstall simplejpeg. "
            "Or without it: digitedge camera rpicam"
        ) from exc
    try:
        return Picamera2()
    except (RuntimeError, IndexError) as exc:  # no camera: "list index out of range"; busy: RuntimeError
        raise CameraError(
            f"picamera2 found no free camera ({exc}). Check the ribbon with: rpicam-hello --list-cameras"
        ) from exc
