"""Render and read images at one point, until there are enough digits, or enough images without digits."""

from dataclasses import dataclass
from itertools import count

import numpy as np
from sweeps import Point

from digitedge import Reader, Reading
from digitedge.evaluation.reader import LabelledFrame
from digitedge.metrics.detection import DetectionScore, score_reading


@dataclass(frozen=True, slots=True)
class Example:
    """A rendered image, its seed, and the reading."""

    seed: int
    labelled: LabelledFrame
    reading: Reading

    @property
    def score(self) -> DetectionScore:
        """The score of this image alone."""
        return score_reading(self.labelled, self.reading, ignore=self.labelled.ignore)


@dataclass(frozen=True, slots=True)
class PointResult:
    """What was measured at one point.

    Attributes:
        point: what was rendered.
        score: over all images.
        images_with_errors: how many have at least one error.
        example: the first of these, else the first image.
    """

    point: Point
    score: DetectionScore
    images_with_errors: int
    example: Example


def read_example(point: Point, seed: int, reader: Reader) -> Example:
    """Render and read one image. The same seed gives the same handwriting at neighbouring points."""
    labelled = point.render(np.random.default_rng(seed))
    return Example(seed, labelled, reader.read(labelled.frame))


def measure(point: Point, reader: Reader, *, digits: int, images: int) -> PointResult:
    """Render and read images at one point until there are enough.

    Args:
        point: what is rendered.
        reader: reads the images.
        digits: least number of true digits, >= 1.
        images: number of images if they have no digits, >= 1.
    """
    total, images_with_errors = DetectionScore(), 0
    shown = None
    for seed in count():
        example = read_example(point, seed, reader)
        has_errors = example.score.errors > 0
        if shown is None or (has_errors and not images_with_errors):
            shown = example
        images_with_errors += has_errors
        total += example.score
        if total.digits >= digits or total.negatives >= images:
            return PointResult(point, total, images_with_errors, shown)
    raise AssertionError("count() does not end")
