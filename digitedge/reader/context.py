"""Features of candidates: what each one is by itself, and what stands around it.

A digit is known by its neighbours: letters in its word, digits in its line, writing of the same height elsewhere. All
lengths are relative to the candidate, so a page may hold writing of many sizes. `rejection` weighs the features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.classify import Prediction
from digitedge.utils.opencv import cv2
from digitedge.vision.cells import find_cells
from digitedge.vision.lines import Line
from digitedge.vision.normalize import stroke_width
from digitedge.vision.segment import RejectReason

# Probabilities are clipped to this distance from 0 and 1.
MIN_DOUBT = 0.001
# Evidence of a word of joined letters, and limits for that of any neighbour, in log odds.
WORD_EVIDENCE = -5.0
MAX_EVIDENCE = 5.0
# Evidence from which a neighbour counts as a digit, in log odds.
SURE = 2.2
# Two candidates stand in one line if they overlap by this share of the lower one and are no more different in height
# than by this factor, in one token (number or word) if the gap is no wider than this many heights of the higher one.
LINE_OVERLAP = 0.4
LINE_HEIGHT_RATIO = 2.2
TOKEN_GAP = 0.55
# Reach of a line to either side and of a column up and down, in heights of the candidate.
LINE_REACH = 6.0
COLUMN_REACH = 4.0
# Reach of what is near to either side, and up and down, in heights of the higher one.
NEAR_REACH = 1.5
NEAR_DROP = 0.3
# Ratio of the heights of writing that is alike.
ALIKE_RATIO = 1.35
# Share of a candidate inside another one from which it is part of that.
INSIDE_SHARE = 0.8
# Least height of a candidate inside another one that counts, in heights of that one.
HELD_HEIGHT = 0.3
# Largest overlap in height of a candidate with one above or below it, as a share of the lower one.
COLUMN_OVERLAP = 0.2
# Evidence in place of that of a candidate around or inside this one if there is none, in log odds.
NO_EVIDENCE = -MAX_EVIDENCE - 1
# Ratio of width to height under which a candidate is slim, and the largest slimness: beyond, only the pen differs.
SLIM_ASPECT = 0.35
MAX_SLIMNESS = 0.25
# Added to darkness and clutter before the logarithm: differences below are noise of the paper.
MIN_DARKNESS = 0.02
MIN_CLUTTER = 0.05
# Limits of the width and height of a cell, in heights of the candidate: a larger one is no box for a number.
MIN_CELL, MAX_CELL = 0.5, 30.0
# Largest slant, in heights for each height: beyond, a stroke lies flat.
MAX_SLANT = 2.0
# Difference of confidences from which a candidate was split or merged.
CHANGED = 1e-6
# Candidates whose neighbours are compared at once: limits the memory.
CHUNK = 256

CONTEXTS = ("token", "line", "column", "near", "cell", "alike", "page")
"""Neighbourhoods: the word or number, the line, the column, what stands beside it whatever its height, what stands in
the same cell of a table or box of a form, writing of like height, and all writing on the page."""

STATISTICS = (
    *("mean", "least", "largest", "share", "count"),
    *("height", "spread", "stroke", "darkness", "slant", "middle"),
)
"""What is known of a neighbourhood: evidence of the others, share of sure digits, their number; how the candidate
differs from their mean in height, stroke width, darkness, slant and in the height of its middle; spread of heights."""

OWN = (
    *("confidence", "runner_up", "initial", "split"),
    *(f"is_{digit}" for digit in range(10)),
    *("aspect", "slimness", "slant", "fill", "stroke", "height_px", "height_share", "coarse"),
    *("darkness", "clutter", "cell_wide", "cell_high"),
    *("inside", "holds", "left_gap", "left", "right_gap", "right"),
)
"""Features of a candidate and its nearest neighbours to the left and right."""

FEATURES = (*OWN, *(f"{context}_{statistic}" for context in CONTEXTS for statistic in STATISTICS))
"""Columns of `extract_features`."""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateTable:
    """Candidates of an image as columns of N values each.

    Attributes:
        boxes: float64 (N, 4): x, y, width, height in pixels of the image.
        probabilities: float64 (N, 10).
        initial_confidence: float64 (N,), 0 to 1, before splits and merges.
        is_writing: bool (N,): digits, letters and words; not bars, blots and short pieces.
        is_word: bool (N,): too wide for one digit.
        heights_px: float64 (N,), in pixels of the level.
        levels: float64 (N,).
        fill: float64 (N,), share of the box that is ink.
        strokes: float64 (N,), stroke width in heights.
        slants: float64 (N,), how far the ink leans to the right, in heights for each height.
        darkness: float64 (N,), 0 to 1.
        clutter: float64 (N,), relative to the darkness.
        cells: intp (N,), number of the cell of a table or box of a form in which each stands; 0 for none.
        cell_sizes: float64 (N, 2), width and height of that cell in pixels of the image.
        image_height: of the image, in pixels.
    """

    boxes: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    initial_confidence: NDArray[np.float64]
    is_writing: NDArray[np.bool_]
    is_word: NDArray[np.bool_]
    heights_px: NDArray[np.float64]
    levels: NDArray[np.float64]
    fill: NDArray[np.float64]
    strokes: NDArray[np.float64]
    slants: NDArray[np.float64]
    darkness: NDArray[np.float64]
    clutter: NDArray[np.float64]
    cells: NDArray[np.intp]
    cell_sizes: NDArray[np.float64]
    image_height: float


def describe(predictions: Sequence[Prediction], shape: tuple[int, int], lines: Sequence[Line] = ()) -> CandidateTable:
    """Collect what the features need from the predictions of an image.

    Args:
        predictions: of all N candidates.
        shape: height and width of the image.
        lines: of its tables and forms, in pixels of the image.
    """
    boxes = np.array([prediction.box for prediction in predictions], np.float64).reshape(-1, 4)
    cells = find_cells(boxes, lines, shape)
    candidates = [prediction.candidate for prediction in predictions]
    reasons = [candidate.reject_reason for candidate in candidates]
    is_word = np.array([reason is RejectReason.TOO_WIDE for reason in reasons], bool)
    heights = np.array([candidate.box[3] for candidate in candidates], np.float64)
    return CandidateTable(
        boxes=boxes,
        probabilities=np.array([prediction.probabilities for prediction in predictions], np.float64).reshape(-1, 10),
        initial_confidence=np.array([prediction.initial_confidence for prediction in predictions], np.float64),
        is_writing=is_word | np.array([reason is None for reason in reasons], bool),
        is_word=is_word,
        heights_px=heights,
        levels=np.array([candidate.level for candidate in candidates], np.float64),
        fill=np.array([np.count_nonzero(candidate.ink) / candidate.ink.size for candidate in candidates]),
        strokes=np.array(
            [0.0 if reason else stroke_width(one.ink) for one, reason in zip(candidates, reasons, strict=True)]
        )
        / np.maximum(heights, 1),
        slants=np.array([_slant(candidate.ink) for candidate in candidates]),
        darkness=np.array([candidate.darkness / 255 for candidate in candidates]),
        clutter=np.array([candidate.clutter for candidate in candidates]),
        cells=cells.number,
        cell_sizes=cells.size,
        image_height=float(shape[0]),
    )


def _slant(ink: NDArray[np.uint8]) -> float:
    """Return how far ink leans to the right, in heights for each height: 0 for an upright stroke, 1 for 45 degrees."""
    moments = cv2.moments(ink)
    return float(-np.clip(moments["mu11"] / (moments["mu02"] + 1e-6), -MAX_SLANT, MAX_SLANT))


def log_odds(probability: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the log odds of probabilities, which are clipped to MIN_DOUBT from 0 and 1."""
    clipped = np.clip(probability, MIN_DOUBT, 1 - MIN_DOUBT)
    return np.asarray(np.log(clipped / (1 - clipped)))


