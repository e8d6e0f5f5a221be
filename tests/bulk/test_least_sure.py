"""The least sure digits: the same in any order, packed, and drawn."""

import random

import numpy as np
import pytest
from page_results import RESULTS, digit

from digitedge.bulk.least_sure import (
    draw_least_sure,
    find_least_sure,
    merge_least_sure,
    pack_least_sure,
    unpack_least_sure,
)
from digitedge.reader.page_result import PageResult
from digitedge.reader.reading import Digit, Reading


def test_the_least_sure_come_first() -> None:
    found = find_least_sure(RESULTS, limit=3)
    assert [(one.digit, one.confidence, one.source, one.page) for one in found] == [
        (0, 0.5, "scans/desk.jpg", None),
        (7, 0.75, "scans/desk.jpg", None),
        (1, 0.99, "book.pdf", 1),
    ]
    assert found[1].crop.dtype == np.uint8
    assert (found[1].crop == 7).all() and found[1].crop.shape == (28, 28)


def test_digits_without_a_crop_are_left_out() -> None:
    reading = Reading((Digit(1, 0.1, (0, 0, 9, 9)), digit(2, 0, 0)), ("12",), 99, 99, 1.0)
    assert [one.digit for one in find_least_sure([PageResult("a.png", None, reading)])] == [2]


@pytest.mark.parametrize("limit", [1, 5, 60])
def test_shards_in_any_order_and_twice_give_what_one_shard_gives(limit: int) -> None:
    readings = [Reading((digit(i % 10, 0, 0, 0.5 + i // 25 / 256),), ("1",), 99, 99, 1.0) for i in range(100)]
    results = [PageResult(f"{i % 7}.pdf", i, reading) for i, reading in enumerate(readings)]
    expected = pack_least_sure(find_least_sure(results, limit=limit))
    random.Random(1).shuffle(results)
    merged = find_least_sure(results[:3], limit=limit)
    for start in (0, 30, 60, 30):
        packed = pack_least_sure(find_least_sure(results[start : start + 40], limit=limit))
        merged = merge_least_sure(merged, unpack_least_sure(packed), limit=limit)
    assert pack_least_sure(merged) == expected


def test_odd_names_survive_packing() -> None:
    found = find_least_sure([PageResult("é\udcff\n.png", None, RESULTS[0].reading)])
    assert [one.source for one in unpack_least_sure(pack_least_sure(found))] == ["é\udcff\n.png"] * 4
    assert unpack_least_sure(pack_least_sure(())) == ()


def test_the_sheet_shows_every_digit() -> None:
    found = find_least_sure(RESULTS)
    sheet = draw_least_sure(found, title="least sure")
    assert sheet.dtype == np.uint8 and sheet.ndim == 3
    assert draw_least_sure((), title="least sure").shape[0] < sheet.shape[0]
    values = set(np.unique(sheet[..., 0]).tolist())
    assert {one.digit for one in found} <= values
