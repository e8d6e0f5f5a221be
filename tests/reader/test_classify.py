"""Classification, splits and merges, with classifiers of a few lines that look at the shape of a crop."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.reader.classify import Prediction, classify_candidates
from digitedge.runtime import Classifier
from digitedge.utils.opencv import cv2
from digitedge.vision import Stage, StageClock, detect_candidates, normalize_digit
from digitedge.vision.segment import RejectReason

# Columns of two clear rings to the right of what is tested. They give the scale of the writing.
CONTEXT = (500, 590)


class RingClassifier:
    """Predicts 0 for a crop with one ring, and 8 for any other crop."""

    def __init__(self, *, ring_confidence: float = 0.99, other_confidence: float = 0.3) -> None:
        self.ring_confidence = ring_confidence
        self.other_confidence = other_confidence
        self.crops = 0

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.crops += len(crops)
        rows = np.zeros((len(crops), 10), np.float32)
        for row, crop in zip(rows, crops, strict=True):
            row[0], row[8] = (self.ring_confidence, 0) if _is_ring(crop) else (0, self.other_confidence)
        return rows


def _is_ring(crop: NDArray[np.uint8]) -> bool:
    """Tell whether a crop has one component around one hole, at least half as wide as high."""
    ink = (crop > 100).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(ink)
    holes = cv2.connectedComponents(1 - ink, connectivity=4)[0] - 2  # less the label of ink and the paper outside
    return cv2.connectedComponents(ink)[0] == 2 and holes == 1 and width > 0.5 * height


class UprightClassifier:
    """Predicts 0: confidently if a crop is higher than wide and has ink in all four corners, else with 0.3."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.zeros((len(crops), 10), np.float32)
        for row, crop in zip(rows, crops, strict=True):
            ink = crop > 100
            x, y, width, height = cv2.boundingRect(ink.astype(np.uint8))
            rows_of_corners, columns_of_corners = _outer_thirds(y, height), _outer_thirds(x, width)
            corners = [ink[down, across].any() for down in rows_of_corners for across in columns_of_corners]
            row[0] = self.confidence if height > width and all(corners) else 0.3
        return rows


