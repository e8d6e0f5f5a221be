"""Top errors: their order, and the image of them."""

import numpy as np

from digitedge.evaluation.digit_tiles import BACKGROUND, COLUMNS, HEADER, TILE
from digitedge.evaluation.top_errors import draw_top_errors, find_top_errors


def predict(digits: list[int], confidence: list[float]) -> np.ndarray:
    """Return probabilities that predict each digit with its confidence."""
    rows = np.zeros((len(digits), 10), np.float32)
    rows[np.arange(len(digits)), digits] = confidence
    return rows


def test_wrong_predictions_are_sorted_by_confidence() -> None:
    probabilities = predict([1, 2, 3, 4, 5], [0.6, 0.99, 0.7, 0.7, 0.9])
    labels = np.uint8([7, 2, 8, 9, 0])
    errors = find_top_errors(probabilities, labels)
    assert [(error.index, error.label, error.prediction) for error in errors] == [
        (4, 0, 5),
        (2, 8, 3),
        (3, 9, 4),
        (0, 7, 1),
    ]
    assert [round(error.confidence, 4) for error in errors] == [0.9, 0.7, 0.7, 0.6]
    assert find_top_errors(probabilities, labels, limit=2) == errors[:2]


def test_correct_predictions_are_no_errors() -> None:
    assert find_top_errors(predict([1, 2], [0.6, 0.99]), np.uint8([1, 2])) == ()


def test_the_image_shows_the_crops_in_order() -> None:
    crops = np.zeros((20, 28, 28), np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None] * 10
    errors = find_top_errors(predict([1] * 20, list(np.linspace(0.3, 0.9, 20))), np.zeros(20, np.uint8))
    names = [f"a-folder-with-a-long-name/{i}.png" for i in range(20)]
    image = draw_top_errors(errors, crops, names, title="top errors")
    assert image.dtype == np.uint8
    shown = [int(image[HEADER + 5, 12 + column * (TILE + 8), 0]) for column in range(COLUMNS)]
    assert shown == [10 * (19 - column) for column in range(COLUMNS)]
    assert (image != BACKGROUND).any(axis=2)[HEADER + TILE : HEADER + TILE + 20].any()  # the captions


def test_the_image_of_a_single_error_is_as_wide_as_its_title() -> None:
    errors = find_top_errors(predict([1], [0.5]), np.uint8([2]))
    title = "a title that is a good deal longer than one tile is wide"
    image = draw_top_errors(errors, np.zeros((1, 28, 28), np.uint8), ["#0"], title=title)
    assert (image[:HEADER, -8:] == BACKGROUND).all()
