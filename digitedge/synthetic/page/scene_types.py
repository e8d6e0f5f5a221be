"""The kinds of hard scenes: what each is written on and with, how, and what is around it. One line is one kind."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from digitedge.synthetic.handwriting.defects import Manner
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.page.paper_types import Sheet
from digitedge.synthetic.page.surface import BLACK, BLUE, GREEN, RED, Tool
from digitedge.synthetic.page.writing import Layout


class Difficulty(StrEnum):
    """How hard a scene is to read, as a person would say."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Extra(StrEnum):
    """What else may be in an image."""

    FRAME = "frame"
    UNDERLINE = "underline"
    CIRCLE = "circle"
    WORDS = "words"
    SIGNS = "signs"
    PRINT = "print"
    LITTER = "litter"
    STAMP = "stamp"
    DESK = "desk"
    DARK_DESK = "dark desk"
    FINGER = "finger"
    THING = "thing"
    REFLECTION = "reflection"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Nib:
    """A pen, and the range of its looks.

    Attributes:
        pen: kind of pen.
        colours: BGR of full ink.
        opacity: least and most, 0 to 1.
        width: least and most, in heights of the digits.
    """

    pen: Pen
    colours: tuple[tuple[int, int, int], ...]
    opacity: tuple[float, float]
    width: tuple[float, float]

    def one(self, rng: np.random.Generator) -> Tool:
        """Take one such pen."""
        shade = np.array(self.colours[rng.integers(len(self.colours))]) + rng.integers(-14, 15, 3)
        blue, green, red = (int(value) for value in shade.clip(0, 255))
        return Tool(self.pen, (blue, green, red), float(rng.uniform(*self.opacity)), float(rng.uniform(*self.width)))


_GREYS = ((92, 90, 92), (76, 74, 76), (108, 106, 106))
_BRIGHT = (RED, GREEN, BLUE, (40, 110, 230), (160, 60, 140), (150, 120, 20))
FAINT = Nib(Pen.PENCIL, _GREYS, (0.25, 0.5), (0.025, 0.05))
PENCIL = Nib(Pen.PENCIL, _GREYS, (0.55, 0.9), (0.03, 0.07))
BALL = Nib(Pen.BALL, (BLUE, BLUE, BLACK, RED), (0.75, 0.95), (0.025, 0.065))
PALE_BALL = Nib(Pen.BALL, (BLUE, BLACK, (170, 110, 90)), (0.35, 0.65), (0.02, 0.045))
FELT = Nib(Pen.FELT, (BLACK, BLACK, BLUE, RED, GREEN), (0.88, 1.0), (0.055, 0.11))
MARKER = Nib(Pen.FELT, (BLACK, BLACK, BLUE, RED), (0.92, 1.0), (0.1, 0.2))
CRAYON = Nib(Pen.CHALK, _BRIGHT, (0.6, 0.9), (0.07, 0.15))
CHALK = Nib(Pen.CHALK, ((226, 232, 232), (170, 225, 232)), (0.75, 0.95), (0.06, 0.11))
BOARD = Nib(Pen.FELT, (BLACK, BLUE, RED, GREEN), (0.8, 0.97), (0.03, 0.09))

