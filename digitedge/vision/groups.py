"""Groups of values, such as the pixels of the strokes of a page: computed for all groups at once, without a loop.

Each value has an owner: the number of its group, from 0 to the number of groups - 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def group_means(owner: NDArray[np.int64], count: int, *values: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the mean of each group.

    Args:
        owner: int64 (V,), the group of each value.
        count: number of groups.
        values: numbers (V,), one array for each mean that is wanted.

    Returns:
        float64 (count,) for each of `values`; 0 for a group without values.

    Examples:
        >>> group_means(np.array([0, 0, 2]), 3, np.array([4, 6, 7]))
        [array([5., 0., 7.])]
    """
    number = np.maximum(np.bincount(owner, minlength=count), 1)
    return [np.bincount(owner, one, minlength=count) / number for one in values]


def group_maxima(values: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest value of each group whose number is that of one of its members.

    Args:
        values: int64 (V,).
        owner: int64 (V,), indices into `values`; an owner belongs to its own group.

    Returns:
        int64 (V,); the maximum of a group is in the row of its owner, the other rows mean nothing.

    Examples:
        >>> int(group_maxima(np.array([4, 9, 5]), np.array([0, 0, 2]))[0])
        9
    """
    most = values.copy()
    np.maximum.at(most, owner, values)
    return most


def follow_links(before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first member of the chain to which each member belongs.

    Args:
        before: int64 (V,), index of the member before each; the first of a chain has its own index.

    Returns:
        int64 (V,), index of the first.

    Examples:
        >>> follow_links(np.array([0, 0, 1, 3]))
        array([0, 0, 0, 3])
    """
    while (before[before] != before).any():
        before = before[before]
    return before


def connected_group(touching: NDArray[np.bool_], first: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the rows and columns of a table that are connected with one of its rows.

    Args:
        touching: bool (R, C), whether a row and a column touch.
        first: index of a row.

    Returns:
        bool (R,) and bool (C,), whether each row and column belongs to the group.

    Examples:
        >>> connected_group(np.array([[True, False], [True, False], [False, True]]), 0)
        (array([ True,  True, False]), array([ True, False]))
    """
    rows = np.arange(len(touching)) == first
    columns = touching[first]
    while (rows != (rows := rows | touching[:, columns].any(axis=1))).any():
        columns = touching[rows].any(axis=0)
    return rows, columns


def fit_curves(
    x: NDArray[np.int64],
    y: NDArray[np.float64],
    owner: NDArray[np.int64],
    count: int,
    degree: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Fit a polynomial to the points of each group by least squares.

    Args:
        x: int64 (V,).
        y: float64 (V,).
        owner: int64 (V,), the group of each point.
        count: number of groups.
        degree: of the polynomials.
        weights: float64 (V,), >= 0; None if all points weigh the same.

    Returns:
        float64 (V,), the value of its group's polynomial at each x.

    Examples:
        >>> x, owner = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
        >>> fit_curves(x, np.array([5.0, 7.0, 9.0, 1.0, 1.0, 4.0]), owner, 2, 1).round(3)
        array([5. , 7. , 9. , 0.5, 2. , 3.5])
    """
    middle, mean = group_means(owner, count, x, y)
    u, v = x - middle[owner], y - mean[owner]
    reach = np.sqrt(group_means(owner, count, u**2)[0]) + 1
    u /= reach[owner]
    powers = [np.ones(len(u)) if weights is None else weights]
    for _ in range(2 * degree):
        powers.append(powers[-1] * u)
    moments = np.stack([np.bincount(owner, power, minlength=count) for power in powers])
    right = np.stack([np.bincount(owner, power * v, minlength=count) for power in powers[: degree + 1]])
    index = np.add.outer(np.arange(degree + 1), np.arange(degree + 1))
    left = moments[index].transpose(2, 0, 1) + 1e-6 * np.eye(degree + 1)  # groups of few points stay solvable
    coefficients = np.linalg.solve(left, right.T[:, :, None])[:, :, 0]  # (count, degree + 1)
    value = np.zeros(len(u))
    for column in coefficients.T[::-1]:
        value = value * u + column[owner]
    return mean[owner] + value
