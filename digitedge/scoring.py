"""How well a reading matches what a frame really says: boxes paired by overlap, then digits compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from digitedge.vision.layout import Box

IOU_MATCH = 0.4
"""Least overlap of a box that was found and a true one; lower than usual, because thin strokes such as a 1 shift it
easily."""


class BoxedDigit(Protocol):
    """A digit with its box: one that was read, or a true one."""

    @property
    def digit(self) -> int:
        """0 to 9."""
        ...

    @property
    def box(self) -> Box:
        """x, y, width, height in pixels of the frame."""
        ...


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over one or more frames; add scores with `+`.

    Attributes:
        true: digits that stand there.
        read: digits that were reported.
        right: reported digits with the right box and value.
    """

    true: int = 0
    read: int = 0
    right: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.true + other.true, self.read + other.read, self.right + other.right)

    @property
    def recall(self) -> float:
        """Share of the true digits that were read rightly, 0 to 1; 0 when there are none."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1; 0 when nothing stands there and nothing was read."""
        return 2 * self.right / (self.true + self.read) if self.true + self.read else 0.0


def score_reading(true: Sequence[BoxedDigit], read: Sequence[BoxedDigit]) -> Score:
    """Pair boxes greedily, best overlap first, and count the pairs with the right digit.

    Examples:
        >>> from digitedge.reader import Digit
        >>> seven, one = Digit(7, 1.0, (0, 0, 10, 10)), Digit(1, 0.9, (50, 0, 4, 9))
        >>> score_reading([seven], [seven, one])
        Score(true=1, read=2, right=1)
    """
    overlaps = sorted(((iou(t.box, r.box), i, j) for i, t in enumerate(true) for j, r in enumerate(read)), reverse=True)
    paired_true: set[int] = set()
    paired_read: set[int] = set()
    right = 0
    for overlap, i, j in overlaps:
        if overlap < IOU_MATCH:
            break
        if i in paired_true or j in paired_read:
            continue
        paired_true.add(i)
        paired_read.add(j)
        right += true[i].digit == read[j].digit
    return Score(len(true), len(read), right)


def iou(a: Box, b: Box) -> float:
    """Overlap of two boxes (x, y, width, height): intersection over union, 0 to 1.

    Examples:
        >>> iou((0, 0, 10, 10), (5, 0, 10, 10))
        0.3333333333333333
    """
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a[2] * a[3] + b[2] * b[3] - both)
