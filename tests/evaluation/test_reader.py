"""Scores of a reader: sums by difficulty and scene type, negatives, and the worst frames."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_documents import write_tiff

from digitedge.datasets.annotations import AnnotatedImage
from digitedge.errors import CameraError, DataError
from digitedge.evaluation.contact_sheet import ContactSheet, ErrorType
from digitedge.evaluation.reader import (
    FrameResult,
    LabelledFrame,
    ReaderEvaluation,
    document_frames,
    evaluate_reader,
    photo_frames,
    scene_frames,
)
from digitedge.metrics.detection import DetectionScore, match_digits
from digitedge.reader import Digit, Reader, Reading
from digitedge.synthetic.scenes import TrueDigit, render_document
from digitedge.utils.boxes import Box
from digitedge.utils.images import write_image

Evaluated = tuple[ReaderEvaluation, ContactSheet]

SEVEN = Digit(7, 0.9, (10, 10, 20, 30))
ONE = Digit(1, 0.8, (60, 10, 8, 30))


class ScriptedReader(Reader):
    """Returns the given digits, one list for each frame."""

    def __init__(self, *readings: Iterable[Digit]) -> None:
        self.readings = iter(readings)

    def read(self, frame: Any, *, source: str = "", index: int = 0, time: float | None = None) -> Reading:
        digits = tuple(next(self.readings))
        rows = ("".join(str(digit.digit) for digit in digits),) if digits else ()
        return Reading(digits, rows, frame.shape[1], frame.shape[0], 2.0, source)


def labelled_frame(name: str, *digits: Digit, **options: Any) -> LabelledFrame:
    true = tuple(TrueDigit(digit.digit, digit.box) for digit in digits)
    rows = ("".join(str(digit.digit) for digit in digits),) if digits else ()
    return LabelledFrame(name, np.full((60, 90, 3), 220, np.uint8), true, rows, **options)


@pytest.fixture
def evaluation() -> Evaluated:
    """Two easy frames, one of them with a false negative, a misclassified hard one, and three negatives."""
    frames = [
        labelled_frame("both", SEVEN, ONE, difficulty="easy"),
        labelled_frame("half", SEVEN, ONE, difficulty="easy", scene_type="napkin"),
        labelled_frame("misread", SEVEN, difficulty="hard", scene_type="faint"),
        labelled_frame("blank", scene_type="blank"),
        labelled_frame("letters", scene_type="letters", difficulty="easy"),
        labelled_frame("cat"),
    ]
    readings = [[SEVEN, ONE], [SEVEN], [Digit(1, 0.7, SEVEN.box)], [], [SEVEN, ONE], [ONE]]
    sheet = ContactSheet()
    return evaluate_reader(ScriptedReader(*readings), iter(frames), sheet=sheet), sheet


def test_scores_are_summed_by_difficulty_without_negatives(evaluation: Evaluated) -> None:
    result, _ = evaluation
    assert list(result.by_difficulty) == ["easy", "hard", "all"]
    easy, hard, total = result.by_difficulty.values()
    assert (easy.frames, easy.digits, easy.correct, easy.exact_frames) == (2, 4, 3, 1)
    assert (hard.frames, hard.misclassified, hard.mean_f1) == (1, 1, 0.0)
    assert (total.frames, total.digits, total.detections, total.correct) == (3, 5, 4, 3)
    assert total.f1 == pytest.approx(2 * 3 / 9)
    assert total.mean_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_negatives_are_counted_by_scene_type(evaluation: Evaluated) -> None:
    result, _ = evaluation
    counts = {name: (score.negatives, score.negative_detections) for name, score in result.negatives.items()}
    assert counts == {"blank": (1, 0), "letters": (1, 2), "all": (3, 3)}


def test_scene_types_come_worst_first(evaluation: Evaluated) -> None:
    result, _ = evaluation
    mean_f1 = {name: round(score.mean_f1, 2) for name, score in result.by_scene_type.items()}
    assert list(mean_f1.items()) == [("faint", 0.0), ("napkin", 0.67)]


def test_frames_come_worst_first(evaluation: Evaluated) -> None:
    result, _ = evaluation
    assert [one.name for one in result.worst_first] == ["letters", "misread", "cat", "half", "blank", "both"]


def test_frames_with_wrong_rows_come_first() -> None:
    counts = {"frames": 1, "digits": 2, "detections": 2, "matched": 2, "correct": 2, "ordered_frames": 1}
    right = DetectionScore(**counts, f1_sum=1.0, exact_frames=1)
    wrong = DetectionScore(**counts, f1_sum=1.0, exact_frames=0)
    results = tuple(FrameResult(name, "", "", score, 1.0) for name, score in [("a", right), ("b", wrong)])
    assert [one.name for one in ReaderEvaluation(results).worst_first] == ["b", "a"]


def test_the_sheet_gets_every_error(evaluation: Evaluated) -> None:
    _, sheet = evaluation
    assert sheet.counts == {ErrorType.FALSE_NEGATIVE: 1, ErrorType.MISCLASSIFIED: 1, ErrorType.FALSE_POSITIVE: 3}


def test_every_frame_is_matched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return match_digits(*arguments, **options)

    monkeypatch.setattr("digitedge.metrics.detection.match_digits", counted)
    monkeypatch.setattr("digitedge.evaluation.reader.match_digits", counted)
    frames = [labelled_frame("a", SEVEN), labelled_frame("b")]
    evaluate_reader(ScriptedReader([SEVEN], [ONE]), frames, sheet=ContactSheet())
    assert len(calls) == 2


def test_json_has_null_for_what_was_not_measured(evaluation: Evaluated) -> None:
    result, _ = evaluation
    value = result.to_dict()
    assert value["by_difficulty"]["hard"]["rows_exact"] == 0.0
    assert value["negatives"]["all"] == {
        "images": 3,
        "false_positives": 3,
        "false_positives_per_image": 1.0,
    }
    assert value["median_ms"] == 2.0
    letters, *_ = value["per_image"]
    assert (letters["name"], letters["false_positives"], letters["f1"]) == ("letters", 2, 0.0)
    assert letters["rows_correct"] is None
    unordered = evaluate_reader(ScriptedReader([SEVEN]), [labelled_frame("far", SEVEN, ordered=False)])
    total = unordered.to_dict()["by_difficulty"]["all"]
    assert (total["f1"], total["reading_order_f1"], total["rows_exact"]) == (1.0, None, None)
    negatives_only = evaluate_reader(ScriptedReader([]), [labelled_frame("blank")]).to_dict()["by_difficulty"]["all"]
    assert (negatives_only["images"], negatives_only["f1"], negatives_only["mean_f1"]) == (0, None, None)


def test_detections_in_boxes_to_ignore_do_not_count() -> None:
    symbol = Digit(4, 0.9, (60, 10, 20, 30))
    frames = [labelled_frame("sum", SEVEN, ignore=((55, 5, 30, 40),))]
    score = evaluate_reader(ScriptedReader([SEVEN, symbol]), frames).total
    assert (score.detections, score.f1, score.ordered_frames) == (1, 1.0, 0)


def annotated(path: Path, *, box: Box = (10, 10, 20, 30)) -> AnnotatedImage:
    return AnnotatedImage(path, path.name, (TrueDigit(7, box),), ("7",))


def test_a_photograph_has_its_annotations(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((60, 90, 3), 220, np.uint8))
    (one,) = photo_frames([annotated(tmp_path / "a.png")])
    assert (one.name, one.frame.shape, one.rows, one.digits[0].digit) == ("a.png", (60, 90, 3), ("7",), 7)


@pytest.mark.parametrize("box", [(80, 10, 21, 30), (10, 10, 200, 30), (-20, 0, 30, 30), (10, 100, 20, 30)], ids=str)
def test_a_box_outside_of_its_image_is_an_error(tmp_path: Path, box: Box) -> None:
    write_image(tmp_path / "a.png", np.full((60, 90, 3), 220, np.uint8))
    with pytest.raises(DataError, match=r"a\.png: expected boxes in the image of 90x60 pixels, got .*EXIF"):
        list(photo_frames([annotated(tmp_path / "a.png", box=box)]))


def test_a_box_over_the_edge_of_its_image_is_valid(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((60, 90, 3), 220, np.uint8))
    assert len(list(photo_frames([annotated(tmp_path / "a.png", box=(80, 10, 20, 30))]))) == 1


def test_the_page_of_a_document_is_loaded_and_must_be_named(tmp_path: Path) -> None:
    images = [np.full((60, width, 3), 220, np.uint8) for width in (90, 100)]
    write_tiff(tmp_path / "a.tif", images)
    image = annotated(tmp_path / "a.tif")
    (one,) = photo_frames([replace(image, page=2)])
    assert one.frame.shape == (60, 100, 3)
    for page, message in (
        (3, "expected a page 3, got a document with fewer"),
        (None, "expected one page, got several"),
    ):
        with pytest.raises(DataError, match=message):
            list(photo_frames([replace(image, page=page)]))


def test_a_damaged_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(CameraError, match=r"a\.png"):
        list(photo_frames([annotated(tmp_path / "a.png")]))


def test_the_same_seeds_give_the_same_scenes() -> None:
    first, second = (list(scene_frames(range(3, 5))) for _ in range(2))
    assert [one.name.partition(",")[0] for one in first] == ["scene 3", "scene 4"]
    truths = [[(one.rows, one.ignore, one.scene_type) for one in frames] for frames in (first, second)]
    assert truths[0] == truths[1]
    assert (first[0].frame == second[0].frame).all()


def test_documents_have_their_type_and_what_to_ignore() -> None:
    (frame,) = document_frames([2])
    scene = render_document(2, evaluation=True)
    assert (frame.name, frame.scene_type) == (f"document 2, {scene.scene_type}", scene.scene_type)
    assert (frame.digits, frame.rows, frame.ignore) == (scene.digits, scene.rows, scene.ignore)
