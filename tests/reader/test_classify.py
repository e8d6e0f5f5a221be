"""Classification, splits and merges, with classifiers of a few lines that look at the shape of a crop."""

import tracemalloc
from importlib import import_module

import numpy as np
import pytest
from drawn_page import DrawnPage, assert_same_boxes
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader.classify import DUPLICATE_IOU, MERGE_ROUNDS, Prediction, classify_candidates
from digitedge.runtime import Classifier
from digitedge.utils.boxes import iou, iou_matrix
from digitedge.utils.opencv import cv2
from digitedge.vision import Candidate, Detection, Stage, StageClock, detect_candidates, normalize_digit
from digitedge.vision.detect import Level
from digitedge.vision.segment import MIN_HEIGHT_PX, RejectReason

# Columns of two clear rings to the right of what is tested. They give the scale of the writing.
CONTEXT = (500, 590)


NO_BOXES = np.empty((0, 4), np.int64)


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


class ListClassifier:
    """Predicts 3 with these confidences, in the order of the crops; with 0.1 for those that come after them."""

    def __init__(self, *confidences: float) -> None:
        self.confidences = list(confidences)
        self.crops = 0

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.crops += len(crops)
        confidences = [self.confidences.pop(0) if self.confidences else 0.1 for _ in crops]
        return np.eye(10, dtype=np.float32)[3] * np.array(confidences, np.float32)[:, None]


