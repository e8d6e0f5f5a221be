import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError
from digitedge.exporting.calibration import calibration_indices


def test_calibration_images_are_class_balanced_unique_and_seeded(data: Dataset) -> None:
    chosen = calibration_indices(data.y_train)
    assert len(chosen) == len(set(chosen.tolist())) == 500
    assert np.bincount(data.y_train[chosen]).tolist() == [50] * 10
    np.testing.assert_array_equal(chosen, calibration_indices(data.y_train))
    assert not np.array_equal(chosen, calibration_indices(data.y_train, seed=1))


def test_too_few_images_of_a_digit_are_refused() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 60)
    with pytest.raises(InputError, match="50 training images of each digit, got 10 of digit 9"):
        calibration_indices(labels[:-50])
