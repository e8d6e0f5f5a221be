"""Synthetic digits: skeletons, hands, pens and the crops made of them."""

import cv2
import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digit_skeletons import STYLES, Style, parse_stroke
from digitedge.synthetic.handwriting.digits import render_ink, synthetic_digits
from digitedge.synthetic.handwriting.pen import Pen, grain, lay_ink, line_widths, sample_touch
from digitedge.synthetic.handwriting.spline import STEPS, spline_matrix
from digitedge.synthetic.handwriting.writer import choose_styles, one_hand, sample_hands, write

ALL_STYLES = [style for styles in STYLES for style in styles]


@pytest.fixture(scope="module")
def many():
    return synthetic_digits(1000, seed=7)


def rng(seed=0):
    return np.random.default_rng(seed)


def centre_of_mass(crop):
    moments = cv2.moments(crop)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


# Crops


def test_crops_and_digits_have_the_contract_type_and_shape(many):
    crops, digits = many
    assert crops.shape == (1000, 28, 28) and crops.dtype == np.uint8
    assert digits.shape == (1000,) and digits.dtype == np.uint8


def test_a_seed_gives_the_same_digits_again(many):
    again, same = synthetic_digits(1000, seed=7)
    assert np.array_equal(again, many[0]) and np.array_equal(same, many[1])


def test_another_seed_gives_other_digits(many):
    other, _ = synthetic_digits(1000, seed=8)
    assert not np.array_equal(other, many[0])


def test_no_two_crops_are_equal(many):
    assert len({crop.tobytes() for crop in many[0]}) == 1000


@pytest.mark.parametrize("count", [0, 1, 7, 10, 95])
def test_digits_come_equally_often(count):
    crops, digits = synthetic_digits(count, seed=1)
    frequency = np.bincount(digits, minlength=10)
    assert crops.shape == (count, 28, 28)
    assert frequency.sum() == count and np.ptp(frequency) <= 1


def test_digits_are_shuffled(many):
    _, digits = many
    assert not np.array_equal(digits, np.sort(digits))
    # Equal neighbours in a random order: one in ten, 100 of 999, deviation 9.5.
    assert 60 <= int((digits[1:] == digits[:-1]).sum()) <= 140


def test_crops_have_the_geometry_of_mnist(many):
    for crop in many[0]:
        rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
        assert np.ptp(rows) < 20 and np.ptp(columns) < 20
        assert crop.max() >= 250


def test_the_centre_of_mass_is_the_centre_of_the_field(many):
    centres = np.array([centre_of_mass(crop) for crop in many[0]])
    assert np.abs(centres - 14).max() <= 0.51


def test_grey_levels_and_widths_are_like_those_of_mnist(many):
    crops, _ = many
    # The MNIST training images: 33 (deviation 11); 0.19 of all pixels; 0.6 of those are grey.
    assert 28 < crops.mean() < 39
    assert 8 < crops.mean(axis=(1, 2)).std() < 15
    assert 0.16 < (crops > 0).mean() < 0.25
    assert 0.5 < ((crops > 0) & (crops < 250)).sum() / (crops > 0).sum() < 0.75


def test_digits_of_one_kind_are_more_alike_than_others(many):
    """A nearest-mean classifier gets most right: labels belong to their crops."""
    crops, digits = many
    flat = np.stack([cv2.GaussianBlur(crop, (5, 5), 0) for crop in crops]).reshape(1000, -1).astype(np.float32)
    means = np.stack([flat[:500][digits[:500] == digit].mean(axis=0) for digit in range(10)])
    nearest = np.linalg.norm(flat[500:, None] - means, axis=2).argmin(axis=1)
    assert (nearest == digits[500:]).mean() > 0.6


def test_a_negative_count_is_refused():
    with pytest.raises(InputError, match="0 or more, got -1"):
        synthetic_digits(-1, seed=0)


# Skeletons


def test_every_digit_has_many_styles_with_names_of_their_own():
    assert len(STYLES) == 10
    for digit, styles in enumerate(STYLES):
        assert len(styles) >= 8
        assert len({style.name for style in styles}) == len(styles)
        assert all(style.digit == digit and style.weight > 0 for style in styles)


def test_styles_are_drawn_as_often_as_their_weight_says():
    names = [style.name for style in choose_styles(1, rng(), 4000)]
    total = sum(style.weight for style in STYLES[1])
    for style in STYLES[1]:
        expected = style.weight / total
        assert names.count(style.name) / 4000 == pytest.approx(expected, abs=4 * np.sqrt(expected / 4000))


def test_every_style_is_reached():
    for digit in range(10):
        reached = {style.name for style in choose_styles(digit, rng(digit), 3000)}
        assert reached == {style.name for style in STYLES[digit]}


def test_plain_styles_leave_out_the_doubtful_ones():
    assert not all(style.plain for style in ALL_STYLES)
    assert all(style.plain for digit in range(10) for style in choose_styles(digit, rng(), 500, plain=True))


def test_all_skeletons_are_distinct_and_of_the_same_height():
    images = set()
    for style in ALL_STYLES:
        line = style.matrix @ style.points
        low, high = line.min(axis=0), line.max(axis=0)
        assert 0.8 <= high[1] - low[1] <= 1.12, style
        assert high[0] - low[0] <= 1.05, style
        images.add(lay_ink(line, np.full(len(line), 0.08), style.lengths, size=40).tobytes())
    assert len(images) == len(ALL_STYLES)


