"""Measure how often `digitedge.reader.orientation` notices that an image lies on its side or head; compare constants.

Reads all images of folders for `digitedge eval photos`, which must be upright, in four orientations, and evaluates each
as if it had been given in each of them. Nothing upright must be turned; of what is not, the images with digits of which
five or more are read upright are to be turned. Takes some minutes.

    python tests/experiments/orientation.py FOLDER [FOLDER ...]
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from digitedge import Reader
from digitedge.datasets.annotations import load_annotations
from digitedge.reader import orientation
from digitedge.reader.rejection import Decision
from digitedge.utils.images import read_image
from digitedge.utils.tables import Table, percent
from digitedge.utils.transform import Transform

ROTATIONS = (0, 90, 180, 270)
MIN_DIGITS = 5


@dataclass(frozen=True, slots=True)
class TurnedImage:
    """The decisions about an upright image by the degrees that it was turned clockwise before it was read."""

    name: str
    digits: int
    decisions: dict[int, tuple[Decision, ...]]


@dataclass(slots=True)
class Counts:
    """What became of images: `turnable` ones lay on their side or head, and MIN_DIGITS or more are read upright."""

    turnable: int = 0
    turned: int = 0
    wrong: int = 0
    upright: int = 0
    false: int = 0
    read_again: int = 0


def main() -> None:
    """Print the rates with the present constants, every error, and the rates with others."""
    images = [image for folder in sys.argv[1:] for image in read_images(folder)]
    lines = {"present": figures(count(images, log=True))}
    for values in product((14, 17, 21, 24), (3, 5, 8, 12), (1, 2, 4), (2.0, 2.5, 3.0)):
        orientation.MIN_SCORE, orientation.MIN_GAIN, orientation.MIN_LEAD, orientation.SOUND_MEAN = values
        lines["score {}, gain {}, lead {}, sound {}".format(*values)] = figures(count(images))
    print(Table("constants", ["turned right", "turned wrong", "false turns", "upright read again"], lines).text())


def read_images(folder: str) -> Iterator[TurnedImage]:
    """Read every image of a folder in four orientations."""
    reader = Reader()
    for image in load_annotations(folder):
        frame = read_image(image.path)
        decisions = {degrees: reader.trace(Transform(degrees).apply(frame)).decisions for degrees in ROTATIONS}
        yield TurnedImage(image.name, len(image.digits), decisions)


def count(images: list[TurnedImage], *, log: bool = False) -> Counts:
    """Evaluate every image in every orientation."""
    counts = Counts()
    for image in images:
        is_turnable = image.digits > 0 and sum(decision.kept for decision in image.decisions[0]) >= MIN_DIGITS
        scores = {degrees: orientation.orientation_score(image.decisions[degrees]) for degrees in ROTATIONS}
        for given in ROTATIONS:
            is_sound = orientation.is_sound(image.decisions[given])
            relative = {degrees: scores[(given + degrees) % 360] for degrees in ROTATIONS}
            rotation = 0 if is_sound else orientation.choose_rotation(relative)
            is_right = bool(image.digits) and (given + rotation) % 360 == 0
            if given == 0:
                counts.upright += 1
                counts.false += rotation != 0
                counts.read_again += not is_sound
            else:
                counts.wrong += rotation != 0 and not is_right
                counts.turnable += is_turnable
                counts.turned += is_turnable and is_right
            if log and not is_right and (rotation or (given and is_turnable)):
                rounded = {degrees: round(score, 1) for degrees, score in relative.items()}
                print(f"{image.name} given at {given}: turned by {rotation}; {'sound' if is_sound else ''} {rounded}")
    return counts


def figures(counts: Counts) -> list[str]:
    """Return the cells of a line of the table."""
    return [
        percent(counts.turned / counts.turnable, decimals=1),
        str(counts.wrong),
        f"{counts.false} of {counts.upright}",
        percent(counts.read_again / counts.upright, decimals=0),
    ]


if __name__ == "__main__":
    main()
