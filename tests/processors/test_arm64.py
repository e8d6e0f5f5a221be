"""When the comparison with an emulated Raspberry Pi passes."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PROBABILITIES = np.eye(10, dtype=np.float32)


@pytest.fixture
def arm64(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return importlib.import_module("arm64")


def reading(digits: str, confidence: float = 0.95, *, x: int = 10, width: int = 20) -> dict[str, Any]:
    """Return a reading of one row; the first box begins at x."""
    boxes = [[x + 30 * place, 5, width, 28] for place in range(len(digits))]
    found = [{"digit": int(one), "confidence": confidence, "box": box} for one, box in zip(digits, boxes, strict=True)]
    return {"digits": found, "rows": [digits]}


def test_probabilities_within_a_64th_pass(arm64: ModuleType) -> None:
    assert arm64.compare_arrays(PROBABILITIES, PROBABILITIES - np.float32(1 / 64)) == (
        True,
        "top-1 equal 10/10, largest difference 1.6e-02",
    )


@pytest.mark.parametrize(
    "there",
    [
        PROBABILITIES - np.float32(1 / 32),
        np.full_like(PROBABILITIES, np.nan),
        PROBABILITIES[:9],
        PROBABILITIES[:, ::-1],
        np.roll(PROBABILITIES, 1),
    ],
    ids=["further", "nan", "fewer", "mirrored", "rolled"],
)
def test_other_probabilities_fail(arm64: ModuleType, there: np.ndarray) -> None:
    assert not arm64.compare_arrays(PROBABILITIES, there)[0]


def test_a_different_top1_fails_despite_a_small_difference(arm64: ModuleType) -> None:
    here = np.full((1, 10), 0.1, np.float32)
    there = here.copy()
    there[0, 3] += np.float32(1 / 128)
    assert not arm64.compare_arrays(here, there)[0]


def test_no_probabilities_fail(arm64: ModuleType) -> None:
    assert not arm64.compare_arrays(PROBABILITIES[:0], PROBABILITIES[:0])[0]


@pytest.mark.parametrize(
    ("there", "is_same"),
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
def test_readings_are_the_same_in_digits_and_boxes(arm64: ModuleType, there: dict[str, Any], is_same: bool) -> None:
    assert arm64.is_same_reading(reading("123"), there) is is_same
    assert arm64.is_same_reading(there, reading("123")) is is_same


def test_skipped_paths_exist(arm64: ModuleType) -> None:
    missing = [path for paths in arm64.SKIPPED.values() for path in paths if not (ROOT / path).exists()]
    assert not missing
