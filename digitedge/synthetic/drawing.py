"""Points and polygons in pixels, for OpenCV's drawing functions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

Image = NDArray[np.uint8]
Point = NDArray[np.float64]


def to_pixel(point: Point) -> tuple[int, int]:
    """Round a point to whole pixels."""
    x, y = np.rint(point).astype(int).tolist()
    return x, y


def fill_polygon(image: Image, corners: Sequence[Point] | Point, colour: Sequence[float]) -> None:
    """Fill a convex polygon, in place."""
    cv2.fillConvexPoly(image, np.rint(corners).astype(np.int32), colour, cv2.LINE_AA)
