"""Digit tracking: digits are followed from frame to frame, and votes decide what each one is.

Single frames err: hands move, focus hunts, compressed frames are blurred. Each frame votes on a track with its
confidence. Votes expire, so that a digit that is written over changes.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.reading import Digit

# How long a vote counts, and how long a missed digit is kept, in seconds by `FrameClock`.
VOTE_S = 0.5
COAST_S = 0.3
# How far a digit may move between two frames, in heights, and by which factor its height may change.
MAX_DISTANCE = 0.8
MAX_GROWTH = 1.5
# Factor on the distance of a digit that is read differently: without it a row that moves by half a digit is confused.
MISMATCH_COST = 2.0
# A gap is longer than so many seconds, and than so many times the step before.
GAP_S = 1.0
GAP_STEPS = 4


class FrameClock:
    """Time in which frames came: gaps in a stream and pauses are not counted.

    Attributes:
        had_gap: whether the last frame came after a gap, see GAP_S.

    Examples:
        >>> clock = FrameClock(longest_step=0.25)
        >>> [clock.tick(time) for time in (7.0, 7.125, 60.0)], clock.had_gap
        ([0.0, 0.125, 0.375], True)
    """

    def __init__(self, *, longest_step: float = 0.25) -> None:
        self.had_gap = False
        self._longest_step = longest_step
        self._last: float | None = None
        self._step: float | None = None
        self._now = 0.0

    def tick(self, time: float) -> float:
        """Add a frame, taken at `time` in seconds, and return the time on this clock."""
        if self._last is not None:
            step = max(0.0, time - self._last)
            self.had_gap = self._step is not None and step > max(GAP_S, GAP_STEPS * self._step)
            self._step = self._step if self.had_gap else step
            self._now += min(step, self._longest_step)
        self._last = time
        return self._now


@dataclass(slots=True)
class _Track:
    number: int
    latest: Digit
    last_seen: float
    votes: deque[tuple[float, int, float]] = field(default_factory=deque)  # time, digit, confidence

    def vote(self, digit: Digit, now: float) -> None:
        self.latest, self.last_seen = digit, now
        self.votes.append((now, digit.digit, digit.confidence))
        while self.votes[0][0] < now - VOTE_S:
            self.votes.popleft()

    def winner(self, now: float) -> Digit:
        """Return the digit with the highest sum of confidence.

        Its confidence is the mean over all votes, with 0 for votes for other digits, so it may be less than in any
        frame and less than the reader's threshold.
        """
        sums: Counter[int] = Counter()
        for _, digit, confidence in self.votes:
            sums[digit] += confidence  # type: ignore[assignment]  # a Counter adds floats as well
        digit, total = sums.most_common(1)[0]
        winner = replace(self.latest, digit=digit, confidence=round(total / len(self.votes), 4), track=self.number)
        return winner if self.last_seen == now else replace(winner, crop=None, probabilities=None)


class DigitTracker:
    """Follows the digits of one source.

    Examples:
        >>> tracker = DigitTracker()
        >>> [first] = tracker.update([Digit(7, 0.9, (10, 10, 20, 30))], now=0.0)
        >>> [second] = tracker.update([Digit(1, 0.5, (12, 11, 20, 30))], now=0.1)
        >>> first.track == second.track, second.digit
        (True, 7)
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        self._tracks: list[_Track] = []

    def update(self, digits: Sequence[Digit], *, now: float) -> list[Digit]:
        """Add the digits of a frame, at `now` in seconds by `FrameClock`.

        Returns:
            The digits by vote, with `track` set; also those missed for less than COAST_S, in their last place.
        """
        for track, digit in zip(self._match(digits, now), digits, strict=True):
            if track is None:
                track = _Track(next(self._numbers), digit, now)
                self._tracks.append(track)
            track.vote(digit, now)
        self._tracks = [track for track in self._tracks if now - track.last_seen <= COAST_S]
        return [track.winner(now) for track in self._tracks]

    def reset(self) -> None:
        """Forget all digits: after a gap, others may be in view."""
        self._tracks.clear()

    def _match(self, digits: Sequence[Digit], now: float) -> list[_Track | None]:
        """Assign digits to tracks, nearest pairs first; None for a new digit."""
        assigned: list[_Track | None] = [None] * len(digits)
        if not digits or not self._tracks:
            return assigned
        cost = _costs([track.winner(now) for track in self._tracks], digits)
        for pair in np.argsort(cost, axis=None, kind="stable").tolist():
            row, column = divmod(pair, len(digits))
            if not np.isfinite(cost[row, column]):
                break
            cost[row, :] = cost[:, column] = np.inf
            assigned[column] = self._tracks[row]
        return assigned


def _costs(tracked: Sequence[Digit], digits: Sequence[Digit]) -> NDArray[np.float64]:
    """Distances in heights: float64 (tracked, digits); infinite where a digit cannot match."""
    old = np.array([digit.box for digit in tracked], np.float64)[:, None]  # (tracked, 1, 4)
    new = np.array([digit.box for digit in digits], np.float64)[None, :]  # (1, digits, 4)
    height = np.maximum(old[..., 3], new[..., 3])
    offset = new[..., :2] + new[..., 2:] / 2 - (old[..., :2] + old[..., 2:] / 2)  # of the centres
    distance = np.hypot(offset[..., 0], offset[..., 1])
    same_digit = np.array([digit.digit for digit in tracked])[:, None] == [digit.digit for digit in digits]
    may_match = (distance <= MAX_DISTANCE * height) & (height <= MAX_GROWTH * np.minimum(old[..., 3], new[..., 3]))
    return np.where(may_match, np.where(same_digit, 1, MISMATCH_COST) * distance / height, np.inf)
