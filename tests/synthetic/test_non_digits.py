"""Non-digits: every kind is rendered, and none has the plainest features of a digit."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.letters import find_skeletons
from digitedge.synthetic.non_digits import printed_letters
from digitedge.synthetic.non_digits.fragments import render_digit_fragment
from digitedge.synthetic.non_digits.samples import NonDigit, render_non_digit, synthetic_non_digits


@pytest.fixture(scope="module")
def many() -> NDArray[np.uint8]:
    return synthetic_non_digits(1100, seed=7)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def inks(kind: NonDigit, count: int = 40, height: int = 60) -> list[NDArray[np.uint8]]:
    generator = rng(3)
    return [render_non_digit(kind, generator, height=height) for _ in range(count)]


def test_crops_have_the_contract_type_and_geometry(many: NDArray[np.uint8]) -> None:
    assert many.shape == (1100, 28, 28) and many.dtype == np.uint8
    for crop in many:
        rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
        assert np.ptp(rows) < 20 and np.ptp(columns) < 20
        assert crop.max() >= 250


def test_the_same_seed_gives_the_same_crops_and_another_seed_others() -> None:
    crops = synthetic_non_digits(110, seed=1)
    assert np.array_equal(crops, synthetic_non_digits(110, seed=1))
    assert not np.array_equal(crops, synthetic_non_digits(110, seed=2))


def test_crops_are_shuffled_and_hardly_any_are_equal(many: NDArray[np.uint8]) -> None:
    assert len({crop.tobytes() for crop in many}) > 1090  # printed letters and bars may coincide
    halves = [part.mean(axis=0) for part in np.array_split(many, 2)]
    assert np.abs(halves[0] - halves[1]).mean() < 8  # of 255: both halves have the same kinds


@pytest.mark.parametrize("count", [0, 1, 13])
def test_the_count_asked_for_is_rendered(count: int) -> None:
    assert synthetic_non_digits(count, seed=1).shape == (count, 28, 28)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InputError, match="0 or more, got -1"):
        synthetic_non_digits(-1, seed=0)


@pytest.mark.parametrize("height", [4, 28, 90, 400])
@pytest.mark.parametrize("kind", list(NonDigit))
def test_every_kind_is_rendered_at_every_size_without_a_margin(kind: NonDigit, height: int) -> None:
    for ink in inks(kind, 8, height):
        assert ink.dtype == np.uint8 and ink.ndim == 2
        assert min(ink[edge].max() for edge in (0, -1)) > 32 and min(ink[:, edge].max() for edge in (0, -1)) > 32


@pytest.mark.parametrize(
    "kind", [NonDigit.SCRIBBLE, NonDigit.LINES, NonDigit.OUTLINE, NonDigit.BLOT, NonDigit.TEXTURE, NonDigit.FRAGMENT]
)
def test_the_longer_side_is_about_the_height(kind: NonDigit) -> None:
    longer = [max(ink.shape) for ink in inks(kind, 40, 80)]
    assert np.median(longer) <= 84 and max(longer) <= 100
    assert np.median(longer) >= 40


@pytest.mark.parametrize(
    "kind", [NonDigit.SCRIBBLE, NonDigit.LINES, NonDigit.OUTLINE, NonDigit.BLOT, NonDigit.TEXTURE, NonDigit.FRAGMENT]
)
def test_no_drawing_is_slim_and_upright_like_a_1(kind: NonDigit) -> None:
    assert all(ink.shape[1] > 0.35 * ink.shape[0] for ink in inks(kind, 200))


def test_a_fragment_lacks_a_third_of_its_digit() -> None:
    generator = rng(3)
    for _ in range(300):
        ink = render_digit_fragment(generator, 80)
        _, _, width, height = cv2.boundingRect((ink > 64).astype(np.uint8))
        assert min(width / ink.shape[1], height / ink.shape[0]) <= 0.68


def test_touching_digits_are_larger_than_one_digit() -> None:
    for ink in inks(NonDigit.PAIR, 100):
        assert max(ink.shape) > 1.1 * 60 * 0.85 or ink.shape[1] > 0.8 * ink.shape[0]


def test_no_outline_is_a_ring_like_a_0() -> None:
    def is_ring(ink: NDArray[np.uint8]) -> bool:
        contours, _ = cv2.findContours((ink > 128).astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        large = [contour for contour in contours if cv2.contourArea(contour) > 20]
        outer = max(contours, key=cv2.contourArea)
        round_ = cv2.contourArea(outer) > 0.93 * cv2.contourArea(cv2.convexHull(outer))
        return len(large) == 2 and round_ and ink.shape[1] < 1.5 * ink.shape[0]

    assert not any(map(is_ring, inks(NonDigit.OUTLINE, 300, 120)))


def test_no_printed_letter_could_be_a_digit() -> None:
    tables = ("_LETTERS", "_SIGNS", "_ACCENTED", "_SECOND_LETTERS")
    for text in "".join(getattr(printed_letters, table) for table in tables):
        assert not all(letter.ambiguous for letter in find_skeletons(text, cursive=False)), text


def test_printed_letters_are_light_and_bold_narrow_and_wide() -> None:
    letters = inks(NonDigit.PRINT, 200)
    filled = [(ink > 128).mean() for ink in letters]
    aspects = [ink.shape[1] / ink.shape[0] for ink in letters]
    assert np.quantile(filled, 0.1) < 0.38 and np.quantile(filled, 0.9) > 0.56
    assert np.quantile(aspects, 0.1) < 0.75 and np.quantile(aspects, 0.9) > 1.5  # pairs are wide


def test_blots_have_more_ink_than_lines_and_words_are_wider_than_letters() -> None:
    filled = {kind: np.mean([(ink > 64).mean() for ink in inks(kind)]) for kind in (NonDigit.BLOT, NonDigit.LINES)}
    wide = {
        kind: np.median([ink.shape[1] / ink.shape[0] for ink in inks(kind)])
        for kind in (NonDigit.WORD, NonDigit.LETTER)
    }
    assert filled[NonDigit.BLOT] > filled[NonDigit.LINES] + 0.1
    assert wide[NonDigit.WORD] > 1.5 * wide[NonDigit.LETTER]


@pytest.mark.parametrize("height", [3, 0, -5])
def test_a_height_under_four_pixels_is_refused(height: int) -> None:
    with pytest.raises(InputError, match="4 pixels or more"):
        render_non_digit(NonDigit.BLOT, rng(), height=height)
