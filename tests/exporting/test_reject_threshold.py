import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.exporting.reject_threshold import EACH, reject_threshold, threshold_digits
from digitedge.synthetic.scenes.crops import Cuttings


class Confidences:
    """Answers digit 3 with confidences 0.001, 0.002, ... 1.000 over and over."""

    def probabilities(self, crops):
        scores = np.zeros((len(crops), 10), np.float32)
        scores[:, 3] = (np.arange(len(crops)) % 1000 + 1) / 1000
        return scores


def test_the_threshold_keeps_99_of_100_digits() -> None:
    threes = Cuttings(np.zeros((2000, 28, 28), np.uint8), np.full(2000, 3, np.uint8))
    assert reject_threshold(Confidences(), threes) == pytest.approx(0.011, abs=0.0011)


def test_a_file_that_answers_nan_is_never_believed() -> None:
    class Nan:
        def probabilities(self, crops):
            return np.full((len(crops), 10), np.nan, np.float32)

    assert reject_threshold(Nan(), Cuttings(np.zeros((5, 28, 28), np.uint8), np.zeros(5, np.uint8))) == 1.0


def test_the_digits_are_moved_rendered_and_cut_ones(data: Dataset) -> None:
    digits = threshold_digits(data.x_train[:500], data.y_train[:500])
    moved, rendered, cut = np.split(digits.crops, [EACH, 2 * EACH])
    assert len(moved) == len(rendered) == EACH
    assert len(cut) > 300
    assert all(part.any(axis=(1, 2)).all() for part in (moved, rendered, cut))
    assert set(digits.digits.tolist()) == set(range(10))
    np.testing.assert_array_equal(digits.crops, threshold_digits(data.x_train[:500], data.y_train[:500]).crops)
