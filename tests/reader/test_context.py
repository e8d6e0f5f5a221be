"""Features of candidates: their own, and those of the neighbours in the token, the line, the column and on the page."""

from collections.abc import Sequence
from dataclasses import replace
from math import log

import numpy as np
import pytest
from drawn_page import DrawnPage
from numpy.typing import NDArray

from digitedge.reader.classify import Prediction, classify_candidates
from digitedge.reader.context import (
    ALIKE_RATIO,
    CHUNK,
    COLUMN_REACH,
    CONTEXTS,
    FEATURES,
    LINE_HEIGHT_RATIO,
    LINE_REACH,
    MAX_CELL,
    MAX_EVIDENCE,
    MIN_DOUBT,
    OWN,
    STATISTICS,
    SURE,
    TOKEN_GAP,
    WORD_EVIDENCE,
    CandidateTable,
    describe,
    extract_features,
    initial_evidence,
    log_odds,
)
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2
from digitedge.vision import Candidate, detect_candidates
from digitedge.vision.lines import Line
from digitedge.vision.normalize import stroke_width
from digitedge.vision.segment import RejectReason

WIDTH, HEIGHT = 24, 40
# The root in the spread of heights turns errors of 1e-15 into 3e-8.
ROUNDING = 1e-6
IMAGE_SHAPE = (1000, 1400)


def draw_ring(width: int, height: int) -> NDArray[np.uint8]:
    ink = np.zeros((height, width), np.uint8)
    ink[:] = 200
    ink[4:-4, 4:-4] = 0
    return ink


def predict(
    x: int = 0,
    y: int = 0,
    width: int = WIDTH,
    height: int = HEIGHT,
    *,
    probabilities: Sequence[float] = (0.9, 0.06),
    initial_confidence: float | None = None,
    darkness: float = 200.0,
    clutter: float = 0.0,
    reject_reason: RejectReason | None = None,
    level: int = 0,
) -> Prediction:
    """Make a prediction for a ring: the probabilities of 0, 1 and so on, the rest is 0."""
    box = (x, y, width, height)
    row = np.zeros(10, np.float32)
    row[: len(probabilities)] = 0.0 if reject_reason else probabilities
    confidence = float(row.max())
    return Prediction(
        Candidate(box, draw_ring(width, height), darkness, clutter, reject_reason, level),
        box,
        None if reject_reason else np.zeros((28, 28), np.uint8),
        row,
        confidence if initial_confidence is None else initial_confidence,
    )


def features_of(
    predictions: Sequence[Prediction], evidence: Sequence[float] | None = None, *, reject_threshold: float = 0.5
) -> dict[str, NDArray[np.float64]]:
    """Return the columns of the features by name."""
    table = describe(predictions, IMAGE_SHAPE)
    spoken = initial_evidence(table) if evidence is None else np.array(evidence, np.float64)
    features = extract_features(table, spoken, reject_threshold)
    assert (features.shape, features.dtype) == ((len(predictions), len(FEATURES)), np.float64)
    assert np.isfinite(features).all()
    return dict(zip(FEATURES, features.T, strict=True))


def count_of(context: str, *boxes: Box) -> list[int]:
    """Return for each box how many others are in its context."""
    return np.expm1(features_of([predict(*box) for box in boxes])[f"{context}_count"]).round().astype(int).tolist()


def test_feature_names_are_different_and_every_context_has_every_statistic() -> None:
    assert len(set(FEATURES)) == len(FEATURES) == len(OWN) + len(CONTEXTS) * len(STATISTICS)


def test_no_predictions_have_no_features() -> None:
    table = describe([], IMAGE_SHAPE)
    assert table.boxes.shape == (0, 4) and table.probabilities.shape == (0, 10)
    assert extract_features(table, initial_evidence(table)).shape == (0, len(FEATURES))


def test_log_odds_are_clipped() -> None:
    limit = log((1 - MIN_DOUBT) / MIN_DOUBT)
    np.testing.assert_allclose(log_odds(np.array([0.0, 0.25, 0.5, 1.0])), [-limit, -log(3), 0, limit], atol=1e-12)


