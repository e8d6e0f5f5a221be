"""The expected calibration error, against values computed by hand."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.metrics.classification import expected_calibration_error


def predict_3(confidence: list[float]) -> np.ndarray:
    """Return probabilities that predict a 3 with each confidence."""
    rows = np.repeat((1 - np.float32(confidence))[:, None] / 9, 10, axis=1)
    rows[:, 3] = confidence
    return rows


def test_bins_are_weighted_by_their_number_of_samples() -> None:
    # Bin 15: confidence 0.95, 3 of 4 correct, gap 0.2. Bin 9: confidence 0.57, 0 of 1 correct, gap 0.57.
    probabilities = predict_3([0.95, 0.95, 0.95, 0.95, 0.57])
    labels = np.uint8([3, 3, 3, 4, 4])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.8 * 0.2 + 0.2 * 0.57, abs=1e-6)


def test_over_and_underconfidence_cancel_out_within_a_bin_only() -> None:
    across = predict_3([0.85, 0.75])  # bins 13 and 12
    within = predict_3([0.75, 0.75])
    labels = np.uint8([4, 3])
    assert expected_calibration_error(across, labels) == pytest.approx((0.85 + 0.25) / 2, abs=1e-6)
    assert expected_calibration_error(within, labels) == pytest.approx(0.25, abs=1e-6)


def test_a_bin_includes_its_upper_edge() -> None:
    # 3/15 is in (2/15, 3/15] with 0.19; 0.21 is in the next one. Were it in the next, the gaps would cancel out.
    labels = np.uint8([3, 4, 4])
    found = expected_calibration_error(np.float64([[0.2] * 10, [0.19] * 10, [0.21] * 10]), np.uint8([0, 1, 1]))
    assert found == pytest.approx((abs(1 - 0.2 - 0.19) + 0.21) / 3)
    assert expected_calibration_error(predict_3([1.0, 1.0, 1.0]), labels) == pytest.approx(2 / 3)


def test_no_samples_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        expected_calibration_error(np.zeros((0, 10), np.float32), np.zeros(0, np.uint8))
