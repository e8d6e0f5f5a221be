"""Orientation: a page that lies on its side or head is noticed, and read upright.

The image is read as it is. Where that reading is not sound, the image is read in the three other orientations, too, and
turned if it clearly reads better in one of them. See docs/decisions/orientation.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.reader import Reader
from digitedge.reader.reading import Reading
from digitedge.reader.rejection import Decision
from digitedge.utils.images import check_image
from digitedge.utils.opencv import to_grey
from digitedge.utils.transform import Transform

# A digit counts with the log odds of its confidence, within this distance from 0 and 1, less these: what digits of
# another orientation are taken for is less certain.
MIN_DOUBT = 0.003
NEUTRAL_LOG_ODDS = 2.0
# What a candidate counts that was classified and rejected, and the share of the digits' score that all of them can
# cost: print and letters are rejected in every orientation.
REJECTED_SCORE = -1.0
MAX_REJECTED_SHARE = 0.5
# A reading is sound if its candidates, specks and strokes included, reach this mean: then nothing else is tried.
SOUND_MEAN = 2.5
# What an orientation must score to be taken, six certain digits or so, and how much more than the image as it is and
# than the next best orientation.
MIN_SCORE = 21.0
MIN_GAIN = 5.0
MIN_LEAD = 2.0


def read_transformed(reader: Reader, image: NDArray[np.uint8], transform: Transform, *, source: str = "") -> Reading:
    """Read a transformed image.

    Args:
        reader: reads it.
        image: uint8 (H, W, 3) BGR or (H, W).
        transform: applied to the image before it is read.
        source: name of the image, for the reading.

    Returns:
        The reading, with boxes in pixels of `image`; its trace is of the transformed image.

    Raises:
        CameraError: the region of the transform lies outside the image.
        InputError: another type or shape.
    """
    check_image(image)
    height, width = image.shape[:2]
    return reader.read(transform.apply(image), source=source).before(transform, width=width, height=height)


def read_upright(
    reader: Reader,
    image: NDArray[np.uint8],
    transform: Transform = Transform(),  # noqa: B008 - frozen
    *,
    source: str = "",
) -> Reading:
    """Read an image, turned by 90, 180 or 270 degrees if it clearly reads better so.

    Args:
        reader: reads it, once or four times.
        image: uint8 (H, W, 3) BGR or (H, W).
        transform: applied to the image before it is turned.
        source: name of the image, for the reading.

    Returns:
        The reading, with boxes in pixels of `image`. Its `transform.rotate` tells how it was turned; its `ms` is the
        time of all readings.

    Raises:
        CameraError: the region of the transform lies outside the image.
        InputError: another type or shape.
    """
    first = read_transformed(reader, image, transform, source=source)
    if is_sound(_decisions(first)):
        return first
    scores, ms, best = {0: orientation_score(_decisions(first))}, first.ms, first
    for degrees in (90, 180, 270):
        turned = transform.then_rotate(degrees, image.shape[1], image.shape[0])
        # Of a large image the turned copies take most memory: they are grey, as all readings are, and not kept.
        reading = _with_image(read_transformed(reader, to_grey(image), turned, source=source), image)
        scores[degrees] = orientation_score(_decisions(reading))
        ms += reading.ms
        if scores[degrees] > max(scores[other] for other in scores if other != degrees):
            best = reading
    chosen = _with_image(best, best.transform.apply(image)) if choose_rotation(scores) else first
    return replace(chosen, ms=round(ms, 2))


def is_sound(decisions: Sequence[Decision]) -> bool:
    """Tell whether an image is read so well that no other orientation needs to be tried.

    An image without candidates is sound, too: no orientation has more.
    """
    score = sum(_score(decision) if decision.kept else REJECTED_SCORE for decision in decisions)
    return score >= SOUND_MEAN * len(decisions)


def orientation_score(decisions: Sequence[Decision]) -> float:
    """Return how well an image reads in one orientation: the higher, the more certain digits and the fewer rejected."""
    kept = sum(_score(decision) for decision in decisions if decision.kept)
    rejected = sum(not decision.kept and decision.prediction.crop is not None for decision in decisions)
    return kept + max(REJECTED_SCORE * rejected, -MAX_REJECTED_SHARE * max(0.0, kept))


def choose_rotation(scores: Mapping[int, float]) -> int:
    """Return by how many degrees clockwise an image is to be turned; 0 unless the evidence is clear.

    Args:
        scores: by rotation in degrees: 0, 90, 180 and 270.

    Examples:
        >>> choose_rotation({0: 3.8, 90: 28.3, 180: 1.2, 270: 15.0})
        90
        >>> choose_rotation({0: 3.8, 90: 28.3, 180: 1.2, 270: 27.9})
        0
    """
    best, second = sorted((90, 180, 270), key=lambda degrees: -scores[degrees])[:2]
    needed = max(MIN_SCORE, scores[0] + MIN_GAIN, scores[second] + MIN_LEAD)
    return best if scores[best] >= needed else 0


def _score(decision: Decision) -> float:
    confidence = min(max(decision.prediction.confidence, MIN_DOUBT), 1 - MIN_DOUBT)
    return math.log(confidence / (1 - confidence)) - NEUTRAL_LOG_ODDS


def _decisions(reading: Reading) -> Sequence[Decision]:
    return reading.trace.decisions if reading.trace else ()


def _with_image(reading: Reading, image: NDArray[np.uint8]) -> Reading:
    """A reading whose trace has another image."""
    return replace(reading, trace=replace(reading.trace, image=image)) if reading.trace else reading
