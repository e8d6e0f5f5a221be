"""A skeleton becomes handwriting: every digit that a hand writes differs, and every hand has habits of its own.

Two kinds of variety, both needed: what the fingers do (control points land beside their place, proportions shift, lines
wobble) and what the hand does (slant, turn, width). All digits of one style are made in one step, as matrix products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digit_skeletons import STYLES, Skeleton, Style

AnySkeleton = TypeVar("AnySkeleton", bound=Skeleton)

# Spread of a control point around its place, in heights of the digit, for a hand of looseness 1.
JITTER = 0.034
# Where a stroke of several lands as a whole (the bar of a 5, the stem of a 4).
STROKE_JITTER = 0.028
# Size of the bends that leave a line straight in the small: terms of second order over the whole digit.
BEND = 0.13
# Amplitude of the waves in a line; their length is about the height of the digit.
WAVE = 0.014


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """Habits of the hands that write N digits.

    Attributes:
        slant: float64 (N,), shear: how far the top leans to the right, in heights.
        turn: float64 (N,), rotation in radians, clockwise.
        aspect: float64 (N,), width factor.
        looseness: float64 (N,), 0 copies the skeleton, 1 is usual, over 2 gets hard to read.
    """

    slant: NDArray[np.float64]
    turn: NDArray[np.float64]
    aspect: NDArray[np.float64]
    looseness: NDArray[np.float64]

    def one(self, index: int) -> "Hand":
        """The hand that writes digit `index`, as a hand for one digit."""
        return Hand(*(habit[index : index + 1] for habit in (self.slant, self.turn, self.aspect, self.looseness)))


def sample_hands(rng: np.random.Generator, count: int) -> Hand:
    """Give each of `count` digits a hand of its own, as in a data set of many writers."""
    return Hand(
        slant=0.16 + 0.21 * rng.standard_t(8, count),
        turn=0.09 * rng.standard_t(5, count),
        aspect=np.exp(rng.normal(0.02, 0.21, count)),
        looseness=np.exp(rng.normal(-0.03, 0.38, count)).clip(0, 1.8),
    )


def one_hand(rng: np.random.Generator, count: int) -> Hand:
    """Let one careful writer write all `count` digits: the same slant and width, give or take a little."""
    return Hand(
        slant=rng.normal(0.10, 0.12) + rng.normal(0, 0.03, count),
        turn=rng.normal(0, 0.03, count),
        aspect=np.exp(rng.normal(0, 0.10) + rng.normal(0, 0.06, count)),
        looseness=np.full(count, rng.uniform(0.35, 0.8)),
    )


def choose_styles(digit: int, rng: np.random.Generator, count: int, *, plain: bool = False) -> list[Style]:
    """Draw styles of one digit, each as often as its weight says.

    Args:
        digit: 0 to 9.
        rng: where chance comes from.
        count: how many, >= 0.
        plain: leave out the styles that not everybody reads at once.

    Raises:
        InputError: not a digit.
    """
    if digit not in range(10):
        raise InputError(f"expected a digit from 0 to 9, got {digit!r}. Numbers are rows of digits.")
    return draw([style for style in STYLES[digit] if style.plain or not plain], rng, count)


def draw(skeletons: Sequence[AnySkeleton], rng: np.random.Generator, count: int) -> list[AnySkeleton]:
    """Draw `count` of these skeletons by lot, each as often as its weight says."""
    weights = np.array([skeleton.weight for skeleton in skeletons])
    return [skeletons[index] for index in rng.choice(len(skeletons), size=count, p=weights / weights.sum())]


def write(style: Skeleton, rng: np.random.Generator, hand: Hand) -> NDArray[np.float64]:
    """Write one style once with each hand.

    Args:
        style: what to write.
        rng: where chance comes from.
        hand: N hands.

    Returns:
        float64 (N, M, 2), lines of the pen, x and y in heights of the digit, y downwards, around the origin;
        `style.lengths` says where in M the strokes end.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> write(STYLES[8][0], rng, sample_hands(rng, 5)).shape
        (5, 81, 2)
    """
    points = _misplace(style, rng, hand.looseness)
    lines = style.matrix @ points  # (N, M, 2)
    lines = lines - (lines.max(axis=1, keepdims=True) + lines.min(axis=1, keepdims=True)) / 2
    return _lean(_wave(_bend(lines, rng, hand.looseness), rng, hand.looseness), hand)


def _misplace(style: Skeleton, rng: np.random.Generator, looseness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Control points where the fingers put them: (N, K, 2)."""
    count = len(looseness)
    each = rng.normal(0, JITTER, (count, len(style.points), 2))
    whole = rng.normal(0, STROKE_JITTER, (count, len(style.lengths), 2))
    return style.points + looseness[:, None, None] * (each + whole[:, style.stroke_of])


def _bend(lines: NDArray[np.float64], rng: np.random.Generator, looseness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift proportions: a larger head, a narrow foot, a bent stem. Second-order terms in x and y."""
    x, y = lines[..., :1], lines[..., 1:]
    terms = np.concatenate([x * x, x * y, y * y, x * y * y], axis=-1)  # (N, M, 4)
    size = BEND * np.array([[1, 1], [2.5, 2], [1, 1.2], [3, 0]])
    weights = rng.normal(0, 1, (len(lines), 4, 2)) * size * looseness[:, None, None]
    return lines + terms @ weights


def _wave(lines: NDArray[np.float64], rng: np.random.Generator, looseness: NDArray[np.float64]) -> NDArray[np.float64]:
    """A slow wobble of the plane: close lines move together, so nothing crosses that did not."""
    count = len(lines)
    frequency = rng.normal(0, 5.0, (count, 2, 2))
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 2))
    amplitude = WAVE * looseness[:, None, None] * rng.exponential(1, (count, 1, 2))
    return lines + amplitude * np.sin(lines @ frequency + phase)


def _lean(lines: NDArray[np.float64], hand: Hand) -> NDArray[np.float64]:
    """Width, slant and turn of the hand, as one matrix for each digit."""
    cos, sin = np.cos(hand.turn), np.sin(hand.turn)
    turn = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)  # (N, 2, 2), for rows (x, y)
    lean = np.zeros((len(lines), 2, 2))
    lean[:, 0, 0], lean[:, 1, 0], lean[:, 1, 1] = hand.aspect, -hand.slant, 1
    return np.asarray(lines @ (lean @ turn), np.float64)
