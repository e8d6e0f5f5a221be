"""The perspective of a camera: where the points of a flat page are in the frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where the camera is.

    Attributes:
        shift: of the centre of the page, in widths and heights of the frame.
        zoom: frame pixels for each page pixel.
        turn: in radians, clockwise.
        tilt: how much nearer the right and the lower edge of the frame are than its centre; 0.1 is clearly visible.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    turn: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)


def homography(pose: CameraPose, *, page: tuple[int, int], frame: tuple[int, int]) -> NDArray[np.float64]:
    """Compute the matrix (3, 3) from page pixels to frame pixels; sizes are (width, height).

    Examples:
        >>> matrix = homography(CameraPose(zoom=2.0), page=(100, 100), frame=(200, 200))
        >>> (matrix @ [25, 25, 1]).tolist()  # the centre of a pixel stays the centre of its copy
        [50.5, 50.5, 1.0]
    """
    cos, sin = pose.zoom * np.cos(pose.turn), pose.zoom * np.sin(pose.turn)
    to_centre = np.array([[1, 0, -(page[0] - 1) / 2], [0, 1, -(page[1] - 1) / 2], [0, 0, 1]])
    turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    tilted = np.array([[1, 0, 0], [0, 1, 0], [-2 * pose.tilt[0] / frame[0], -2 * pose.tilt[1] / frame[1], 1]])
    x, y = (frame[0] - 1) / 2 + pose.shift[0] * frame[0], (frame[1] - 1) / 2 + pose.shift[1] * frame[1]
    to_frame = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])
    return np.asarray(to_frame @ tilted @ turned @ to_centre, np.float64)


def project(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project points (P, 2) of the page to the frame."""
    projected = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(projected[:, :2] / projected[:, 2:], np.float64)


def keep_inside(
    matrix: NDArray[np.float64], points: NDArray[np.float64], *, frame: tuple[int, int], margin: float = 8.0
) -> NDArray[np.float64]:
    """Shift, and shrink if necessary, what a matrix (3, 3) shows until all points (P, 2) of the page are in the frame.

    They then are at least `margin` pixels from its border. If they already were, the matrix is the same.
    """
    projected = project(points, matrix)
    low, high = projected.min(axis=0), projected.max(axis=0)
    end = np.array(frame) - 1.0
    scale = min(1.0, float(((end - 2 * margin) / np.maximum(high - low, 1e-9)).min()))
    low, high = low * scale, high * scale
    move = np.maximum(margin - low, 0) + np.minimum(end - margin - high, 0)
    return np.array([[scale, 0, move[0]], [0, scale, move[1]], [0, 0, 1]]) @ matrix
