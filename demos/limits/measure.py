"""Points -> scores: images are taken and read until so many digits, or so many images without any, have passed."""

from dataclasses import dataclass
from itertools import count

import numpy as np
from sweeps import Point

from digitedge import Reader, Reading
from digitedge.evaluation.reader import Case
from digitedge.metrics.detection import Score, score_reading


@dataclass(frozen=True, slots=True)
class Shot:
    """An image, the seed it was taken with, and what was read in it."""

    seed: int
    case: Case
    reading: Reading

    @property
    def score(self) -> Score:
        """Of this image alone."""
        return score_reading(self.case, self.reading, ignore=self.case.ignore)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out at one point.

    Attributes:
        point: where.
        score: over all images.
        spoiled: images in which something is wrong.
        shot: the first of these, else the first image.
    """

    point: Point
    score: Score
    spoiled: int
    shot: Shot


def take(point: Point, seed: int, reader: Reader) -> Shot:
    """Take and read one image; the same seed gives the same writing at neighbouring points."""
    case = point.take(np.random.default_rng(seed))
    return Shot(seed, case, reader.read(case.frame))


def measure(point: Point, reader: Reader, *, digits: int, images: int) -> Measured:
    """Take and read images at one point until there are enough.

    Args:
        point: what is photographed.
        reader: who is examined.
        digits: true digits, at least, >= 1.
        images: if they have no digits, >= 1.
    """
    total, spoiled = Score(), 0
    shot = None
    for seed in count():
        taken = take(point, seed, reader)
        failed = taken.score.errors > 0
        if shot is None or (failed and not spoiled):
            shot = taken
        spoiled += failed
        total += taken.score
        if total.true >= digits or total.negatives >= images:
            return Measured(point, total, spoiled, shot)
    raise AssertionError("there is always another seed")
