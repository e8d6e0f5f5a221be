"""The reader, with classifiers of a few lines, and the JSON of its readings."""

import json
import os
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.annotations import load_annotations
from digitedge.errors import CameraError, InputError, ModelError
from digitedge.evaluation.reader import evaluate_reader, photo_frames, scene_frames
from digitedge.metrics.detection import DetectionScore, score_reading
from digitedge.reader import Digit, Reader, Reading
from digitedge.synthetic.scenes import Difficulty, render_clip, render_scene
from digitedge.utils.images import read_image, write_image
from digitedge.utils.opencv import cv2
from digitedge.vision import Stage


class ConstantClassifier:
    """Predicts one digit with one confidence, and keeps the crops of each call."""

    def __init__(self, digit: int, confidence: float = 1.0) -> None:
        self.row = np.full(10, (1 - confidence) / 9, np.float32)
        self.row[digit] = confidence
        self.calls: list[NDArray[np.uint8]] = []

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls.append(crops)
        return np.tile(self.row, (len(crops), 1))


class WidthClassifier:
    """Predicts 1 for slim crops, and 0 with less confidence for the others."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        slim = (crops.max(axis=1) > 60).sum(axis=1) < 9
        rows = np.full((len(crops), 10), 0.02, np.float32)
        rows[slim, 1] = 0.998
        rows[~slim, 0] = 0.95
        return rows


class BrokenClassifier:
    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((len(crops), 10), np.nan, np.float32)


@pytest.fixture
def page() -> NDArray[np.uint8]:
    """Two rows: a one and a ring, and a one."""
    image = np.full((300, 400, 3), 225, np.uint8)
    for y in (50, 180):
        cv2.polylines(image, [np.array([(48, y + 16), (60, y), (60, y + 60)], np.int32)], False, (40, 40, 40), 6)
    cv2.ellipse(image, (130, 80), (22, 30), 0, 0, 360, (40, 40, 40), 6)
    return image


def test_digits_are_in_reading_order_with_their_rows(page: NDArray[np.uint8]) -> None:
    reading = Reader(WidthClassifier(), threshold=0.3).read(page)
    assert reading.rows == ("10", "1")
    assert [digit.digit for digit in reading.digits] == [1, 0, 1]
    assert [digit.confidence for digit in reading.digits] == pytest.approx([0.998, 0.95, 0.998], abs=1e-4)
    x, y, width, height = reading.digits[1].box
    assert abs(x - 105) <= 2 and abs(y - 47) <= 2 and abs(width - 51) <= 3 and abs(height - 67) <= 3


def test_digit_has_its_crop_and_the_probabilities_of_all_digits(page: NDArray[np.uint8]) -> None:
    classifier = WidthClassifier()
    for digit in Reader(classifier).read(page).digits:
        assert digit.crop is not None and digit.probabilities is not None
        assert (digit.crop.shape, digit.crop.dtype) == ((28, 28), np.uint8)
        assert (digit.probabilities.shape, digit.probabilities.dtype) == ((10,), np.float32)
        np.testing.assert_array_equal(digit.probabilities, classifier.probabilities(digit.crop[None])[0])
        assert digit.digit == digit.probabilities.argmax()
        assert digit.confidence == round(float(digit.probabilities.max()), 4)


def test_arrays_of_a_digit_are_neither_compared_nor_printed(page: NDArray[np.uint8]) -> None:
    digit = Reader(WidthClassifier()).read(page).digits[0]
    plain = Digit(digit.digit, digit.confidence, digit.box)
    assert digit == plain
    assert (hash(digit), repr(digit)) == (hash(plain), repr(plain))


def test_digits_below_the_threshold_are_rejected(page: NDArray[np.uint8]) -> None:
    assert Reader(WidthClassifier(), threshold=0.96).read(page).rows == ("1", "1")
    assert Reader(WidthClassifier(), threshold=0.999).read(page).digits == ()


def test_confidence_at_the_threshold_is_kept(page: NDArray[np.uint8]) -> None:
    assert len(Reader(ConstantClassifier(7), threshold=1.0).read(page).digits) == 3


def test_threshold_may_be_changed_between_two_images(page: NDArray[np.uint8]) -> None:
    reader = Reader(WidthClassifier(), threshold=0.3)
    assert reader.read(page).rows == ("10", "1")
    reader.threshold = 0.96
    assert reader.read(page).rows == ("1", "1")


def test_all_candidates_are_classified_in_one_call(page: NDArray[np.uint8]) -> None:
    classifier = ConstantClassifier(3)
    Reader(classifier).read(page)
    (crops,) = classifier.calls
    assert crops.shape == (3, 28, 28)
    assert crops.dtype == np.uint8


def test_blank_image_has_no_digits() -> None:
    reading = Reader(ConstantClassifier(3)).read(np.full((90, 120), 200, np.uint8))
    assert (reading.digits, reading.rows, reading.width, reading.height) == ((), (), 120, 90)


def test_nan_of_a_broken_model_gives_no_digits(page: NDArray[np.uint8]) -> None:
    assert Reader(BrokenClassifier(), threshold=0.0).read(page).digits == ()


def test_image_is_not_written_to(page: NDArray[np.uint8]) -> None:
    page.flags.writeable = False
    Reader(ConstantClassifier(1)).read(page)


@pytest.mark.parametrize("kind", [str, Path])
def test_image_file_is_read_like_its_array(tmp_path: Path, page: NDArray[np.uint8], kind: type) -> None:
    path = kind(tmp_path / "desk.png")
    write_image(path, page)
    reader = Reader(WidthClassifier())
    reading, expected = reader.read(path), reader.read(read_image(path))
    assert reading.digits == expected.digits
    assert (reading.rows, reading.width, reading.height) == (("10", "1"), 400, 300)
    assert (reading.source, expected.source) == (str(path), "")
    assert reader.read(path, source="desk").source == "desk"
    assert [decision.to_dict() for decision in reader.trace(path).decisions] == [
        decision.to_dict() for decision in reader.trace(page).decisions
    ]


@pytest.mark.parametrize("kind", [str, Path])
def test_missing_image_file_is_a_camera_error(tmp_path: Path, kind: type) -> None:
    for read in (Reader(ConstantClassifier(1)).read, Reader(ConstantClassifier(1)).trace):
        with pytest.raises(CameraError, match=r"cannot read .*none\.png: No such file"):
            read(kind(tmp_path / "none.png"))


def test_damaged_image_file_is_a_camera_error(tmp_path: Path) -> None:
    (tmp_path / "desk.png").write_bytes(b"not an image")
    with pytest.raises(CameraError, match=r"desk\.png: expected an image"):
        Reader(ConstantClassifier(1)).read(tmp_path / "desk.png")


@pytest.mark.parametrize(
    "image",
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
def test_other_types_and_shapes_are_refused(image: Any) -> None:
    for read in (Reader(ConstantClassifier(1)).read, Reader(ConstantClassifier(1)).trace):
        with pytest.raises(InputError, match=r"uint8 \(H, W, 3\) BGR.*got .*read_image"):
            read(image)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_threshold_outside_0_to_1_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="from 0 to 1"):
        Reader(ConstantClassifier(1), threshold=threshold)


def test_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing at .*none\.tflite: expected a bundle"):
        Reader(tmp_path / "none.tflite")


def test_json_has_the_keys_of_the_contract(page: NDArray[np.uint8]) -> None:
    reading = Reader(ConstantClassifier(7)).read(page, source="desk.jpg", index=4, time=0.16)
    value = json.loads(json.dumps(reading.to_dict(), allow_nan=False))
    names = ["schema", "source", "page", "frame", "time", "width", "height", "digits", "rows", "numbers", "tables"]
    assert list(value) == [*names, "rejected", "left_out", "rotated", "ms"]
    assert value["schema"] == "digitedge.reading/1"
    assert (value["source"], value["page"], value["frame"], value["time"]) == ("desk.jpg", None, 4, 0.16)
    assert (value["width"], value["height"], value["rows"]) == (400, 300, ["77", "7"])
    assert value["numbers"] == [["77"], ["7"]]
    assert list(value["digits"][0]) == ["digit", "confidence", "box"]
    assert [type(part) for part in value["digits"][0]["box"]] == [int] * 4
    assert value["ms"] > 0


def test_verbose_json_adds_candidates_and_stage_ms(page: NDArray[np.uint8]) -> None:
    cv2.rectangle(page, (200, 200), (290, 212), (40, 40, 40), cv2.FILLED)
    reading = Reader(WidthClassifier()).read(page)
    value = json.loads(json.dumps(reading.to_dict(verbose=True), allow_nan=False))
    assert list(value) == [*reading.to_dict(), "candidates", "stage_ms"]
    assert reading.trace is not None
    assert value["candidates"] == [decision.to_dict() for decision in reading.trace.decisions]
    assert [candidate["kept"] for candidate in value["candidates"]].count(True) == len(value["digits"]) == 3
    (rejected,) = [candidate for candidate in value["candidates"] if not candidate["kept"]]
    assert (rejected["reject_reason"], rejected["evidence"]) == ("too wide", {})
    assert list(value["stage_ms"]) == [stage.value for stage in Stage]
    assert value["stage_ms"] == {stage: round(ms, 3) for stage, ms in reading.trace.stage_ms.items()}


def test_time_of_an_image_is_null() -> None:
    assert Reading(digits=(), rows=(), width=4, height=3, ms=0.1).to_dict()["time"] is None


def test_readings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Digit(1, 0.5, (0, 0, 1, 1)).digit = 2  # type: ignore[misc]


def test_released_model_reads_plain_scenes() -> None:
    reader = Reader()
    scenes = [render_scene(seed=seed, difficulty=Difficulty.PLAIN) for seed in range(20)]
    correct = sum(reader.read(scene.frame).rows == tuple(scene.rows) for scene in scenes)
    assert correct >= 17


def test_released_model_reads_the_demo_clip() -> None:
    reader = Reader()
    scenes = islice(render_clip(seed=0), 0, 1000, 20)
    scores = [score_reading(scene, reader.read(scene.frame)) for scene in scenes]
    total = sum(scores, DetectionScore())
    assert total.digits > 200
    assert total.recall >= 0.98
    assert total.f1 >= 0.98


def test_released_model_reads_hard_scenes() -> None:
    total = evaluate_reader(Reader(), scene_frames(range(60))).total
    assert total.f1 >= 0.90
    assert total.mean_f1 >= 0.84
    assert total.false_positives_per_negative <= 0.4


@pytest.mark.slow
def test_released_model_reads_photographs() -> None:
    """Photographs with labels.json in the folder that DIGITEDGE_PHOTOS names; none come with the project.

    The limits are a little below the figures of the developers' photographs.
    """
    folder = os.environ.get("DIGITEDGE_PHOTOS")
    if not folder:
        pytest.skip("DIGITEDGE_PHOTOS names no folder of annotated photographs")
    evaluation = evaluate_reader(Reader(), photo_frames(load_annotations(folder)))
    total, levels = evaluation.total, evaluation.by_difficulty
    assert total.f1 >= 0.965
    assert total.mean_f1 >= 0.91
    assert total.reading_order_f1 >= 0.96
    assert total.rows_exact >= 0.75
    assert total.false_positives_per_negative <= 0.75
    assert (levels["easy"].f1 >= 0.99, levels["medium"].f1 >= 0.96, levels["hard"].f1 >= 0.94) == (True, True, True)
