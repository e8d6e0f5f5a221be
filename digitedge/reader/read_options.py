"""How every image of a command is read: which part of it, which way up, and which rows count."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.orientation import read_transformed, read_upright
from digitedge.reader.reader import Reader
from digitedge.reader.reading import Reading
from digitedge.reader.row_filter import RowFilter
from digitedge.utils.transform import Transform


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How an image is read.

    Attributes:
        transform: what is done to the image before it is read.
        find_upright: after that, turn a page that clearly lies on its side or head.
        row_filter: which rows count.
    """

    transform: Transform = Transform()  # noqa: RUF009 - frozen
    find_upright: bool = True
    row_filter: RowFilter = RowFilter()  # noqa: RUF009 - frozen

    def read(self, reader: Reader, image: NDArray[np.uint8], *, source: str = "", page: int | None = None) -> Reading:
        """Read an image, uint8 (H, W, 3) BGR or (H, W), of a source or of a page of it.

        Raises:
            CameraError: the region of the transform lies outside the image.
            InputError: another type or shape.
        """
        read = read_upright if self.find_upright else read_transformed
        return replace(self.row_filter.apply(read(reader, image, self.transform, source=source)), page=page)