PAPERS = (Sheet.PLAIN, Sheet.PLAIN, Sheet.RULED, Sheet.SQUARED, Sheet.NOTEBOOK, Sheet.CRUMPLED, Sheet.BROWN, Sheet.SCAN)
_SMOOTH = (Sheet.PLAIN, Sheet.PLAIN, Sheet.SCAN, Sheet.RULED)
_USUAL = (BALL, BALL, PENCIL, FELT)
_SOME = (*(Layout.FEW,) * 6, Layout.SINGLE, Layout.NUMBERS, Layout.LIST, Layout.BLOCK)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of scene.

    Attributes:
        weight: how often it comes, relative to the others.
        ease: how often it is easy, medium and hard, relative to each other.
        sheets: what it may be written on.
        nibs: what it may be written with.
        layouts: how much may stand there.
        manners: how it may be written.
        joined: share of neighbours that touch.
        extras: what else is in the image.
        pens: how many different pens one page may have.
        bold: least and most boldness of printed lines.
    """

    weight: float
    ease: tuple[float, float, float]
    sheets: tuple[Sheet, ...] = PAPERS
    nibs: tuple[Nib, ...] = _USUAL
    layouts: tuple[Layout, ...] = _SOME
    manners: tuple[Manner, ...] = (Manner(),)
    joined: float = 0.0
    extras: tuple[Extra, ...] = ()
    pens: int = 1
    bold: tuple[float, float] = field(default=(0.0, 0.5))


_BROKEN = (Manner(apart=0.14), Manner(gaps=3), Manner(gaps=2, dry=0.6), Manner(apart=0.1, gaps=1, uneven=0.5))
_RETRACED = (Manner(retraces=3), Manner(retraces=5), Manner(retraces=2))
_BIG = (BALL, FELT, MARKER, PENCIL, CRAYON)

KINDS: dict[str, Kind] = {
    "plain": Kind(4, (6, 3, 1), sheets=(Sheet.PLAIN,)),
    "scan": Kind(1, (3, 1, 0), sheets=(Sheet.SCAN,), layouts=(Layout.BLOCK, Layout.MANY, Layout.FEW)),
    "ruled": Kind(3, (2, 3, 3), sheets=(Sheet.RULED, Sheet.NOTEBOOK), bold=(0.1, 0.9)),
    "squared": Kind(2, (1, 3, 3), sheets=(Sheet.SQUARED,), bold=(0.1, 0.8)),
    "faint": Kind(
        3,
        (0, 1, 3),
        sheets=(Sheet.PLAIN, Sheet.PLAIN, Sheet.RULED, Sheet.SQUARED, Sheet.CRUMPLED, Sheet.SCAN),
        nibs=(FAINT, FAINT, PALE_BALL),
        layouts=(Layout.FEW, Layout.NUMBERS, Layout.SINGLE),
        bold=(0, 0.25),
    ),
    "pencil": Kind(2, (1, 3, 1), nibs=(PENCIL,), manners=(Manner(uneven=0.5), Manner(dry=0.5)), bold=(0, 0.4)),
    "crayon": Kind(1, (2, 2, 1), nibs=(CRAYON,), sheets=_SMOOTH, pens=3),
    "marker": Kind(2, (3, 2, 1), nibs=(MARKER,)),
    "mixed": Kind(
        1.5,
        (0, 1, 2),
        nibs=(MARKER, FELT, PENCIL, PALE_BALL),
        pens=3,
        layouts=(Layout.BLOCK, Layout.LIST, Layout.NUMBERS),
        sheets=_SMOOTH,
    ),
    "touching": Kind(2, (0, 1, 3), joined=0.4, nibs=(BALL, FELT, MARKER), layouts=(Layout.FEW, Layout.NUMBERS)),
    "broken": Kind(2, (0, 1, 2), manners=_BROKEN),
    "retraced": Kind(1, (2, 1, 0), manners=_RETRACED, nibs=_BIG, layouts=(Layout.SINGLE, Layout.FEW)),
    "single": Kind(4, (3, 3, 1), nibs=_BIG, layouts=(Layout.SINGLE,), manners=(Manner(), Manner(), *_RETRACED)),
    "many": Kind(
        1.5, (1, 2, 1), layouts=(Layout.MANY,), sheets=(Sheet.PLAIN, Sheet.RULED, Sheet.SCAN), nibs=(BALL, FELT)
    ),
    "numbers": Kind(2, (2, 2, 1), layouts=(Layout.NUMBERS,)),
    "framed": Kind(2, (0, 1, 2), extras=(Extra.FRAME,), layouts=(Layout.FEW, Layout.SINGLE, Layout.NUMBERS)),
    "table": Kind(1.5, (0, 1, 2), layouts=(Layout.TABLE,), sheets=_SMOOTH),
    "circled": Kind(1, (0, 1, 2), extras=(Extra.CIRCLE,), layouts=(Layout.SINGLE, Layout.FEW)),
    "underlined": Kind(1.5, (0, 1, 2), extras=(Extra.UNDERLINE,), layouts=(Layout.FEW, Layout.NUMBERS)),
    "signs": Kind(1.5, (0, 1, 2), extras=(Extra.SIGNS,), layouts=(Layout.NUMBERS,)),
    "words": Kind(2, (0, 1, 2), extras=(Extra.WORDS,), layouts=(Layout.FEW, Layout.LIST, Layout.NUMBERS)),
    "form": Kind(
        1.5, (1, 2, 1), extras=(Extra.PRINT, Extra.UNDERLINE), layouts=(Layout.FEW, Layout.LIST), sheets=_SMOOTH
    ),
    "envelope": Kind(1, (0, 1, 1), extras=(Extra.PRINT, Extra.DESK), sheets=(Sheet.ENVELOPE,), layouts=(Layout.FEW,)),
    "littered": Kind(1, (0, 1, 1), extras=(Extra.LITTER,), sheets=_SMOOTH),
    "things": Kind(1.5, (1, 2, 1), extras=(Extra.THING, Extra.DESK)),
    "stamped": Kind(1, (1, 2, 1), extras=(Extra.STAMP,)),
    "desk": Kind(2, (2, 2, 1), extras=(Extra.DESK,)),
    "dark-desk": Kind(
        2, (1, 2, 2), extras=(Extra.DARK_DESK,), sheets=(Sheet.PLAIN, Sheet.STICKY, Sheet.RULED, Sheet.CRUMPLED)
    ),
    "finger": Kind(1.5, (1, 2, 1), extras=(Extra.FINGER,)),
    "cut": Kind(1, (0, 1, 1), extras=(Extra.CUT,), layouts=(Layout.FEW, Layout.BLOCK)),
    "crumpled": Kind(2, (1, 2, 2), sheets=(Sheet.CRUMPLED,)),
    "napkin": Kind(1.5, (0, 2, 1), sheets=(Sheet.NAPKIN,), nibs=(BALL, FELT, PENCIL)),
    "brown": Kind(1, (1, 2, 1), sheets=(Sheet.BROWN,), nibs=(BALL, FELT, MARKER)),
    "sticky": Kind(1, (2, 1, 0), sheets=(Sheet.STICKY,), extras=(Extra.DESK,)),
    "whiteboard": Kind(2, (2, 2, 1), sheets=(Sheet.WHITEBOARD,), nibs=(BOARD,), extras=(Extra.REFLECTION,)),
    "blackboard": Kind(1.5, (2, 2, 1), sheets=(Sheet.BLACKBOARD,), nibs=(CHALK,)),
}
"""Scenes with digits, by name."""

RARE: dict[Extra, float] = {
    Extra.DESK: 0.14,
    Extra.DARK_DESK: 0.05,
    Extra.FINGER: 0.05,
    Extra.THING: 0.07,
    Extra.WORDS: 0.04,
    Extra.STAMP: 0.03,
}
"""What may also be in any scene that is not easy, and how often."""

NEGATIVES: dict[str, float] = {"blank": 3.0, "letters": 3.0, "objects": 3.0, "doodles": 0.7}
"""How often each kind of scene without digits comes, relative to each other."""
