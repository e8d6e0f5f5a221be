"""The scene types: what each is written on and with, how, and what is around it. One entry of a table is one type."""

from dataclasses import dataclass, replace
from enum import StrEnum

from digitedge.synthetic.handwriting.defects import NO_DEFECTS, Defects
from digitedge.synthetic.page.paper_types import PaperType
from digitedge.synthetic.page.pens import (
    BALL,
    BOLD_BALL,
    BOLD_FELT,
    CHALK,
    CRAYON,
    FAINT_PENCIL,
    FELT,
    MARKER,
    PALE_BALL,
    PENCIL,
    SOFT_PENCIL,
    WHITEBOARD_PEN,
    PenRange,
)
from digitedge.synthetic.page.writing import Layout


class Difficulty(StrEnum):
    """How hard a scene is to read for a person. PLAIN is for demos and tests: every digit is whole, large and clear."""

    PLAIN = "plain"
    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Clutter(StrEnum):
    """What else may be in an image."""

    FRAME = "frame"
    UNDERLINE = "underline"
    CIRCLE = "circle"
    WORDS = "words"
    SIGNS = "signs"
    PRINT = "print"
    LITTER = "litter"
    TIMESTAMP = "timestamp"
    DESK = "desk"
    DARK_DESK = "dark desk"
    FINGER = "finger"
    OCCLUDER = "occluder"
    REFLECTION = "reflection"
    CUT = "cut"  # the border of the frame cuts some digits


PAPERS = (
    PaperType.PLAIN,
    PaperType.PLAIN,
    PaperType.RULED,
    PaperType.SQUARED,
    PaperType.NOTEBOOK,
    PaperType.CRUMPLED,
    PaperType.BROWN,
    PaperType.SCAN,
)
_SMOOTH_PAPERS = (PaperType.PLAIN, PaperType.PLAIN, PaperType.SCAN, PaperType.RULED)
_USUAL_PENS = (BALL, BALL, PENCIL, FELT)
_BROAD_PENS = (BALL, FELT, MARKER, PENCIL, CRAYON)
_PLAIN_PENS = (BOLD_BALL, BOLD_BALL, BOLD_FELT, SOFT_PENCIL)
_USUAL_LAYOUTS = (*(Layout.FEW,) * 6, Layout.SINGLE, Layout.NUMBERS, Layout.LIST, Layout.BLOCK)
_BROKEN = (
    Defects(displacement=0.14),
    Defects(gaps=3),
    Defects(gaps=2, dryness=0.6),
    Defects(displacement=0.1, gaps=1, unevenness=0.5),
)
_RETRACED = (Defects(retraces=3), Defects(retraces=5), Defects(retraces=2))


@dataclass(frozen=True, slots=True)
class SceneType:
    """One type of scene. Of every tuple of choices, each entry is equally likely.

    Attributes:
        weight: how often it comes, relative to the other types.
        difficulties: how often it is easy, medium and hard, relative to each other.
        touching: share of neighbours that touch.
        pen_count: how many pens a page has.
        boldness: least and largest, of printed lines.
    """

    weight: float = 1.0
    difficulties: tuple[float, float, float] = (1, 1, 1)
    papers: tuple[PaperType, ...] = PAPERS
    pens: tuple[PenRange, ...] = _USUAL_PENS
    layouts: tuple[Layout, ...] = _USUAL_LAYOUTS
    defects: tuple[Defects, ...] = (NO_DEFECTS,)
    touching: float = 0.0
    clutter: tuple[Clutter, ...] = ()
    pen_count: int = 1
    boldness: tuple[float, float] = (0.0, 0.5)


