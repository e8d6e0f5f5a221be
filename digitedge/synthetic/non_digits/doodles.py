"""Strokes of drawings that are not writing: scribbles, ruled lines, outlines of things.

Each function returns strokes, float64 (M, 2) each, x and y of the pen in a box of about 1 by 1. What could be a digit
is left out: a single upright stroke is a 1, a round loop a 0, a long stem under a corner a 7.
"""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Strokes = list[Points]


def sample_scribble(rng: np.random.Generator) -> Strokes:
    """Sample a scribble: a wild curve, a zigzag, a spiral, a coil, hatching."""
    sample = (_wild_curve, _zigzag, _spiral, _coil, _hatching)[rng.integers(5)]
    return _rotate(sample(rng), rng.uniform(0, 2 * np.pi))


def _wild_curve(rng: np.random.Generator) -> Strokes:
    along = np.linspace(0, 2 * np.pi * rng.uniform(0.8, 1.3), 160)[:, None]
    waves = np.arange(2, 8)
    size, phase = rng.normal(0, 1, (2, 6)) / waves**0.2, rng.uniform(0, 2 * np.pi, (2, 6))
    return [np.stack([(np.sin(along * waves + phase[i]) * size[i]).sum(axis=1) for i in (0, 1)], -1) / 5]


def _zigzag(rng: np.random.Generator) -> Strokes:
    teeth = int(rng.integers(6, 14))
    x = np.linspace(0, rng.uniform(0.7, 1.8), teeth) + rng.normal(0, 0.03, teeth)
    return [_polyline(np.stack([x, np.resize([0.0, 1.0], teeth) + rng.normal(0, 0.12, teeth)], -1))]


def _spiral(rng: np.random.Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi * rng.uniform(2.4, 4), 160)
    radius = (0.05 + angle / angle[-1]) * (1 + 0.06 * np.sin(angle * rng.uniform(0.3, 2)))
    return [np.stack([rng.uniform(0.7, 1.4) * radius * np.cos(angle), radius * np.sin(angle)], -1) / 2]


def _coil(rng: np.random.Generator) -> Strokes:
    loops = rng.uniform(4, 8)
    angle = np.linspace(0, 2 * np.pi * loops, 190)
    pitch, size = rng.uniform(0.05, 0.13), 1 + 0.2 * np.sin(angle / loops * rng.uniform(0.5, 3))
    return [np.stack([pitch * angle + 0.45 * size * np.cos(angle), 0.9 * size * np.sin(angle)], -1) / 2]


def _hatching(rng: np.random.Generator) -> Strokes:
    count, layers = int(rng.integers(5, 10)), int(rng.integers(1, 3))
    strokes: Strokes = []
    for _ in range(layers):
        x = np.linspace(-0.5, 0.5, count) + rng.normal(0, 0.02, count)
        lean, ends = rng.normal(0, 0.15), rng.normal([-0.5, 0.5], 0.06, (count, 2))
        lines = [np.array([[x[i] - lean, ends[i, 0]], [x[i] + lean, ends[i, 1]]]) for i in range(count)]
        strokes += _rotate([_polyline(line) for line in lines], rng.uniform(0.6, 2.5) if strokes else 0)
    return strokes


def sample_lines(rng: np.random.Generator) -> Strokes:
    """Sample a part of a frame, a table or squared paper: crossings, corners, tees, grids, three sides, level lines."""
    sample = (_level, _crossing, _corner, _tee, _grid, _three_sides)[rng.integers(6)]
    return _rotate(sample(rng), rng.normal(0, 0.05))


def _level(rng: np.random.Generator) -> Strokes:
    gaps = np.cumsum(rng.uniform(0.06, 0.25, int(rng.integers(1, 4))))
    return [_polyline(np.array([[rng.uniform(-0.1, 0.1), y], [rng.uniform(0.8, 1), y]])) for y in gaps]


def _crossing(rng: np.random.Generator) -> Strokes:
    x, y = rng.uniform(0.25, 0.75, 2)
    if rng.random() < 0.3:
        return _rotate([_bar(0, 0.5, 1, 0.5), _bar(x, 0.5 - x, x, 1.5 - x)], rng.uniform(0.5, 1.07))
    return [_bar(0, y, rng.uniform(0.8, 1.4), y), _bar(x, 0, x, 1)]


def _corner(rng: np.random.Generator) -> Strokes:
    """A corner; the upper right one is left out, because it is a 7."""
    wide, (across, down) = rng.uniform(0.7, 1.6), ((1, 1), (1, -1), (-1, -1))[rng.integers(3)]
    corner = np.array([[wide * across, 0], [0, 0], [0, down]])
    inner = corner * 0.75 + np.array([across, down]) * 0.15
    return [_polyline(corner), _polyline(inner)] if rng.random() < 0.2 else [_polyline(corner)]


def _tee(rng: np.random.Generator) -> Strokes:
    """A tee; one that stands on its bar needs a long bar, or it is a 1 with a foot."""
    place, long = rng.uniform(0.3, 0.7), rng.uniform(1.0, 1.6)
    side = rng.integers(4)
    if side < 2:
        return [_bar(0, 0, 0, 1), _bar(0, place, (1 if side else -1) * rng.uniform(0.5, 1.2), place)]
    return [_bar(0, 0, long, 0), _bar(place * long, 0, place * long, 0.9 if side == 2 else -0.5)]