def test_features_of_a_candidate_alone() -> None:
    one = predict(50, 60, probabilities=(0.06, 0.0, 0.9), initial_confidence=0.3, clutter=0.2, level=1)
    values = {name: float(column[0]) for name, column in features_of([one], reject_threshold=0.8).items()}
    expected = {
        "confidence": log(0.9 / 0.1) - log(0.8 / 0.2),
        "runner_up": log(0.06 / 0.94),
        "initial": log(0.3 / 0.7),
        "split": 1,
        **{f"is_{digit}": float(digit == 2) for digit in range(10)},
        "aspect": log(WIDTH / HEIGHT),
        "slimness": 0,
        "slant": 0,
        "fill": 1 - 16 * 32 / (WIDTH * HEIGHT),
        "stroke": stroke_width(one.candidate.ink) / HEIGHT,
        "height_px": log(HEIGHT),
        "height_share": log(HEIGHT / IMAGE_SHAPE[0]),
        "coarse": 1,
        "darkness": log(0.02 + 200 / 255),
        "clutter": log(0.05 + 0.2),
        "cell_wide": log(MAX_CELL),
        "cell_high": log(IMAGE_SHAPE[0] / HEIGHT),
        "inside": -MAX_EVIDENCE - 1,
        "holds": -MAX_EVIDENCE - 1,
        "left_gap": LINE_REACH,
        "left": 0,
        "right_gap": LINE_REACH,
        "right": 0,
        **{f"{context}_{statistic}": 0 for context in CONTEXTS for statistic in STATISTICS},
    }
    assert values == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("shift", "slant"), [(0, 0), (20, 0.5), (40, 1), (-20, -0.5)])
