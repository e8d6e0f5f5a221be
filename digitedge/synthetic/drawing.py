"""Points, lines, polygons and letters in pixels, for OpenCV's drawing functions. Images are drawn on in place."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

Image = NDArray[np.uint8]
Point = NDArray[np.float64]
# Left, top, right and bottom in pixels.
Edges = tuple[float, float, float, float]

# Fractional bits of OpenCV's drawing coordinates.
SUBPIXEL_BITS = 4
# Height of a capital in OpenCV's fonts at scale 1, in pixels.
CAPITAL_HEIGHT = 22


def to_pixel(point: Point) -> tuple[int, int]:
    """Round a point to whole pixels."""
    x, y = np.rint(point).astype(int).tolist()
    return x, y


def to_subpixels(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Round points, any shape, to steps of 1 / 2^SUBPIXEL_BITS pixels, as OpenCV's drawing functions take them."""
    return np.rint(points * (1 << SUBPIXEL_BITS)).astype(np.int32)


def corners_of(edges: Edges) -> NDArray[np.float64]:
    """Return the corners of a rectangle, float64 (4, 2), clockwise from the upper left.

    Examples:
        >>> corners_of((1, 2, 5, 9)).tolist()
        [[1.0, 2.0], [5.0, 2.0], [5.0, 9.0], [1.0, 9.0]]
    """
    left, top, right, bottom = edges
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def outline_of(edges: Edges) -> NDArray[np.float64]:
    """Return the closed outline of a rectangle, float64 (5, 2): its corners, and the first of them again."""
    return corners_of(edges)[[0, 1, 2, 3, 0]]


def directions(start: Point, end: Point) -> tuple[Point, Point]:
    """Return unit vectors along and across a line between two different points."""
    along = (end - start) / np.hypot(*(end - start))
    return along, np.array([-along[1], along[0]])


def draw_line(image: Image, points: NDArray[np.float64], colour: Sequence[float] | float, thickness: int) -> None:
    """Draw a line through points, float64 (P, 2)."""
    cv2.polylines(image, [to_subpixels(points)], False, colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def fill_polygon(image: Image, corners: Sequence[Point] | Point, colour: Sequence[float]) -> None:
    """Fill a convex polygon."""
    cv2.fillConvexPoly(image, np.rint(corners).astype(np.int32), colour, cv2.LINE_AA)


def print_white(image: Image, text: str, foot: tuple[int, int], *, font: int, height: int, thickness: int) -> None:
    """Print a text in one of OpenCV's fonts, its capitals `height` pixels high, its baseline starting at `foot`."""
    cv2.putText(image, text, foot, font, height / CAPITAL_HEIGHT, 255, thickness, cv2.LINE_AA)


def crop_to_ink(ink: Image, *, above: int) -> Image:
    """Crop ink, uint8 (H, W), to its pixels above a grey level; (0, 0) if there are none."""
    x, y, w, h = cv2.boundingRect((ink > above).view(np.uint8))
    return ink[y : y + h, x : x + w]
