"""The reader, with classifiers of three lines, and the JSON that it promises."""

import json
import os
from itertools import islice

import numpy as np
import pytest

from digitedge.datasets.annotations import load_labels
from digitedge.errors import InputError, ModelError
from digitedge.evaluation.reader import evaluate, photo_cases, scene_cases
from digitedge.metrics.detection import Score, score_reading
from digitedge.reader.reader import Digit, Reader, Reading
from digitedge.synthetic.scenes.clip import render_clip
from digitedge.synthetic.scenes.plain_scenes import render_scene
from digitedge.utils.opencv import cv2


class Always:
    """Answers one digit with one confidence, and counts how it was asked."""

    def __init__(self, digit, confidence=1.0):
        self.row = np.full(10, (1 - confidence) / 9, np.float32)
        self.row[digit] = confidence
        self.calls = []

    def probabilities(self, crops):
        self.calls.append(crops)
        return np.tile(self.row, (len(crops), 1))


class ByWidth:
    """Tells a slim 1 from everything else, which is a 0 with little confidence."""

    def probabilities(self, crops):
        slim = (crops.max(axis=1) > 60).sum(axis=1) < 9
        answers = np.full((len(crops), 10), 0.02, np.float32)
        answers[slim, 1] = 0.998
        answers[~slim, 0] = 0.95
        return answers


@pytest.fixture
def page():
    """Two rows: a one and a ring, and a one."""
    frame = np.full((300, 400, 3), 225, np.uint8)
    cv2.line(frame, (60, 50), (60, 110), (40, 40, 40), 6)
    cv2.ellipse(frame, (130, 80), (22, 30), 0, 0, 360, (40, 40, 40), 6)
    cv2.line(frame, (60, 180), (60, 240), (40, 40, 40), 6)
    return frame


def test_digits_come_in_reading_order_with_their_rows(page):
    reading = Reader.of(ByWidth(), threshold=0.3).read(page)
    assert reading.rows == ("10", "1")
    assert [digit.digit for digit in reading.digits] == [1, 0, 1]
    assert [digit.confidence for digit in reading.digits] == pytest.approx([0.998, 0.95, 0.998], abs=1e-4)
    x, y, width, height = reading.digits[1].box
    assert abs(x - 105) <= 2 and abs(y - 47) <= 2 and abs(width - 51) <= 3 and abs(height - 67) <= 3


def test_digits_under_the_threshold_are_dropped(page):
    assert Reader.of(ByWidth(), threshold=0.96).read(page).rows == ("1", "1")
    assert Reader.of(ByWidth(), threshold=0.999).read(page).digits == ()


def test_a_confidence_at_the_threshold_is_kept(page):
    assert len(Reader.of(Always(7), threshold=1.0).read(page).digits) == 3


def test_all_candidates_are_scored_in_one_call(page):
    classifier = Always(3)
    Reader.of(classifier).read(page)
    (crops,) = classifier.calls
    assert crops.shape == (3, 28, 28)
    assert crops.dtype == np.uint8


def test_a_blank_frame_reads_as_nothing():
    reading = Reader.of(Always(3)).read(np.full((90, 120), 200, np.uint8))
    assert (reading.digits, reading.rows, reading.width, reading.height) == ((), (), 120, 90)


def test_nan_from_a_broken_model_is_no_digit(page):
    class Broken:
        def probabilities(self, crops):
            return np.full((len(crops), 10), np.nan, np.float32)

    assert Reader.of(Broken(), threshold=0.0).read(page).digits == ()


def test_the_frame_is_not_written_to(page):
    page.flags.writeable = False
    Reader.of(Always(1)).read(page)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((20, 20, 3), np.float32),
        np.zeros((20, 20, 3), np.uint16),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((1, 20, 20, 3), np.uint8),
        np.zeros(20, np.uint8),
        np.zeros((0, 20, 3), np.uint8),
        [[1, 2]],
        None,
    ],
    ids=["float", "16 bits", "BGRA", "batch", "line", "empty", "list", "None"],
)
def test_wrong_frames_are_refused(frame):
    with pytest.raises(InputError, match=r"uint8 \(H, W, 3\) BGR.*got .*read_image"):
        Reader.of(Always(1)).read(frame)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(InputError, match="from 0 to 1"):
        Reader.of(Always(1), threshold=threshold)


def test_a_missing_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"nothing at .*none\.tflite: expected a bundle"):
        Reader(tmp_path / "none.tflite")


def test_json_is_the_contract(page):
    reading = Reader.of(Always(7)).read(page, source="desk.jpg", index=4, time=0.16)
    value = json.loads(json.dumps(reading.to_dict(), allow_nan=False))
    assert list(value) == ["schema", "source", "frame", "time", "width", "height", "digits", "rows", "numbers", "ms"]
    assert value["schema"] == "digitedge.reading/1"
    assert (value["source"], value["frame"], value["time"]) == ("desk.jpg", 4, 0.16)
    assert (value["width"], value["height"], value["rows"]) == (400, 300, ["77", "7"])
    assert value["numbers"] == [["77"], ["7"]]
    assert list(value["digits"][0]) == ["digit", "confidence", "box"]
    assert [type(part) for part in value["digits"][0]["box"]] == [int] * 4
    assert value["ms"] > 0


def test_time_of_a_image_is_null():
    assert Reading(digits=(), rows=(), width=4, height=3, ms=0.1).to_dict()["time"] is None


def test_readings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Digit(1, 0.5, (0, 0, 1, 1)).digit = 2


def test_the_released_model_reads_rendered_scenes():
    reader = Reader()
    scenes = [render_scene(seed=seed) for seed in range(20)]
    right = sum(reader.read(scene.frame).rows == tuple(scene.rows) for scene in scenes)
    assert right >= 17


def test_the_released_model_reads_the_demo_clip():
    reader = Reader()
    scenes = islice(render_clip(seed=0), 0, 1000, 20)
    scores = [score_reading(scene, reader.read(scene.frame)) for scene in scenes]
    total = sum(scores, Score())
    assert total.true > 200
    assert total.recall >= 0.98
    assert total.f1 >= 0.98


def test_hard_scenes_are_read_as_well_as_they_were():
    total = evaluate(Reader(), scene_cases(range(60))).total
    assert total.f1 >= 0.90
    assert total.mean_f1 >= 0.84
    assert total.false_per_negative <= 0.4


def test_photographs_are_read_as_well_as_they_were():
    """Images with labels.json in the folder that DIGITEDGE_PHOTOS names; none come with the project.

    The floors are a little under what was reached with the images that the developers have.
    """
    folder = os.environ.get("DIGITEDGE_PHOTOS")
    if not folder:
        pytest.skip("DIGITEDGE_PHOTOS names no folder of labelled photographs")
    evaluation = evaluate(Reader(), photo_cases(load_labels(folder)))
    total, levels = evaluation.total, evaluation.by_difficulty
    assert total.f1 >= 0.985
    assert total.mean_f1 >= 0.985
    assert total.f1_in_order >= 0.985
    assert total.rows_exact >= 0.85
    assert total.false_per_negative <= 0.1
    assert (levels["easy"].f1 >= 0.99, levels["medium"].f1 >= 0.96, levels["hard"].f1 >= 0.97) == (True, True, True)
