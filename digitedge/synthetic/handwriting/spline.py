"""Smooth curves through control points, as matrices: one product draws many jittered copies of the same stroke."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# Points of the curve between two control points. 8 is smooth at every size up to 400 pixels.
STEPS = 8


def stroke_matrix(points: NDArray[np.float64], corners: list[int]) -> NDArray[np.float64]:
    """Compute the matrix that turns control points (K, 2) into a stroke: a smooth curve from each corner to the next.

    No two neighbours may be equal; `corners` are the indices of the points where the stroke turns sharply.

    Returns:
        float64 (M, K), rows sum to 1; `matrix @ points` is the stroke and passes through all points.

    Examples:
        >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
        >>> sharp, smooth = stroke_matrix(points, [1]) @ points, stroke_matrix(points, []) @ points
        >>> float(sharp[:, 0].max()), bool(smooth[:, 0].max() > 1)  # straight to the corner; around the bend
        (1.0, True)
    """
    ends = [0, *(corner for corner in corners if 0 < corner < len(points) - 1), len(points) - 1]
    rows = []
    for start, stop in pairwise(ends):
        block = np.zeros(((stop - start) * STEPS + 1, len(points)))
        block[:, start : stop + 1] = spline_matrix(points[start : stop + 1])
        rows.append(block if stop == ends[-1] else block[:-1])
    return np.concatenate(rows)


def spline_matrix(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the matrix of a smooth curve through points (K, 2): float64 ((K - 1) * STEPS + 1, K), rows sum to 1.

    No two neighbours may be equal: the distances of the points set the speed along the curve.

    Source:
        Yuksel, Schaefer, Keyser 2011, "Parameterization and applications of Catmull-Rom curves": centripetal knots
        avoid cusps and loops between two points.

    Examples:
        >>> spline_matrix(np.array([[0.0, 0.0], [1.0, 0.0]]))[STEPS // 2].tolist()
        [0.5, 0.5]
    """
    count = len(points)
    knots = np.sqrt(np.hypot(*np.diff(points, axis=0).T))
    tangents = _tangents(knots)
    chords = np.eye(count)[1:] - np.eye(count)[:-1]
    t = np.arange(STEPS)[:, None] / STEPS
    rows = [
        np.eye(count)[i]
        + (3 * t**2 - 2 * t**3) * chords[i]
        + knots[i] * ((t**3 - 2 * t**2 + t) * tangents[i] + (t**3 - t**2) * tangents[i + 1])
        for i in range(count - 1)
    ]
    return np.concatenate([*rows, np.eye(count)[-1:]])


def _tangents(knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tangents (K, K), as weights of the points: those of the parabola through each point and its neighbours."""
    count = len(knots) + 1
    steps = (np.eye(count)[1:] - np.eye(count)[:-1]) / knots[:, None]  # (K - 1, K)
    if count == 2:
        return np.repeat(steps, 2, axis=0)
    before, after = knots[:-1, None], knots[1:, None]
    inner = (steps[:-1] * after + steps[1:] * before) / (before + after)
    return np.concatenate([2 * steps[:1] - inner[:1], inner, 2 * steps[-1:] - inner[-1:]])