def _outer_thirds(start: int, length: int) -> tuple[slice, slice]:
    return slice(start, start + length // 3), slice(start + length - length // 3, start + length)


class RandomClassifier:
    """Predicts at random, but equally for equal crops."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rng = np.random.default_rng(int(crops.sum()) + len(crops))
        return rng.dirichlet(np.full(10, 0.05), len(crops)).astype(np.float32)


def draw_page(*rings: int, link: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Draw rings around these columns, a stroke from column to column, and the context."""
    grey = np.full((300, 640), 225, np.uint8)
    for x in (*rings, *CONTEXT):
        cv2.ellipse(grey, (x, 150), (20, 32), 0, 0, 360, 40, 6)
    if link:
        cv2.line(grey, (link[0], 150), (link[1], 150), 40, 6)
    return grey


def draw_touching_rings() -> NDArray[np.uint8]:
    """Draw two rings that a stroke joins."""
    return draw_page(150, 206, link=(170, 186))


def draw_broken_ring(gap: int = 6) -> NDArray[np.uint8]:
    """Draw one ring in an upper and a lower half."""
    grey = draw_page(150)
    grey[150 - gap // 2 : 150 + gap // 2, :200] = 225
    return grey


def classify(grey: NDArray[np.uint8], classifier: Classifier) -> list[Prediction]:
    """Return the predictions from left to right, without the context."""
    predictions = classify_candidates(detect_candidates(grey), classifier)
    return sorted((one for one in predictions if one.box[0] < CONTEXT[0] - 40), key=lambda one: one.box)


def test_touching_digits_are_split_where_the_parts_are_more_confident() -> None:
    predictions = classify(draw_touching_rings(), RingClassifier())
    assert [prediction.digit for prediction in predictions] == [0, 0]
    left, right = (prediction.box for prediction in predictions)
    assert abs(left[0] - 127) <= 3 and abs(left[2] - 51) <= 6
    assert abs(right[0] + right[2] - 229) <= 3 and abs(right[2] - 51) <= 6
    assert [prediction.initial_confidence for prediction in predictions] == pytest.approx([0.3, 0.3])


def test_confident_candidate_is_not_split() -> None:
    (prediction,) = classify(draw_touching_rings(), RingClassifier(other_confidence=0.95))
    assert (prediction.digit, prediction.confidence) == (8, pytest.approx(0.95))
    assert abs(prediction.box[2] - 102) <= 4


def test_doubtful_candidate_is_not_split_if_its_parts_are_doubtful() -> None:
    (prediction,) = classify(draw_touching_rings(), RingClassifier(ring_confidence=0.8, other_confidence=0.3))
    assert (prediction.digit, prediction.confidence) == (8, pytest.approx(0.3))


def test_candidate_is_not_split_if_one_part_is_doubtful() -> None:
    grey = draw_page(150, link=(170, 190))
    cv2.rectangle(grey, (190, 120), (220, 180), 40, cv2.FILLED)
    assert len(classify(grey, RingClassifier())) == 1


def test_two_halves_of_a_digit_are_merged() -> None:
    (prediction,) = classify(draw_broken_ring(), UprightClassifier(0.99))
    assert (prediction.digit, prediction.confidence) == (0, pytest.approx(0.99))
    assert prediction.initial_confidence == pytest.approx(0.3)
    assert abs(prediction.box[3] - 70) <= 4


def test_halves_are_not_merged_if_the_whole_is_no_more_confident() -> None:
    assert len(classify(draw_broken_ring(), UprightClassifier(0.5))) == 2


def test_confident_candidates_are_classified_once() -> None:
    classifier = RingClassifier()
    assert len(classify(draw_page(100, 200, 300), classifier)) == 3
    assert classifier.crops == 3 + len(CONTEXT)


def test_no_ink_is_in_two_predictions_and_none_is_lost() -> None:
    """With random predictions for rings that touch, that are broken, and that stand side by side."""
    grey = np.vstack([draw_touching_rings(), draw_broken_ring(), draw_page(150, 202, 280, 334, link=(300, 312))])
    counts = set()
    for turn in range(10):
        detection = detect_candidates(np.roll(grey, 3 * turn, axis=1))
        predictions = classify_candidates(detection, RandomClassifier())
        counts.add(len(predictions))
        uses = np.zeros(detection.cleaned.shape, int)
        for prediction in predictions:
            x, y, width, height = prediction.candidate.box
            uses[y : y + height, x : x + width] += prediction.candidate.ink > 0
        assert uses.max() == 1
        assert uses.sum() == sum(int((candidate.ink > 0).sum()) for candidate in detection.candidates)
    assert len(counts) > 1, "some candidates were split or merged"


def test_candidate_with_a_reject_reason_is_not_classified() -> None:
    grey = draw_page(100, 200, 300)
    cv2.line(grey, (100, 250), (180, 250), 40, 6)
    classifier = RingClassifier()
    (rejected,) = [one for one in classify(grey, classifier) if one.candidate.reject_reason]
    assert rejected.candidate.reject_reason is RejectReason.TOO_SHORT
    assert (rejected.confidence, rejected.initial_confidence, rejected.crop) == (0, 0, None)
    assert rejected.probabilities.tolist() == [0] * 10
    assert classifier.crops == 3 + len(CONTEXT)


def test_prediction_has_its_crop_and_the_probabilities_of_all_digits() -> None:
    detection = detect_candidates(draw_touching_rings())
    for prediction in classify_candidates(detection, RingClassifier()):
        assert prediction.crop is not None
        np.testing.assert_array_equal(prediction.crop, normalize_digit(prediction.candidate.ink))
        assert (prediction.probabilities.shape, prediction.probabilities.dtype) == ((10,), np.float32)
        np.testing.assert_array_equal(
            prediction.probabilities, RingClassifier().probabilities(prediction.crop[None])[0]
        )
        assert prediction.box == detection.to_image(prediction.candidate.box)


def test_only_the_stages_of_classification_are_measured() -> None:
    clock = StageClock()
    classify_candidates(detect_candidates(draw_touching_rings()), RingClassifier(), clock)
    assert {stage for stage, ms in clock.ms.items() if ms > 0} == {Stage.CROPS, Stage.PREDICTIONS, Stage.SPLIT_MERGE}


def test_blank_page_has_no_predictions() -> None:
    assert classify(np.full((60, 80), 200, np.uint8), RingClassifier()) == []
