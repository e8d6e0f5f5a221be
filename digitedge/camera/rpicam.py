"""The Raspberry Pi ribbon camera, through the program `rpicam-vid`.

pip's OpenCV has no GStreamer, and libcamera is not V4L2, so OpenCV alone cannot open that camera. rpicam-vid comes with
Raspberry Pi OS and writes JPEG pictures one after the other to its standard output. (Rejected: picamera2. It comes from
apt only, so it needs a virtual environment that sees the system's packages, and its simplejpeg breaks under NumPy 2.)
"""

import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from typing import IO

import numpy as np

from digitedge.camera.frames import Frame, Source
from digitedge.errors import CameraError
from digitedge.opencv import cv2
from digitedge.quiet import quiet

PROGRAMS = ("rpicam-vid", "libcamera-vid")  # the second is its name before 2024
OPTIONS = (
    "--nopreview --timeout 0 --codec mjpeg --width 1280 --height 720 --framerate 30 --flush --verbose 0 --output -"
)
SILENCE_LIMIT_S = 10.0
END_LIMIT_S = 3.0
BATCH_LIMIT_BYTES = 8_000_000


class PiCamera(Source):
    """Frames from `rpicam-vid`, which is started for the loop and ended with it.

    When reading is slower than the camera, older pictures are skipped unseen: each frame is the newest one.
    """

    live = True

    def _frames(self) -> Generator[Frame]:
        count = 0
        with tempfile.TemporaryFile() as messages:
            process = _start(messages)
            try:
                for jpeg in _newest_jpegs(process):
                    with quiet(2):  # libjpeg prints "Corrupt JPEG data"
                        frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
                    if frame is None:
                        continue  # a damaged picture; the next one comes in 33 ms
                    self._stamp()
                    count += 1
                    yield np.asarray(frame, np.uint8)
            finally:
                _end(process)
            raise CameraError(
                f"the Raspberry Pi camera stopped after {count} frames: {_last_line(messages)}. Is the ribbon in, and "
                "no other program using it? Look with: rpicam-hello --list-cameras"
            )


def take_jpegs(buffer: bytearray) -> list[bytes]:
    r"""Take the complete JPEG pictures out of a stream of pictures, one right after the other.

    Args:
        buffer: what has arrived of the stream. The pictures, and what lies before them, are removed from it.

    Returns:
        The pictures, from start (FF D8) to end (FF D9); of one with a damaged header, what precedes the damage.

    Source:
        ITU-T T.81, annex B. In the picture data FF is followed by 00 or a restart marker only, so the first FF D9 is
        the end. Header segments may contain FF D9 (in a thumbnail), but state their length, so they are jumped.

    Examples:
        >>> buffer = bytearray(b"junk\xff\xd8\xff\xda\x00\x02ab\xff\xd9\xff\xd8")
        >>> take_jpegs(buffer)
        [b'\xff\xd8\xff\xda\x00\x02ab\xff\xd9']
        >>> buffer
        bytearray(b'\xff\xd8')
    """
    jpegs = []
    while (start := buffer.find(b"\xff\xd8")) >= 0 and (end := _jpeg_end(buffer, start)) is not None:
        jpegs.append(bytes(buffer[start:end]))
        del buffer[:end]
    return jpegs


def _jpeg_end(buffer: bytearray, start: int) -> int | None:
    """Where the picture that starts at `start` ends, or None while that has not arrived yet."""
    position = start + 2
    while len(buffer) >= position + 4:
        if buffer[position] != 0xFF:
            return position  # damaged: every header segment starts with FF
        is_picture_data = buffer[position + 1] == 0xDA
        position += 2 + int.from_bytes(buffer[position + 2 : position + 4], "big")  # FF, kind, two bytes of length
        if is_picture_data:
            end = buffer.find(b"\xff\xd9", position)
            return end + 2 if end >= 0 else None
    return None


def _newest_jpegs(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the last picture of each batch that arrives, until the program ends or is silent for too long."""
    assert process.stdout is not None  # for mypy: _start asks for a pipe
    buffer = bytearray()
    while arrived := _read_all_there_is(process.stdout.fileno()):
        buffer += arrived
        jpegs = take_jpegs(buffer)
        if jpegs:
            yield jpegs[-1]


def _read_all_there_is(pipe: int) -> bytes:
    """Wait for the first bytes, then read on while more are there. Nothing: the end, or too long a silence."""
    arrived = bytearray()
    limit_s = SILENCE_LIMIT_S
    while len(arrived) < BATCH_LIMIT_BYTES and select.select([pipe], [], [], limit_s)[0]:
        piece = os.read(pipe, 1 << 16)
        if not piece:
            break
        arrived += piece
        limit_s = 0
    return bytes(arrived)


def _start(messages: IO[bytes]) -> subprocess.Popen[bytes]:
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
    command = [program, *OPTIONS.split()]
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
