"""Stable rows: rows on which frames agree, reported once when they appear, change or leave.

A number held into a camera is read a hundred times, the first and last times while it moves. Other programs want one
event for it. So a row is followed by its text and its place, and is stable when most frames of STABLE_S agree on it.
Text is matched first: a page that was moved up by a line has the same rows in other places.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, NamedTuple

from digitedge.reader.reading import Reading
from digitedge.reader.row_filter import RowFilter
from digitedge.utils.boxes import Box, iou, union, vertical_overlap

# How long frames must agree on a row, in seconds by `FrameClock`; least number and share of the frames that agree.
STABLE_S = 0.6
MIN_FRAMES = 3
MIN_AGREEMENT = 0.75
# The same for a change of one digit, which is a misreading more often than a correction.
SIMILAR_STABLE_S = 1.2
# Another text is a change of the row if it stands in its place, or shares digits with it: least IoU of the boxes, and
# least ratio of difflib. Else the row has left, and another has appeared. Of 3,000 simulated pairs each, reported as a
# change: meters and counters 98.7 %, other numbers of equal length in their place 100 %, rows that are written on 80 %,
# rows of other sheets that touch their place 15 %.
SAME_PLACE = 0.35
SHARED_DIGITS = 0.5
# How long a stable row is kept that no frame shows, for instance because a hand covers it.
LEAVE_S = 1.0
# How long a stable row is kept in whose place frames show something else that is not stable or not accepted.
REFUTED_S = 2.5


class Change(StrEnum):
    """What happened to a row."""

    APPEARED = "appeared"
    CHANGED = "changed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class StableRow:
    """A row on which frames agree.

    Attributes:
        confidence: of its least confident digit, 0 to 1, when it became stable.
        box: where it was last seen: x, y, width, height in pixels of the frame.
        time: when it became stable, in seconds since the start of the source.
    """

    text: str
    confidence: float
    box: Box
    time: float

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON."""
        return asdict(self) | {"box": list(self.box), "time": round(self.time, 3)}


