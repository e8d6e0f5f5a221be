"""Readings: their JSON, their summary, and boxes of an image that was transformed."""

from dataclasses import replace

import numpy as np

from digitedge.reader import Digit, Reading
from digitedge.reader.classify import Prediction
from digitedge.reader.reading import Cell, Table, count_rejected
from digitedge.reader.rejection import Decision
from digitedge.reader.trace import Trace
from digitedge.utils.transform import Transform
from digitedge.vision import Candidate, Stage, detect_candidates
from digitedge.vision.segment import RejectReason

PAGE = np.full((60, 100), 230, np.uint8)
TABLE = Table((0, 0, 40, 20), ((Cell("12", (1, 1, 18, 18)), Cell("", (21, 1, 18, 18))),))


def decision(confidence: float, *, kept: bool = False, shape: RejectReason | None = None) -> Decision:
    """Decide about a candidate at 10,20 of 5 x 8 pixels."""
    candidate = Candidate((10, 20, 5, 8), np.zeros((8, 5), np.uint8), 100.0, 0.0, shape)
    probabilities = np.zeros(10, np.float32)
    probabilities[7] = confidence
    return Decision(
        Prediction(candidate, candidate.box, None, probabilities, confidence), "" if kept else "letter", 0.0, ()
    )


def reading(*decisions: Decision) -> Reading:
    """Return a reading of nothing with these decisions in its trace."""
    trace = Trace(PAGE, detect_candidates(PAGE), decisions, (), dict.fromkeys(Stage, 0.0))
    return Reading((), (), 100, 60, 1.0, rejected=count_rejected(decisions), trace=trace)


def test_tables_are_rows_of_cells_in_json() -> None:
    value = replace(reading(), tables=(TABLE,)).to_dict()
    cells = [{"text": "12", "box": [1, 1, 18, 18]}, {"text": "", "box": [21, 1, 18, 18]}]
    assert value["tables"] == [{"box": [0, 0, 40, 20], "rows": [cells]}]


def test_rejected_are_those_that_look_like_a_digit_or_a_word() -> None:
    speck = decision(0.0, shape=RejectReason.TOO_SHORT)
    word = decision(0.0, shape=RejectReason.TOO_WIDE)
    seen = reading(decision(0.99, kept=True), decision(0.9), decision(0.2), word, speck)
    assert seen.rejected == seen.to_dict()["rejected"] == 2


def test_rejected_stays_known_without_the_trace() -> None:
    assert replace(reading(decision(0.9)), trace=None).to_dict()["rejected"] == 1


def test_summary_says_what_else_is_to_be_known() -> None:
    digits = (Digit(7, 0.99, (4, 5, 20, 30)),)
    assert reading().summary == "no digits"
    assert reading(decision(0.9)).summary == "no digits, but what looks like writing   (1 rejected)"
    assert replace(reading(decision(0.9)), digits=digits, rows=("7",)).summary == "7   (1 rejected)"
    assert replace(reading(), digits=digits, rows=("7",)).summary == "7"


def test_boxes_of_a_turned_image_are_those_of_the_image_before() -> None:
    turned = replace(reading(decision(0.9)), digits=(Digit(7, 0.9, (10, 20, 5, 8)),), rows=("7",), tables=(TABLE,))
    before = turned.before(Transform(rotate=180), width=100, height=60)
    assert before.digits[0].box == (85, 32, 5, 8)
    assert before.tables[0].box == (60, 40, 40, 20)
    assert before.tables[0].rows[0][0] == Cell("12", (81, 41, 18, 18))
    value = before.to_dict(verbose=True)
    assert (value["rotated"], value["width"], value["height"]) == (180, 100, 60)
    assert value["candidates"][0]["box"] == [85, 32, 5, 8]
