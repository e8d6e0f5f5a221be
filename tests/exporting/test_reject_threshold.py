import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.exporting.reject_threshold import SAMPLES, reject_threshold, threshold_digits
from digitedge.synthetic.scenes.crops import SceneCrops


class Confidences:
    """Predicts digit 3 with confidences 0.001, 0.002, ... 1.000 over and over."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        scores = np.zeros((len(crops), 10), np.float32)
        scores[:, 3] = (np.arange(len(crops)) % 1000 + 1) / 1000
        return scores


def test_the_threshold_keeps_99_percent_of_the_digits() -> None:
    threes = SceneCrops(np.zeros((2000, 28, 28), np.uint8), np.full(2000, 3, np.uint8))
    assert reject_threshold(Confidences(), threes) == pytest.approx(0.011, abs=0.0011)


def test_a_file_that_gives_nan_gets_a_threshold_of_1() -> None:
    class Nan:
        def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full((len(crops), 10), np.nan, np.float32)

    assert reject_threshold(Nan(), SceneCrops(np.zeros((5, 28, 28), np.uint8), np.zeros(5, np.uint8))) == 1.0


@pytest.mark.slow
def test_the_digits_are_augmented_rendered_and_from_scenes(data: Dataset) -> None:
    digits = threshold_digits(data.x_train[:500], data.y_train[:500])
    augmented, rendered, scenes = np.split(digits.crops, [SAMPLES, 2 * SAMPLES])
    assert len(augmented) == len(rendered) == SAMPLES
    assert len(scenes) > 300
    assert all(part.any(axis=(1, 2)).all() for part in (augmented, rendered, scenes))
    assert set(digits.labels.tolist()) == set(range(10))
    np.testing.assert_array_equal(digits.crops, threshold_digits(data.x_train[:500], data.y_train[:500]).crops)
