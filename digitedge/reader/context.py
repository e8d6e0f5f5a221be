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
# Ratio of the heights of writing that is alike.
ALIKE_RATIO = 1.35
# Share of a candidate inside another one from which it is part of that.
INSIDE_SHARE = 0.8
# Candidates whose neighbourhood is computed at once: limits the memory.
CHUNK = 256

CONTEXTS = ("token", "line", "column", "alike", "page")
"""Neighbourhoods: the word or number, the line, the column, writing of like height, and all writing on the page."""

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
    *("darkness", "clutter", "inside", "holds", "left_gap", "left", "right_gap", "right"),
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
    image_height: float


def describe(predictions: Sequence[Prediction], image_height: int) -> CandidateTable:
    """Collect what the features need from the predictions of an image."""
    candidates = [prediction.candidate for prediction in predictions]
    reasons = [candidate.reject_reason for candidate in candidates]
    is_word = np.array([reason is RejectReason.TOO_WIDE for reason in reasons], bool)
    heights = np.array([candidate.box[3] for candidate in candidates], np.float64)
    return CandidateTable(
        boxes=np.array([prediction.box for prediction in predictions], np.float64).reshape(-1, 4),
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
        image_height=float(image_height),
    )


def _slant(ink: NDArray[np.uint8]) -> float:
    """Return how far ink leans to the right, in heights for each height: 0 for an upright stroke, 1 for 45 degrees."""
    moments = cv2.moments(ink)
    return float(-np.clip(moments["mu11"] / (moments["mu02"] + 1e-6), -2, 2))


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
            [_own_features(table, rows, reject_threshold), _neighbours(table, rows, evidence, tokens)]
        )
    return features


def _own_features(table: CandidateTable, rows: NDArray[np.intp], reject_threshold: float) -> NDArray[np.float64]:
    probabilities = table.probabilities[rows]
    ordered = np.sort(probabilities, axis=1)
    confidence = log_odds(ordered[:, -1])
    width, height = table.boxes[rows, 2].clip(1), table.boxes[rows, 3].clip(1)
    aspect = np.log(width / height)
    return np.column_stack(
        [
            confidence - log_odds(reject_threshold),
            log_odds(ordered[:, -2]),
            log_odds(table.initial_confidence[rows]),
            (np.abs(table.initial_confidence[rows] - ordered[:, -1]) > 1e-6),
            np.eye(10)[probabilities.argmax(axis=1)],
            aspect,
            (0.35 - width / height).clip(0, 0.25),
            table.slants[rows],
            table.fill[rows],
            table.strokes[rows],
            np.log(table.heights_px[rows].clip(1)),
            np.log(height / table.image_height),
            table.levels[rows] > 0,
            np.log(0.02 + table.darkness[rows]),
            np.log(0.05 + table.clutter[rows]),
        ]
    )


def _neighbours(
    table: CandidateTable, rows: NDArray[np.intp], evidence: NDArray[np.float64], tokens: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the rest of the features: nearest neighbours, and the statistics of each context."""
    x, y, width, height = (table.boxes[rows, i, None] for i in range(4))
    others = table.boxes.T
    to_right, to_left = others[0] - x - width, x - others[0] - others[2]
    gap = np.maximum(np.maximum(to_right, to_left), 0) / height
    below, above = others[1] - y - height, y - others[1] - others[3]
    down = np.maximum(np.maximum(below, above), 0) / height
    overlap_y = -np.maximum(below, above) / np.minimum(height, others[3])
    overlap_x = -np.maximum(to_right, to_left) / np.minimum(width, others[2])
    ratio = np.abs(np.log(others[3] / height))
    is_other = table.is_writing[None, :] & (rows[:, None] != np.arange(len(table.boxes)))
    in_line = is_other & (overlap_y >= LINE_OVERLAP) & (ratio <= np.log(LINE_HEIGHT_RATIO))
    common = (-np.maximum(to_right, to_left)).clip(0) * (-np.maximum(below, above)).clip(0)
    common = np.minimum(common, np.minimum(width * height, others[2] * others[3]))
    inside = is_other & (common >= INSIDE_SHARE * width * height) & (others[3] > height)
    holds = (
        is_other & (common >= INSIDE_SHARE * others[2] * others[3]) & (others[3] < height) & (others[3] > 0.3 * height)
    )
    apart = in_line & ~inside & ~holds
    columns = [
        np.where(inside, evidence, -MAX_EVIDENCE - 1).max(axis=1),
        np.where(holds, evidence, -MAX_EVIDENCE - 1).max(axis=1),
    ]
    centre = x + width / 2
    for is_side in (others[0] + others[2] / 2 < centre, others[0] + others[2] / 2 >= centre):
        distance = np.where(apart & is_side, gap, LINE_REACH)
        nearest = distance.argmin(axis=1)
        shortest = distance.min(axis=1)
        columns += [shortest, np.where(shortest < LINE_REACH, evidence[nearest], 0.0)]
    contexts = (
        apart & (tokens[rows, None] == tokens),
        apart & (gap <= LINE_REACH),
        is_other
        & (overlap_x >= LINE_OVERLAP)
        & (down <= COLUMN_REACH)
        & (overlap_y < 0.2)
        & (ratio <= np.log(LINE_HEIGHT_RATIO)),
        is_other & (ratio <= np.log(ALIKE_RATIO)),
        is_other,
    )
    for context in contexts:
        columns += _statistics(table, rows, evidence, context)
    return np.column_stack(columns)


def _statistics(
    table: CandidateTable, rows: NDArray[np.intp], evidence: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> list[NDArray[np.float64]]:
    """Return the columns of STATISTICS for the `chosen` neighbours, bool (R, N); zeros where there is none."""
    number = chosen.sum(axis=1)
    divisor = np.maximum(number, 1)
    height = table.boxes[:, 3].clip(1)
    log_height, log_dark = np.log(height), np.log(0.02 + table.darkness)
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
        deviation(log_dark),
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
