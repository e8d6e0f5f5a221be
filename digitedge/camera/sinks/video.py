"""A recording of the frames that were read, which plays in real time.

Frames arrive irregularly, and a video has a constant frame rate: each video frame shows the newest frame of its time.
A thread encodes. Of a camera, frames that it has no time for are dropped; of a file none.

The video is written in a hidden draft folder and takes its place when it is complete, also on Ctrl-C and SIGTERM.
Recording ends, with a whole video, before the disk is full. A power cut or SIGKILL leaves .mkv and .avi files that play
as far as they were written: the next command that writes into the folder puts them into their place.
"""

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np

from digitedge.camera.loop import Update
from digitedge.camera.sources.base import Frame, Source
from digitedge.errors import DigitEdgeError, InputError, first_line
from digitedge.utils.files import atomic_file, check_writable
from digitedge.utils.opencv import cv2, is_utf8, resize, to_bgr

# Codec of each file format. Motion JPEG is nine times as large, but playable up to any point.
CODECS = {".mp4": "mp4v", ".mkv": "MJPG", ".avi": "MJPG"}
# Frame rate of the video, for a source without one.
FPS = 25.0
# How many frames wait for the encoder at most: 22 MB of 1280x720.
MAX_QUEUE = 8
# The queue is polled so often, in seconds, because an interrupted thread may fail to wake the encoder.
POLL_S = 0.3
# Recording ends when less is free, in bytes: FFmpeg does not report a full disk, and the end of an .mp4 needs space.
MIN_FREE_BYTES = 32_000_000
# If the encoder is so far behind a camera, in seconds, the video skips time.
MAX_DELAY_S = 2.0


