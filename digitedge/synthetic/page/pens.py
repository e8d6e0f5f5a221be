"""The pens that pages are written with, and how much each may vary. Colours are BGR, 0 to 255, in even light."""

from dataclasses import dataclass

import numpy as np

from digitedge.synthetic.handwriting.pen import PenType
from digitedge.utils.drawing import Colour

BLACK = (42, 38, 36)
BLUE = (128, 58, 34)
RED = (48, 44, 188)
GREEN = (70, 108, 38)
_GREYS = ((92, 90, 92), (76, 74, 76), (108, 106, 106))
_BRIGHT = (RED, GREEN, BLUE, (40, 110, 230), (160, 60, 140), (150, 120, 20))


@dataclass(frozen=True, slots=True)
class Pen:
    """One pen: BGR of full ink, how much of the paper it covers (0 to 1), and stroke width in heights of the digits."""

    type: PenType
    colour: Colour
    opacity: float
    width: float


@dataclass(frozen=True, slots=True)
class PenRange:
    """What pens of one kind look like: least and largest opacity and stroke width.

    Each colour is equally likely and varies a little.
    """

    type: PenType
    colours: tuple[Colour, ...]
    opacity: tuple[float, float]
    width: tuple[float, float]

    def sample(self, rng: np.random.Generator) -> Pen:
        """Sample one pen."""
        shade = np.array(self.colours[rng.integers(len(self.colours))]) + rng.integers(-14, 15, 3)
        blue, green, red = (int(value) for value in shade.clip(0, 255))
        return Pen(self.type, (blue, green, red), float(rng.uniform(*self.opacity)), float(rng.uniform(*self.width)))


FAINT_PENCIL = PenRange(PenType.PENCIL, _GREYS, (0.25, 0.5), (0.025, 0.05))
PENCIL = PenRange(PenType.PENCIL, _GREYS, (0.55, 0.9), (0.03, 0.07))
SOFT_PENCIL = PenRange(PenType.PENCIL, _GREYS, (0.68, 0.9), (0.065, 0.1))
PALE_BALL = PenRange(PenType.BALL, (BLUE, BLACK, (170, 110, 90)), (0.35, 0.65), (0.02, 0.045))
BALL = PenRange(PenType.BALL, (BLUE, BLUE, BLACK, RED), (0.75, 0.95), (0.025, 0.065))
BOLD_BALL = PenRange(PenType.BALL, (BLUE, BLUE, BLACK, RED), (0.82, 0.97), (0.055, 0.11))
FELT = PenRange(PenType.FELT, (BLACK, BLACK, BLUE, RED, GREEN), (0.88, 1.0), (0.055, 0.11))
BOLD_FELT = PenRange(PenType.FELT, (BLACK, BLACK, BLUE, RED, GREEN), (0.88, 1.0), (0.085, 0.15))
MARKER = PenRange(PenType.FELT, (BLACK, BLACK, BLUE, RED), (0.92, 1.0), (0.1, 0.2))
CRAYON = PenRange(PenType.CHALK, _BRIGHT, (0.6, 0.9), (0.07, 0.15))
CHALK = PenRange(PenType.CHALK, ((226, 232, 232), (170, 225, 232)), (0.75, 0.95), (0.06, 0.11))
WHITEBOARD_PEN = PenRange(PenType.FELT, (BLACK, BLUE, RED, GREEN), (0.8, 0.97), (0.03, 0.09))
