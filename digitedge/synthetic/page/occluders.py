"""Things that come in over the border of an image: fingers, pens, phones, cables, cups. They never cover a digit."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2

Frame = NDArray[np.uint8]
Point = NDArray[np.float64]

_SKIN = ((128, 160, 210), (96, 128, 182), (60, 84, 128), (150, 180, 226))
# Places tried before giving up.
_TRIES = 8


def put_thing(frame: Frame, rng: np.random.Generator, boxes: Sequence[Box], *, name: str | None = None) -> Box | None:
    """Lay a thing over the border of a frame, in place, where nothing is that must be seen.

    Args:
        frame: uint8 (H, W, 3), BGR.
        rng: where chance comes from.
        boxes: x, y, width, height of what must stay free.
        name: one of THINGS; None takes any.

    Returns:
        x, y, width, height of what is seen of the thing; None where there was no room.
    """
    height, width = frame.shape[:2]
    paint, thickness, reach = THINGS[str(rng.choice(list(THINGS))) if name is None else name]
    thick = max(width, height) * rng.uniform(*thickness)
    for _ in range(_TRIES):
        side, along, deep = int(rng.integers(4)), rng.uniform(0.1, 0.9), rng.uniform(*reach)
        start = np.array([[along, -0.1], [1.1, along], [along, 1.1], [-0.1, along]][side]) * [width, height]
        inward = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]][side]) * [width, height]
        tip = start + inward * (deep + 0.1) + rng.normal(0, 0.4 * thick, 2)
        low = np.maximum(np.minimum(start, tip) - 0.75 * thick, 0).astype(int)
        high = np.minimum(np.maximum(start, tip) + 0.75 * thick, [width, height]).astype(int)
        box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
        seen = bool(((tip > 0) & (tip < [width, height])).all())
        if seen and is_free(box, boxes):
            paint(frame, rng, start, tip, thick)
            return box
    return None


def is_free(box: Box, boxes: Sequence[Box]) -> bool:
    """Whether a box, which is not empty, touches none of the others.

    Examples:
        >>> is_free((0, 0, 10, 10), [(20, 0, 5, 5)]), is_free((0, 0, 10, 10), [(9, 9, 5, 5)])
        (True, False)
    """
    x, y, w, h = box
    apart = (x + w < b[0] or b[0] + b[2] < x or y + h < b[1] or b[1] + b[3] < y for b in boxes)
    return w > 0 and h > 0 and all(apart)


def _pixel(point: Point) -> tuple[int, int]:
    x, y = np.rint(point).astype(int).tolist()
    return x, y


def _finger(frame: Frame, rng: np.random.Generator, start: Point, tip: Point, thick: float) -> None:
    """Skin that gets darker at its sides, and often a nail."""
    skin = np.array(_SKIN[rng.integers(len(_SKIN))]) * rng.uniform(0.8, 1.1)
    for share in np.linspace(1, 0.3, 8).tolist():
        shade = (skin * (1.12 - 0.42 * share**2)).clip(0, 255).tolist()
        cv2.line(frame, _pixel(start), _pixel(tip), shade, max(1, round(thick * share)), cv2.LINE_AA)
    if rng.random() < 0.6:
        angle = float(np.degrees(np.arctan2(*(tip - start)[::-1])))
        axes = (round(0.34 * thick), round(0.26 * thick))
        cv2.ellipse(frame, _pixel(tip), axes, angle, 0, 360, (skin * 1.1 + 12).clip(0, 255).tolist(), -1, cv2.LINE_AA)


def _pen(frame: Frame, rng: np.random.Generator, start: Point, tip: Point, thick: float) -> None:
    """A barrel with a bright edge, a cone and a point."""
    colour = rng.integers(10, 240, 3).tolist()
    along = (tip - start) / np.hypot(*(tip - start))
    across = np.array([-along[1], along[0]]) * thick / 2
    neck = tip - along * 2 * thick
    cv2.fillConvexPoly(
        frame,
        np.rint([start - across, start + across, neck + across, neck - across]).astype(np.int32),
        colour,
        cv2.LINE_AA,
    )
    lit = np.minimum(255, np.array(colour) + 60).tolist()
    cv2.line(
        frame, _pixel(start + 0.4 * across), _pixel(neck + 0.4 * across), lit, max(1, round(0.12 * thick)), cv2.LINE_AA
    )
    cone = rng.choice(np.array([[110, 160, 205], [60, 60, 60], [190, 190, 190]])).tolist()
    cv2.fillConvexPoly(frame, np.rint([neck - across, neck + across, tip]).astype(np.int32), cone, cv2.LINE_AA)


def _phone(frame: Frame, rng: np.random.Generator, start: Point, tip: Point, thick: float) -> None:
    """A dark slab with round corners and a screen."""
    along = (tip - start) / np.hypot(*(tip - start))
    across = np.array([-along[1], along[0]]) * thick / 2
    for share, colour in ((1.0, (28, 26, 26)), (0.86, rng.integers(5, 120, 3).tolist())):
        end = tip - along * thick * (1 - share)
        corners = [start - share * across, start + share * across, end + share * across, end - share * across]
        shape = np.rint(corners).astype(np.int32)
        cv2.fillConvexPoly(frame, shape, colour, cv2.LINE_AA)
        cv2.polylines(frame, [shape], True, colour, max(1, round(0.08 * thick)), cv2.LINE_AA)


def _cable(frame: Frame, rng: np.random.Generator, start: Point, tip: Point, thick: float) -> None:
    """A cable that winds its way in."""
    steps = np.linspace(0, 1, 30)[:, None]
    across = np.array([-(tip - start)[1], (tip - start)[0]]) * 0.1
    waves = np.sin(2 * np.pi * (rng.uniform(0.5, 2) * steps + rng.uniform())) * steps
    points = np.rint(start + (tip - start) * steps + across * waves).astype(np.int32)
    tone = int(rng.choice([25, 60, 235]))
    cv2.polylines(frame, [points], False, (tone, tone, tone), max(2, round(thick)), cv2.LINE_AA)


def _cup(frame: Frame, rng: np.random.Generator, start: Point, tip: Point, thick: float) -> None:
    """A cup from above, with coffee in it."""
    middle = _pixel(start + (tip - start) * max(0.0, 1 - 0.5 * thick / float(np.hypot(*(tip - start)))))
    china = rng.integers(120, 250, 3)
    for share, colour in ((1.0, china * 0.8), (0.92, china), (0.8, np.array([20, 35, 60]))):
        cv2.circle(frame, middle, round(0.5 * share * thick), colour.tolist(), -1, cv2.LINE_AA)


THINGS: dict[
    str,
    tuple[Callable[[Frame, np.random.Generator, Point, Point, float], None], tuple[float, float], tuple[float, float]],
] = {
    "finger": (_finger, (0.06, 0.13), (0.06, 0.28)),
    "pen": (_pen, (0.015, 0.04), (0.15, 0.5)),
    "phone": (_phone, (0.15, 0.3), (0.08, 0.3)),
    "cable": (_cable, (0.006, 0.014), (0.1, 0.4)),
    "cup": (_cup, (0.15, 0.35), (0.05, 0.25)),
}
"""How to draw each thing, how thick it is in longer sides of the frame, and how far it reaches in, as a share."""
