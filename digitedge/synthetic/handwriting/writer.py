"""A skeleton becomes handwriting: every digit differs, and every writer has habits.

Within one writer control points are displaced, proportions shift and lines wobble; between writers slant, turn and
width differ. All digits of one skeleton are written in one step, as matrix products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digit_skeletons import DIGIT_SKELETONS, DigitSkeleton, Skeleton

SkeletonT = TypeVar("SkeletonT", bound=Skeleton)

# Standard deviation of a control point around its place, in heights of the digit, at looseness 1.
POINT_JITTER = 0.034
# The same for a whole stroke (the bar of a 5, the stem of a 4).
STROKE_JITTER = 0.028
# Size of the bends that shift proportions: terms of second order over the whole digit.
BEND = 0.13
# Amplitude of the waves in a line; they are about as long as the digit is high.
WAVE = 0.014


@dataclass(frozen=True, slots=True, eq=False)
class Writer:
    """Habits of the writers of N digits.

    Attributes:
        slant: float64 (N,), shear: how far the top leans to the right, in heights.
        turn: float64 (N,), rotation in radians, clockwise.
        aspect: float64 (N,), width factor.
        looseness: float64 (N,), 0 copies the skeleton, 1 is usual, over 2 is hard to read.
    """

    slant: NDArray[np.float64]
    turn: NDArray[np.float64]
    aspect: NDArray[np.float64]
    looseness: NDArray[np.float64]

    def at(self, index: int) -> "Writer":
        """Return the writer of digit `index`, for one digit."""
        return Writer(*(habit[index : index + 1] for habit in (self.slant, self.turn, self.aspect, self.looseness)))


def sample_writers(rng: np.random.Generator, count: int) -> Writer:
    """Sample another writer for each of `count` digits, as in a data set of many writers."""
    return Writer(
        slant=0.16 + 0.21 * rng.standard_t(8, count),
        turn=0.09 * rng.standard_t(5, count),
        aspect=np.exp(rng.normal(0.02, 0.21, count)),
        looseness=np.exp(rng.normal(-0.03, 0.38, count)).clip(0, 1.8),
    )


def sample_single_writer(rng: np.random.Generator, count: int) -> Writer:
    """Sample one careful writer of all `count` digits: slant and width vary little."""
    return Writer(
        slant=rng.normal(0.10, 0.12) + rng.normal(0, 0.03, count),
        turn=rng.normal(0, 0.03, count),
        aspect=np.exp(rng.normal(0, 0.10) + rng.normal(0, 0.06, count)),
        looseness=np.full(count, rng.uniform(0.35, 0.8)),
    )


def sample_digit_skeletons(
    digit: int, rng: np.random.Generator, count: int, *, plain: bool = False
) -> list[DigitSkeleton]:
    """Sample skeletons of a digit by their weights; plain ones are those that everyone reads at once.

    Raises:
        InputError: not a digit from 0 to 9.
    """
    if digit not in range(10):
        raise InputError(f"expected a digit from 0 to 9, got {digit!r}. Numbers are rows of digits.")
    return sample_skeletons([one for one in DIGIT_SKELETONS[digit] if one.plain or not plain], rng, count)


def sample_skeletons(skeletons: Sequence[SkeletonT], rng: np.random.Generator, count: int) -> list[SkeletonT]:
    """Sample `count` of these skeletons by their weights, with replacement."""
    weights = np.array([skeleton.weight for skeleton in skeletons])
    return [skeletons[index] for index in rng.choice(len(skeletons), size=count, p=weights / weights.sum())]


def write_skeleton(skeleton: Skeleton, rng: np.random.Generator, writer: Writer) -> NDArray[np.float64]:
    """Write one skeleton once by each of N writers.

    Returns:
        float64 (N, M, 2), lines of the pen, x and y in heights of the digit, y downwards, centred at the origin;
        `skeleton.lengths` says where in M the strokes end.
    """
    lines = skeleton.matrix @ _jitter(skeleton, rng, writer.looseness)  # (N, M, 2)
    lines = lines - (lines.max(axis=1, keepdims=True) + lines.min(axis=1, keepdims=True)) / 2
    return _slant_and_turn(_wave(_bend(lines, rng, writer.looseness), rng, writer.looseness), writer)


def _jitter(skeleton: Skeleton, rng: np.random.Generator, looseness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Displace the control points: (N, K, 2)."""
    count = len(looseness)
    of_points = rng.normal(0, POINT_JITTER, (count, len(skeleton.points), 2))
    of_strokes = rng.normal(0, STROKE_JITTER, (count, len(skeleton.lengths), 2))
    return skeleton.points + looseness[:, None, None] * (of_points + of_strokes[:, skeleton.stroke_of])


def _bend(lines: NDArray[np.float64], rng: np.random.Generator, looseness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift proportions (a larger head, a narrow foot, a bent stem) by terms of second order in x and y."""
    x, y = lines[..., :1], lines[..., 1:]
    terms = np.concatenate([x * x, x * y, y * y, x * y * y], axis=-1)  # (N, M, 4)
    size = BEND * np.array([[1, 1], [2.5, 2], [1, 1.2], [3, 0]])
    weights = rng.normal(0, 1, (len(lines), 4, 2)) * size * looseness[:, None, None]
    return lines + terms @ weights


def _wave(lines: NDArray[np.float64], rng: np.random.Generator, looseness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let the plane wobble slowly: close lines move together, so no new crossings appear."""
    count = len(lines)
    frequency = rng.normal(0, 5.0, (count, 2, 2))
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 2))
    amplitude = WAVE * looseness[:, None, None] * rng.exponential(1, (count, 1, 2))
    return lines + amplitude * np.sin(lines @ frequency + phase)


def _slant_and_turn(lines: NDArray[np.float64], writer: Writer) -> NDArray[np.float64]:
    """Apply aspect, slant and turn, as one matrix for each digit."""
    cos, sin = np.cos(writer.turn), np.sin(writer.turn)
    turn = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)  # (N, 2, 2), for rows (x, y)
    slant = np.zeros((len(lines), 2, 2))
    slant[:, 0, 0], slant[:, 1, 0], slant[:, 1, 1] = writer.aspect, -writer.slant, 1
    return np.asarray(lines @ (slant @ turn), np.float64)
