"""OpenCV, imported in one place: quiet, and with an error that says what to install.

Every module says `from digitedge.utils.opencv import cv2`. Two things have to happen around the first import of cv2, so
they need one home that runs before it:

- The log levels are environment variables that OpenCV and its FFmpeg read once, while they load. Without them one
  missing camera prints ten lines of C++ warnings around our one line (OpenCV 5.0). What the user has set stays.
- opencv-python links against libxcb, libGL and libgthread, which a bare Debian, Raspberry Pi OS Lite or container
  lacks. The ImportError names one shared object after the other; one line with both fixes replaces it.

An OpenCV that is missing altogether is no case of its own: it is a dependency of digitedge, so pip brings it.
"""

import os

from digitedge.errors import MissingExtraError

_QUIET = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # AV_LOG_QUIET; "[rtsp @ 0x55d] ..." says nothing that our errors do not
}
for _name, _level in _QUIET.items():
    os.environ.setdefault(_name, _level)

try:
    import cv2
except ImportError as exc:
    if ".so" not in str(exc):
        raise  # broken in another way: show the true cause
    raise MissingExtraError(
        f"OpenCV cannot start: {exc}. Run: sudo apt install libgl1 libglib2.0-0, "
        "or, without a screen: pip uninstall opencv-python; pip install opencv-python-headless"
    ) from exc

__all__ = ["cv2"]