@pytest.mark.parametrize("style", ALL_STYLES, ids=lambda style: f"{style.digit} {style.name}")
def test_a_line_runs_through_its_control_points(style):
    line = style.matrix @ style.points
    distance = np.linalg.norm(style.points[:, None] - line[None], axis=2).min(axis=1)
    assert distance.max() < 1e-9
    assert style.matrix.sum(axis=1) == pytest.approx(np.ones(len(line)))
    assert sum(style.lengths) == len(line)


def test_a_corner_stays_a_corner_and_a_curve_is_smooth():
    def sharpest(strokes):
        style = Style(7, "test", 1, strokes)
        steps = np.diff(style.matrix @ style.points, axis=0)
        steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        return float((steps[1:] * steps[:-1]).sum(axis=1).min())

    assert sharpest("0 0, 60 0!, 30 100") < 0  # the pen turns by more than a right angle at once
    assert sharpest("0 0, 60 0, 30 100") > 0


def test_two_points_make_a_straight_line():
    points = np.array([[0.0, 0.0], [0.4, 0.8]])
    line = spline_matrix(points) @ points
    assert len(line) == STEPS + 1
    assert line[:, 1] == pytest.approx(2 * line[:, 0])


@pytest.mark.parametrize("text", ["", "5 5", "0 0, 1", "0 0, a b", "0 0 0, 1 1 1"])
def test_a_stroke_that_is_not_one_is_refused(text):
    with pytest.raises(InputError, match="expected a stroke"):
        parse_stroke(text)


@pytest.mark.parametrize("digit", [-1, 10, 2.5])
def test_only_digits_can_be_written(digit):
    with pytest.raises(InputError, match="from 0 to 9"):
        choose_styles(digit, rng(), 1)


# Hands and pens


def test_a_hand_without_looseness_copies_the_skeleton():
    style = STYLES[3][0]
    hand = sample_hands(rng(), 1)
    still = type(hand)(*(np.array([value]) for value in (0.0, 0.0, 1.0, 0.0)))
    (line,) = write(style, rng(), still)
    skeleton = style.matrix @ style.points
    assert np.ptp(line - skeleton, axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_slant_leans_to_the_right():
    hand = sample_hands(rng(), 1)
    slanted = type(hand)(*(np.array([value]) for value in (0.5, 0.0, 1.0, 0.0)))
    (line,) = write(STYLES[1][0], rng(), slanted)
    assert line[0, 0] - line[-1, 0] == pytest.approx(0.5)  # the bar starts at its top


def test_one_hand_is_steadier_than_many():
    steady, any_ = one_hand(rng(), 200), sample_hands(rng(), 200)
    assert steady.slant.std() < any_.slant.std() / 3
    assert steady.looseness.max() < 1


def test_wider_pens_leave_more_ink():
    style = STYLES[0][0]
    line = style.matrix @ style.points
    inks = [int((lay_ink(line, np.full(len(line), w), style.lengths, size=80) > 0).sum()) for w in (0.05, 0.1, 0.2)]
    assert inks[0] * 1.5 < inks[1] and inks[1] * 1.5 < inks[2]


def test_line_widths_are_around_the_width_of_the_pen():
    style = STYLES[8][0]
    lines = write(style, rng(), sample_hands(rng(), 300))
    widths = line_widths(lines, style.lengths, sample_touch(rng(), 300, width=0.1))
    assert widths.shape == lines.shape[:2]
    assert widths.min() > 0
    assert np.median(widths) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("pen", list(Pen))
def test_grain_never_leaves_the_line(pen):
    ink = np.zeros((80, 80), np.uint8)
    cv2.line(ink, (40, 10), (40, 70), 255, 9)
    rough = grain(ink, pen, rng(), roughness=60.0)
    assert rough.dtype == np.uint8 and rough.shape == ink.shape
    assert not rough[:, :30].any() and not rough[:, 51:].any()
    assert (rough != ink).any()
    assert rough[ink > 0].mean() > 128


def test_a_smooth_pen_changes_nothing():
    ink = np.full((20, 20), 255, np.uint8)
    assert grain(ink, Pen.BALL, rng(), roughness=0.0) is ink


# Ink for scenes


@pytest.mark.parametrize("height", [4, 9, 28, 64, 333, 900])
def test_ink_has_the_height_asked_for_and_is_cut_tight(height):
    for digit in range(10):
        ink = render_ink(digit, rng(digit), height=height)
        assert ink.dtype == np.uint8 and ink.shape[0] == height
        for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
            assert edge.max() > 0


def test_pen_width_is_in_pixels():
    thin, broad = (render_ink(1, rng(5), height=200, pen_width=width, roughness=0.0) for width in (6, 24))
    mean_thin, mean_broad = ((ink > 127).sum() / 200 for ink in (thin, broad))
    assert 4 < mean_thin < 10
    assert 17 < mean_broad < 34


def test_ink_is_the_same_for_the_same_generator():
    assert np.array_equal(render_ink(5, rng(3), height=50), render_ink(5, rng(3), height=50))


@pytest.mark.parametrize(("height", "pen_width"), [(3, None), (40, 0.0), (40, -1.0), (40, float("nan"))])
def test_impossible_ink_is_refused(height, pen_width):
    with pytest.raises(InputError, match="height >= 4 and pen_width > 0"):
        render_ink(1, rng(), height=height, pen_width=pen_width)
