"""Patterns: dashed and dotted lines are found, columns of ones are not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import render_digit
from digitedge.utils.opencv import cv2
from digitedge.vision.patterns import find_patterns
from digitedge.vision.segment import connected_components


def dashes(length: int, gap: int, thickness: int, *, count: int = 12) -> NDArray[np.uint8]:
    mask = np.zeros((count * (length + gap) + 20, 200), np.uint8)
    for i in range(count):
        mask[10 + i * (length + gap) :][:length, 100 : 100 + thickness] = 255
    return mask


@pytest.mark.parametrize("vertical", [False, True], ids=["horizontal", "vertical"])
@pytest.mark.parametrize(
    ("length", "gap", "thickness"), [(12, 6, 2), (30, 12, 3), (3, 5, 3)], ids=["dashed", "long", "dotted"]
)
def test_dashed_line_is_a_pattern(length: int, gap: int, thickness: int, vertical: bool) -> None:
    mask = dashes(length, gap, thickness)
    assert find_patterns(connected_components(mask if vertical else np.ascontiguousarray(mask.T))).all()


def test_four_dashes_are_no_pattern() -> None:
    assert not find_patterns(connected_components(dashes(12, 6, 2, count=4))).any()


@pytest.mark.parametrize("seed", range(5))
def test_column_of_written_ones_is_no_pattern(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((500, 100), np.uint8)
    for y in range(10, 440, 45):
        drawn = render_digit(1, rng, height=int(rng.integers(28, 33)), pen_width=4.0) > 100
        x = 40 + int(rng.integers(-2, 3))
        mask[y : y + drawn.shape[0], x : x + drawn.shape[1]][drawn] = 255
    assert not find_patterns(connected_components(mask)).any()


def rings(*, x: int, pitches: tuple[int, ...] = (150, 150), sizes: tuple[int, ...] = (15, 15, 15)) -> NDArray[np.uint8]:
    mask = np.zeros((600, 400), np.uint8)
    y = 80
    for pitch, radius in zip((0, *pitches), sizes, strict=True):
        y += pitch
        cv2.circle(mask, (x, y), radius, 255, 3)
    return mask


def test_punched_holes_are_a_pattern() -> None:
    assert find_patterns(connected_components(rings(x=30))).all()
    assert find_patterns(connected_components(np.ascontiguousarray(rings(x=30).T))).all()


@pytest.mark.parametrize(
    "mask",
    [rings(x=200), rings(x=30, pitches=(150, 120)), rings(x=30, sizes=(15, 12, 15)), rings(x=30, pitches=(40, 40))],
    ids=["in the middle of the page", "at unequal distances", "of unequal size", "as close as digits"],
)
def test_zeros_are_no_punched_holes(mask: NDArray[np.uint8]) -> None:
    assert not find_patterns(connected_components(mask)).any()


def test_marks_of_different_lengths_are_no_pattern() -> None:
    mask = np.zeros((300, 50), np.uint8)
    for i, length in enumerate([12, 9, 14, 10, 13, 8, 12, 11]):
        mask[10 + 20 * i :][:length, 20:23] = 255
    assert not find_patterns(connected_components(mask)).any()


def test_nothing_has_no_pattern() -> None:
    assert find_patterns(connected_components(np.zeros((50, 50), np.uint8))).shape == (0,)
