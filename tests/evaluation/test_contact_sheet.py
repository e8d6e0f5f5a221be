"""The sheet of errors: which are shown, where, and in which colour."""

from itertools import pairwise

import numpy as np
import pytest

from digitedge.evaluation.contact_sheet import (
    COLUMNS,
    GAP,
    HEADER,
    LOOKS,
    NAME_BAND,
    TILE,
    WORD_BAND,
    ContactSheet,
    Kind,
)
from digitedge.metrics.detection import Comparison
from digitedge.reader.reader import Digit

PITCH = TILE + WORD_BAND + NAME_BAND + GAP


def paper(value=200, shape=(300, 400, 3)):
    return np.full(shape, value, np.uint8)


def errors(*, missed=(), wrong=(), invented=(), right=()):
    return Comparison(tuple(right), tuple(wrong), tuple(missed), tuple(invented), ())


def many(count):
    return [Digit(1, 0.5 + index / 1000, (5 + index, 50, 10, 20)) for index in range(count)]


def tile(sheet, number):
    """The image and the words' band of a tile."""
    row, column = divmod(number, COLUMNS)
    x, y = GAP + column * (TILE + GAP), HEADER + row * PITCH
    return sheet[y : y + TILE, x : x + TILE], sheet[y + TILE : y + TILE + WORD_BAND, x : x + TILE]


def kinds(sheet, count):
    """What the colours of the bands say."""
    found = []
    for number in range(count):
        corner = tuple(tile(sheet, number)[1][1, 1].tolist())
        found.append(next(kind for kind, look in LOOKS.items() if look.colour == corner))
    return found


def test_each_kind_has_a_tile_in_its_colour_with_the_box_drawn():
    seven = Digit(7, 0.9, (200, 100, 30, 50))
    collected = ContactSheet()
    compared = errors(missed=[seven], wrong=[(seven, Digit(1, 0.8, seven.box))], invented=[seven])
    collected.add("a.png", paper(), compared, rank=(0.5, -3, "a.png"))
    sheet = collected.draw("a title")
    assert sheet.shape == (HEADER + PITCH + GAP, COLUMNS * (TILE + GAP) + GAP, 3)
    assert sheet.dtype == np.uint8
    assert kinds(sheet, 3) == [Kind.MISSED, Kind.WRONG, Kind.INVENTED]
    for number, kind in enumerate(Kind):
        image, _ = tile(sheet, number)
        edge = np.argwhere((image == LOOKS[kind].colour).all(axis=2))
        (top, left), (bottom, right) = edge.min(axis=0), edge.max(axis=0)
        assert (top + bottom) / 2 == pytest.approx(TILE / 2, abs=2)
        assert (left + right) / 2 == pytest.approx(TILE / 2, abs=2)
        assert (right - left) / (bottom - top) == pytest.approx(30 / 50, abs=0.08)
        assert (image == 200).all(axis=2).mean() > 0.7  # the frame's own paper


def test_the_colours_differ_in_lightness_for_those_who_do_not_see_hues():
    light = sorted(0.114 * blue + 0.587 * green + 0.299 * red for (blue, green, red), _, _ in LOOKS.values())
    assert min(b - a for a, b in pairwise(light)) > 25


def test_the_worst_frames_come_first():
    collected = ContactSheet()
    (digit,) = many(1)
    collected.add("good", paper(50), errors(invented=[digit]), rank=(0.9, -1, "good"))
    collected.add("bad", paper(100), errors(missed=[digit]), rank=(0.1, -1, "bad"))
    collected.add("worst", paper(150), errors(wrong=[(digit, digit)]), rank=(0.1, -2, "worst"))
    sheet = collected.draw()
    assert kinds(sheet, 3) == [Kind.WRONG, Kind.MISSED, Kind.INVENTED]
    assert [int(np.median(tile(sheet, number)[0])) for number in range(3)] == [150, 100, 50]


def test_a_frame_full_of_errors_leaves_room_for_the_others():
    collected = ContactSheet(limit=5)
    collected.add("flood", paper(100), errors(invented=many(50)), rank=(0.0, -50, "flood"))
    collected.add("one", paper(50), errors(missed=many(1)), rank=(0.9, -1, "one"))
    assert (collected.errors, collected.shown) == (51, 5)
    assert collected.counts == {Kind.MISSED: 1, Kind.WRONG: 0, Kind.INVENTED: 50}
    assert kinds(collected.draw(), 5) == [Kind.INVENTED] * 4 + [Kind.MISSED]


def test_there_are_as_many_rows_as_the_tiles_need():
    collected = ContactSheet()
    collected.add("a", paper(), errors(invented=many(COLUMNS + 1)), rank=(0.0, 0, "a"))
    assert collected.draw().shape[0] == HEADER + 2 * PITCH + GAP


def test_frames_are_not_kept_and_not_drawn_into():
    frame = paper(100)
    collected = ContactSheet()
    collected.add("a", frame, errors(invented=many(2), right=[(many(1)[0],) * 2]), rank=(0.0, 0, "a"))
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
def test_boxes_at_every_edge_give_a_tile(box, shape):
    collected = ContactSheet()
    invented = [Digit(0, 0.5, box), Digit(1, 0.4, (0, 0, 5, 5))]
    collected.add("x" * 300, paper(shape=shape), errors(invented=invented), rank=(0.0, 0, "a"))
    assert kinds(collected.draw("y" * 900), 2) == [Kind.INVENTED] * 2


def test_without_errors_there_is_only_the_header():
    assert ContactSheet().draw().shape[0] == HEADER + GAP
