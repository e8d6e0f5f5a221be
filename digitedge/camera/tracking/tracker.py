"""Digits followed from frame to frame, so that votes decide what each one is, and none flickers.

One frame is one opinion: a hand moves, focus hunts, a compressed frame is soft. A track is one written digit. Every
frame votes on it with its confidence, and votes expire, so that a digit that is overwritten changes.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.reader import Digit, Reading, arrange
from digitedge.utils.boxes import Box

# How long a vote counts, and how long a digit stays that no frame shows: seconds of frames, see `Clock`.
VOTE_S, COAST_S = 0.5, 0.3
# How far a digit may move between two frames, in heights of it, and how its height may change.
REACH, GROWTH = 0.8, 1.5
# What is a gap: longer than so many seconds, and than so many times the step before.
GAP_S, GAP_STEPS = 1.0, 4
# A digit that reads otherwise counts as so many times farther away: else a row that moves by half a digit is confused.
OTHERWISE = 2.0


class Clock:
    """Seconds in which frames came: a gap in a stream, or a pause, is no time in which something could be seen.

    Attributes:
        had_gap: whether the last frame came after a gap: later than after a second, and than four times as long as the
            frame before it. What was not certain before it is not known any more.

    Examples:
        >>> clock = Clock(longest_step=0.25)
        >>> [clock.tick(moment) for moment in (7.0, 7.125, 60.0)], clock.had_gap
        ([0.0, 0.125, 0.375], True)
    """

    def __init__(self, *, longest_step: float = 0.25) -> None:
        self.had_gap = False
        self._longest = longest_step
        self._last: float | None = None
        self._step: float | None = None
        self._now = 0.0

    def tick(self, moment: float) -> float:
        """Count the time since the frame before, of which this one is `moment` seconds from any start."""
        if self._last is not None:
            step = max(0.0, moment - self._last)
            self.had_gap = self._step is not None and step > max(GAP_S, GAP_STEPS * self._step)
            self._step = self._step if self.had_gap else step
            self._now += min(step, self._longest)
        self._last = moment
        return self._now


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    seen: float
    votes: deque[tuple[float, int, float]] = field(default_factory=deque)  # clock, digit, confidence

    def vote(self, digit: Digit, now: float) -> None:
        self.box, self.seen = digit.box, now
        self.votes.append((now, digit.digit, digit.confidence))
        while self.votes[0][0] < now - VOTE_S:
            self.votes.popleft()

    def elected(self) -> Digit:
        """The digit with most confidence behind it.

        Its own confidence is the mean over all votes, with 0 for votes for others: where frames disagree, it is less
        than in any frame, and may be less than the reader's threshold.
        """
        behind: Counter[int] = Counter()
        for _, digit, confidence in self.votes:
            behind[digit] += confidence  # type: ignore[assignment]  # a Counter adds floats as well
        digit, total = behind.most_common(1)[0]
        return Digit(digit, round(total / len(self.votes), 4), self.box, track=self.number)


class Tracker:
    """Follows the digits of one source.

    Examples:
        >>> tracker = Tracker()
        >>> [one] = tracker.follow([Digit(7, 0.9, (10, 10, 20, 30))], now=0.0)
        >>> [other] = tracker.follow([Digit(1, 0.5, (12, 11, 20, 30))], now=0.1)
        >>> one.track == other.track, other.digit
        (True, 7)
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        self._tracks: list[_Track] = []

    def follow(self, digits: Sequence[Digit], *, now: float) -> list[Digit]:
        """Take what one frame shows; give each digit as all frames see it.

        Args:
            digits: of the frame, in any order.
            now: seconds by `Clock`.

        Returns:
            Digits with `track` set, the missed ones of the last COAST_S among them, where they were last.
        """
        for track, digit in zip(self._owners(digits), digits, strict=True):
            if track is None:
                track = _Track(next(self._numbers), digit.box, now)
                self._tracks.append(track)
            track.vote(digit, now)
        self._tracks = [track for track in self._tracks if now - track.seen <= COAST_S]
        return [track.elected() for track in self._tracks]

    def forget(self) -> None:
        """Forget all digits: after a gap, others may be there."""
        self._tracks.clear()

    def _owners(self, digits: Sequence[Digit]) -> list[_Track | None]:
        """The track of each digit, nearest pairs first; None for a new one."""
        owners: list[_Track | None] = [None] * len(digits)
        if not digits or not self._tracks:
            return owners
        distance = _distances(self._tracks, digits)
        for pair in np.argsort(distance, axis=None, kind="stable").tolist():
            row, column = divmod(pair, len(digits))
            if not np.isfinite(distance[row, column]):
                break
            distance[row, :] = distance[:, column] = np.inf
            owners[column] = self._tracks[row]
        return owners


def _distances(tracks: Sequence[_Track], digits: Sequence[Digit]) -> NDArray[np.float64]:
    """How far digits are from tracks, in heights: float64 (tracks, digits); infinite where they cannot be the same."""
    old, new = (np.array([one.box for one in some], np.float64)[:, None] for some in (tracks, digits))
    new = new.transpose(1, 0, 2)  # (1, digits, 4) against (tracks, 1, 4)
    height = np.maximum(old[..., 3], new[..., 3])
    apart = np.hypot(*((new[..., i] + new[..., i + 2] / 2) - (old[..., i] + old[..., i + 2] / 2) for i in (0, 1)))
    reads = np.array([track.elected().digit for track in tracks])[:, None] == [digit.digit for digit in digits]
    fits = (apart <= REACH * height) & (height <= GROWTH * np.minimum(old[..., 3], new[..., 3]))
    return np.where(fits, np.where(reads, 1, OTHERWISE) * apart / height, np.inf)


def followed(reading: Reading, tracker: Tracker, *, now: float) -> Reading:
    """The reading of one frame as all frames see it: digits by vote, and the rows that those form."""
    return replace(reading, **arrange(tracker.follow(reading.digits, now=now)))
