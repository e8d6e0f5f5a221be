"""Verdicts by all evidence: each clue alone can turn one, and the reason names it."""

import json

import numpy as np
import pytest

from digitedge.bundle.bundle import released_bundle
from digitedge.reader.classify import Guess
from digitedge.reader.rejection import CLUES, Verdict, clues, decide, first_says
from digitedge.vision.segment import Mark

CLEAR = 0.999
# Of the released int8 file.
NEUTRAL = json.loads((released_bundle() / "manifest.json").read_text())["files"]["model_int8.tflite"]["threshold"]


def guess(x=0, y=0, *, width=28, height=40, digit=5, confidence=CLEAR, before=None, clutter=0.02, flaw=""):
    """A mark on clean paper that the classifier is sure of, unless told."""
    box = (x, y, width, height)
    mark = Mark(box, np.full((height, width), 200, np.uint8), darkness=200.0, clutter=clutter, flaw=flaw)
    confidence = 0.0 if flaw else confidence
    return Guess(mark, box, digit, confidence, confidence if before is None else before)


def row_of(*confidences, y=0, **look):
    return [guess(50 * i, y, confidence=confidence, **look) for i, confidence in enumerate(confidences)]


def judge(guesses, threshold=0.25):
    return decide(guesses, threshold=threshold, neutral=NEUTRAL)


def reasons(guesses, threshold=0.25):
    return [verdict.reason for verdict in judge(guesses, threshold)]


def test_nothing_gives_no_verdicts():
    assert decide([]) == []


def test_clear_digits_are_kept_alone_and_in_rows():
    assert reasons([guess()]) == [""]
    assert reasons(row_of(*[CLEAR] * 5) + row_of(*[CLEAR] * 5, y=80)) == [""] * 10


def test_a_lone_clear_one_is_kept():
    assert reasons([guess(width=8)]) == [""]


def test_company_carries_a_doubtful_digit():
    assert reasons([guess(confidence=0.35)]) == ["not clear enough"]
    assert reasons(row_of(CLEAR, CLEAR, 0.35, CLEAR, CLEAR)) == [""] * 5


def test_letters_in_its_row_drop_what_looks_like_a_digit():
    verdicts = judge(row_of(0.1, 0.2, CLEAR, 0.1, 0.15, 0.1))
    assert not any(verdict.kept for verdict in verdicts)
    assert verdicts[2].reason == "no digits in its row"


def test_a_row_of_digits_under_a_row_of_letters_is_kept():
    letters = row_of(0.1, 0.2, 0.1, 0.15, 0.1)
    assert reasons(letters + row_of(CLEAR, CLEAR, CLEAR, CLEAR, y=100))[-4:] == [""] * 4


def test_whole_words_speak_against_what_stands_beside_them():
    words = [guess(100 + 200 * i, width=150, flaw="too wide") for i in range(4)]
    assert reasons([guess(), *words])[0] == "no digits in its row"


def page_of_letters(rows):
    return [letter for row in range(rows) for letter in row_of(*[0.1] * 8, y=80 * row)]


def test_a_letter_like_a_digit_falls_with_an_alphabet_but_not_with_a_word():
    lone = guess(0, 2000, confidence=0.97)
    assert reasons([*row_of(*[0.1] * 4), lone])[-1] == ""
    assert reasons([*page_of_letters(5), lone])[-1] == "no digits around"


@pytest.mark.parametrize("rows", [2, 8, 40])
def test_a_clear_number_under_a_page_of_letters_stays(rows):
    number = row_of(*[CLEAR] * 5, y=5000)
    assert reasons([*page_of_letters(rows), *number])[-5:] == [""] * 5


def test_a_letter_that_passes_alone_is_seen_through_with_its_page():
    page = [mark for y in (0, 80, 160, 240) for mark in row_of(0.2, 0.97, 0.3, 0.97, 0.1, 0.97, y=y)]
    assert not any(verdict.kept for verdict in judge(page))


def test_clutter_drops_a_doubtful_mark():
    fair = {"confidence": 0.97}
    assert reasons([guess(**fair)]) == [""]
    assert reasons([guess(**fair, clutter=3.0)]) == ["no clean paper around it"]


def test_a_mark_of_another_height_than_all_digits_is_dropped():
    assert reasons([*row_of(*[CLEAR] * 4), guess(300, 200, height=110, width=80, confidence=0.97)])[-1] == (
        "not as high as the others"
    )


def test_a_doubtful_bare_stroke_is_dropped():
    assert reasons([guess(confidence=0.6)]) == [""]
    assert reasons([guess(width=8, confidence=0.6)]) != [""]


def test_what_had_to_be_cut_says_nothing_for_its_neighbours():
    whole, cut = [clues(marks, first_says(marks)) for marks in (row_of(CLEAR, CLEAR), row_of(CLEAR, CLEAR, before=0.1))]
    assert (whole[:, CLUES.index("row")] > 0).all()
    assert (cut[:, CLUES.index("row")] < 0).all()


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_nan_is_no_digit(threshold):
    assert reasons([guess(confidence=float("nan"))], threshold) == [f"confidence under {threshold:g}"]


def test_the_threshold_stands_whatever_else_speaks_for_a_digit():
    assert reasons(row_of(CLEAR, CLEAR, 0.89, CLEAR), threshold=0.9)[2] == "confidence under 0.9"
    assert reasons(row_of(CLEAR, CLEAR, 0.9, CLEAR), threshold=0.9)[2] == ""


def test_flaws_are_reasons_without_points():
    (verdict,) = judge([guess(flaw="a bar")], threshold=0.0)
    assert (verdict.kept, verdict.reason, verdict.points) == (False, "a bar", ())


def test_verdicts_are_json():
    (verdict,) = judge([guess(3, 4, confidence=0.35)])
    assert isinstance(verdict, Verdict)
    value = verdict.to_dict()
    assert list(value["points"]) == list(CLUES)
    assert {key: value[key] for key in ("box", "digit", "kept", "confidence", "reason")} == {
        "box": [3, 4, 28, 40],
        "digit": 5,
        "kept": False,
        "confidence": 0.35,
        "reason": "not clear enough",
    }


def test_order_of_the_marks_does_not_matter():
    marks = [*row_of(CLEAR, 0.9, 0.4, 0.99), *row_of(0.7, CLEAR, 0.2, y=90)]
    order = np.random.default_rng(0).permutation(len(marks))
    shuffled = judge([marks[i] for i in order])
    assert [shuffled[list(order).index(i)] for i in range(len(marks))] == judge(marks)
