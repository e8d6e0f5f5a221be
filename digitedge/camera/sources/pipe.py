"""Frames from another program, on standard input."""

import sys
from collections.abc import Generator

from digitedge.camera.sources.base import Frame, Source
from digitedge.camera.sources.mjpeg import newest_frames, read_pipe
from digitedge.errors import CameraError


class Pipe(Source):
    """JPEG images one after the other on standard input; end of file is the end of the source, not an error."""

    live = True

    def _frames(self) -> Generator[Frame]:
        count = 0
        for frame in newest_frames(read_pipe(sys.stdin.fileno(), limit_s=None)):
            self._stamp()
            count += 1
            yield frame
        if not count:
            raise CameraError(
                "expected JPEG images on standard input, got none. Such as: "
                "ffmpeg -i CAMERA -f image2pipe -c:v mjpeg - | digitedge camera -"
            )
