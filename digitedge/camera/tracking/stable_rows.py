"""Rows that can be relied on: the same for long enough, reported once when they appear, change or leave.

A number held into a camera is read some hundred times, the first and last times while it moves in and out. What other
programs want is one event for each number. So a row is followed by its place and by its text, and counts when most
frames of STABLE_S agree on it. Text decides first: a page pushed up by a line has the same rows, each elsewhere.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from digitedge.errors import InputError
from digitedge.reader.reader import Digit, Reading
from digitedge.utils.boxes import Box

# How long frames must agree on a row, at least how many of them and which share; seconds by `tracking.Clock`.
STABLE_S, LEAST_FRAMES, AGREEING = 0.6, 3, 0.75
# A row of which one digit changes, comes or goes was misread more often than it was rewritten, so that takes longer.
SIMILAR_S = 1.2
# How long a row that no frame shows is waited for: a hand passes, a page is turned to the light.
LEAVE_S = 1.0
# How long a row is kept whose place shows something else, on which frames do not agree or which no rule allows.
REFUTED_S = 2.5


@dataclass(frozen=True, slots=True)
class Rules:
    """What a row must be to count.

    Attributes:
        length: number of its digits; None for any.
        pattern: a regular expression (Python's) that the whole row must match; None for any.
        confidence: least confidence of its least certain digit, 0 to 1.

    Raises:
        InputError: a length under 1, no regular expression, a confidence outside 0 to 1.

    Examples:
        >>> rules = Rules(pattern="20[0-9]{2}")
        >>> rules.allow("2026", 0.9), rules.allow("20261", 0.9)
        (True, False)
    """

    length: int | None = None
    pattern: str | None = None
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.length is not None and self.length < 1:
            raise InputError(f"expected rows of 1 digit or more, got {self.length}")
        if not 0 <= self.confidence <= 1:
            raise InputError(f"expected a confidence from 0 to 1, got {self.confidence}")
        try:
            re.compile(self.pattern or "")
        except re.error as exc:
            raise InputError(
                f"expected a regular expression, such as 20[0-9]{{2}}, got {self.pattern!r}: {exc}"
            ) from exc

    def allow(self, text: str, confidence: float) -> bool:
        """Whether a row counts."""
        has_length = self.length is None or len(text) == self.length
        return has_length and confidence >= self.confidence and bool(re.fullmatch(self.pattern or ".*", text))


class Change(StrEnum):
    """What happened to a row."""

    APPEARED = "appeared"
    CHANGED = "changed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class StableRow:
    """A row that frames agree on.

    Attributes:
        text: its digits.
        confidence: of its least certain digit, 0 to 1, when it became stable.
        box: where it was last: x, y, width, height in pixels of the frame.
        time: when it became stable, in seconds since the start of the source.
    """

    text: str
    confidence: float
    box: Box
    time: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        box = [round(side) for side in self.box]
        return {"text": self.text, "confidence": self.confidence, "box": box, "time": round(self.time, 3)}


@dataclass(frozen=True, slots=True)
class RowEvent:
    """What happened to a stable row.

    Attributes:
        change: appeared, changed or left.
        row: the row; of one that left, as it was.
        before: its text before it changed; else None.
        time: when, in seconds since the start of the source.
    """

    change: Change
    row: StableRow
    before: str | None
    time: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: {"event": "reading", "change": "appeared", "text": "2026", ...}."""
        what = {"event": "reading", "change": str(self.change), "text": self.row.text, "before": self.before}
        return what | {"confidence": self.row.confidence, "box": list(self.row.box), "time": round(self.time, 3)}


@dataclass(frozen=True, slots=True)
class _Seen:
    """A row in one frame."""

    text: str
    confidence: float
    box: Box


@dataclass(slots=True, eq=False)
class _Line:
    """A row over time: what frames made of it, and what it was when they last agreed."""

    box: Box
    seen: float
    born: float
    history: deque[tuple[float, str, float]] = field(default_factory=deque)  # clock, text, confidence
    stable: StableRow | None = None
    confirmed: float = 0.0  # when a frame last showed the stable text

    def add(self, row: _Seen, now: float) -> None:
        self.box, self.seen, self.born = row.box, now, min(self.born, now)
        if self.stable is not None and self.stable.text == row.text:
            self.confirmed = now
        self.history.append((now, row.text, row.confidence))
        while self.history[0][0] < now - SIMILAR_S:
            self.history.popleft()

    def agreed(self, now: float, span_s: float) -> tuple[str, float] | None:
        """The text on which frames agreed for so long, and its mean confidence."""
        if now - self.born < span_s:
            return None
        recent = [(text, confidence) for moment, text, confidence in self.history if moment >= now - span_s]
        text, votes = Counter(text for text, _ in recent).most_common(1)[0]
        if votes < max(LEAST_FRAMES, AGREEING * len(recent)):
            return None
        return text, sum(confidence for other, confidence in recent if other == text) / votes


class StableRows:
    """Follows the rows of one source."""

    def __init__(self, rules: Rules = Rules()) -> None:
        self._rules = rules
        self._lines: list[_Line] = []

    @property
    def rows(self) -> tuple[StableRow, ...]:
        """The stable rows, top to bottom."""
        rows = [line.stable for line in self._lines if line.stable is not None]
        return tuple(sorted(rows, key=lambda row: (row.box[1], row.box[0])))

    def follow(self, reading: Reading, *, now: float) -> tuple[RowEvent, ...]:
        """Take the rows of a frame, with digits by vote.

        Args:
            reading: of the frame.
            now: seconds by `tracking.Clock`.

        Returns:
            What happened to stable rows.
        """
        time = reading.time or 0.0
        for row, line in self._owners(_rows(reading)):
            if line is None:
                line = _Line(row.box, now, now)
                self._lines.append(line)
            line.add(row, now)
        events = [event for line in self._lines if line.seen == now and (event := self._settle(line, now, time))]
        left = []
        for line in self._lines:
            if line.stable is not None and (now - line.seen > LEAVE_S or now - line.confirmed > REFUTED_S):
                left.append(RowEvent(Change.LEFT, line.stable, None, time))
                line.stable = None
        self._lines = [line for line in self._lines if now - line.seen <= LEAVE_S]
        return (*left, *events)

    def forget(self) -> None:
        """Forget what is not certain yet: after a gap, something else may be there."""
        self._lines = [line for line in self._lines if line.stable is not None]
        for line in self._lines:
            line.history.clear()
            line.born = float("inf")

    def _settle(self, line: _Line, now: float, time: float) -> RowEvent | None:
        """Make a line stable, or stable as something else, where frames agree."""
        before = line.stable
        agreed = line.agreed(now, STABLE_S)
        if agreed is None:
            return None
        text, confidence = agreed
        if before is not None and before.text == text:
            line.stable = StableRow(text, before.confidence, line.box, before.time)
            return None
        if before is not None and are_similar(before.text, text):
            longer = line.agreed(now, SIMILAR_S)
            if longer is None or longer[0] != text:
                return None
        if not self._rules.allow(text, confidence):
            return None
        line.stable, line.confirmed = StableRow(text, round(confidence, 4), line.box, time), now
        change = Change.APPEARED if before is None else Change.CHANGED
        return RowEvent(change, line.stable, None if before is None else before.text, time)

    def _owners(self, rows: Sequence[_Seen]) -> list[tuple[_Seen, _Line | None]]:
        """The line of each row: where it has the stable text, else the one that it covers most; None for a new one."""
        pairs = [(row, line) for row in rows for line in self._lines]
        same = [(row, line) for row, line in pairs if line.stable is not None and line.stable.text == row.text]
        same.sort(key=lambda pair: _apart(pair[0].box, pair[1].box))
        over = [(row, line) for row, line in pairs if _shared(row.box, line.box) > 0]
        over.sort(key=lambda pair: -_shared(pair[0].box, pair[1].box))
        owners: dict[int, _Line] = {}
        taken: set[int] = set()
        for row, line in (*same, *over):
            if id(row) not in owners and id(line) not in taken:
                owners[id(row)] = line
                taken.add(id(line))
        return [(row, owners.get(id(row))) for row in rows]


def are_similar(one: str, other: str) -> bool:
    """Whether two texts differ by one digit: another one, one more or one less.

    Examples:
        >>> are_similar("2026", "2028"), are_similar("2026", "226"), are_similar("2026", "1999")
        (True, True, False)
    """
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return any(long[:index] + long[index + 1 :] == short for index in range(len(long)))


def _rows(reading: Reading) -> list[_Seen]:
    """The rows of a reading with the boxes around them."""
    digits = iter(reading.digits)
    rows = [[next(digits) for _ in text] for text in reading.rows]
    return [
        _Seen(text, min(d.confidence for d in row), _around(row)) for text, row in zip(reading.rows, rows, strict=True)
    ]


def _around(digits: Iterable[Digit]) -> Box:
    sides = [(x, y, x + width, y + height) for x, y, width, height in (digit.box for digit in digits)]
    left, top = min(side[0] for side in sides), min(side[1] for side in sides)
    return left, top, max(side[2] for side in sides) - left, max(side[3] for side in sides) - top


def _shared(one: Box, other: Box) -> float:
    """Overlap of the heights of two rows, 0 to 1, where their widths overlap as well."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, down) / max(one[3], other[3]) if across > 0 else 0.0


def _apart(one: Box, other: Box) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])
