"""The image of the digits that another model reads differently."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.evaluation.changed_predictions import draw_changed
from digitedge.evaluation.digit_tiles import BACKGROUND, BAND, GAP, HEADER, TILE


def predict(digits: list[int], confidence: list[float]) -> np.ndarray:
    """Return probabilities that predict each digit with its confidence."""
    rows = np.zeros((len(digits), 10), np.float32)
    rows[np.arange(len(digits)), digits] = confidence
    return rows


LABELS = np.uint8([1, 2, 3, 4, 5, 6])
CROPS = np.zeros((6, 28, 28), np.uint8) + np.arange(1, 7, dtype=np.uint8)[:, None, None] * 40
BEFORE = predict([1, 2, 0, 4, 0, 0], [0.9] * 6)
AFTER = predict([0, 0, 3, 4, 9, 6], [0.8, 0.9, 0.7, 0.9, 0.9, 0.8])
ROW = TILE + BAND + GAP


def shown(image: np.ndarray) -> list[int]:
    """Return the crops in their order, by their grey level."""
    tiles = [(x, y) for y in range(HEADER, len(image), ROW) for x in range(GAP, image.shape[1], TILE + GAP)]
    greys = [image[y + 5, x + 5] for x, y in tiles]
    return [int(grey[0]) // 40 - 1 for grey in greys if tuple(grey) != BACKGROUND]


def test_what_became_wrong_comes_first_then_what_became_right() -> None:
    image = draw_changed(CROPS, LABELS, BEFORE, AFTER, "own digits")
    assert image.dtype == np.uint8
    assert shown(image) == [1, 0, 5, 2, 4]  # within a kind, the most confident first; unchanged digits are left out


def test_each_kind_is_cut_by_itself() -> None:
    assert shown(draw_changed(CROPS, LABELS, BEFORE, AFTER, "own", limit=1)) == [1, 5, 4]


def test_two_equal_models_give_the_title_alone() -> None:
    assert len(draw_changed(CROPS, LABELS, BEFORE, BEFORE, "own digits")) == HEADER


def test_predictions_of_other_digits_are_refused() -> None:
    with pytest.raises(InputError, match="as many rows as labels"):
        draw_changed(CROPS, LABELS, BEFORE[:3], AFTER, "own digits")
