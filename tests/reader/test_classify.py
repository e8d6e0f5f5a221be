"""Which way to take the ink wins, with classifiers of a few lines that look at the shape of a crop."""

import numpy as np
import pytest

from digitedge.reader.classify import recognize
from digitedge.utils.opencv import cv2
from digitedge.vision import find_writing

# Where two clear rings stand, right of what is tested.
COMPANY = (500, 590)


class Rings:
    """Sees ink as high as a digit: a single ring is a 0 for sure; of anything else it is as sure as it was told."""

    def __init__(self, *, of_others=0.3, of_rings=0.99):
        self.of_others, self.of_rings = of_others, of_rings

    def probabilities(self, crops):
        answers = np.zeros((len(crops), 10), np.float32)
        for answer, crop in zip(answers, crops, strict=True):
            answer[0], answer[8] = (self.of_rings, 0) if _is_ring(crop) else (0, self.of_others)
        return answers


def _is_ring(crop):
    """One piece of ink around one hole, at least half as wide as high."""
    ink = (crop > 100).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(ink)
    holes = cv2.connectedComponents(1 - ink, connectivity=4)[0] - 2  # less the label of ink and the paper outside
    return cv2.connectedComponents(ink)[0] == 2 and holes == 1 and width > 0.5 * height


class Upright:
    """Anything higher than wide, with ink in all four corners, is a 0; it doubts the rest."""

    def __init__(self, confidence):
        self.confidence = confidence

    def probabilities(self, crops):
        answers = np.zeros((len(crops), 10), np.float32)
        for answer, crop in zip(answers, crops, strict=True):
            ink = crop > 100
            x, y, width, height = cv2.boundingRect(ink.astype(np.uint8))
            corners = [ink[rows, columns].any() for rows in _thirds(y, height) for columns in _thirds(x, width)]
            answer[0] = self.confidence if height > width and all(corners) else 0.3
        return answers


def _thirds(start, length):
    """The first and the last third."""
    return slice(start, start + length // 3), slice(start + length - length // 3, start + length)


def page(*rings, link=None):
    """Rings with their middle at these x, a stroke that links two of them, and the company that tells their size."""
    grey = np.full((300, 640), 225, np.uint8)
    for x in (*rings, *COMPANY):
        cv2.ellipse(grey, (x, 150), (20, 32), 0, 0, 360, 40, 6)
    if link:
        cv2.line(grey, (link[0], 150), (link[1], 150), 40, 6)
    return grey


def guesses_on(grey, classifier):
    """What is made of the marks, from left to right, without the company."""
    guesses = recognize(find_writing(grey), classifier)
    return sorted((guess for guess in guesses if guess.box[0] < COMPANY[0] - 40), key=lambda guess: guess.box)


def touching():
    """Two rings that a stroke joins."""
    return page(150, 206, link=(170, 186))


def broken(gap=6):
    """One ring in an upper and a lower half."""
    grey = page(150)
    grey[150 - gap // 2 : 150 + gap // 2, :200] = 225
    return grey


def test_two_digits_that_touch_are_cut_where_the_pieces_are_surer():
    guesses = guesses_on(touching(), Rings())
    assert [guess.digit for guess in guesses] == [0, 0]
    left, right = (guess.box for guess in guesses)
    assert abs(left[0] - 127) <= 3 and abs(left[2] - 51) <= 6
    assert abs(right[0] + right[2] - 229) <= 3 and abs(right[2] - 51) <= 6
    assert [guess.before for guess in guesses] == pytest.approx([0.3, 0.3])


def test_what_reads_well_as_a_whole_is_not_cut():
    (guess,) = guesses_on(touching(), Rings(of_others=0.95))
    assert (guess.digit, guess.confidence) == (8, pytest.approx(0.95))
    assert abs(guess.box[2] - 102) <= 4


def test_a_doubtful_whole_stays_where_its_pieces_are_doubtful_too():
    (guess,) = guesses_on(touching(), Rings(of_others=0.3, of_rings=0.8))
    assert (guess.digit, guess.confidence) == (8, pytest.approx(0.3))


def test_one_piece_that_is_doubtful_spoils_a_cut():
    grey = page(150, link=(170, 190))
    cv2.rectangle(grey, (190, 120), (220, 180), 40, cv2.FILLED)
    assert len(guesses_on(grey, Rings())) == 1


def test_two_halves_of_a_digit_are_joined():
    (guess,) = guesses_on(broken(), Upright(0.99))
    assert (guess.digit, guess.confidence, guess.before) == (0, pytest.approx(0.99), pytest.approx(0.3))
    assert abs(guess.box[3] - 70) <= 4


def test_halves_stay_apart_where_their_joint_is_no_surer():
    assert len(guesses_on(broken(), Upright(0.5))) == 2


def test_clear_digits_are_looked_at_once():
    class Counting(Rings):
        asked = 0

        def probabilities(self, crops):
            self.asked += len(crops)
            return super().probabilities(crops)

    classifier = Counting()
    assert len(guesses_on(page(100, 200, 300), classifier)) == 3
    assert classifier.asked == 3 + len(COMPANY)


def test_no_ink_is_in_two_guesses():
    """Whatever the classifier says: marks that touch, that are broken, and that lie beside each other."""

    class Moody:
        def probabilities(self, crops):
            rng = np.random.default_rng(int(crops.sum()) + len(crops))
            return rng.dirichlet(np.full(10, 0.05), len(crops)).astype(np.float32)

    grey = np.vstack([touching(), broken(), page(150, 202, 280, 334, link=(300, 312))])
    counts = set()
    for turn in range(10):
        writing = find_writing(np.roll(grey, 3 * turn, axis=1))
        guesses = recognize(writing, Moody())
        counts.add(len(guesses))
        taken = np.zeros(writing.steps["clean"].shape, int)
        for guess in guesses:
            x, y, width, height = guess.mark.box
            taken[y : y + height, x : x + width] += guess.mark.ink > 0
        assert taken.max() == 1
        assert taken.sum() == sum(int((mark.ink > 0).sum()) for mark in writing.marks)
    assert len(counts) > 1, "some marks were cut or joined"


def test_a_mark_with_a_flaw_is_not_shown_to_the_classifier():
    grey = page(100, 200, 300)
    cv2.line(grey, (100, 250), (180, 250), 40, 6)
    flawed = [guess for guess in guesses_on(grey, Rings()) if guess.mark.flaw]
    assert [(guess.confidence, guess.before) for guess in flawed] == [(0, 0)]


def test_a_blank_page_has_no_guesses():
    assert guesses_on(np.full((60, 80), 200, np.uint8), Rings()) == []