class VideoSink:
    """Records the frames that are read, while in the `with` block. Images, which have no time, are left out."""

    def __init__(
        self,
        path: str | Path,
        source: Source,
        *,
        overwrite: bool = False,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Check a file.

        Args:
            path: .mp4 (small), .mkv or .avi (playable after a crash).
            source: of the frames. A video keeps its frame rate.
            overwrite: whether an existing file may be replaced.
            log: gets a line as soon as the recording ends early, or the video is too short.

        Raises:
            InputError: another suffix, or the file exists.
            DigitEdgeError: the folder cannot be written to, or the disk is full.
        """
        self._path = Path(path)
        self._source = source
        self._log = log
        if self._path.suffix.lower() not in CODECS:
            raise InputError(f"cannot record to {path}: expected {', '.join(CODECS)}, got {self._path.suffix!r}")
        if not is_utf8(str(self._path.resolve())):
            raise InputError(f"cannot record to {path}: expected a name in UTF-8. Choose another name.")
        if self._path.exists() and not overwrite:
            raise InputError(f"{path} exists. Choose another name, or allow to overwrite it.")
        check_writable(self._path.parent)
        if self._is_disk_full():
            free = f"{MIN_FREE_BYTES // 1_000_000} MB of free space"
            raise DigitEdgeError(f"cannot record to {path}: expected {free}, got less. Delete files.")
        self._queue: queue.Queue[tuple[Frame, float] | None] = queue.Queue(MAX_QUEUE)
        self._newest_time = 0.0
        self._skipped_s = 0.0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"recording {path}", daemon=True)

    def show(self, update: Update) -> bool:
        """See `Sink`."""
        time = update.reading.time
        if time is None:
            return True
        self._newest_time = time if update.is_new else time + update.age_ms / 1000  # the last frame still stands
        with suppress(queue.Full):
            self._queue.put((update.frame, self._newest_time), block=not self._source.live)
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file.

        Raises:
            DigitEdgeError: the video is missing or incomplete, unless another error ends the block.
        """
        self._queue.put(None)
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def _run(self) -> None:
        """Write the video; on an error report it, keep it for the end, and drop the frames."""
        frames = iter(self._next, None)
        try:
            self._record(frames)
        except Exception as exc:
            self._error = exc
            self._log(f"recording: {first_line(exc)}")
        finally:
            for _ in frames:
                pass

    def _next(self) -> tuple[Frame, float] | None:
        """Wait for a frame and its time; None at the end."""
        while True:
            with suppress(queue.Empty):
                return self._queue.get(timeout=POLL_S)

    def _record(self, frames: Iterator[tuple[Frame, float]]) -> None:
        first = next(frames, None)
        if first is None:
            raise DigitEdgeError(f"{self._path} was not written, because no frame with a time came")
        height, width = (side + side % 2 for side in first[0].shape[:2])  # encoders require even sides
        fps = 1 / self._source.hold_s if self._source.hold_s else FPS
        total, is_full = 0, False
        # Killed, these play as far as they were written.
        with atomic_file(self._path, keep=self._path.suffix.lower() in (".mkv", ".avi")) as draft:
            with _open_writer(draft, fps, width, height) as writer:
                for frame, count in self._paced(chain([first], frames), fps):
                    is_full = self._is_disk_full()
                    if is_full and total:
                        break
                    image = letterbox(frame, width, height)
                    for _ in range(count):
                        writer.write(image)
                    total += count
            has_end = self._check(draft, total)
        if is_full:
            raise DigitEdgeError(
                f"{self._path} ends after {total / fps:.1f} s, because the disk is full. Delete files."
            )
        if not has_end:
            raise DigitEdgeError(f"the end of {self._path} is missing: is the disk full?")
        if self._skipped_s:
            self._log(
                f"recording: {self._path} is {self._skipped_s:.1f} s too short, because this machine encodes too "
                "slowly. Record smaller frames."
            )

    def _is_disk_full(self) -> bool:
        return shutil.disk_usage(self._path.parent).free < MIN_FREE_BYTES

    def _paced(self, frames: Iterator[tuple[Frame, float]], fps: float) -> Iterator[tuple[Frame, int]]:
        """Yield each frame with the number of video frames that it fills, until the next one."""
        previous, start = next(frames)
        written = 0
        for frame, time in frames:
            index = max(round((time - start) * fps), written if self._source.live else written + 1)
            if self._source.live and self._newest_time - time > MAX_DELAY_S and index > written + 1:
                skipped_s = (index - written - 1) / fps
                self._skipped_s += skipped_s
                start += skipped_s
                index = written + 1
            yield previous, index - written
            previous, written = frame, index
        yield previous, 1

    def _check(self, draft: Path, total: int) -> bool:
        """Read the video back, because the FFmpeg in OpenCV does not report a failed write; tell if it has its end.

        Raises:
            DigitEdgeError: it cannot be read at all.
        """
        capture = cv2.VideoCapture(str(draft.resolve()), cv2.CAP_FFMPEG)
        try:
            is_readable, count = capture.read()[0], capture.get(cv2.CAP_PROP_FRAME_COUNT)  # <= 0 if its end is missing
            # The header of an .avi or .mkv states all frames, whatever was written of them.
            capture.set(cv2.CAP_PROP_POS_FRAMES, max(0, total - 2))
            has_last = capture.read()[0]
        finally:
            capture.release()
        if not is_readable:
            raise DigitEdgeError(f"{self._path} could not be written: is the disk full?")
        return bool(count >= total - 1 and has_last)


@contextmanager
def _open_writer(path: Path, fps: float, width: int, height: int) -> Iterator[cv2.VideoWriter]:
    codec = CODECS[path.suffix.lower()]
    # The absolute path, because FFmpeg takes "clip:1.mp4" for the protocol "clip".
    writer = cv2.VideoWriter(str(path.resolve()), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, (width, height))
    try:
        if not writer.isOpened():
            raise DigitEdgeError(f"cannot encode {width}x{height} at {fps:g} frames a second as {codec}")
        yield writer
    finally:
        writer.release()


def letterbox(frame: Frame, width: int, height: int) -> Frame:
    """Scale a frame with its aspect kept and pad it with black: uint8 (H, W, 3) or (H, W) -> (height, width, 3) BGR.

    Examples:
        >>> letterbox(np.full((2, 4), 9, np.uint8), 4, 4)[:, 0, 0].tolist()
        [0, 9, 9, 0]
    """
    frame = to_bgr(frame)
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = resize(frame, size, cv2.INTER_AREA)
    return canvas
