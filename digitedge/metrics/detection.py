"""How well a reading matches what a frame really says: boxes paired by overlap, digits compared, rows compared.

`compare` sorts the digits of one frame into right, wrong, missed and invented. `score_reading` counts them. Scores are
added with `+`, and every figure of a set of frames is a property of the sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Generic, Protocol, TypeVar

from digitedge.utils.boxes import Box, iou, is_centre_in

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


class Written(Protocol):
    """Digits and the rows that they form: a reading, or the truth about a frame."""

    @property
    def digits(self) -> Sequence[BoxedDigit]:
        """Every digit with its box."""
        ...

    @property
    def rows(self) -> Sequence[str]:
        """The digits of each row joined, top to bottom."""
        ...


Read = TypeVar("Read", bound=BoxedDigit)


@dataclass(frozen=True, slots=True)
class Comparison(Generic[Read]):
    """What became of every digit of a frame.

    Attributes:
        right: true digits and what was read there, which is the same digit.
        wrong: true digits and what was read there, which is another one.
        missed: true digits where nothing was read.
        invented: digits that were read where none is.
        ignored: digits that were read on other marks; neither right nor wrong.
    """

    right: tuple[tuple[BoxedDigit, Read], ...]
    wrong: tuple[tuple[BoxedDigit, Read], ...]
    missed: tuple[BoxedDigit, ...]
    invented: tuple[Read, ...]
    ignored: tuple[Read, ...]


def compare(true: Sequence[BoxedDigit], read: Sequence[Read], *, ignore: Sequence[Box] = ()) -> Comparison[Read]:
    """Pair true boxes with read ones greedily, best overlap first, and look at what is left.

    Args:
        true: the digits that stand there.
        read: the digits that were reported.
        ignore: boxes of other marks. A reported digit without a partner whose centre lies in one of them is ignored.

    Examples:
        >>> from digitedge.reader.reader import Digit
        >>> seven, one = Digit(7, 1.0, (0, 0, 10, 10)), Digit(1, 0.9, (50, 0, 4, 9))
        >>> compare([seven], [seven, one]).invented == (one,)
        True
    """
    overlaps = [(iou(t.box, r.box), i, j) for i, t in enumerate(true) for j, r in enumerate(read)]
    partner: dict[int, int] = {}
    paired: set[int] = set()
    for _, i, j in sorted((overlap for overlap in overlaps if overlap[0] >= IOU_MATCH), reverse=True):
        if i not in partner and j not in paired:
            partner[i] = j
            paired.add(j)
    pairs = [(true[i], read[j]) for i, j in sorted(partner.items())]
    alone = [r for j, r in enumerate(read) if j not in paired]
    return Comparison(
        right=tuple(pair for pair in pairs if pair[0].digit == pair[1].digit),
        wrong=tuple(pair for pair in pairs if pair[0].digit != pair[1].digit),
        missed=tuple(t for i, t in enumerate(true) if i not in partner),
        invented=tuple(r for r in alone if not is_centre_in(r.box, ignore)),
        ignored=tuple(r for r in alone if is_centre_in(r.box, ignore)),
    )


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over one or more frames; add scores with `+`.

    A frame without digits is a negative: it counts in the last two fields and in no other, so that what is read in it
    does not blur the figures of the frames that have digits.

    Attributes:
        frames: frames with digits.
        true: digits that stand there.
        read: digits that were reported there, the ignored ones left out.
        found: true digits with a reported one in their place.
        right: true digits with the right one in their place.
        f1_sum: the F1 of every frame, added up.
        ordered: frames whose rows are compared: those with a sure order and without other marks.
        exact: of these, frames with all rows right.
        characters: digits of the true rows and of the rows that were read, together.
        common: digits of both in the same order: twice the longest common subsequence.
        negatives: frames without digits.
        false: digits that were reported in negatives.
    """

    frames: int = 0
    true: int = 0
    read: int = 0
    found: int = 0
    right: int = 0
    f1_sum: float = 0.0
    ordered: int = 0
    exact: int = 0
    characters: int = 0
    common: int = 0
    negatives: int = 0
    false: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(getattr(self, count.name) + getattr(other, count.name) for count in fields(self)))

    @property
    def missed(self) -> int:
        """True digits where nothing was read."""
        return self.true - self.found

    @property
    def wrong(self) -> int:
        """True digits where another one was read."""
        return self.found - self.right

    @property
    def invented(self) -> int:
        """Digits that were read beside those that stand there."""
        return self.read - self.found

    @property
    def errors(self) -> int:
        """Digits missed, wrong, invented, and false in negatives."""
        return self.missed + self.wrong + self.invented + self.false

    @property
    def precision(self) -> float:
        """Share of the reported digits that are right, 0 to 1, as all shares; 0 where there is nothing to share."""
        return _share(self.right, self.read)

    @property
    def recall(self) -> float:
        """Share of the true digits that were read rightly."""
        return _share(self.right, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over all digits."""
        return _share(2 * self.right, self.true + self.read)

    @property
    def mean_f1(self) -> float:
        """Mean F1 of a frame: a frame with one digit weighs as much as a page of a hundred."""
        return _share(self.f1_sum, self.frames)

    @property
    def box_recall(self) -> float:
        """Share of the true digits that were found, whatever was read there."""
        return _share(self.found, self.true)

    @property
    def named_right(self) -> float:
        """Share of the digits found that got the right name."""
        return _share(self.right, self.found)

    @property
    def f1_in_order(self) -> float:
        """Agreement of the digits in reading order, which needs no boxes."""
        return _share(self.common, self.characters)

    @property
    def rows_exact(self) -> float:
        """Share of the ordered frames with every row right."""
        return _share(self.exact, self.ordered)

    @property
    def false_per_negative(self) -> float:
        """Digits reported in a frame without any, on average."""
        return _share(self.false, self.negatives)


def score_reading(true: Written, read: Written, *, ignore: Sequence[Box] = (), ordered: bool = True) -> Score:
    """Score the reading of one frame.

    Args:
        true: what stands there.
        read: what was reported.
        ignore: boxes of other marks, as for `compare`.
        ordered: whether the true rows have a sure order.

    Examples:
        >>> from digitedge.reader.reader import Digit, Reading
        >>> seven, one = Digit(7, 1.0, (0, 0, 10, 10)), Digit(1, 0.9, (50, 0, 4, 9))
        >>> truth = Reading((seven,), ("7",), 64, 48, 0.0)
        >>> score = score_reading(truth, Reading((seven, one), ("71",), 64, 48, 0.0))
        >>> score.recall, score.precision, round(score.f1, 3), score.rows_exact
        (1.0, 0.5, 0.667, 0.0)
    """
    compared = compare(true.digits, read.digits, ignore=ignore)
    if not true.digits:
        return Score(negatives=1, false=len(compared.invented))
    digits = Score(
        frames=1,
        true=len(true.digits),
        read=len(read.digits) - len(compared.ignored),
        found=len(compared.right) + len(compared.wrong),
        right=len(compared.right),
    )
    rows = _score_rows(true.rows, read.rows) if ordered and not ignore else Score()
    return digits + Score(f1_sum=digits.f1) + rows


def _score_rows(true: Sequence[str], read: Sequence[str]) -> Score:
    stands, says = "".join(true), "".join(read)
    return Score(
        ordered=1,
        exact=list(true) == list(read),
        characters=len(stands) + len(says),
        common=2 * longest_common_subsequence(stands, says),
    )


def longest_common_subsequence(a: str, b: str) -> int:
    """Count the most characters that stand in both strings in the same order, with gaps allowed.

    Examples:
        >>> longest_common_subsequence("2026", "20726")
        4
    """
    lengths = [0] * (len(b) + 1)  # of each beginning of b with the part of a that was walked
    for character in a:
        before = lengths.copy()
        for j, other in enumerate(b):
            lengths[j + 1] = before[j] + 1 if character == other else max(before[j + 1], lengths[j])
    return lengths[-1]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
