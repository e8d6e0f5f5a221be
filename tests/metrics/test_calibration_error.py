import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.metrics.classification import expected_calibration_error


def answers(confidence: list[float]) -> np.ndarray:
    """Rows that say 3 with a confidence, and share out the rest."""
    rows = np.repeat((1 - np.float32(confidence))[:, None] / 9, 10, axis=1)
    rows[:, 3] = confidence
    return rows


def test_bins_are_weighted_by_how_many_answers_are_in_them() -> None:
    # Bin 15: confidence 0.95, 3 of 4 right, gap 0.2. Bin 9: confidence 0.57, none of 1 right, gap 0.57.
    probabilities = answers([0.95, 0.95, 0.95, 0.95, 0.57])
    labels = np.uint8([3, 3, 3, 4, 4])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.8 * 0.2 + 0.2 * 0.57, abs=1e-6)


def test_too_sure_and_too_timid_do_not_cancel_out_across_bins_but_do_within_one() -> None:
    across = answers([0.85, 0.75])  # bins 13 and 12
    within = answers([0.75, 0.75])
    labels = np.uint8([4, 3])
    assert expected_calibration_error(across, labels) == pytest.approx((0.85 + 0.25) / 2, abs=1e-6)
    assert expected_calibration_error(within, labels) == pytest.approx(0.25, abs=1e-6)


def test_a_bin_holds_its_upper_edge() -> None:
    # 3/15 is in (2/15, 3/15] with 0.19; 0.21 is in the next one. Were it in the next, the gaps would cancel out.
    labels = np.uint8([3, 4, 4])
    found = expected_calibration_error(np.float64([[0.2] * 10, [0.19] * 10, [0.21] * 10]), np.uint8([0, 1, 1]))
    assert found == pytest.approx((abs(1 - 0.2 - 0.19) + 0.21) / 3)
    assert expected_calibration_error(answers([1.0, 1.0, 1.0]), labels) == pytest.approx(2 / 3)


def test_without_answers_there_is_no_error_to_tell() -> None:
    with pytest.raises(InputError, match="at least 1"):
        expected_calibration_error(np.zeros((0, 10), np.float32), np.zeros(0, np.uint8))
