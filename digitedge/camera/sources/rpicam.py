"""The Raspberry Pi ribbon camera through the program `rpicam-vid`, which writes JPEG images to its standard output.

See docs/decisions/camera-sources.md.
"""

import subprocess
import tempfile
from collections.abc import Generator
from typing import IO

from digitedge.camera.sources.base import Camera, Frame, Mode
from digitedge.camera.sources.mjpeg import newest_frames, read_pipe
from digitedge.errors import CameraError
from digitedge.utils.raspberry_pi import find_rpicam

OPTIONS = "--nopreview --timeout 0 --codec mjpeg --flush --verbose 0 --output -"
WIDTH, HEIGHT = 1280, 720
FPS = 30.0
# How long the program may send nothing, and how long it may take to exit.
SILENCE_LIMIT_S = 5.0
EXIT_LIMIT_S = 0.4


class Rpicam(Camera):
    """Frames from `rpicam-vid`, which runs while they are iterated over. Older images are skipped undecoded."""

    def __init__(self, name: str = "rpicam", *, mode: Mode = Mode()) -> None:  # noqa: B008 - frozen
        super().__init__(name, mode=mode)
        self._process: subprocess.Popen[bytes] | None = None

    def interrupt(self) -> None:
        """Terminate the program, which ends the wait for its next image."""
        process = self._process  # the iterating thread may set it to None at any moment
        if process is not None:
            process.terminate()

    def _frames(self) -> Generator[Frame]:
        count = 0
        with tempfile.TemporaryFile() as messages:
            self._process = process = _start(self._mode, messages)
            assert process.stdout is not None  # for mypy: _start asks for a pipe
            try:
                batches = read_pipe(process.stdout.fileno(), limit_s=SILENCE_LIMIT_S)
                for frame in newest_frames(batches, limit_s=SILENCE_LIMIT_S):
                    self._stamp()
                    count += 1
                    yield frame
            finally:
                self._process = None
                _end(process)
            messages.seek(0)
            lines = messages.read().decode(errors="replace").strip().splitlines()
            reason = lines[-1].strip().rstrip(".") if lines else "it gave no reason"
            raise CameraError(
                f"the Raspberry Pi camera stopped after {count} frames: {reason}. Check the ribbon, and that no "
                "other program uses the camera: rpicam-hello --list-cameras"
            )


def _start(mode: Mode, messages: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the camera program in a session of its own, so that Ctrl-C does not reach it before us."""
    program = find_rpicam("vid")
    if program is None:
        raise CameraError(
            "the Raspberry Pi camera needs the program rpicam-vid, which is not installed. On Raspberry Pi OS run: "
            "sudo apt install rpicam-apps. For a USB camera: digitedge camera 0. Without one: digitedge camera demo"
        )
    size = f"--width {mode.width or WIDTH} --height {mode.height or HEIGHT} --framerate {mode.fps or FPS:g}"
    command = [program, *OPTIONS.split(), *size.split()]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, start_new_session=True
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate the program, kill it if it does not exit, and close the pipe."""
    process.terminate()
    try:
        process.wait(EXIT_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()
