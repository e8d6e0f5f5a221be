"""The images of `eval --plots`: what they show, and that they can be drawn of every evaluation."""

from pathlib import Path

import numpy as np
import pytest

from digitedge.evaluation import confusion_image as confusion
from digitedge.evaluation.confusion_image import draw_confusion
from digitedge.evaluation.plots import PLOTS, threshold_advice, write_plots
from digitedge.evaluation.precision_recall_image import LEFT, SIDE, TOP, draw_precision_recall
from digitedge.metrics.precision_recall import precision_recall_curve
from digitedge.utils.drawing import BLUE, SKY_BLUE, VERMILION
from digitedge.utils.images import read_image


def corner_colour(image: np.ndarray, row: int, column: int) -> tuple[int, ...]:
    """Return the colour of a cell beside its number."""
    y, x = (
        start + place * confusion.CELL + confusion.GAP * (place == 10) + 3
        for start, place in ((confusion.TOP, row), (confusion.LEFT, column))
    )
    return tuple(int(value) for value in image[y, x])


def test_correct_answers_are_blue_and_wrong_ones_red_by_their_share() -> None:
    counts = np.diag(np.full(10, 50))
    counts[4, 9], counts[7, 1] = 50, 5
    image = draw_confusion(counts, title="digits")
    assert corner_colour(image, 0, 0) == BLUE
    assert corner_colour(image, 4, 9) == VERMILION
    assert corner_colour(image, 9, 4) == confusion.EMPTY
    blue, _, red = corner_colour(image, 7, 1)
    assert confusion.EMPTY[2] < red < VERMILION[2] and blue < confusion.EMPTY[0]


def test_digits_that_were_missed_and_what_is_no_digit_stand_apart() -> None:
    counts = np.zeros((11, 11), np.int64)
    counts[3, 10], counts[10, 8] = 2, 1
    image = draw_confusion(counts, title="photographs")
    assert corner_colour(image, 3, 10) == corner_colour(image, 10, 8) == VERMILION
    assert corner_colour(image, 10, 10) == confusion.BACKGROUND


def test_a_matrix_without_answers_can_be_drawn() -> None:
    assert draw_confusion(np.zeros((11, 11), np.int64), title="nothing").dtype == np.uint8


def test_the_curve_ends_in_the_upper_right_corner_if_every_answer_is_right() -> None:
    curve = precision_recall_curve(np.linspace(0.5, 1, 20), np.ones(20, bool), 20)
    image = draw_precision_recall(curve, title="all right")
    plot = image[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    rows, columns = np.nonzero((plot == SKY_BLUE).all(axis=2))
    assert rows.max() < 8
    assert columns.max() > SIDE - 8


@pytest.mark.parametrize(
    ("right", "digits"), [([False, False], 5), ([True, False], 2), ([True], 500)], ids=["none", "half", "few"]
)
def test_poor_curves_can_be_drawn(right: list[bool], digits: int) -> None:
    curve = precision_recall_curve(np.linspace(0.3, 0.9, len(right)), np.array(right), digits)
    assert draw_precision_recall(curve, title="poor").shape == draw_precision_recall(None, title="none").shape


@pytest.mark.parametrize(
    ("answers", "digits", "advice"),
    [
        ([(0.9, True), (0.8, True)], 2, "no threshold improves the F1: precision 100.00 %, recall 100.00 %"),
        ([(0.9, True), (0.12349, False)], 1, "best F1 at --threshold 0.9: precision 100.00 %, recall 100.00 %"),
        (
            [(0.95, True), (0.91239, True), (0.8, False), (0.7, True), (0.6, True), (0.5, False)],
            4,
            "best F1 at --threshold 0.6: precision 80.00 %, recall 100.00 %; "
            "99 % precision at --threshold 0.9123: recall 50.00 %",
        ),
        (
            [(0.9, False), (0.8, True)],
            1,
            "no threshold improves the F1: precision 50.00 %, recall 100.00 %; no threshold gives 99 % precision",
        ),
    ],
    ids=["perfect", "one outlier", "both", "hopeless"],
)
def test_the_advice_names_thresholds_that_hold(answers: list[tuple[float, bool]], digits: int, advice: str) -> None:
    confidence, correct = zip(*answers, strict=True)
    assert threshold_advice(precision_recall_curve(np.float64(confidence), np.array(correct), digits)) == advice


def test_plots_of_an_earlier_evaluation_are_replaced(tmp_path: Path) -> None:
    for shade in (10, 200):
        errors = np.full((30, 40, 3), shade, np.uint8)
        write_plots(tmp_path / "plots", title="", confusion=np.eye(10, dtype=np.int64), curve=None, errors=errors)
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(PLOTS)
    assert (read_image(tmp_path / "plots" / "errors.png") == 200).all()