def test_slant_is_how_far_a_stroke_leans_to_the_right(shift: int, slant: float) -> None:
    ink = np.zeros((HEIGHT + 6, 60), np.uint8)
    cv2.line(ink, (30 - shift // 2, HEIGHT + 3), (30 + shift // 2, 3), 200, 3)
    one = replace(predict(), candidate=Candidate((0, 0, *ink.shape[::-1]), ink, 200.0, 0.0))
    assert features_of([one])["slant"][0] == pytest.approx(slant, abs=0.05)


def test_candidate_that_was_neither_split_nor_merged_is_not_marked_as_split() -> None:
    assert features_of([predict()])["split"].tolist() == [0]


@pytest.mark.parametrize(("width", "slimness"), [(24, 0), (14, 0), (8, 0.15), (4, 0.25), (1, 0.25)])
def test_slimness_of_a_bare_stroke(width: int, slimness: float) -> None:
    assert features_of([predict(0, 0, max(width, 9) if width > 8 else width)])["slimness"][0] == pytest.approx(slimness)


# Three digits stand in a row with this gap; the last one is what is looked at.
@pytest.mark.parametrize(
    ("last", "is_in_token"),
    [
        ((2 * (WIDTH + 10), 0, WIDTH, HEIGHT), True),
        ((WIDTH + 10 + WIDTH + round(TOKEN_GAP * HEIGHT), 0, WIDTH, HEIGHT), True),
        ((WIDTH + 10 + WIDTH + round(TOKEN_GAP * HEIGHT) + 1, 0, WIDTH, HEIGHT), False),
        ((2 * (WIDTH + 10), 24, WIDTH, HEIGHT), True),
        ((2 * (WIDTH + 10), 25, WIDTH, HEIGHT), False),
        ((2 * (WIDTH + 10), 0, WIDTH, round(LINE_HEIGHT_RATIO * HEIGHT)), True),
        ((2 * (WIDTH + 10), 0, WIDTH, round(LINE_HEIGHT_RATIO * HEIGHT) + 1), False),
    ],
    ids=["near", "as far as it may be", "too far", "a little lower", "too low", "higher", "too high"],
)
def test_token_is_what_stands_close_together_in_a_row(last: Box, is_in_token: bool) -> None:
    boxes = [(0, 0, WIDTH, HEIGHT), (WIDTH + 10, 0, WIDTH, HEIGHT), last]
    assert count_of("token", *boxes) == ([2, 2, 2] if is_in_token else [1, 1, 0])


def test_token_does_not_depend_on_the_order_and_may_climb() -> None:
    climbing = [(34 * i, -16 * i, WIDTH, HEIGHT) for i in range(6)]
    assert count_of("token", *climbing) == [1, 2, 2, 2, 2, 1]  # of the same token, and in one line with it
    assert count_of("token", *climbing[::-1]) == [1, 2, 2, 2, 2, 1]


def test_two_numbers_in_a_line_are_two_tokens() -> None:
    boxes = [(x, 0, WIDTH, HEIGHT) for x in (0, 34, 68, 134, 168)]
    assert count_of("token", *boxes) == [2, 2, 2, 1, 1]
    assert count_of("line", *boxes) == [4] * 5


@pytest.mark.parametrize(("gap", "count"), [(LINE_REACH, 1), (LINE_REACH + 0.1, 0)])
def test_line_reaches_six_heights_to_either_side(gap: float, count: int) -> None:
    far = WIDTH + round(gap * HEIGHT)
    assert count_of("line", (0, 0, WIDTH, HEIGHT), (far, 0, WIDTH, HEIGHT)) == [count] * 2


@pytest.mark.parametrize(
    ("x", "y", "count"),
    [
        (0, HEIGHT + 10, 1),
        (0, round(HEIGHT * (1 + COLUMN_REACH)), 1),
        (0, round(HEIGHT * (1 + COLUMN_REACH)) + 1, 0),
        (14, HEIGHT + 10, 1),
        (15, HEIGHT + 10, 0),
        (0, round(0.8 * HEIGHT) + 1, 1),
        (0, round(0.8 * HEIGHT) - 1, 0),
    ],
    ids=["below", "far below", "too far below", "a little aside", "too far aside", "leaning in", "beside"],
)
def test_column_is_what_stands_above_and_below(x: int, y: int, count: int) -> None:
    assert count_of("column", (0, 0, WIDTH, HEIGHT), (x, y, WIDTH, HEIGHT)) == [count] * 2


@pytest.mark.parametrize(
    ("box", "count"),
    [
        ((135, 140, 8, 20), 1),  # a comma
        ((190, 60, 30, 200), 1),  # a pen
        ((200, 100, 30, 50), 1),
        ((206, 100, 30, 50), 0),  # further than 1.5 heights
        ((135, 170, 8, 10), 0),  # below the line
    ],
)
def test_near_is_what_stands_beside_it_whatever_its_height(box: Box, count: int) -> None:
    assert count_of("near", (100, 100, 30, 50), box) == [count, count]


@pytest.mark.parametrize(("ratio", "count"), [(1.0, 1), (ALIKE_RATIO - 0.02, 1), (ALIKE_RATIO + 0.02, 0), (3.0, 0)])
def test_alike_is_all_writing_of_like_height_and_page_is_all_writing(ratio: float, count: int) -> None:
    other = (700, 900, WIDTH, round(HEIGHT * ratio))
    assert count_of("alike", (0, 0, WIDTH, HEIGHT), other) == [count] * 2
    assert count_of("page", (0, 0, WIDTH, HEIGHT), other) == [1, 1]


def test_bars_and_blots_are_no_neighbours_and_words_are() -> None:
    for reason, count in ((RejectReason.BAR, 0), (RejectReason.SOLID, 0), (RejectReason.TOO_SHORT, 0), (None, 1)):
        values = features_of([predict(), predict(34, reject_reason=reason)])
        assert [round(np.expm1(values[f"{context}_count"][0])) for context in ("token", "line", "alike", "page")] == [
            count
        ] * 4
    word = features_of([predict(), predict(34, 0, 100, HEIGHT, reject_reason=RejectReason.TOO_WIDE)])
    assert word["token_count"][0] == pytest.approx(log(2))
    assert word["token_mean"][0] == word["right"][0] == WORD_EVIDENCE


def test_statistics_of_a_line() -> None:
    row = [
        predict(0),
        predict(60, 0, WIDTH, 50, darkness=100.0),
        predict(120, 10, WIDTH, 32),
        predict(180, 0, 16, HEIGHT, darkness=150.0),
    ]
    values = features_of(row, [0.5, 3.0, -1.0, SURE])
    line = {name: values[f"line_{name}"][0] for name in STATISTICS}
    strokes = [stroke_width(one.candidate.ink) / one.box[3] for one in row]
    dark = [log(0.02 + one.candidate.darkness / 255) for one in row]
    assert line == pytest.approx(
        {
            "mean": (3.0 - 1.0 + SURE) / 3,
            "least": -1.0,
            "largest": 3.0,
            "share": 2 / 3,
            "count": log(4),
            "height": log(40) - np.mean([log(50), log(32), log(40)]),
            "spread": np.std([log(50), log(32), log(40)]),
            "stroke": strokes[0] - sum(strokes[1:]) / 3,
            "darkness": dark[0] - sum(dark[1:]) / 3,
            "slant": 0,
            "middle": (20 - (25 + 26 + 20) / 3) / 40,
        },
        abs=1e-6,
    )


def test_evidence_of_a_neighbour_is_limited() -> None:
    values = features_of([predict(0), predict(34), predict(68)], [0.0, 90.0, -70.0])
    assert (values["token_largest"][0], values["token_least"][0]) == (MAX_EVIDENCE, -MAX_EVIDENCE)


def test_candidate_is_no_evidence_for_itself() -> None:
    row = [predict(34 * i) for i in range(3)]
    quiet, loud = features_of(row, [1.0, -5.0, 1.0]), features_of(row, [1.0, 5.0, 1.0])
    for name in FEATURES:
        assert quiet[name][1] == loud[name][1]
    assert quiet["token_mean"][0] < loud["token_mean"][0]


def test_nearest_neighbours_in_the_line_with_their_distance_and_evidence() -> None:
    row = [predict(0), predict(100), predict(140), predict(340)]
    values = features_of(row, [4.0, -3.0, 2.0, 1.0])
    assert values["left_gap"].tolist() == [LINE_REACH, 76 / HEIGHT, 16 / HEIGHT, 176 / HEIGHT]
    assert values["left"].tolist() == [0, 4, -3, 2]
    assert values["right_gap"].tolist() == [76 / HEIGHT, 16 / HEIGHT, 176 / HEIGHT, LINE_REACH]
    assert values["right"].tolist() == [-3, 2, 1, 0]


def test_neighbour_beyond_the_reach_of_the_line_is_none() -> None:
    values = features_of([predict(0), predict(WIDTH + round(LINE_REACH * HEIGHT) + 1)], [4.0, 4.0])
    assert values["right"].tolist() == values["left"].tolist() == [0, 0]


def test_candidate_inside_another_one_knows_it_and_is_not_beside_it() -> None:
    large, small = predict(0, 0, 60, 80), predict(20, 20, 20, 40)
    values = features_of([large, small], [1.5, -2.5])
    assert values["holds"].tolist() == [-2.5, -MAX_EVIDENCE - 1]
    assert values["inside"].tolist() == [-MAX_EVIDENCE - 1, 1.5]
    assert values["line_count"].tolist() == [0, 0]
    apart = features_of([large, predict(70, 20, 20, 40)], [1.5, -2.5])
    assert apart["holds"].tolist() == apart["inside"].tolist() == [-MAX_EVIDENCE - 1] * 2
    assert apart["line_count"].tolist() == [log(2)] * 2


def test_writing_in_the_same_cell_is_a_context_and_the_size_of_the_cell_is_known() -> None:
    """Two digits in one box, one in the next: a frame of 100 by 60 pixels with a divider after 60."""
    down = [Line(True, 50, np.full(61, x), 2.0) for x in (40.0, 100.0, 140.0)]
    across = [Line(False, 40, np.full(101, y), 2.0) for y in (50.0, 110.0)]
    boxes = ((50, 60), (72, 60), (110, 60), (300, 60))
    table = describe([predict(x, y, 20, 40) for x, y in boxes], (200, 400), [*down, *across])
    features = dict(zip(FEATURES, extract_features(table, np.array([1.0, 2.0, 3.0, 4.0])).T, strict=True))
    assert np.expm1(features["cell_count"]).round().tolist() == [1, 1, 0, 0]
    assert features["cell_mean"].tolist() == [2.0, 1.0, 0.0, 0.0]
    np.testing.assert_allclose(np.exp(features["cell_wide"]), [1.5, 1.5, 1.0, 10.0], rtol=0.1)
    np.testing.assert_allclose(np.exp(features["cell_high"]), [1.5, 1.5, 1.5, 5.0], rtol=0.1)


def make_page(count: int, seed: int) -> CandidateTable:
    """Make a page of rows of candidates of all kinds."""
    rng = np.random.default_rng(seed)
    reasons = (None, None, None, None, RejectReason.TOO_WIDE, RejectReason.BAR)
    return describe(
        [
            predict(
                int(40 * (i % 20) + rng.integers(12)),
                int(70 * (i // 20) + rng.integers(25)),
                int(rng.integers(9, 50)),
                int(rng.integers(24, 60)),
                probabilities=rng.dirichlet(np.full(10, 0.1)).tolist(),
                darkness=float(rng.integers(60, 250)),
                clutter=float(rng.random()),
                reject_reason=reasons[rng.integers(len(reasons))],
                level=int(rng.integers(3)),
            )
            for i in range(count)
        ],
        IMAGE_SHAPE,
    )


def shift(table: CandidateTable, x: float, y: float) -> CandidateTable:
    return replace(table, boxes=table.boxes + np.array([x, y, 0, 0]))


def take(table: CandidateTable, rows: NDArray[np.intp]) -> CandidateTable:
    columns = {name: getattr(table, name) for name in CandidateTable.__dataclass_fields__}
    return CandidateTable(
        **{name: column[rows] if isinstance(column, np.ndarray) else column for name, column in columns.items()}
    )


def test_features_do_not_depend_on_the_order_in_which_the_candidates_come_or_on_the_blocks_they_fall_into() -> None:
    table = make_page(2 * CHUNK + 40, seed=1)
    features = extract_features(table, initial_evidence(table))
    order = np.random.default_rng(2).permutation(len(features))
    shuffled = take(table, order)
    np.testing.assert_allclose(extract_features(shuffled, initial_evidence(shuffled)), features[order], atol=ROUNDING)
    assert not np.allclose(features, features[order])


@pytest.mark.parametrize("count", [CHUNK - 1, CHUNK, CHUNK + 1])
def test_blocks_give_the_same_as_a_page_that_fits_into_one(count: int) -> None:
    """The same page again, far below, fills more blocks and changes the features of the whole page alone."""
    table = make_page(count, seed=3)
    far = shift(table, 0, 1_000_000)
    both = CandidateTable(
        **{
            name: np.concatenate([getattr(table, name), getattr(far, name)])
            for name in CandidateTable.__dataclass_fields__
            if name != "image_height"
        }
        | {"cells": np.concatenate([table.cells, far.cells + 1])},
        image_height=table.image_height,
    )
    chosen = [index for index, name in enumerate(FEATURES) if not name.startswith(("alike_", "page_"))]
    alone, beside = (extract_features(one, initial_evidence(one))[:count, chosen] for one in (table, both))
    np.testing.assert_allclose(beside, alone, atol=ROUNDING)


def test_shifted_page_has_the_same_features() -> None:
    table = make_page(120, seed=4)
    shifted = shift(table, 310, 170)
    before, after = (extract_features(one, initial_evidence(one)) for one in (table, shifted))
    np.testing.assert_allclose(after, before, atol=ROUNDING)


def test_page_of_twice_the_size_has_the_same_features() -> None:
    """A level finer, so each candidate has as many pixels as before."""
    table = make_page(120, seed=5)
    table = replace(table, levels=table.levels + 1)
    double = replace(
        table,
        boxes=2 * table.boxes,
        levels=table.levels + 1,
        cell_sizes=2 * table.cell_sizes,
        image_height=2 * table.image_height,
    )
    before, after = (extract_features(one, initial_evidence(one)) for one in (table, double))
    np.testing.assert_allclose(after, before, atol=ROUNDING)
    stretched = replace(double, boxes=double.boxes * [1.5, 1.0, 1.5, 1.0])
    assert not np.allclose(extract_features(stretched, initial_evidence(stretched)), before)


class Fives:
    """Predicts 5 for any crop."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.tile(np.eye(10, dtype=np.float32)[5] * np.float32(0.95), (len(crops), 1))


def read_features(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the features of the candidates that may be digits, from left to right."""
    predictions = [one for one in classify_candidates(detect_candidates(grey), Fives()) if one.crop is not None]
    table = describe(sorted(predictions, key=lambda one: one.box), grey.shape)
    return extract_features(table, initial_evidence(table))


@pytest.mark.parametrize("height", [30, 52, 90])
def test_image_of_twice_the_size_gives_nearly_the_same_features(height: int) -> None:
    grey = DrawnPage(640, 480).write("523", (30, 300), height).grey
    double = np.asarray(cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    before, after = read_features(grey), read_features(double)
    assert before.shape == after.shape == (3, len(FEATURES))
    coarse = FEATURES.index("coarse")
    difference = np.delete(np.abs(before - after), coarse, axis=1)
    assert difference.max() < 0.15
    taller = read_features(DrawnPage(640, 480).write("523", (30, 300), round(1.5 * height)).grey)
    assert np.delete(np.abs(before - taller), coarse, axis=1).max() > 0.3
