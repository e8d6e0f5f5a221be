"""Lines of tables, forms and paper: pale, dark, dashed, partly missing, printed or drawn by hand."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import Edges, Image, directions, draw_line, outline_of
from digitedge.utils.drawing import Colour


@dataclass(frozen=True, slots=True)
class Rule:
    """How lines look.

    Attributes:
        colour: BGR, on the paper.
        thickness: in pixels.
        dash: length of a dash in pixels; 0 for a whole line.
        wobble: how far it leaves a straight line, in pixels; 0 for a printed one.
        missing: share of the line that is not there, 0 to 1.
    """

    colour: Colour
    thickness: int = 1
    dash: float = 0.0
    wobble: float = 0.0
    missing: float = 0.0

    def bold(self, factor: float) -> "Rule":
        """Return it so many times as thick, and never dashed."""
        return replace(self, thickness=max(self.thickness + 1, round(self.thickness * factor)), dash=0.0)


def sample_rule(
    rng: np.random.Generator, *, size: float, ink: Colour, paper: Colour, by_hand: bool | None = None
) -> Rule:
    """Sample lines for digits of a size in pixels; None samples whether they are drawn by hand."""
    if by_hand is None:
        by_hand = rng.random() < 0.2
    opacity = float(rng.uniform(*((0.15, 0.4), (0.4, 0.75), (0.75, 1))[rng.integers(3)]))
    thickness = size * float(rng.uniform(*((0.015, 0.04), (0.03, 0.08), (0.06, 0.14))[rng.integers(3)]))
    return Rule(
        colour=mix(paper, ink, max(opacity, 0.6) if by_hand else opacity),
        thickness=max(1, round(min(thickness, 9))),
        dash=size * float(rng.uniform(0.08, 0.6)) if rng.random() < 0.08 and not by_hand else 0.0,
        wobble=size * float(rng.uniform(0.03, 0.12)) if by_hand else 0.0,
        missing=float(rng.uniform(0.02, 0.15)) if rng.random() < 0.12 else 0.0,
    )


def mix(paper: Colour, ink: Colour, opacity: float) -> Colour:
    """Return the colour, BGR, of an ink that covers a share of the paper, 0 to 1."""
    blue, green, red = (round(p + (i - p) * opacity) for p, i in zip(paper, ink, strict=True))
    return blue, green, red


def draw_rule(image: Image, ends: NDArray[np.float64], rule: Rule, rng: np.random.Generator) -> None:
    """Draw a line from end to end, float64 (2, 2), in place; nothing if it is shorter than a pixel."""
    start, end = ends
    length = float(np.hypot(*(end - start)))
    if length < 1:
        return
    _, across = directions(start, end)
    along = np.linspace(0, 1, 2 if rule.wobble == 0 else int(np.clip(length / 12, 6, 80)))
    line = start + along[:, None] * (end - start)
    if rule.wobble:
        waves = rng.uniform(0.5, 2.5, 2) * along[:, None] * 6.3 + rng.uniform(0, 6.3, 2)
        offset = rule.wobble * (np.sin(waves) @ np.array([0.7, 0.3]) + rng.normal(0, 0.08, len(along)))
        line = line + offset[:, None] * across + rng.normal(0, rule.wobble, 2)
    for first, last in _dashes(rule, length, rng):
        steps = np.concatenate([[first], along[(along > first) & (along < last)], [last]])
        dash = np.stack([np.interp(steps, along, line[:, axis]) for axis in (0, 1)], -1)
        draw_line(image, dash, rule.colour, rule.thickness)


def _dashes(rule: Rule, length: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Where a line is drawn: from and to, in lengths of it."""
    if rule.dash:
        step = rule.dash * 1.7 / length
        return [(share, min(1.0, share + rule.dash / length)) for share in np.arange(0, 1, step).tolist()]
    if rule.missing and rng.random() < 0.7:
        gap = rng.uniform(0, 1 - rule.missing)
        return [(0.0, gap), (gap + rule.missing * rng.uniform(0.3, 1.5), 1.0)]
    return [(0.0, 1.0)]


def draw_frame(image: Image, edges: Edges, rule: Rule, rng: np.random.Generator) -> None:
    """Draw the four sides of a rectangle, in place."""
    for ends in pairwise(outline_of(edges)):
        draw_rule(image, np.stack(ends), rule, rng)
