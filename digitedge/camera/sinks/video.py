"""The frames that were read, as a video that plays in real time.

Frames come irregularly, and a video has a constant rate: each of its places gets the newest frame of that moment. A
thread encodes. Of a camera, frames that it has no time for are dropped, so that the reader never waits; of a file none.

The video grows under a hidden name (".desk-x1y2z3.mkv") and gets its own name when it is complete: on Ctrl-C and
SIGTERM as well. After a power cut or SIGKILL the hidden file stays; as .mkv or .avi it plays as far as it got to the
disk, as .mp4 it does not.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np

from digitedge.camera.loop import Update
from digitedge.camera.sources.base import Frame, Source
from digitedge.errors import DigitEdgeError, InputError
from digitedge.utils.files import atomic_file, check_writable
from digitedge.utils.opencv import cv2

# How each kind of file is encoded. Motion JPEG is nine times as large, and whole up to any point.
CODECS = {".mp4": "mp4v", ".mkv": "MJPG", ".avi": "MJPG"}
# Frames in a second, of a source that has no rate of its own.
FPS = 25.0
# Frames that wait for the encoder at most: 22 MB of 1280x720.
WAITING = 8
# How long a wake-up may be overheard, in seconds.
WAKE_S = 0.3
# Where the encoder is so far behind a camera, in seconds, it leaves out time.
BEHIND_S = 2.0


class Recording:
    """Records what the loop reads, while in the `with` block. Images, which have no time, are left out."""

    def __init__(
        self,
        path: str | Path,
        source: Source,
        *,
        overwrite: bool = False,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Name a file.

        Args:
            path: .mp4 (small), .mkv or .avi (whole after a crash).
            source: where the frames come from. A video keeps its rate.
            overwrite: whether a file that is there may be replaced.
            log: gets a line when there is no video in the end, or less of it than there should be.

        Raises:
            InputError: another suffix, or the file is there.
            DigitEdgeError: the folder cannot be written to.
        """
        self._path = Path(path)
        self._source = source
        self._log = log
        if self._path.suffix.lower() not in CODECS:
            raise InputError(f"cannot record to {path}: expected {', '.join(CODECS)}, got {self._path.suffix!r}")
        if self._path.exists() and not overwrite:
            raise InputError(f"{path} is there already. Choose another name, or allow to overwrite it.")
        check_writable(self._path.parent)
        self._frames: queue.Queue[tuple[Frame, float] | None] = queue.Queue(WAITING)
        self._newest = 0.0
        self._left_out_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"recording {path}", daemon=True)

    def show(self, update: Update) -> bool:
        """See `Output`."""
        time = update.reading.time
        if time is None:
            return True
        # An update without a new frame says that the last one still stands.
        self._newest = time if update.is_new else time + update.age_ms / 1000
        with suppress(queue.Full):
            self._frames.put((update.frame, self._newest), block=not self._source.live)
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the file."""
        self._frames.put(None)
        self._thread.join()

    def _run(self) -> None:
        """Write the video; if that fails, say so and let the frames go."""
        frames = iter(self._next, None)
        try:
            self._record(frames)
        except (DigitEdgeError, cv2.error) as exc:
            self._log(f"recording: {exc}")
        finally:
            for _ in frames:
                pass

    def _next(self) -> tuple[Frame, float] | None:
        """Wait for a frame, or for the end.

        It looks by itself now and then: Ctrl-C may end the other thread in the midst of waking this one.
        """
        while True:
            with suppress(queue.Empty):
                return self._frames.get(timeout=WAKE_S)

    def _record(self, frames: Iterator[tuple[Frame, float]]) -> None:
        first = next(frames, None)
        if first is None:
            self._log(f"recording: no frame came, so there is no {self._path}")
            return
        height, width = (side + side % 2 for side in first[0].shape[:2])  # encoders want even sides
        fps = 1 / self._source.hold_s if self._source.hold_s else FPS
        count = 0
        with atomic_file(self._path) as draft:
            with _video(draft, fps, width, height) as video:
                for frame, places in self._placed(chain([first], frames), fps):
                    image = fit(frame, width, height)
                    for _ in range(places):
                        video.write(image)
                    count += places
            self._check(draft, count)

    def _placed(self, frames: Iterator[tuple[Frame, float]], fps: float) -> Iterator[tuple[Frame, int]]:
        """Each frame with the number of places that it fills, until the next one comes."""
        last, start = next(frames)
        filled = 0
        for frame, moment in frames:
            place = max(round((moment - start) * fps), filled if self._source.live else filled + 1)
            if self._source.live and self._newest - moment > BEHIND_S and place > filled + 1:
                left_out_s = (place - filled - 1) / fps
                self._left_out_s += left_out_s
                start += left_out_s
                place = filled + 1
            yield last, place - filled
            last, filled = frame, place
        yield last, 1

    def _check(self, draft: Path, count: int) -> None:
        """See whether everything was written: FFmpeg inside OpenCV does not tell of a full disk.

        Raises:
            DigitEdgeError: nothing of it can be read.
        """
        is_readable, stated = _look_at(draft)
        if not is_readable:
            raise DigitEdgeError(f"{self._path} could not be written: is the disk full?")
        if stated < count - 1:
            self._log(f"recording: the end of {self._path} is missing: is the disk full?")
        if self._left_out_s:
            self._log(
                f"recording: {self._path} is {self._left_out_s:.1f} s shorter than it was, because this machine "
                "encodes too slowly. Record smaller frames."
            )


@contextmanager
def _video(path: Path, fps: float, width: int, height: int) -> Iterator[cv2.VideoWriter]:
    codec = CODECS[path.suffix.lower()]
    # The full path, because FFmpeg takes "clip:1.mp4" for the protocol "clip".
    video = cv2.VideoWriter(str(path.resolve()), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, (width, height))
    try:
        if not video.isOpened():
            raise DigitEdgeError(f"cannot encode {width}x{height} at {fps:g} frames a second as {codec}")
        yield video
    finally:
        video.release()


def _look_at(path: Path) -> tuple[bool, float]:
    """Whether a video has a frame that can be read, and how many it says that it has: 0 or less without its end."""
    video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        return video.read()[0], video.get(cv2.CAP_PROP_FRAME_COUNT)
    finally:
        video.release()


def fit(frame: Frame, width: int, height: int) -> Frame:
    """Scale a frame with its aspect kept, in the middle of black: uint8 (H, W, 3) or (H, W) -> (height, width, 3) BGR.

    Examples:
        >>> fit(np.full((2, 4), 9, np.uint8), 4, 4)[:, 0, 0].tolist()
        [0, 9, 9, 0]
    """
    if frame.ndim == 2:
        frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR), np.uint8)
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    field = np.zeros((height, width, 3), np.uint8)
    field[top : top + size[1], left : left + size[0]] = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return field
