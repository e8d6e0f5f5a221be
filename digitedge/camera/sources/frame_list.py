"""Frames that a program supplies itself."""

from collections.abc import Generator, Iterable

from digitedge.camera.sources.base import Frame, Source


class FrameList(Source):
    """A list of frames, or the generator of a camera that digitedge does not support."""

    def __init__(self, frames: Iterable[Frame], *, name: str = "frames") -> None:
        super().__init__(name)
        self._list = frames

    def _frames(self) -> Generator[Frame]:
        for frame in self._list:
            self._stamp()
            yield frame
