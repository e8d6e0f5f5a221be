"""The contact sheet: which errors are shown, where, and in which colour."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.evaluation.contact_sheet import (
    COLUMNS,
    GAP,
    HEADER,
    NAME_BAND,
    STYLES,
    TEXT_BAND,
    TILE,
    ContactSheet,
    ErrorType,
)
from digitedge.metrics.detection import Matches
from digitedge.reader import Digit
from digitedge.utils.boxes import Box

Image = NDArray[np.uint8]

ROW_HEIGHT = TILE + TEXT_BAND + NAME_BAND + GAP


def paper(value: int = 200, shape: tuple[int, int, int] = (300, 400, 3)) -> Image:
    return np.full(shape, value, np.uint8)


def matches(
    *,
    false_negatives: list[Digit] | None = None,
    misclassified: list[tuple[Digit, Digit]] | None = None,
    false_positives: list[Digit] | None = None,
    true_positives: list[tuple[Digit, Digit]] | None = None,
) -> Matches[Digit]:
    return Matches(
        true_positives=tuple(true_positives or ()),
        misclassified=tuple(misclassified or ()),
        false_negatives=tuple(false_negatives or ()),
        false_positives=tuple(false_positives or ()),
        ignored=(),
    )


def digits(count: int) -> list[Digit]:
    return [Digit(1, 0.5 + index / 1000, (5 + index, 50, 10, 20)) for index in range(count)]


def tile(sheet: Image, number: int) -> tuple[Image, Image]:
    """Return the image and the caption of a tile."""
    row, column = divmod(number, COLUMNS)
    x, y = GAP + column * (TILE + GAP), HEADER + row * ROW_HEIGHT
    return sheet[y : y + TILE, x : x + TILE], sheet[y + TILE : y + TILE + TEXT_BAND, x : x + TILE]


def error_types(sheet: Image, count: int) -> list[ErrorType]:
    """Return the error types of the first tiles, by the colours of their captions."""
    by_colour = {style.colour: error_type for error_type, style in STYLES.items()}
    return [by_colour[tuple(tile(sheet, number)[1][1, 1].tolist())] for number in range(count)]


def test_each_error_type_has_a_tile_in_its_colour_with_the_box_in_the_middle() -> None:
    seven = Digit(7, 0.9, (200, 100, 30, 50))
    collected = ContactSheet()
    errors = matches(
        false_negatives=[seven], misclassified=[(seven, Digit(1, 0.8, seven.box))], false_positives=[seven]
    )
    collected.add("a.png", paper(), errors, rank=(0.5, -3, "a.png"))
    sheet = collected.draw("a title")
    assert sheet.shape == (HEADER + ROW_HEIGHT + GAP, COLUMNS * (TILE + GAP) + GAP, 3)
    assert sheet.dtype == np.uint8
    assert error_types(sheet, 3) == list(ErrorType)
    for number, error_type in enumerate(ErrorType):
        image, _ = tile(sheet, number)
        edge = np.argwhere((image == STYLES[error_type].colour).all(axis=2))
        (top, left), (bottom, right) = edge.min(axis=0), edge.max(axis=0)
        assert (top + bottom) / 2 == pytest.approx(TILE / 2, abs=2)
        assert (left + right) / 2 == pytest.approx(TILE / 2, abs=2)
        assert (right - left) / (bottom - top) == pytest.approx(30 / 50, abs=0.08)
        assert (image == 200).all(axis=2).mean() > 0.7  # the paper of the frame


def test_colours_differ_in_lightness() -> None:
    colours = (style.colour for style in STYLES.values())
    lightness = sorted(0.114 * blue + 0.587 * green + 0.299 * red for blue, green, red in colours)
    assert min(b - a for a, b in pairwise(lightness)) > 25


def test_the_worst_frames_come_first() -> None:
    collected = ContactSheet()
    (digit,) = digits(1)
    collected.add("good", paper(50), matches(false_positives=[digit]), rank=(0.9, -1, "good"))
    collected.add("bad", paper(100), matches(false_negatives=[digit]), rank=(0.1, -1, "bad"))
    collected.add("worst", paper(150), matches(misclassified=[(digit, digit)]), rank=(0.1, -2, "worst"))
    sheet = collected.draw()
    assert error_types(sheet, 3) == [ErrorType.MISCLASSIFIED, ErrorType.FALSE_NEGATIVE, ErrorType.FALSE_POSITIVE]
    assert [int(np.median(tile(sheet, number)[0])) for number in range(3)] == [150, 100, 50]


def test_a_frame_full_of_errors_does_not_fill_the_sheet() -> None:
    collected = ContactSheet(limit=5)
    collected.add("full", paper(100), matches(false_positives=digits(50)), rank=(0.0, -50, "full"))
    collected.add("one", paper(50), matches(false_negatives=digits(1)), rank=(0.9, -1, "one"))
    assert (collected.errors, collected.shown) == (51, 5)
    assert collected.counts == {
        ErrorType.FALSE_NEGATIVE: 1,
        ErrorType.MISCLASSIFIED: 0,
        ErrorType.FALSE_POSITIVE: 50,
    }
    assert error_types(collected.draw(), 5) == [ErrorType.FALSE_POSITIVE] * 4 + [ErrorType.FALSE_NEGATIVE]


def test_the_sheet_has_as_many_rows_as_its_tiles_need() -> None:
    collected = ContactSheet()
    collected.add("a", paper(), matches(false_positives=digits(COLUMNS + 1)), rank=(0.0, 0, "a"))
    assert collected.draw().shape[0] == HEADER + 2 * ROW_HEIGHT + GAP


def test_frames_are_neither_kept_nor_changed() -> None:
    frame = paper(100)
    collected = ContactSheet()
    errors = matches(false_positives=digits(2), true_positives=[(digits(1)[0],) * 2])
    collected.add("a", frame, errors, rank=(0.0, 0, "a"))
    assert (frame == 100).all()
    frame[:] = 0
    assert np.median(tile(collected.draw(), 0)[0]) == 100


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((-5, -5, 10, 20), (300, 400, 3)),
        ((395, 290, 40, 60), (300, 400, 3)),
        ((0, 0, 400, 300), (300, 400, 3)),
        ((500, 500, 10, 10), (300, 400, 3)),
        ((0, 0, 1, 1), (1, 1, 3)),
        ((0, 0, 3000, 2), (2, 3000, 3)),
        ((10, 10, 100000, 100000), (300, 400, 3)),
    ],
    ids=["upper left", "lower right", "whole frame", "outside", "one pixel", "a line", "enormous"],
)
def test_a_box_at_any_edge_gives_a_tile(box: Box, shape: tuple[int, int, int]) -> None:
    collected = ContactSheet()
    errors = matches(false_positives=[Digit(0, 0.5, box), Digit(1, 0.4, (0, 0, 5, 5))])
    collected.add("x" * 300, paper(shape=shape), errors, rank=(0.0, 0, "a"))
    assert error_types(collected.draw("y" * 900), 2) == [ErrorType.FALSE_POSITIVE] * 2


def test_a_sheet_without_errors_has_a_header_only() -> None:
    assert ContactSheet().draw().shape[0] == HEADER + GAP
