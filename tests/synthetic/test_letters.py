"""Letters, signs and words: skeletons, their sizes beside each other, and words on a line."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS
from digitedge.synthetic.handwriting.letters import letters_of, render_letter, sample_word, write_word
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.handwriting.writer import Hand

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALL_LETTERS = [letter for table in (LETTERS, SIGNS) for letters in table.values() for letter in letters]
STILL = Hand(slant=np.zeros(1), turn=np.zeros(1), aspect=np.ones(1), looseness=np.zeros(1))


def rng(seed=0):
    return np.random.default_rng(seed)


def still(text, **options):
    """A letter exactly as its skeleton says, with capitals 100 pixels high."""
    return render_letter(text, rng(), **{"height": 100, "pen_width": 6, "hand": STILL, "roughness": 0.0, **options})


# Skeletons


def test_the_latin_alphabet_is_complete_and_the_tables_do_not_overlap():
    assert set(LATIN) < set(LETTERS)
    assert not set(LETTERS) & set(SIGNS)
    assert not set("0123456789") & (set(LETTERS) | set(SIGNS))


def test_names_are_unique_among_the_ways_to_write_a_letter():
    for letters in (LETTERS | SIGNS).values():
        assert len({letter.name for letter in letters}) == len(letters)
        assert all(letter.weight > 0 for letter in letters)


@pytest.mark.parametrize("text", "OolISsZzbgqBG/()")
def test_what_could_be_a_digit_is_ambiguous(text):
    assert any(letter.ambiguous for letter in letters_of(text, cursive=False))


@pytest.mark.parametrize("text", "AFHKMNRTWXaehkmntwx+#%@")
def test_what_could_be_no_digit_is_not_ambiguous(text):
    assert not any(letter.ambiguous for letter in letters_of(text))


def test_every_small_letter_has_a_cursive_form():
    assert {text for text in LETTERS if any(letter.cursive for letter in letters_of(text))} == set(LATIN[:26])


def test_cursive_is_given_up_where_there_is_none():
    assert letters_of("A", cursive=True) == letters_of("A")
    assert all(letter.cursive for letter in letters_of("a", cursive=True))
    assert not any(letter.cursive for letter in letters_of("a", cursive=False))


@pytest.mark.parametrize("text", ["7", "", "ab", "☃"])
def test_an_unknown_letter_is_refused(text):
    with pytest.raises(InputError, match="expected a letter or sign"):
        render_letter(text, rng(), height=40)


# Ink


@pytest.mark.parametrize("letter", ALL_LETTERS, ids=lambda letter: f"{letter.sign} {letter.name}")
def test_skeletons_keep_to_the_lines(letter):
    line = letter.matrix @ letter.points
    low, high = line.min(axis=0), line.max(axis=0)
    assert low[0] > -0.15 and high[0] < 0.95
    assert low[1] > -0.08 and high[1] < 1.45


@pytest.mark.parametrize("pen", list(Pen))
@pytest.mark.parametrize("height", [4, 30, 150, 700])
def test_every_letter_leaves_ink_cut_tight(pen, height):
    for text in LETTERS | SIGNS:
        ink = render_letter(text, rng(3), height=height, pen=pen)
        assert ink.dtype == np.uint8 and ink.ndim == 2
        for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
            assert edge.max() > 0, text


@pytest.mark.parametrize(("text", "height"), [("H", 100), ("x", 55), ("p", 100), ("l", 100), ("h", 100), ("-", 8)])
def test_letters_are_as_high_as_their_place_between_the_lines(text, height):
    inks = [render_letter(text, rng(seed), height=100, pen_width=6, hand=STILL) for seed in range(12)]
    assert np.median([ink.shape[0] for ink in inks]) == pytest.approx(height, abs=6)


def test_a_full_stop_is_a_dot_as_broad_as_the_pen():
    height, width = still(".", pen_width=12).shape
    assert 9 <= height <= 18 and 9 <= width <= 18


def test_pen_width_is_in_pixels_whatever_the_size_of_the_letter():
    for text in "-L":
        ink = still(text, pen_width=10) > 127
        bar = ink[-4:].sum(axis=0).max() if text == "-" else ink[30].sum()
        assert (3 <= bar <= 4) if text == "-" else (7 <= bar <= 13)


def test_a_generator_gives_the_same_ink_again():
    assert np.array_equal(render_letter("k", rng(1), height=50), render_letter("k", rng(1), height=50))
    assert np.array_equal(write_word(rng(1), height=50, joined=True), write_word(rng(1), height=50, joined=True))


@pytest.mark.parametrize(("height", "pen_width"), [(3, None), (40, 0.0), (40, float("nan"))])
def test_impossible_ink_is_refused(height, pen_width):
    with pytest.raises(InputError, match="height >= 4 and pen_width > 0"):
        render_letter("a", rng(), height=height, pen_width=pen_width)
    with pytest.raises(InputError, match="height >= 4 and pen_width > 0"):
        write_word(rng(), height=height, pen_width=pen_width)


# Words


def pieces(ink):
    """How many runs of columns with ink there are."""
    columns = (ink > 64).any(axis=0).astype(int)
    return 1 + int((np.diff(columns) == 1).sum())


def word(text, *, joined=False, seed=0):
    return write_word(rng(seed), height=100, text=text, pen_width=6, hand=STILL, roughness=0.0, joined=joined)


def test_printed_letters_stand_apart_and_joined_ones_do_not():
    assert pieces(word("nume")) == 4
    assert pieces(word("nume", joined=True)) == 1
    assert pieces(word("ADam", joined=True)) == 3  # capitals do not join


def test_letters_stand_on_one_line():
    """The x ends on the baseline; only the foot of a p goes below it."""
    ink = word("pxH") > 64
    columns = np.flatnonzero(np.diff(ink.any(axis=0).astype(int)) == 1) + 1
    x, capital = ink[:, columns[0] : columns[1] - 3], ink[:, columns[1] :]
    bottom = [np.flatnonzero(part.any(axis=1)).max() for part in (x, capital)]
    assert bottom[0] == pytest.approx(bottom[1], abs=2)
    assert ink.shape[0] - bottom[0] == pytest.approx(40, abs=6)
    assert np.flatnonzero(capital.any(axis=1)).min() <= 2


def test_a_word_keeps_the_size_of_its_letters_however_long_it_is():
    short, long = (word("H" * count) for count in (1, 9))
    assert short.shape[0] == pytest.approx(long.shape[0], abs=3)
    assert long.shape[1] > 8 * short.shape[1]


def test_words_have_two_to_nine_letters_and_some_start_with_a_capital():
    words = [sample_word(rng(seed)) for seed in range(300)]
    assert {len(word) for word in words} == set(range(2, 10))
    assert 30 < sum(word[0].isupper() for word in words) < 100
    assert "".join(words).lower().count("e") > 3 * "".join(words).lower().count("q")


def test_a_word_without_letters_is_refused():
    with pytest.raises(InputError, match="one letter or more"):
        write_word(rng(), height=40, text="")
