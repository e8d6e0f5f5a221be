"""Image files."""

from collections.abc import Generator, Iterable
from pathlib import Path

from digitedge.camera.sources.base import Frame, Source
from digitedge.utils.images import read_image


class Images(Source):
    """Image files, one frame each. In a window each stays until a key is pressed."""

    hold_s = None

    def __init__(self, name: str, paths: Iterable[Path]) -> None:
        super().__init__(name)
        self._paths = tuple(paths)

    def _frames(self) -> Generator[Frame]:
        for path in self._paths:
            frame = read_image(path)
            self.name = str(path)
            yield frame