@dataclass(frozen=True, slots=True)
class RowEvent:
    """A change of a stable row.

    Attributes:
        row: the row after the change; if it left, before.
        before: its text before it changed; else None.
        time: in seconds since the start of the source.
    """

    change: Change
    row: StableRow
    before: str | None
    time: float

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON: {"event": "row", "change": "appeared", "text": "2026", ...}."""
        event = {"event": "row", "change": str(self.change), "text": self.row.text, "before": self.before}
        return event | {"confidence": self.row.confidence, "box": list(self.row.box), "time": round(self.time, 3)}


class _Row(NamedTuple):
    """A row of one frame."""

    text: str
    confidence: float
    box: Box


@dataclass(slots=True, eq=False)
class _RowTrack:
    """A row over time; times by `FrameClock`."""

    box: Box
    last_seen: float
    first_seen: float
    history: deque[tuple[float, str, float]] = field(default_factory=deque)  # time, text, confidence
    stable: StableRow | None = None
    last_confirmed: float = 0.0  # when a frame last showed the stable text, and where
    confirmed_box: Box = (0, 0, 0, 0)

    def add(self, row: _Row, now: float) -> None:
        self.box, self.last_seen, self.first_seen = row.box, now, min(self.first_seen, now)
        if self.stable is not None and self.stable.text == row.text:
            self.last_confirmed, self.confirmed_box = now, row.box
        self.history.append((now, row.text, row.confidence))
        while self.history[0][0] < now - SIMILAR_STABLE_S:
            self.history.popleft()

    def consensus(self, now: float, span_s: float) -> tuple[str, float] | None:
        """Return the text on which the frames of the last `span_s` agree, and its mean confidence."""
        if now - self.first_seen < span_s:
            return None
        recent = [(text, confidence) for time, text, confidence in self.history if time >= now - span_s]
        text, votes = Counter(text for text, _ in recent).most_common(1)[0]
        if votes < max(MIN_FRAMES, MIN_AGREEMENT * len(recent)):
            return None
        return text, sum(confidence for other, confidence in recent if other == text) / votes


class RowTracker:
    """Follows the rows of one source."""

    def __init__(self, row_filter: RowFilter = RowFilter()) -> None:  # noqa: B008 - frozen
        self._filter = row_filter
        self._tracks: list[_RowTrack] = []

    @property
    def rows(self) -> tuple[StableRow, ...]:
        """The stable rows, top to bottom."""
        rows = [track.stable for track in self._tracks if track.stable is not None]
        return tuple(sorted(rows, key=lambda row: (row.box[1], row.box[0])))

    def update(self, reading: Reading, *, now: float) -> tuple[RowEvent, ...]:
        """Add the rows of a frame, with digits by vote, at `now` in seconds by `FrameClock`; return what changed."""
        time = reading.time or 0.0
        for row, track in self._match(_rows_of(reading)):
            if track is None:
                track = _RowTrack(row.box, now, now)
                self._tracks.append(track)
            track.add(row, now)
        seen = [track for track in self._tracks if track.last_seen == now]
        events = [event for track in seen for event in self._update_stable(track, now, time)]
        left = []
        for track in self._tracks:
            is_gone = now - track.last_seen > LEAVE_S or now - track.last_confirmed > REFUTED_S
            if track.stable is not None and is_gone:
                left.append(RowEvent(Change.LEFT, track.stable, None, time))
                track.stable = None
        self._tracks = [track for track in self._tracks if now - track.last_seen <= LEAVE_S]
        return (*left, *events)

    def forget_unstable(self) -> None:
        """Forget all but the stable rows: after a gap, something else may be in view."""
        self._tracks = [track for track in self._tracks if track.stable is not None]
        for track in self._tracks:
            track.history.clear()
            track.first_seen = float("inf")

    def _update_stable(self, track: _RowTrack, now: float, time: float) -> list[RowEvent]:
        """Set the stable row of a track to what frames agree on."""
        before = track.stable
        consensus = track.consensus(now, STABLE_S)
        if consensus is None:
            return []
        text, confidence = consensus
        if before is not None and before.text == text:
            track.stable = StableRow(text, before.confidence, track.box, before.time)
            return []
        if before is not None and are_similar(before.text, text):
            longer = track.consensus(now, SIMILAR_STABLE_S)
            if longer is None or longer[0] != text:
                return []
        if not self._filter.accepts(text):
            return []
        row = StableRow(text, round(confidence, 4), track.box, time)
        was_at = track.confirmed_box
        track.stable, track.last_confirmed, track.confirmed_box = row, now, track.box
        if before is None:
            return [RowEvent(Change.APPEARED, row, None, time)]
        if is_same_row(replace(before, box=was_at), row):
            return [RowEvent(Change.CHANGED, row, before.text, time)]
        return [RowEvent(Change.LEFT, before, None, time), RowEvent(Change.APPEARED, row, None, time)]

    def _match(self, rows: Sequence[_Row]) -> list[tuple[_Row, _RowTrack | None]]:
        """Assign rows to tracks: equal text first, nearest first, then by overlap; None for a new row."""
        pairs = [(row, track) for row in rows for track in self._tracks]
        equal = [(row, track) for row, track in pairs if track.stable is not None and track.stable.text == row.text]
        equal.sort(key=lambda pair: sum(abs(pair[0].box[i] - pair[1].box[i]) for i in (0, 1)))
        overlapping = [(row, track) for row, track in pairs if vertical_overlap(row.box, track.box) > 0]
        overlapping.sort(key=lambda pair: -vertical_overlap(pair[0].box, pair[1].box))
        assigned: dict[int, _RowTrack] = {}
        taken: set[int] = set()
        for row, track in (*equal, *overlapping):
            if id(row) not in assigned and id(track) not in taken:
                assigned[id(row)] = track
                taken.add(id(track))
        return [(row, assigned.get(id(row))) for row in rows]


def is_same_row(before: StableRow, after: StableRow) -> bool:
    """Tell whether a row may have changed into another: a meter counts on, a number is corrected or written on.

    Examples:
        >>> meter, sheet = (StableRow(text, 0.9, (100, 50, 100, 30), 0.0) for text in ("0199", "0953652"))
        >>> is_same_row(meter, StableRow("0200", 0.9, (101, 50, 102, 30), 1.0))
        True
        >>> is_same_row(sheet, StableRow("51", 0.9, (140, 40, 30, 40), 1.0))
        False
    """
    shared = SequenceMatcher(None, before.text, after.text, autojunk=False).ratio()
    return iou(before.box, after.box) >= SAME_PLACE or shared >= SHARED_DIGITS


def are_similar(one: str, other: str) -> bool:
    """Tell whether two texts differ by one digit: another one, one more or one less.

    Examples:
        >>> are_similar("2026", "2028"), are_similar("2026", "226"), are_similar("2026", "1999")
        (True, True, False)
    """
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return any(long[:index] + long[index + 1 :] == short for index in range(len(long)))


def _rows_of(reading: Reading) -> list[_Row]:
    digits = iter(reading.digits)
    rows = [(text, [next(digits) for _ in text]) for text in reading.rows]
    return [_Row(text, min(d.confidence for d in row), union([d.box for d in row])) for text, row in rows]