SCENE_TYPES: dict[str, SceneType] = {
    "plain": SceneType(4, (6, 3, 1), papers=(PaperType.PLAIN,)),
    "scan": SceneType(1, (3, 1, 0), papers=(PaperType.SCAN,), layouts=(Layout.BLOCK, Layout.MANY, Layout.FEW)),
    "ruled": SceneType(3, (2, 3, 3), papers=(PaperType.RULED, PaperType.NOTEBOOK), boldness=(0.1, 0.9)),
    "squared": SceneType(2, (1, 3, 3), papers=(PaperType.SQUARED,), boldness=(0.1, 0.8)),
    "faint": SceneType(
        3,
        (0, 1, 3),
        papers=(
            *(PaperType.PLAIN, PaperType.PLAIN, PaperType.RULED),
            *(PaperType.SQUARED, PaperType.CRUMPLED, PaperType.SCAN),
        ),
        pens=(FAINT_PENCIL, FAINT_PENCIL, PALE_BALL),
        layouts=(Layout.FEW, Layout.NUMBERS, Layout.SINGLE),
        boldness=(0, 0.25),
    ),
    "pencil": SceneType(
        2, (1, 3, 1), pens=(PENCIL,), defects=(Defects(unevenness=0.5), Defects(dryness=0.5)), boldness=(0, 0.4)
    ),
    "crayon": SceneType(1, (2, 2, 1), pens=(CRAYON,), papers=_SMOOTH_PAPERS, pen_count=3),
    "marker": SceneType(2, (3, 2, 1), pens=(MARKER,)),
    "mixed": SceneType(
        1.5,
        (0, 1, 2),
        pens=(MARKER, FELT, PENCIL, PALE_BALL),
        pen_count=3,
        layouts=(Layout.BLOCK, Layout.LIST, Layout.NUMBERS),
        papers=_SMOOTH_PAPERS,
    ),
    "touching": SceneType(2, (0, 1, 3), touching=0.4, pens=(BALL, FELT, MARKER), layouts=(Layout.FEW, Layout.NUMBERS)),
    "broken": SceneType(2, (0, 1, 2), defects=_BROKEN),
    "retraced": SceneType(1, (2, 1, 0), defects=_RETRACED, pens=_BROAD_PENS, layouts=(Layout.SINGLE, Layout.FEW)),
    "single": SceneType(
        4, (3, 3, 1), pens=_BROAD_PENS, layouts=(Layout.SINGLE,), defects=(NO_DEFECTS, NO_DEFECTS, *_RETRACED)
    ),
    "many": SceneType(
        1.5,
        (1, 2, 1),
        layouts=(Layout.MANY,),
        papers=(PaperType.PLAIN, PaperType.RULED, PaperType.SCAN),
        pens=(BALL, FELT),
    ),
    "numbers": SceneType(2, (2, 2, 1), layouts=(Layout.NUMBERS,)),
    "framed": SceneType(2, (0, 1, 2), clutter=(Clutter.FRAME,), layouts=(Layout.FEW, Layout.SINGLE, Layout.NUMBERS)),
    "table": SceneType(1.5, (0, 1, 2), layouts=(Layout.TABLE,), papers=_SMOOTH_PAPERS),
    "circled": SceneType(1, (0, 1, 2), clutter=(Clutter.CIRCLE,), layouts=(Layout.SINGLE, Layout.FEW)),
    "underlined": SceneType(1.5, (0, 1, 2), clutter=(Clutter.UNDERLINE,), layouts=(Layout.FEW, Layout.NUMBERS)),
    "signs": SceneType(1.5, (0, 1, 2), clutter=(Clutter.SIGNS,), layouts=(Layout.NUMBERS,)),
    "words": SceneType(2, (0, 1, 2), clutter=(Clutter.WORDS,), layouts=(Layout.FEW, Layout.LIST, Layout.NUMBERS)),
    "form": SceneType(
        1.5,
        (1, 2, 1),
        clutter=(Clutter.PRINT, Clutter.UNDERLINE),
        layouts=(Layout.FEW, Layout.LIST),
        papers=_SMOOTH_PAPERS,
    ),
    "envelope": SceneType(
        1, (0, 1, 1), clutter=(Clutter.PRINT, Clutter.DESK), papers=(PaperType.ENVELOPE,), layouts=(Layout.FEW,)
    ),
    "littered": SceneType(1, (0, 1, 1), clutter=(Clutter.LITTER,), papers=_SMOOTH_PAPERS),
    "occluders": SceneType(1.5, (1, 2, 1), clutter=(Clutter.OCCLUDER, Clutter.DESK)),
    "stamped": SceneType(1, (1, 2, 1), clutter=(Clutter.TIMESTAMP,)),
    "desk": SceneType(2, (2, 2, 1), clutter=(Clutter.DESK,)),
    "dark-desk": SceneType(
        2,
        (1, 2, 2),
        clutter=(Clutter.DARK_DESK,),
        papers=(PaperType.PLAIN, PaperType.STICKY, PaperType.RULED, PaperType.CRUMPLED),
    ),
    "finger": SceneType(1.5, (1, 2, 1), clutter=(Clutter.FINGER,)),
    "cut": SceneType(1, (0, 1, 1), clutter=(Clutter.CUT,), layouts=(Layout.FEW, Layout.BLOCK)),
    "crumpled": SceneType(2, (1, 2, 2), papers=(PaperType.CRUMPLED,)),
    "napkin": SceneType(1.5, (0, 2, 1), papers=(PaperType.NAPKIN,), pens=(BALL, FELT, PENCIL)),
    "brown": SceneType(1, (1, 2, 1), papers=(PaperType.BROWN,), pens=(BALL, FELT, MARKER)),
    "sticky": SceneType(1, (2, 1, 0), papers=(PaperType.STICKY,), clutter=(Clutter.DESK,)),
    "whiteboard": SceneType(
        2, (2, 2, 1), papers=(PaperType.WHITEBOARD,), pens=(WHITEBOARD_PEN,), clutter=(Clutter.REFLECTION,)
    ),
    "blackboard": SceneType(1.5, (2, 2, 1), papers=(PaperType.BLACKBOARD,), pens=(CHALK,)),
}
"""Scenes with digits, by name."""

_PLAIN = SceneType(layouts=(Layout.ROWS,), pens=_PLAIN_PENS, boldness=(0.0, 0.2))
PLAIN_SCENE_TYPES: dict[str, SceneType] = {
    "plain-paper": replace(_PLAIN, papers=(PaperType.PLAIN,)),
    "plain-ruled": replace(_PLAIN, papers=(PaperType.RULED,)),
    "plain-squared": replace(_PLAIN, papers=(PaperType.SQUARED,)),
    "plain-desk": replace(
        _PLAIN, papers=(PaperType.PLAIN, PaperType.RULED, PaperType.SQUARED), clutter=(Clutter.DESK,)
    ),
    "plain-whiteboard": replace(_PLAIN, papers=(PaperType.WHITEBOARD,), pens=(BOLD_FELT,)),
    "plain-blackboard": replace(_PLAIN, papers=(PaperType.BLACKBOARD,), pens=(CHALK,)),
}
"""Scenes of Difficulty.PLAIN, by name: 1 to 3 rows of 1 to 8 digits, each row one number."""

NEGATIVE_SCENE_TYPES: dict[str, float] = {"blank": 3.0, "letters": 3.0, "objects": 3.0, "doodles": 0.7}
"""Scenes without digits, by name: how often each comes, relative to the others."""

RARE_CLUTTER: dict[Clutter, float] = {
    Clutter.DESK: 0.14,
    Clutter.DARK_DESK: 0.05,
    Clutter.FINGER: 0.05,
    Clutter.OCCLUDER: 0.07,
    Clutter.WORDS: 0.04,
    Clutter.TIMESTAMP: 0.03,
}
"""What may also be in any medium or hard scene, and how often."""
