"""Many frames, one reader: sums by difficulty and kind, and what is worst."""

import numpy as np
import pytest

from digitedge.datasets.annotations import LabelledImage
from digitedge.errors import CameraError, DataError
from digitedge.evaluation.contact_sheet import ContactSheet, Kind
from digitedge.evaluation.reader import Case, CaseResult, Evaluation, evaluate, photo_cases, scene_cases
from digitedge.metrics.detection import Score
from digitedge.reader.reader import Digit, Reading
from digitedge.synthetic.scenes.ground_truth import TrueDigit
from digitedge.utils.images import write_image

SEVEN, ONE = Digit(7, 0.9, (10, 10, 20, 30)), Digit(1, 0.8, (60, 10, 8, 30))


class Sees:
    """A reader that says what it is told, one reading a frame."""

    def __init__(self, *readings):
        self.readings = iter(readings)

    def read(self, frame, *, source="", index=0, time=None):
        digits = tuple(next(self.readings))
        rows = ("".join(str(digit.digit) for digit in digits),) if digits else ()
        return Reading(digits, rows, frame.shape[1], frame.shape[0], 2.0, source)


def case(name, *digits, **about):
    true = tuple(TrueDigit(digit.digit, digit.box) for digit in digits)
    rows = ("".join(str(digit.digit) for digit in digits),) if digits else ()
    return Case(name, np.full((60, 90, 3), 220, np.uint8), true, rows, **about)


@pytest.fixture
def evaluation():
    """Two easy frames, of which one lacks a digit, a hard one misread, and two kinds of negatives."""
    cases = [
        case("both", SEVEN, ONE, difficulty="easy"),
        case("half", SEVEN, ONE, difficulty="easy", kind="napkin"),
        case("misread", SEVEN, difficulty="hard", kind="faint"),
        case("blank", kind="blank"),
        case("letters", kind="letters", difficulty="easy"),
        case("cat"),
    ]
    readings = [[SEVEN, ONE], [SEVEN], [Digit(1, 0.7, SEVEN.box)], [], [SEVEN, ONE], [ONE]]
    sheet = ContactSheet()
    return evaluate(Sees(*readings), iter(cases), sheet=sheet), sheet


def test_scores_are_summed_by_difficulty_without_the_negatives(evaluation):
    result, _ = evaluation
    assert list(result.by_difficulty) == ["easy", "hard", "all"]
    easy, hard, total = result.by_difficulty.values()
    assert (easy.frames, easy.true, easy.right, easy.exact) == (2, 4, 3, 1)
    assert (hard.frames, hard.wrong, hard.mean_f1) == (1, 1, 0.0)
    assert (total.frames, total.true, total.read, total.right) == (3, 5, 4, 3)
    assert total.f1 == pytest.approx(2 * 3 / 9)
    assert total.mean_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_negatives_are_counted_by_what_they_show(evaluation):
    result, _ = evaluation
    counts = {kind: (score.negatives, score.false) for kind, score in result.negatives.items()}
    assert counts == {"blank": (1, 0), "letters": (1, 2), "all": (3, 3)}


def test_kinds_come_worst_first(evaluation):
    result, _ = evaluation
    assert {kind: round(score.mean_f1, 2) for kind, score in result.by_kind.items()} == {"faint": 0.0, "napkin": 0.67}
    assert list(result.by_kind) == ["faint", "napkin"]


def test_cases_come_worst_first(evaluation):
    result, _ = evaluation
    assert [one.name for one in result.worst_first] == ["letters", "misread", "cat", "half", "blank", "both"]


def test_wrong_rows_come_before_right_ones():
    right = Score(frames=1, true=2, read=2, found=2, right=2, f1_sum=1.0, ordered=1, exact=1)
    wrong = Score(frames=1, true=2, read=2, found=2, right=2, f1_sum=1.0, ordered=1, exact=0)
    results = tuple(CaseResult(name, "", "", score, 1.0) for name, score in [("a", right), ("b", wrong)])
    assert [one.name for one in Evaluation(results).worst_first] == ["b", "a"]


def test_the_sheet_gets_every_error(evaluation):
    _, sheet = evaluation
    assert sheet.counts == {Kind.MISSED: 1, Kind.WRONG: 1, Kind.INVENTED: 3}


def test_json_says_null_where_nothing_was_measured(evaluation):
    result, _ = evaluation
    value = result.to_json()
    assert value["by_difficulty"]["hard"]["rows_exact"] == 0.0
    assert value["negatives"]["all"] == {"frames": 3, "false_digits": 3, "false_per_frame": 1.0}
    assert value["median_ms"] == 2.0
    letters, *_ = value["cases"]
    assert (letters["name"], letters["invented"], letters["f1"], letters["rows_right"]) == ("letters", 2, 0.0, None)
    scattered = evaluate(Sees([SEVEN]), [case("far", SEVEN, ordered=False)]).to_json()["by_difficulty"]["all"]
    assert (scattered["f1"], scattered["f1_in_order"], scattered["rows_exact"]) == (1.0, None, None)
    negatives_only = evaluate(Sees([]), [case("blank")]).to_json()["by_difficulty"]["all"]
    assert (negatives_only["frames"], negatives_only["f1"], negatives_only["mean_f1"]) == (0, None, None)


def test_marks_to_be_ignored_are_ignored():
    mark = Digit(4, 0.9, (60, 10, 20, 30))
    score = evaluate(Sees([SEVEN, mark]), [case("sum", SEVEN, ignore=((55, 5, 30, 40),))]).total
    assert (score.read, score.f1, score.ordered) == (1, 1.0, 0)


def image(path, *, box=(10, 10, 20, 30)):
    return LabelledImage(path, path.name, (TrueDigit(7, box),), ("7",))


def test_photographs_come_one_by_one_with_their_labels(tmp_path):
    write_image(tmp_path / "a.png", np.full((60, 90, 3), 220, np.uint8))
    (one,) = photo_cases([image(tmp_path / "a.png")])
    assert (one.name, one.frame.shape, one.rows, one.digits[0].digit) == ("a.png", (60, 90, 3), ("7",), 7)


@pytest.mark.parametrize("box", [(80, 10, 21, 30), (10, 10, 200, 30), (-20, 0, 30, 30), (10, 100, 20, 30)], ids=str)
def test_a_box_outside_of_its_image_is_an_error(tmp_path, box):
    write_image(tmp_path / "a.png", np.full((60, 90, 3), 220, np.uint8))
    with pytest.raises(DataError, match=r"a\.png: expected boxes in the image of 90x60 pixels, got .*EXIF"):
        list(photo_cases([image(tmp_path / "a.png", box=box)]))


def test_a_box_that_reaches_over_the_edge_is_none(tmp_path):
    write_image(tmp_path / "a.png", np.full((60, 90, 3), 220, np.uint8))
    assert len(list(photo_cases([image(tmp_path / "a.png", box=(80, 10, 20, 30))]))) == 1


def test_a_damaged_image_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(CameraError, match=r"a\.png"):
        list(photo_cases([image(tmp_path / "a.png")]))


def test_the_same_seeds_give_the_same_scenes():
    first, second = (list(scene_cases(range(3, 5))) for _ in range(2))
    assert [one.name.partition(",")[0] for one in first] == ["scene 3", "scene 4"]
    assert [(one.rows, one.ignore, one.kind) for one in first] == [(one.rows, one.ignore, one.kind) for one in second]
    assert (first[0].frame == second[0].frame).all()