def initial_evidence(table: CandidateTable) -> NDArray[np.float64]:
    """Return the evidence that each candidate gives its neighbours before any decision: float64 (N,), log odds."""
    return log_odds(table.initial_confidence)


def extract_features(
    table: CandidateTable, evidence: NDArray[np.float64], reject_threshold: float = 0.5
) -> NDArray[np.float64]:
    """Compute the features of every candidate.

    Args:
        table: the candidates of an image.
        evidence: float64 (N,), log odds that each one is a digit, as its neighbours use it.
        reject_threshold: confidence that is evidence neither for nor against a digit, 0 to 1.

    Returns:
        float64 (N, F), columns as in FEATURES.
    """
    count = len(table.boxes)
    if not count:
        return np.empty((0, len(FEATURES)))
    evidence = np.where(table.is_word, WORD_EVIDENCE, evidence.clip(-MAX_EVIDENCE, MAX_EVIDENCE))
    features = np.empty((count, len(FEATURES)))
    tokens = _tokens(table)
    for start in range(0, count, CHUNK):
        rows = np.arange(start, min(start + CHUNK, count))
        features[rows] = np.hstack(
            [_own_features(table, rows, reject_threshold), _neighbour_features(table, rows, evidence, tokens)]
        )
    return features


def _own_features(table: CandidateTable, rows: NDArray[np.intp], reject_threshold: float) -> NDArray[np.float64]:
    """Return the columns of OWN up to "cell_high"."""
    probabilities = table.probabilities[rows]
    ordered = np.sort(probabilities, axis=1)
    width, height = table.boxes[rows, 2].clip(1), table.boxes[rows, 3].clip(1)
    return np.column_stack(
        [
            log_odds(ordered[:, -1]) - log_odds(reject_threshold),
            log_odds(ordered[:, -2]),
            log_odds(table.initial_confidence[rows]),
            np.abs(table.initial_confidence[rows] - ordered[:, -1]) > CHANGED,
            np.eye(10)[probabilities.argmax(axis=1)],
            np.log(width / height),
            (SLIM_ASPECT - width / height).clip(0, MAX_SLIMNESS),
            table.slants[rows],
            table.fill[rows],
            table.strokes[rows],
            np.log(table.heights_px[rows].clip(1)),
            np.log(height / table.image_height),
            table.levels[rows] > 0,
            np.log(MIN_DARKNESS + table.darkness[rows]),
            np.log(MIN_CLUTTER + table.clutter[rows]),
            np.log((table.cell_sizes[rows] / height[:, None]).clip(MIN_CELL, MAX_CELL)),
        ]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """How R candidates stand to all N of the image: every table has R rows and N columns.

    Attributes:
        gap: horizontal gap, in heights of the row's candidate; 0 in an overlap.
        drop: vertical gap, likewise.
        overlap_x: common width as a share of the smaller one; negative in a gap.
        overlap_y: common height as a share of the smaller one; negative in a gap.
        ratio: absolute logarithm of the ratio of the heights.
        near: whether one stands beside the other, measured by the higher one.
        inside: whether the row's candidate lies inside the column's, which is higher.
        holds: whether the column's candidate lies inside the row's, and is not much lower.
        is_left: whether the middle of the column's candidate is to the left of the row's.
    """

    gap: NDArray[np.float64]
    drop: NDArray[np.float64]
    overlap_x: NDArray[np.float64]
    overlap_y: NDArray[np.float64]
    ratio: NDArray[np.float64]
    near: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    holds: NDArray[np.bool_]
    is_left: NDArray[np.bool_]


def _relate(boxes: NDArray[np.float64], rows: NDArray[np.intp]) -> _Pairs:
    """Compare the boxes of some rows with all boxes, float64 (N, 4)."""
    x, y, width, height = (boxes[rows, i, None] for i in range(4))
    other_x, other_y, other_width, other_height = boxes.T
    gap_x = np.maximum(other_x - x - width, x - other_x - other_width)
    gap_y = np.maximum(other_y - y - height, y - other_y - other_height)
    area, other_area = width * height, other_width * other_height
    common = np.minimum((-gap_x).clip(0) * (-gap_y).clip(0), np.minimum(area, other_area))
    larger = np.maximum(height, other_height)
    return _Pairs(
        gap=np.maximum(gap_x, 0) / height,
        drop=np.maximum(gap_y, 0) / height,
        overlap_x=-gap_x / np.minimum(width, other_width),
        overlap_y=-gap_y / np.minimum(height, other_height),
        ratio=np.abs(np.log(other_height / height)),
        near=(gap_x <= NEAR_REACH * larger) & (gap_y <= NEAR_DROP * larger),
        inside=(common >= INSIDE_SHARE * area) & (other_height > height),
        holds=(common >= INSIDE_SHARE * other_area) & (other_height < height) & (other_height > HELD_HEIGHT * height),
        is_left=other_x + other_width / 2 < x + width / 2,
    )


def _neighbour_features(
    table: CandidateTable, rows: NDArray[np.intp], evidence: NDArray[np.float64], tokens: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the columns of OWN from "inside" on, and the statistics of each context."""
    pairs = _relate(table.boxes, rows)
    is_other = table.is_writing & (rows[:, None] != np.arange(len(table.boxes)))
    columns = [
        np.where(is_other & relation, evidence, NO_EVIDENCE).max(axis=1) for relation in (pairs.inside, pairs.holds)
    ]
    is_alike = pairs.ratio <= np.log(LINE_HEIGHT_RATIO)
    beside = is_other & is_alike & (pairs.overlap_y >= LINE_OVERLAP) & ~pairs.inside & ~pairs.holds
    for is_side in (pairs.is_left, ~pairs.is_left):
        gap = np.where(beside & is_side, pairs.gap, LINE_REACH)
        nearest, shortest = gap.argmin(axis=1), gap.min(axis=1)
        columns += [shortest, np.where(shortest < LINE_REACH, evidence[nearest], 0.0)]
    above_or_below = (
        (pairs.overlap_x >= LINE_OVERLAP) & (pairs.overlap_y < COLUMN_OVERLAP) & (pairs.drop <= COLUMN_REACH)
    )
    contexts = {
        "token": beside & (tokens[rows, None] == tokens),
        "line": beside & (pairs.gap <= LINE_REACH),
        "column": is_other & is_alike & above_or_below,
        "near": is_other & pairs.near,
        "cell": is_other & (table.cells[rows, None] == table.cells) & (table.cells > 0),
        "alike": is_other & (pairs.ratio <= np.log(ALIKE_RATIO)),
        "page": is_other,
    }
    for context in CONTEXTS:
        columns += _statistics(table, rows, evidence, contexts[context])
    return np.column_stack(columns)


def _statistics(
    table: CandidateTable, rows: NDArray[np.intp], evidence: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> list[NDArray[np.float64]]:
    """Return the columns of STATISTICS for the `chosen` neighbours, bool (R, N); zeros where there is none."""
    number = chosen.sum(axis=1)
    divisor = np.maximum(number, 1)
    height = table.boxes[:, 3].clip(1)
    log_height, log_darkness = np.log(height), np.log(MIN_DARKNESS + table.darkness)
    middle = table.boxes[:, 1] + height / 2

    def deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(number, values[rows] - chosen @ values / divisor, 0.0)

    return [
        chosen @ evidence / divisor,
        np.where(number, np.where(chosen, evidence, np.inf).min(axis=1, initial=MAX_EVIDENCE), 0.0),
        np.where(number, np.where(chosen, evidence, -np.inf).max(axis=1, initial=-MAX_EVIDENCE), 0.0),
        (chosen & (evidence >= SURE)).sum(axis=1) / divisor,
        np.log1p(number),
        deviation(log_height),
        np.sqrt((chosen @ log_height**2 / divisor - (chosen @ log_height / divisor) ** 2).clip(0)),
        deviation(table.strokes),
        deviation(log_darkness),
        deviation(table.slants),
        (deviation(middle) / height[rows]).clip(-LINE_REACH, LINE_REACH),
    ]


def _tokens(table: CandidateTable) -> NDArray[np.intp]:
    """Number the tokens: each candidate belongs to that of its nearest neighbour to the right, if that is near."""
    boxes = table.boxes
    token = np.arange(len(boxes))
    order = np.argsort(boxes[:, 0], kind="stable")
    order = order[table.is_writing[order]]
    left = boxes[order, 0]
    for place, index in enumerate(order.tolist()):
        x, y, width, height = boxes[index].tolist()
        last = np.searchsorted(left, x + width + TOKEN_GAP * LINE_HEIGHT_RATIO * height, side="right")
        near = order[place + 1 : last]
        if not len(near):
            continue
        top, high = boxes[near, 1], boxes[near, 3]
        overlap = (np.minimum(y + height, top + high) - np.maximum(y, top)) / np.minimum(height, high)
        gap = boxes[near, 0] - x - width
        joined = (overlap >= LINE_OVERLAP) & (np.abs(np.log(high / height)) <= np.log(LINE_HEIGHT_RATIO))
        joined &= (gap <= TOKEN_GAP * np.maximum(height, high)) & (gap > -0.5 * np.minimum(width, boxes[near, 2]))
        if joined.any():
            nearest = near[joined][gap[joined].argmin()]
            token[token == token[nearest]] = token[index]
    return token