class PiecesClassifier:
    """Predicts 7 for `draw_pieces`: the more pieces under its bar, the more confidently; doubtful without the bar."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.zeros((len(crops), 10), np.float32)
        for row, crop in zip(rows, crops, strict=True):
            ink = (crop > 100).astype(np.uint8)
            _, y, width, height = cv2.boundingRect(ink)
            has_bar = ink[y].sum() > 1.5 * ink[y + height - 1].sum()
            row[7] = min(0.99, 0.88 + 0.04 * height / width) if has_bar else 0.3
        return rows


def draw_pieces(count: int) -> Detection:
    """Make a detection of a seven that is broken into a bar and pieces of its stem."""
    shape = (400, 300)
    widths = [40, *[8] * (count - 1)]
    candidates = [
        Candidate((100, 20 + 25 * i, width, 20), np.full((20, width), 200, np.uint8), 200.0, 0.0)
        for i, width in enumerate(widths)
    ]
    blank = np.zeros(shape, np.uint8)
    return Detection(candidates, (Level(1.0, blank, blank, blank, blank, (), MIN_HEIGHT_PX, NO_BOXES),), shape)


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


def test_large_digit_that_is_read_on_a_coarser_level_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    detection = detect_candidates(draw_page())
    assert len(detection.levels[0].joined) == len(CONTEXT)  # 64 pixels high
    searched = []
    monkeypatch.setattr(
        import_module(classify_candidates.__module__),
        "search_joined",
        lambda level, *rest: searched.append(level) or [],
    )
    assert len(classify_candidates(detection, RingClassifier())) == len(CONTEXT)
    assert not searched
    classify_candidates(detection, RingClassifier(ring_confidence=0.8))
    assert searched == [detection.levels[0]]


def test_rings_in_boxes_that_they_touch_through_grey_are_read() -> None:
    grey = np.full((300, 640), 225, np.uint8)
    for x in (200, 260):
        cv2.ellipse(grey, (x, 150), (12, 18), 0, 0, 360, 40, 4)
    blank = grey.copy()
    for x in (200, 260):
        cv2.rectangle(grey, (x - 20, 124), (x + 20, 176), 40, 3)
    grey = cv2.GaussianBlur(grey, (0, 0), 2.5)
    grey[blank < 100] = 50
    rings = [one for one in classify_candidates(detect_candidates(grey), RingClassifier()) if one.confidence > 0.9]
    assert_same_boxes([one.box for one in rings], [(186, 130, 29, 41), (246, 130, 29, 41)], min_iou=0.7)


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


@pytest.mark.parametrize(("count", "left"), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2)])
def test_digit_of_up_to_four_pieces_is_merged_piece_by_piece(count: int, left: int) -> None:
    """Each of the MERGE_ROUNDS adds one piece."""
    assert MERGE_ROUNDS == 3
    predictions = classify_candidates(draw_pieces(count), PiecesClassifier())
    assert len(predictions) == left
    whole = max(predictions, key=lambda prediction: prediction.box[3])
    assert whole.box == (100, 20, 40, 25 * min(count, 4) - 5)
    assert whole.initial_confidence == pytest.approx(0.3)


def test_pieces_are_not_merged_any_further_than_the_classifier_is_more_confident() -> None:
    class Falling(PiecesClassifier):
        def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            rows = super().probabilities(crops)
            return np.where(rows > 0.5, 1.84 - rows, rows)  # 0.9 with one piece of the stem, and less with more

    predictions = classify_candidates(draw_pieces(4), Falling())
    assert sorted(prediction.box[3] for prediction in predictions) == [20, 20, 45]


def draw_ring(height: int) -> NDArray[np.uint8]:
    grey = np.full((200, 200), 225, np.uint8)
    cv2.ellipse(grey, (100, 100), (height // 3, height // 2 - 2), 0, 0, 360, 40, 4)
    return grey


@pytest.mark.parametrize(
    ("confidences", "level"), [((0.5, 0.97), 1), ((0.5, 0.3), 0), ((0.5, 0.5), 0), ((0.89, 0.95), 1)]
)
def test_ink_that_is_found_on_two_levels_is_one_prediction_the_more_confident_one(
    confidences: tuple[float, float], level: int
) -> None:
    detection = detect_candidates(draw_ring(42))
    assert [candidate.level for candidate in detection.candidates] == [0, 1]
    (prediction,) = classify_candidates(detection, ListClassifier(*confidences))
    assert prediction.candidate.level == level
    assert prediction.confidence == pytest.approx(max(confidences))


def test_ink_that_is_read_confidently_is_not_read_again_on_the_coarser_level() -> None:
    classifier = ListClassifier(0.95, 0.97)
    (prediction,) = classify_candidates(detect_candidates(draw_ring(42)), classifier)
    assert (prediction.candidate.level, prediction.confidence) == (0, pytest.approx(0.95))
    assert classifier.crops == 1


def test_small_digit_inside_a_large_one_stays_a_prediction_of_its_own() -> None:
    grey = draw_ring(160)
    cv2.line(grey, (100, 85), (100, 115), 40, 4)
    predictions = classify_candidates(detect_candidates(grey), ListClassifier(0.95, 0.95, 0.9))
    digits = [one for one in predictions if one.candidate.reject_reason is None]
    assert [(one.candidate.level, one.confidence) for one in digits] == [
        (0, pytest.approx(0.95)),
        (2, pytest.approx(0.95)),
    ]


@pytest.mark.parametrize("height", [round(8 * 1.13**i) for i in range(32)], ids=lambda height: f"{height} px")
def test_digit_of_any_height_is_one_prediction_in_its_place(height: int) -> None:
    page = DrawnPage(640, 480).write("5", (150, 20 + height), height, pen=max(1, height // 10))
    predictions = classify_candidates(detect_candidates(page.grey), RingClassifier(other_confidence=0.95))
    boxes = [prediction.box for prediction in predictions if prediction.candidate.reject_reason is None]
    assert_same_boxes(boxes, page.boxes, min_iou=0.5 if height < 12 else 0.7)


def test_no_ink_is_predicted_twice_and_none_is_lost() -> None:
    """With random predictions for rings that touch, that are broken, and that stand side by side."""
    grey = np.vstack([draw_touching_rings(), draw_broken_ring(), draw_page(150, 202, 280, 334, link=(300, 312))])
    counts = set()
    for turn in range(10):
        detection = detect_candidates(np.roll(grey, 3 * turn, axis=1))
        predictions = classify_candidates(detection, RandomClassifier())
        counts.add(len(predictions))
        boxes = np.array([one.box for one in predictions])
        assert (np.triu(iou_matrix(boxes, boxes), k=1) < DUPLICATE_IOU).all()
        uses = [np.zeros(level.mask.shape, bool) for level in detection.levels]
        for prediction in predictions:
            x, y, width, height = prediction.candidate.box
            uses[prediction.candidate.level][y : y + height, x : x + width] |= prediction.candidate.ink > 0
        for candidate in detection.candidates:
            x, y, width, height = candidate.box
            is_used = uses[candidate.level][y : y + height, x : x + width]
            if (candidate.ink[~is_used] > 0).any():  # the same ink is a candidate of the next or the last level
                box = detection.to_image(candidate)
                others = [one for one in detection.candidates if one.level != candidate.level]
                assert max(iou(detection.to_image(other), box) for other in others) >= DUPLICATE_IOU
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
        assert prediction.box == detection.to_image(prediction.candidate)


def test_only_the_stages_of_classification_are_measured() -> None:
    clock = StageClock()
    classify_candidates(detect_candidates(draw_page()), RingClassifier(), clock)
    assert {stage for stage, ms in clock.ms.items() if ms > 0} == {Stage.CROPS, Stage.PREDICTIONS, Stage.SPLIT_MERGE}
    classify_candidates(detect_candidates(draw_touching_rings()), RingClassifier(), clock)
    again = {Stage.MASK, Stage.LINES, Stage.CANDIDATES}
    assert {stage for stage, ms in clock.ms.items() if ms > 0} == again | {
        Stage.CROPS,
        Stage.PREDICTIONS,
        Stage.SPLIT_MERGE,
    }


def test_memory_for_a_page_full_of_candidates_is_limited() -> None:
    """All pairs of 6,000 boxes would take a gigabyte."""
    ink = np.full((9, 6), 200, np.uint8)
    candidates = [
        Candidate((10 * column, 12 * row, 6, 9), ink, 200.0, 0.0, RejectReason.BAR)
        for row in range(60)
        for column in range(100)
    ]
    blank = np.zeros((1200, 1500), np.uint8)
    level = Level(1.0, blank, blank, blank, blank, (), MIN_HEIGHT_PX, NO_BOXES)
    tracemalloc.start()
    predictions = classify_candidates(Detection(candidates, (level,), (1200, 1500)), RingClassifier())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(predictions) == len(candidates)
    assert peak < 200e6


def test_another_shape_of_the_probabilities_is_refused() -> None:
    class Short:
        def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.zeros((len(crops), 9), np.float32)

    with pytest.raises(InputError, match=r"expected probabilities of shape \(\d, 10\).*got \(\d, 9\)"):
        classify_candidates(detect_candidates(draw_ring(60)), Short())


def test_blank_page_has_no_predictions() -> None:
    assert classify(np.full((60, 80), 200, np.uint8), RingClassifier()) == []
