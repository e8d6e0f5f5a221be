"""The Raspberry Pi ribbon camera, through the program `rpicam-vid`.

pip's OpenCV has no GStreamer, and libcamera is not V4L2, so OpenCV alone cannot open that camera. rpicam-vid comes with
Raspberry Pi OS and writes JPEG images one after the other to its standard output. (picamera2, which `picamera` reads,
comes from apt only: it needs a virtual environment that sees the system's packages, and breaks under another NumPy.)
"""

import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from functools import partial
from typing import IO

from digitedge.camera.sources.base import Frame, Mode, Source
from digitedge.camera.sources.mjpeg import newest_frames, read_pipe
from digitedge.errors import CameraError

PROGRAMS = ("rpicam-vid", "libcamera-vid")  # the second is its name before 2024
OPTIONS = "--nopreview --timeout 0 --codec mjpeg --flush --verbose 0 --output -"
WIDTH, HEIGHT, FPS = 1280, 720, 30.0
SILENCE_LIMIT_S, END_LIMIT_S = 5.0, 0.4


class PiCamera(Source):
    """Frames from `rpicam-vid`, which is started for the loop and ended with it.

    When reading is slower than the camera, older images are skipped unseen: each frame is the newest one.
    """

    live = True
    has_noise = True

    def __init__(self, name: str = "rpicam", *, mode: Mode = Mode()) -> None:  # noqa: B008 - frozen
        super().__init__(name)
        self._mode = mode
        self._process: subprocess.Popen[bytes] | None = None

    def interrupt(self) -> None:
        """End the program, and with it the wait for its next image."""
        process = self._process  # the thread of the loop may forget it at any moment
        if process is not None:
            process.terminate()

    def _frames(self) -> Generator[Frame]:
        count = 0
        with tempfile.TemporaryFile() as messages:
            self._process = process = _start(self._mode, messages)
            assert process.stdout is not None  # for mypy: _start asks for a pipe
            try:
                for frame in _images(process.stdout.fileno()):
                    self._stamp()
                    count += 1
                    yield frame
            finally:
                self._process = None
                _end(process)
            raise CameraError(
                f"the Raspberry Pi camera stopped after {count} frames: {_last_line(messages)}. Is the ribbon in, and "
                "no other program using it? Look with: rpicam-hello --list-cameras"
            )


def _images(pipe: int) -> Iterator[Frame]:
    return newest_frames(partial(read_pipe, pipe, limit_s=SILENCE_LIMIT_S), limit_s=SILENCE_LIMIT_S)


def _start(mode: Mode, messages: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the camera program in its own session, so that Ctrl-C reaches us alone and we end it in order.

    Raises:
        CameraError: it is not installed.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise CameraError(
            "the Raspberry Pi camera needs the program rpicam-vid, which is not here. On Raspberry Pi OS run: "
            "sudo apt install rpicam-apps. For a USB camera: digitedge camera 0. Without one: digitedge camera demo"
        )
    size = ["--width", str(mode.width or WIDTH), "--height", str(mode.height or HEIGHT)]
    command = [program, *OPTIONS.split(), *size, "--framerate", f"{mode.fps or FPS:g}"]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, start_new_session=True
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to end, insist if it does not, and close the pipe."""
    process.terminate()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _last_line(messages: IO[bytes]) -> str:
    messages.seek(0)
    lines = messages.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else "it gave no reason"
