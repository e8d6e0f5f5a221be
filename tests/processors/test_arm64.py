"""What the comparison with an emulated Raspberry Pi calls the same."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
ANSWERS = np.eye(10, dtype=np.float32)


@pytest.fixture
def arm64(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return importlib.import_module("arm64")


def reading(digits: str, confidence: float = 0.95, *, x: int = 10, width: int = 20) -> dict[str, Any]:
    """A reading of one row; each digit has a box of its own, the first at x."""
    boxes = [[x + 30 * place, 5, width, 28] for place in range(len(digits))]
    found = [{"digit": int(one), "confidence": confidence, "box": box} for one, box in zip(digits, boxes, strict=True)]
    return {"digits": found, "rows": [digits]}


def test_answers_within_a_64th_are_the_same(arm64: ModuleType) -> None:
    assert arm64.same_answers(ANSWERS, ANSWERS - np.float32(1 / 64)) == (
        True,
        "top-1 equal 10/10, largest difference 1.6e-02",
    )


@pytest.mark.parametrize(
    "there",
    [ANSWERS - np.float32(1 / 32), np.full_like(ANSWERS, np.nan), ANSWERS[:9], ANSWERS[:, ::-1], np.roll(ANSWERS, 1)],
    ids=["further", "nan", "fewer", "mirrored", "rolled"],
)
def test_other_answers_are_not(arm64: ModuleType, there: np.ndarray) -> None:
    assert not arm64.same_answers(ANSWERS, there)[0]


def test_an_equal_top1_is_not_enough_nor_is_a_small_difference(arm64: ModuleType) -> None:
    here = np.full((1, 10), 0.1, np.float32)
    there = here.copy()
    there[0, 3] += np.float32(1 / 128)
    assert not arm64.same_answers(here, there)[0]


def test_no_answers_are_no_agreement(arm64: ModuleType) -> None:
    assert not arm64.same_answers(ANSWERS[:0], ANSWERS[:0])[0]


@pytest.mark.parametrize(
    ("there", "alike"),
    [
        (reading("123"), True),
        (reading("123", 0.5), True),
        (reading("128", 0.5), False),
        (reading("123", x=12), True),
        (reading("123", x=13), False),
        (reading("123", x=12, width=21), False),
        (reading("123") | {"digits": reading("12")["digits"]}, False),
        (reading("12"), False),
        (reading(""), False),
    ],
    ids=["same", "less sure", "another digit", "nearby", "another place", "wider", "a box less", "one less", "nothing"],
)
def test_readings_are_alike_in_digits_and_places(arm64: ModuleType, there: dict[str, Any], alike: bool) -> None:
    assert arm64.alike(reading("123"), there) is alike
    assert arm64.alike(there, reading("123")) is alike


def test_what_is_left_out_exists(arm64: ModuleType) -> None:
    missing = [path for paths in arm64.LEFT_OUT.values() for path in paths if not (ROOT / path).exists()]
    assert not missing
