"""The trace: the result and the time of every stage, from one run of the pipeline."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.reader import Reader, Trace
from digitedge.reader.stage_images import IMAGE_STAGES, draw_crop, draw_stages, stage_image
from digitedge.utils.opencv import cv2
from digitedge.vision import Stage, detect_candidates


class CountingClassifier:
    """Predicts the index of each crop, modulo 10, with 0.99 and `step` less from crop to crop; counts its calls."""

    def __init__(self, *, step: float = 0.01) -> None:
        self.step = step
        self.calls = 0

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        rows = np.zeros((len(crops), 10), np.float32)
        for index in range(len(crops)):
            rows[index, index % 10] = 0.99 - self.step * index
        return rows


@pytest.fixture
def page() -> NDArray[np.uint8]:
    """Two rows of three rings, and below them two bars that are no digits."""
    grey = np.full((400, 460), 225, np.uint8)
    for y in (90, 190):
        for x in (60, 160, 260):
            cv2.ellipse(grey, (x, y), (20, 25), 0, 0, 360, 40, 6)
    for x in (60, 200):
        cv2.rectangle(grey, (x, 300), (x + 90, 312), 40, cv2.FILLED)
    return grey


def test_reading_has_the_trace_of_its_own_run(page: NDArray[np.uint8]) -> None:
    reading = Reader(CountingClassifier()).read(page)
    trace = reading.trace
    assert isinstance(trace, Trace)
    assert trace.image is page
    kept = [decision for decision in trace.sorted_decisions() if decision.kept]
    assert [(digit.digit, digit.box) for digit in reading.digits] == [
        (decision.prediction.digit, decision.box) for decision in kept
    ]
    for digit, decision in zip(reading.digits, kept, strict=True):
        assert digit.crop is decision.prediction.crop
        assert digit.probabilities is decision.prediction.probabilities


def test_trace_has_the_result_of_every_stage(page: NDArray[np.uint8]) -> None:
    trace = Reader(CountingClassifier()).trace(page)
    detection = detect_candidates(page)
    assert trace.detection.shape == page.shape
    for level, expected in zip(trace.detection.levels, detection.levels, strict=True):
        assert level.scale == expected.scale
        for name in ("grey", "ink", "mask", "cleaned"):
            np.testing.assert_array_equal(getattr(level, name), getattr(expected, name))
    assert len(trace.decisions) == len(trace.candidates) == len(trace.predictions) == 8
    for candidate, prediction, decision in zip(trace.candidates, trace.predictions, trace.decisions, strict=True):
        assert decision.prediction is prediction
        assert prediction.candidate is candidate


def test_trace_and_reading_of_an_image_have_equal_decisions(page: NDArray[np.uint8]) -> None:
    reader = Reader(CountingClassifier())
    reading = reader.read(page)
    assert reading.trace is not None
    assert [decision.to_dict() for decision in reader.trace(page).decisions] == [
        decision.to_dict() for decision in reading.trace.decisions
    ]


def test_kept_decisions_come_first_in_reading_order_then_the_rejected_by_confidence(page: NDArray[np.uint8]) -> None:
    trace = Reader(CountingClassifier(), threshold=0.965).trace(page)  # keeps the first three of six predictions
    decisions = trace.sorted_decisions()
    kept, rejected = decisions[:3], decisions[3:]
    assert all(decision.kept for decision in kept) and not any(decision.kept for decision in rejected)
    rows = [round((decision.box[1] + decision.box[3] / 2) / 100) for decision in kept]
    assert [(row, decision.box[0]) for row, decision in zip(rows, kept, strict=True)] == sorted(
        (row, decision.box[0]) for row, decision in zip(rows, kept, strict=True)
    )
    confidences = [decision.prediction.confidence for decision in rejected]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences == pytest.approx([0.96, 0.95, 0.94, 0, 0])
    assert sorted(map(id, decisions)) == sorted(map(id, trace.decisions))


def test_stage_ms_has_every_stage_in_order_and_adds_up_to_the_time_of_the_reading(page: NDArray[np.uint8]) -> None:
    readings = [Reader(CountingClassifier(step=0)).read(np.tile(page, (3, 3))) for _ in range(5)]
    shares = []
    for reading in readings:
        assert reading.trace is not None
        assert list(reading.trace.stage_ms) == list(Stage)
        assert all(ms > 0 for ms in reading.trace.stage_ms.values())
        total_ms = sum(reading.trace.stage_ms.values())
        assert total_ms <= reading.ms + 0.01  # ms is rounded to 0.01
        shares.append(total_ms / reading.ms)
    assert max(shares) >= 0.9  # in the reading that other processes disturbed least


def test_reading_slide_crops_and_stage_images_come_from_one_run(page: NDArray[np.uint8]) -> None:
    classifier = CountingClassifier()
    reading = Reader(classifier).read(page)
    assert classifier.calls == 1
    assert reading.trace is not None
    draw_stages(reading.trace, name="page.png")
    for stage in IMAGE_STAGES:
        stage_image(reading.trace, stage)
    for decision in reading.trace.decisions:
        draw_crop(np.zeros((28, 28, 3), np.uint8), decision, (0, 0), 28)
    reading.draw(page)
    reading.to_dict(verbose=True)
    assert [digit.crop is None for digit in reading.digits] == [False] * 6
    assert classifier.calls == 1