def _grid(rng: np.random.Generator) -> Strokes:
    columns, rows = rng.integers(2, 5, 2)
    wide, high = rng.uniform(0.7, 1.3, 2) * (columns, rows) / max(columns, rows)
    over = rng.uniform(0, 0.2, 2) + (0.1 if columns == rows == 2 else 0)
    upright = [_bar(x, -over[0], x, high + over[0]) for x in np.linspace(0, wide, columns)]
    return upright + [_bar(-over[1], y, wide + over[1], y) for y in np.linspace(0, high, rows)]


def _three_sides(rng: np.random.Generator) -> Strokes:
    """A frame with one side missing."""
    wide = rng.uniform(0.5, 1.5)
    sides = [_bar(0, 0, 0, 1), _bar(0, 1, wide, 1), _bar(wide, 1, wide, 0), _bar(wide, 0, 0, 0)]
    del sides[rng.integers(4)]
    return sides


def sample_outline(rng: np.random.Generator) -> Strokes:
    """Sample the outline of a thing: a jagged shape, a gear, a flower, a face, a house, a wide arc."""
    return (_jagged, _gear, _flower, _face, _house, _arc)[rng.integers(6)](rng)


def _jagged(rng: np.random.Generator) -> Strokes:
    """A closed polygon, its corners alternately near and far."""
    corners = 2 * int(rng.integers(4, 8))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(-0.12, 0.12, corners)
    radius = np.resize([0.5, rng.uniform(0.16, 0.28)], corners) * rng.uniform(0.85, 1.1, corners)
    points = np.stack([rng.uniform(0.7, 1.5) * radius * np.cos(angle), radius * np.sin(angle)], -1)
    return _rotate([_polyline(np.concatenate([points, points[:1]]))], rng.uniform(0, 6.3))


def _gear(rng: np.random.Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi, 240)
    teeth = np.tanh(4 * np.sin(int(rng.integers(6, 12)) * angle))
    rings = [0.42 + 0.08 * teeth, np.full(240, rng.uniform(0.08, 0.2))]
    return [np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1) for radius in rings]


def _flower(rng: np.random.Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi, 200)
    radius = 0.32 + rng.uniform(0.12, 0.25) * np.cos(int(rng.integers(4, 8)) * angle + rng.uniform(0, 6))
    petals = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    stem = [_bar(0, rng.uniform(0.35, 0.5), rng.normal(0, 0.1), 1.1)] if rng.random() < 0.5 else []
    return [petals, *stem]


def _face(rng: np.random.Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi, 60)
    head = np.stack([rng.uniform(0.42, 0.62) * np.cos(angle), 0.5 * np.sin(angle)], -1)
    eyes = [_bar(x, -0.16, x, -0.08) for x in (-0.18, 0.18)]
    x = np.linspace(-0.22, 0.22, 20)
    mouth = np.stack([x, 0.2 + rng.uniform(-1, 1) * x**2 * 4], -1)
    ears = [np.stack([0.12 * np.cos(angle) + x, 0.12 * np.sin(angle) - 0.48], -1) for x in (-0.36, 0.36)]
    return [head, *eyes, mouth, *(ears if rng.random() < 0.5 else [])]


def _house(rng: np.random.Generator) -> Strokes:
    wide, eaves = rng.uniform(0.6, 1.2), rng.uniform(0.3, 0.5)
    walls = np.array([[0, eaves], [0, 1], [wide, 1], [wide, eaves], [0, eaves], [wide / 2, 0], [wide, eaves]])
    x, top = rng.uniform(0.2, 0.6) * wide, rng.uniform(0.6, 0.75)
    return [_polyline(walls), _polyline(np.array([[x, 1], [x, top], [x + 0.2 * wide, top], [x + 0.2 * wide, 1]]))]


def _arc(rng: np.random.Generator) -> Strokes:
    """An arc, open up or down and much wider than high, so that it is no part of a digit."""
    angle = np.linspace(0, np.pi, 60) * rng.uniform(0.8, 1.1) + rng.uniform(-0.2, 0.2)
    flat = rng.uniform(0.15, 0.42)
    arc = np.stack([np.cos(angle), flat * np.sin(angle)], -1) / 2
    return _rotate([arc], rng.choice([0, np.pi]) + rng.normal(0, 0.2))


def _polyline(corners: Points) -> Points:
    """Points along the segments between the corners, 8 on each, so that the pressure of the pen can change."""
    along = np.arange((len(corners) - 1) * 8 + 1) / 8
    return np.stack([np.interp(along, np.arange(len(corners)), axis) for axis in corners.T], -1)


def _bar(x0: float, y0: float, x1: float, y1: float) -> Points:
    return _polyline(np.array([[x0, y0], [x1, y1]]))


def _rotate(strokes: Strokes, angle: float) -> Strokes:
    cos, sin = np.cos(angle), np.sin(angle)
    return [stroke @ np.array([[cos, sin], [-sin, cos]]) for stroke in strokes]
