"""Detection metrics: match the digits of a reading with the true ones, and count what is right and wrong.

`match_digits` matches the boxes of one frame. `score_reading` and `score_matches` count in a `DetectionScore`; scores
are added with `+`, and precision, recall and the like are properties of the sum.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitedge.runtime.contract import CLASSES
from digitedge.utils.boxes import Box, iou, is_centre_in

IOU_THRESHOLD = 0.4
"""Minimum IoU of a match. Lower than the usual 0.5, because the box of a thin stroke such as a 1 shifts easily."""


class BoxedDigit(Protocol):
    """A true or detected digit with its box."""

    @property
    def digit(self) -> int:
        """0 to 9."""

    @property
    def box(self) -> Box:
        """x, y, width, height in pixels of the frame."""


class DetectedDigit(BoxedDigit, Protocol):
    """A detected digit with its confidence."""

    @property
    def confidence(self) -> float:
        """0 to 1."""


class DigitsInRows(Protocol):
    """A reading, or the ground truth of a frame."""

    @property
    def digits(self) -> Sequence[BoxedDigit]:
        """All digits with their boxes."""

    @property
    def rows(self) -> Sequence[str]:
        """The digits of each row joined, top to bottom."""


Detected = TypeVar("Detected", bound=BoxedDigit)
Confident = TypeVar("Confident", bound=DetectedDigit)


@dataclass(frozen=True, slots=True)
class Matches(Generic[Detected]):
    """The digits of one frame, matched.

    Attributes:
        true_positives: true digits with a detection of the same digit in their place.
        misclassified: true digits with a detection of another digit in their place.
        false_negatives: true digits without a detection.
        false_positives: detections where no digit is.
        ignored: detections in boxes to ignore; neither right nor wrong.
    """

    true_positives: tuple[tuple[BoxedDigit, Detected], ...]
    misclassified: tuple[tuple[BoxedDigit, Detected], ...]
    false_negatives: tuple[BoxedDigit, ...]
    false_positives: tuple[Detected, ...]
    ignored: tuple[Detected, ...]


def match_digits(
    true: Sequence[BoxedDigit], detected: Sequence[Detected], *, ignore: Sequence[Box] = ()
) -> Matches[Detected]:
    """Match true and detected boxes greedily, highest IoU first.

    An unmatched detection whose centre lies in one of the boxes to ignore, those of non-digits, is ignored.

    Examples:
        >>> from typing import NamedTuple
        >>> Boxed = NamedTuple("Boxed", [("digit", int), ("box", Box)])
        >>> seven, one = Boxed(7, (0, 0, 10, 10)), Boxed(1, (50, 0, 4, 9))
        >>> match_digits([seven], [seven, one]).false_positives
        (Boxed(digit=1, box=(50, 0, 4, 9)),)
    """
    overlaps = [(iou(t.box, d.box), i, j) for i, t in enumerate(true) for j, d in enumerate(detected)]
    partner: dict[int, int] = {}
    matched: set[int] = set()
    for _, i, j in sorted((overlap for overlap in overlaps if overlap[0] >= IOU_THRESHOLD), reverse=True):
        if i not in partner and j not in matched:
            partner[i] = j
            matched.add(j)
    pairs = [(true[i], detected[j]) for i, j in sorted(partner.items())]
    unmatched = [d for j, d in enumerate(detected) if j not in matched]
    return Matches(
        true_positives=tuple(pair for pair in pairs if pair[0].digit == pair[1].digit),
        misclassified=tuple(pair for pair in pairs if pair[0].digit != pair[1].digit),
        false_negatives=tuple(t for i, t in enumerate(true) if i not in partner),
        false_positives=tuple(d for d in unmatched if not is_centre_in(d.box, ignore)),
        ignored=tuple(d for d in unmatched if is_centre_in(d.box, ignore)),
    )


class Answer(NamedTuple):
    """A true digit and what it was read as.

    Attributes:
        true: 0 to 9; None where no digit is.
        read: 0 to 9; None if nothing was read.
        confidence: of what was read, 0 to 1; None if nothing was.
    """

    true: int | None
    read: int | None
    confidence: float | None


def list_answers(matches: Matches[Confident]) -> tuple[Answer, ...]:
    """List every true digit with what it was read as, then every digit that was read where none is.

    What is ignored is left out.
    """
    pairs = (*matches.true_positives, *matches.misclassified)
    return (
        *(Answer(true.digit, read.digit, read.confidence) for true, read in pairs),
        *(Answer(true.digit, None, None) for true in matches.false_negatives),
        *(Answer(None, read.digit, read.confidence) for read in matches.false_positives),
    )


def detection_confusion(answers: Iterable[Answer]) -> NDArray[np.int64]:
    """Count answers: int64 (11, 11), rows are true digits, columns what was read.

    The last column counts digits that were not read (false negatives), the last row what was read where no digit is
    (false positives).

    Examples:
        >>> counts = detection_confusion([Answer(7, 1, 0.9), Answer(7, None, None), Answer(None, 3, 0.6)])
        >>> counts[7, 1], counts[7, 10], counts[10, 3]
        (np.int64(1), np.int64(1), np.int64(1))
    """
    counts = np.zeros((CLASSES + 1, CLASSES + 1), np.int64)
    for true, read, _ in answers:
        counts[CLASSES if true is None else true, CLASSES if read is None else read] += 1
    return counts


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Counts of one or more frames; add scores with `+`. Shares are 0 if there is nothing to count.

    A frame without digits (a negative) counts in the last two fields only, so that its detections do not change the
    precision on frames with digits.

    Attributes:
        frames: frames with digits.
        digits: true digits.
        detections: detections in frames with digits, without the ignored ones.
        matched: true digits with a detection in their place.
        correct: true digits with the correct detection in their place.
        f1_sum: sum of the F1 of every frame.
        ordered_frames: frames whose rows are compared: with a known reading order and without boxes to ignore.
        exact_frames: those of them with all rows correct.
        characters: digits of the true rows and of the detected rows together.
        common_characters: digits that both have in the same order: twice the longest common subsequence.
        negatives: frames without digits.
        negative_detections: detections in negatives.
    """

    frames: int = 0
    digits: int = 0
    detections: int = 0
    matched: int = 0
    correct: int = 0
    f1_sum: float = 0.0
    ordered_frames: int = 0
    exact_frames: int = 0
    characters: int = 0
    common_characters: int = 0
    negatives: int = 0
    negative_detections: int = 0

    def __add__(self, other: "DetectionScore") -> "DetectionScore":
        return DetectionScore(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def false_negatives(self) -> int:
        """True digits without a detection."""
        return self.digits - self.matched

    @property
    def misclassified(self) -> int:
        """True digits that were detected as another digit."""
        return self.matched - self.correct

    @property
    def false_positives(self) -> int:
        """Detections where no digit is, in frames with digits."""
        return self.detections - self.matched

    @property
    def errors(self) -> int:
        """All of these, and the detections in negatives."""
        return self.false_negatives + self.misclassified + self.false_positives + self.negative_detections

    @property
    def precision(self) -> float:
        """Share of the detections that are correct, 0 to 1."""
        return _share(self.correct, self.detections)

    @property
    def recall(self) -> float:
        """Share of the true digits that were read correctly."""
        return _share(self.correct, self.digits)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over all digits."""
        return _share(2 * self.correct, self.digits + self.detections)

    @property
    def mean_f1(self) -> float:
        """Mean F1 of the frames: a frame with one digit counts as much as a page of a hundred."""
        return _share(self.f1_sum, self.frames)

    @property
    def box_recall(self) -> float:
        """Share of the true digits with a detection in their place, whatever its digit."""
        return _share(self.matched, self.digits)

    @property
    def digit_accuracy(self) -> float:
        """Share of the matched digits that were classified correctly."""
        return _share(self.correct, self.matched)

    @property
    def reading_order_f1(self) -> float:
        """F1 of the digits in reading order, which needs no boxes."""
        return _share(self.common_characters, self.characters)

    @property
    def rows_exact(self) -> float:
        """Share of the ordered frames with every row correct."""
        return _share(self.exact_frames, self.ordered_frames)

    @property
    def false_positives_per_negative(self) -> float:
        """Mean number of detections in a frame without digits."""
        return _share(self.negative_detections, self.negatives)


def score_reading(
    true: DigitsInRows, reading: DigitsInRows, *, ignore: Sequence[Box] = (), ordered: bool = True
) -> DetectionScore:
    """Score the reading of one frame; rows are compared if the true ones are `ordered` and nothing is ignored."""
    matches = match_digits(true.digits, reading.digits, ignore=ignore)
    return score_matches(true, reading, matches, compare_rows=ordered and not ignore)


def score_matches(
    true: DigitsInRows, reading: DigitsInRows, matches: Matches[Detected], *, compare_rows: bool
) -> DetectionScore:
    """Score the reading of one frame from its matches, as `match_digits` returned them."""
    if not true.digits:
        return DetectionScore(negatives=1, negative_detections=len(matches.false_positives))
    digits = DetectionScore(
        frames=1,
        digits=len(true.digits),
        detections=len(reading.digits) - len(matches.ignored),
        matched=len(matches.true_positives) + len(matches.misclassified),
        correct=len(matches.true_positives),
    )
    rows = _score_rows(true.rows, reading.rows) if compare_rows else DetectionScore()
    return digits + DetectionScore(f1_sum=digits.f1) + rows


def _score_rows(true: Sequence[str], detected: Sequence[str]) -> DetectionScore:
    a, b = "".join(true), "".join(detected)
    return DetectionScore(
        ordered_frames=1,
        exact_frames=list(true) == list(detected),
        characters=len(a) + len(b),
        common_characters=2 * longest_common_subsequence(a, b),
    )


def longest_common_subsequence(a: str, b: str) -> int:
    """Return the length of the longest common subsequence of two strings.

    Examples:
        >>> longest_common_subsequence("2026", "20726")
        4
    """
    lengths = [0] * (len(b) + 1)  # for each prefix of b, with the prefix of a that was processed
    for character in a:
        before = lengths.copy()
        for j, other in enumerate(b):
            lengths[j + 1] = before[j] + 1 if character == other else max(before[j + 1], lengths[j])
    return lengths[-1]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
