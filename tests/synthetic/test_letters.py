"""Letters, signs and words: skeletons, their sizes beside each other, and words on a line."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, LIKE_DIGITS, SIGNS, LetterSkeleton
from digitedge.synthetic.handwriting.letters import find_skeletons, render_letter, render_word, sample_word
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.handwriting.writer import Writer

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALL_LETTERS = [letter for table in (LETTERS, SIGNS) for letters in table.values() for letter in letters]
EXACT = Writer(slant=np.zeros(1), turn=np.zeros(1), aspect=np.ones(1), looseness=np.zeros(1))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def render_exactly(text: str, *, pen_width: float) -> NDArray[np.uint8]:
    """Render a letter exactly as its skeleton, with capitals 100 pixels high."""
    return render_letter(text, rng(), height=100, pen_width=pen_width, writer=EXACT)


# Skeletons


def test_the_latin_alphabet_is_complete_and_the_tables_do_not_overlap() -> None:
    assert set(LATIN) < set(LETTERS)
    assert not set(LETTERS) & set(SIGNS)
    assert not set("0123456789") & (set(LETTERS) | set(SIGNS))


def test_names_are_unique_among_the_skeletons_of_a_letter() -> None:
    for letters in (LETTERS | SIGNS).values():
        assert len({letter.name for letter in letters}) == len(letters)
        assert all(letter.weight > 0 for letter in letters)


@pytest.mark.parametrize("text", "OolISsZzbgqBG/()")
def test_letters_that_could_be_digits_are_ambiguous(text: str) -> None:
    assert any(letter.ambiguous for letter in find_skeletons(text, cursive=False))


@pytest.mark.parametrize("text", "AFHKMNRTWXaehkmntwx-√#@✓✗")
def test_letters_that_cannot_be_digits_are_not_ambiguous(text: str) -> None:
    assert not any(letter.ambiguous for letter in find_skeletons(text))


SIGNS_OF_FORMS = "+-=×÷%€£$₹#*✓✗→[:;~"  # noqa: RUF001
SIGNS_LIKE_DIGITS = "/\\|(){}.,'?!°"


def test_signs_of_forms_and_exercises_have_a_skeleton_that_is_no_digit() -> None:
    for text in SIGNS_OF_FORMS:
        assert not all(sign.ambiguous for sign in SIGNS[text]), text
    assert not set(SIGNS_OF_FORMS) - {"["} & LIKE_DIGITS


def test_signs_that_could_be_digits_have_none() -> None:
    for text in SIGNS_LIKE_DIGITS:
        assert all(sign.ambiguous for sign in SIGNS[text]), text
    assert set(SIGNS_LIKE_DIGITS + "OolISsZzbgqBG") <= LIKE_DIGITS


def test_every_small_letter_has_a_cursive_form() -> None:
    assert {text for text in LETTERS if any(letter.cursive for letter in find_skeletons(text))} == set(LATIN[:26])


def test_letters_without_a_cursive_skeleton_are_printed() -> None:
    assert find_skeletons("A", cursive=True) == find_skeletons("A")
    assert all(letter.cursive for letter in find_skeletons("a", cursive=True))
    assert not any(letter.cursive for letter in find_skeletons("a", cursive=False))


@pytest.mark.parametrize("text", ["7", "", "ab", "☃"])
def test_an_unknown_letter_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected a letter or sign"):
        render_letter(text, rng(), height=40, pen_width=4)


# Ink


@pytest.mark.parametrize("letter", ALL_LETTERS, ids=lambda letter: f"{letter.sign} {letter.name}")
def test_skeletons_stay_within_the_writing_lines(letter: LetterSkeleton) -> None:
    line = letter.matrix @ letter.points
    low, high = line.min(axis=0), line.max(axis=0)
    assert low[0] > -0.15 and high[0] < 0.95
    assert low[1] > -0.08 and high[1] < 1.45


@pytest.mark.parametrize("pen", list(PenType))
@pytest.mark.parametrize("height", [4, 30, 150, 700])
def test_every_letter_has_ink_without_a_margin(pen: PenType, height: int) -> None:
    for text in LETTERS | SIGNS:
        ink = render_letter(text, rng(3), height=height, pen_width=0.1 * height, pen_type=pen)
        assert ink.dtype == np.uint8 and ink.ndim == 2
        for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
            assert edge.max() > 0, text


@pytest.mark.parametrize(("text", "height"), [("H", 100), ("x", 55), ("p", 100), ("l", 100), ("h", 100), ("-", 8)])
def test_letters_are_as_high_as_their_place_between_the_lines(text: str, height: int) -> None:
    inks = [render_letter(text, rng(seed), height=100, pen_width=6, writer=EXACT) for seed in range(12)]
    assert np.median([ink.shape[0] for ink in inks]) == pytest.approx(height, abs=6)


def test_a_full_stop_is_a_dot_as_broad_as_the_pen() -> None:
    height, width = render_exactly(".", pen_width=12).shape
    assert 9 <= height <= 18 and 9 <= width <= 18


def test_pen_width_is_in_pixels_whatever_the_size_of_the_letter() -> None:
    dash, stem = (render_exactly(text, pen_width=10) > 127 for text in "-L")
    assert 7 <= np.median(dash.sum(axis=0)) <= 13
    assert 7 <= np.median(stem[:80].sum(axis=1)) <= 15


def test_the_same_generator_gives_the_same_ink() -> None:
    letters = [render_letter("k", rng(1), height=50, pen_width=5) for _ in range(2)]
    words = [render_word("quick", rng(1), height=50, pen_width=5, joined=True) for _ in range(2)]
    assert np.array_equal(letters[0], letters[1]) and np.array_equal(words[0], words[1])


@pytest.mark.parametrize(("height", "pen_width"), [(3, 1.0), (40, 0.0), (40, float("nan"))])
def test_invalid_sizes_are_refused(height: int, pen_width: float) -> None:
    with pytest.raises(InputError, match="height >= 4 and pen_width > 0"):
        render_letter("a", rng(), height=height, pen_width=pen_width)
    with pytest.raises(InputError, match="height >= 4 and pen_width > 0"):
        render_word("word", rng(), height=height, pen_width=pen_width)


# Words


def count_runs(ink: NDArray[np.uint8]) -> int:
    """Count the runs of columns with ink."""
    columns = (ink > 64).any(axis=0).astype(int)
    return 1 + int((np.diff(columns) == 1).sum())


def word(text: str, *, joined: bool = False) -> NDArray[np.uint8]:
    return render_word(text, rng(), height=100, pen_width=6, writer=EXACT, joined=joined)


def test_printed_letters_stand_apart_and_joined_ones_do_not() -> None:
    assert count_runs(word("nume")) == 4
    assert count_runs(word("nume", joined=True)) == 1
    assert count_runs(word("ADam", joined=True)) == 3  # capitals do not join


def test_letters_stand_on_one_baseline() -> None:
    ink = word("pxH") > 64
    columns = np.flatnonzero(np.diff(ink.any(axis=0).astype(int)) == 1) + 1
    x, capital = ink[:, columns[0] : columns[1] - 3], ink[:, columns[1] :]
    bottom = [np.flatnonzero(part.any(axis=1)).max() for part in (x, capital)]
    assert bottom[0] == pytest.approx(bottom[1], abs=2)
    assert ink.shape[0] - bottom[0] == pytest.approx(40, abs=6)
    assert np.flatnonzero(capital.any(axis=1)).min() <= 2


def test_a_word_keeps_the_size_of_its_letters_however_long_it_is() -> None:
    short, long = (word("H" * count) for count in (1, 9))
    assert short.shape[0] == pytest.approx(long.shape[0], abs=3)
    assert long.shape[1] > 8 * short.shape[1]


def test_words_have_two_to_nine_letters_and_some_start_with_a_capital() -> None:
    words = [sample_word(rng(seed)) for seed in range(300)]
    assert {len(word) for word in words} == set(range(2, 10))
    assert 30 < sum(word[0].isupper() for word in words) < 100
    assert "".join(words).lower().count("e") > 3 * "".join(words).lower().count("q")


def test_a_word_without_letters_is_refused() -> None:
    with pytest.raises(InputError, match="one letter or more"):
        render_word("", rng(), height=40, pen_width=4)
