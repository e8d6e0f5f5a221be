"""A frame in, a reading out: vision and runtime put together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit found in a frame.

    Attributes:
        digit: 0 to 9.
        confidence: probability of that digit, 0 to 1.
        box: x, y, width, height in pixels of the frame.
    """

    digit: int
    confidence: float
    box: tuple[int, int, int, int]
