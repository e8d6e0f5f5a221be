"""Synthetic digits: skeletons, writers, pens and the crops made of them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.defects import Defects, render_digit_with_defects
from digitedge.synthetic.handwriting.digit_skeletons import DIGIT_SKELETONS, DigitSkeleton, parse_stroke
from digitedge.synthetic.handwriting.digits import render_digit, synthetic_digits
from digitedge.synthetic.handwriting.hollow import draw_hollow_strokes
from digitedge.synthetic.handwriting.pen import PenType, add_grain, draw_strokes, line_widths, sample_stroke_profile
from digitedge.synthetic.handwriting.spline import STEPS, spline_matrix
from digitedge.synthetic.handwriting.writer import (
    Writer,
    sample_digit_skeletons,
    sample_single_writer,
    sample_writers,
    write_skeleton,
)

ALL_SKELETONS = [skeleton for skeletons in DIGIT_SKELETONS for skeleton in skeletons]


Digits = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def many() -> Digits:
    return synthetic_digits(1000, seed=7)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def centre_of_mass(crop: NDArray[np.uint8]) -> tuple[float, float]:
    moments = cv2.moments(crop)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


# Crops


def test_crops_and_digits_have_the_contract_type_and_shape(many: Digits) -> None:
    crops, digits = many
    assert crops.shape == (1000, 28, 28) and crops.dtype == np.uint8
    assert digits.shape == (1000,) and digits.dtype == np.uint8


def test_the_same_seed_gives_the_same_digits(many: Digits) -> None:
    again, same = synthetic_digits(1000, seed=7)
    assert np.array_equal(again, many[0]) and np.array_equal(same, many[1])


def test_another_seed_gives_other_digits(many: Digits) -> None:
    other, _ = synthetic_digits(1000, seed=8)
    assert not np.array_equal(other, many[0])


def test_no_two_crops_are_equal(many: Digits) -> None:
    assert len({crop.tobytes() for crop in many[0]}) == 1000


@pytest.mark.parametrize("count", [0, 1, 7, 10, 95])
def test_digits_come_equally_often(count: int) -> None:
    crops, digits = synthetic_digits(count, seed=1)
    frequency = np.bincount(digits, minlength=10)
    assert crops.shape == (count, 28, 28)
    assert frequency.sum() == count and np.ptp(frequency) <= 1


def test_digits_are_shuffled(many: Digits) -> None:
    _, digits = many
    assert not np.array_equal(digits, np.sort(digits))
    # Equal neighbours in a random order: one in ten, 100 of 999, deviation 9.5.
    assert 60 <= int((digits[1:] == digits[:-1]).sum()) <= 140


def test_crops_have_the_geometry_of_mnist(many: Digits) -> None:
    for crop in many[0]:
        rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
        assert np.ptp(rows) < 20 and np.ptp(columns) < 20
        assert crop.max() >= 250


def test_the_centre_of_mass_is_the_centre_of_the_field(many: Digits) -> None:
    centres = np.array([centre_of_mass(crop) for crop in many[0]])
    centred = (np.abs(centres - 14) <= 0.51).all(axis=1)
    assert centred.mean() > 0.99  # the others would leave the crop


def test_grey_levels_and_widths_are_like_those_of_mnist(many: Digits) -> None:
    crops, _ = many
    # The MNIST training images: 33 (deviation 11); 0.19 of all pixels; 0.6 of those are grey.
    assert 28 < crops.mean() < 39
    assert 8 < crops.mean(axis=(1, 2)).std() < 15
    assert 0.16 < (crops > 0).mean() < 0.25
    assert 0.5 < ((crops > 0) & (crops < 250)).sum() / (crops > 0).sum() < 0.75


def test_a_nearest_mean_classifier_gets_most_labels_right(many: Digits) -> None:
    crops, digits = many
    flat = np.stack([cv2.GaussianBlur(crop, (5, 5), 0) for crop in crops]).reshape(1000, -1).astype(np.float32)
    means = np.stack([flat[:500][digits[:500] == digit].mean(axis=0) for digit in range(10)])
    nearest = np.linalg.norm(flat[500:, None] - means, axis=2).argmin(axis=1)
    assert (nearest == digits[500:]).mean() > 0.6


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InputError, match="0 or more, got -1"):
        synthetic_digits(-1, seed=0)


# Skeletons


def test_every_digit_has_eight_skeletons_or_more_with_unique_names() -> None:
    assert len(DIGIT_SKELETONS) == 10
    for digit, skeletons in enumerate(DIGIT_SKELETONS):
        assert len(skeletons) >= 8
        assert len({skeleton.name for skeleton in skeletons}) == len(skeletons)
        assert all(skeleton.sign == digit and skeleton.weight > 0 for skeleton in skeletons)


def test_skeletons_are_sampled_by_their_weights() -> None:
    names = [skeleton.name for skeleton in sample_digit_skeletons(1, rng(), 4000)]
    total = sum(skeleton.weight for skeleton in DIGIT_SKELETONS[1])
    for skeleton in DIGIT_SKELETONS[1]:
        expected = skeleton.weight / total
        assert names.count(skeleton.name) / 4000 == pytest.approx(expected, abs=4 * np.sqrt(expected / 4000))


def test_every_skeleton_is_sampled() -> None:
    for digit in range(10):
        reached = {skeleton.name for skeleton in sample_digit_skeletons(digit, rng(digit), 3000)}
        assert reached == {skeleton.name for skeleton in DIGIT_SKELETONS[digit]}


def test_plain_sampling_leaves_out_doubtful_skeletons() -> None:
    assert not all(skeleton.plain for skeleton in ALL_SKELETONS)
    assert all(
        skeleton.plain for digit in range(10) for skeleton in sample_digit_skeletons(digit, rng(), 500, plain=True)
    )


def test_all_skeletons_differ_and_have_the_same_height() -> None:
    images = set()
    for skeleton in ALL_SKELETONS:
        line = skeleton.matrix @ skeleton.points
        low, high = line.min(axis=0), line.max(axis=0)
        assert 0.8 <= high[1] - low[1] <= 1.12, skeleton
        assert high[0] - low[0] <= (1.45 if skeleton.sign == 2 else 1.1), skeleton
        images.add(draw_strokes(line, np.full(len(line), 0.08), skeleton.lengths, size=40).tobytes())
    assert len(images) == len(ALL_SKELETONS)


@pytest.mark.parametrize("skeleton", ALL_SKELETONS, ids=lambda skeleton: f"{skeleton.sign} {skeleton.name}")
def test_a_line_passes_through_its_control_points(skeleton: DigitSkeleton) -> None:
    line = skeleton.matrix @ skeleton.points
    distance = np.linalg.norm(skeleton.points[:, None] - line[None], axis=2).min(axis=1)
    assert distance.max() < 1e-9
    assert skeleton.matrix.sum(axis=1) == pytest.approx(np.ones(len(line)))
    assert sum(skeleton.lengths) == len(line)


def test_a_corner_stays_sharp_and_a_curve_is_smooth() -> None:
    def sharpest(strokes: str) -> float:
        skeleton = DigitSkeleton(7, "test", 1, strokes)
        steps = np.diff(skeleton.matrix @ skeleton.points, axis=0)
        steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        return float((steps[1:] * steps[:-1]).sum(axis=1).min())

    assert sharpest("0 0, 60 0!, 30 100") < 0  # the pen turns by more than a right angle at once
    assert sharpest("0 0, 60 0, 30 100") > 0


def test_two_points_make_a_straight_line() -> None:
    points = np.array([[0.0, 0.0], [0.4, 0.8]])
    line = spline_matrix(points) @ points
    assert len(line) == STEPS + 1
    assert line[:, 1] == pytest.approx(2 * line[:, 0])


@pytest.mark.parametrize("text", ["", "5 5", "0 0, 1", "0 0, a b", "0 0 0, 1 1 1"])
def test_an_invalid_stroke_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected a stroke"):
        parse_stroke(text)


@pytest.mark.parametrize("digit", [-1, 10, 2.5])
def test_only_digits_can_be_written(digit: float) -> None:
    with pytest.raises(InputError, match="from 0 to 9"):
        sample_digit_skeletons(digit, rng(), 1)  # type: ignore[arg-type]


# Writers and pens


def writer(*, slant: float) -> Writer:
    """A writer for one digit without any habit but slant."""
    return Writer(slant=np.array([slant]), turn=np.zeros(1), aspect=np.ones(1), looseness=np.zeros(1))


def test_a_writer_without_looseness_copies_the_skeleton() -> None:
    skeleton = DIGIT_SKELETONS[3][0]
    (line,) = write_skeleton(skeleton, rng(), writer(slant=0.0))
    assert np.ptp(line - skeleton.matrix @ skeleton.points, axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_slant_leans_to_the_right() -> None:
    (line,) = write_skeleton(DIGIT_SKELETONS[1][0], rng(), writer(slant=0.5))
    assert line[0, 0] - line[-1, 0] == pytest.approx(0.5)  # the bar starts at its top


def test_a_single_writer_varies_less_than_many() -> None:
    single_writer, many_writers = sample_single_writer(rng(), 200), sample_writers(rng(), 200)
    assert single_writer.slant.std() < many_writers.slant.std() / 3
    assert single_writer.looseness.max() < 1


def test_wider_pens_leave_more_ink() -> None:
    skeleton = DIGIT_SKELETONS[0][0]
    line = skeleton.matrix @ skeleton.points
    inks = [
        int((draw_strokes(line, np.full(len(line), w), skeleton.lengths, size=80) > 0).sum()) for w in (0.05, 0.1, 0.2)
    ]
    assert inks[0] * 1.5 < inks[1] and inks[1] * 1.5 < inks[2]


def test_line_widths_are_around_the_width_of_the_pen() -> None:
    skeleton = DIGIT_SKELETONS[8][0]
    lines = write_skeleton(skeleton, rng(), sample_writers(rng(), 300))
    widths = line_widths(lines, skeleton.lengths, sample_stroke_profile(rng(), 300, width=0.1))
    assert widths.shape == lines.shape[:2]
    assert widths.min() > 0
    assert np.median(widths) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("pen", list(PenType))
def test_grain_stays_on_the_line(pen: PenType) -> None:
    ink = np.zeros((80, 80), np.uint8)
    cv2.line(ink, (40, 10), (40, 70), 255, 9)
    rough = add_grain(ink, pen, rng(4))
    assert rough.dtype == np.uint8 and rough.shape == ink.shape
    assert not rough[:, :30].any() and not rough[:, 51:].any()
    assert (rough != ink).any()
    assert rough[ink > 0].mean() > 128


# Hollow digits


def draw_hollow_bar(seed: int) -> NDArray[np.uint8]:
    """Draw a bar 0.3 longer sides broad with a pen of 0.05, about 60 pixels high."""
    bar = np.array([[0.0, 0.0], [0.0, 0.25], [0.0, 0.5], [0.0, 0.75], [0.0, 1.0]])
    return draw_hollow_strokes(bar, np.full(5, 0.3), (5,), rng(seed), size=60, pen_width=0.05)


def test_a_hollow_stroke_is_two_edges_and_its_inside_is_often_empty() -> None:
    rows = [ink[ink.shape[0] // 2] for ink in map(draw_hollow_bar, range(60))]
    empty = [row[len(row) // 2 - 2 : len(row) // 2 + 3].max() == 0 for row in rows]
    assert 0.5 < np.mean(empty) < 1  # some are shaded
    for row in rows:
        outer = np.flatnonzero(row > 128)
        assert 14 <= np.ptp(outer) <= 22
        assert (row > 128).sum() < 14


def test_hollow_digits_of_pages_have_less_ink_than_solid_ones_as_broad() -> None:
    def render(pen_width: float, hollow: float) -> NDArray[np.uint8]:
        return render_digit_with_defects(
            5,
            rng(2),
            height=100,
            pen_width=pen_width,
            pen_type=PenType.BALL,
            writer=writer(slant=0.1),
            defects=Defects(hollow=hollow),
        )

    outline, solid = render(0.04, 0.2), render(0.2, 0.0)
    assert outline.shape[0] == solid.shape[0] == 100
    assert 0.2 < (outline > 128).sum() / (solid > 128).sum() < 0.7


# Ink for scenes


@pytest.mark.parametrize("height", [4, 9, 28, 64, 333, 900])
def test_ink_has_the_height_asked_for_and_no_margin(height: int) -> None:
    for digit in range(10):
        ink = render_digit(digit, rng(digit), height=height, pen_width=0.1 * height)
        assert ink.dtype == np.uint8 and ink.shape[0] == height
        for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
            assert edge.max() > 0


def test_pen_width_is_in_pixels() -> None:
    def usual_width(pen_width: float) -> float:
        ones = (render_digit(1, rng(seed), height=200, pen_width=pen_width) for seed in range(15))
        return float(np.median([np.median((ink > 127).sum(axis=1)) for ink in ones]))

    assert 4 < usual_width(6) < 10
    assert 17 < usual_width(24) < 34


def test_the_same_generator_gives_the_same_ink() -> None:
    one, two = (render_digit(5, rng(3), height=50, pen_width=5) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize(("height", "pen_width"), [(3, 1.0), (40, 0.0), (40, -1.0), (40, float("nan"))])
def test_invalid_sizes_are_refused(height: int, pen_width: float) -> None:
    with pytest.raises(InputError, match="height >= 4 and pen_width > 0"):
        render_digit(1, rng(), height=height, pen_width=pen_width)
