"""Objects that reach in over the border of a frame: fingers, pens, phones, cables, cups. They never cover a digit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from digitedge.synthetic.drawing import Image, Point, directions, fill_polygon, to_pixel
from digitedge.utils.boxes import Box, is_free
from digitedge.utils.opencv import cv2

_SKIN = ((128, 160, 210), (96, 128, 182), (60, 84, 128), (150, 180, 226))


@dataclass(frozen=True, slots=True)
class Occluder:
    """One kind of object.

    Attributes:
        draw: takes the frame, a random generator, where the object starts and ends, and its thickness in pixels.
        thickness: least and largest, in longer sides of the frame.
        reach: least and largest, how far it reaches in, in sides of the frame.
    """

    draw: Callable[[Image, np.random.Generator, Point, Point, float], None]
    thickness: tuple[float, float]
    reach: tuple[float, float]


def add_occluder(
    frame: Image, rng: np.random.Generator, boxes: Sequence[Box], *, name: str | None = None
) -> Box | None:
    """Draw one of OCCLUDERS (None samples it) that reaches in over the border of a frame, in place, covering no box.

    Returns:
        The box of its visible part; None if there was no room.
    """
    height, width = frame.shape[:2]
    occluder = OCCLUDERS[str(rng.choice(list(OCCLUDERS))) if name is None else name]
    thickness = max(width, height) * rng.uniform(*occluder.thickness)
    for _ in range(8):
        side, along, depth = int(rng.integers(4)), rng.uniform(0.1, 0.9), rng.uniform(*occluder.reach)
        start = np.array([[along, -0.1], [1.1, along], [along, 1.1], [-0.1, along]][side]) * [width, height]
        inward = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]][side]) * [width, height]
        tip = start + inward * (depth + 0.1) + rng.normal(0, 0.4 * thickness, 2)
        low = np.maximum(np.minimum(start, tip) - 0.75 * thickness, 0).astype(int)
        high = np.minimum(np.maximum(start, tip) + 0.75 * thickness, [width, height]).astype(int)
        box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
        tip_visible = bool(((tip > 0) & (tip < [width, height])).all())
        if tip_visible and is_free(box, boxes):
            occluder.draw(frame, rng, start, tip, thickness)
            return box
    return None


def _draw_finger(frame: Image, rng: np.random.Generator, start: Point, tip: Point, thickness: float) -> None:
    """Skin that is darker at its sides, and often a nail."""
    skin = np.array(_SKIN[rng.integers(len(_SKIN))]) * rng.uniform(0.8, 1.1)
    for share in np.linspace(1, 0.3, 8).tolist():
        shade = (skin * (1.12 - 0.42 * share**2)).clip(0, 255).tolist()
        cv2.line(frame, to_pixel(start), to_pixel(tip), shade, max(1, round(thickness * share)), cv2.LINE_AA)
    if rng.random() < 0.6:
        angle = float(np.degrees(np.arctan2(*(tip - start)[::-1])))
        axes = (round(0.34 * thickness), round(0.26 * thickness))
        cv2.ellipse(frame, to_pixel(tip), axes, angle, 0, 360, (skin * 1.1 + 12).clip(0, 255).tolist(), -1, cv2.LINE_AA)


def _draw_pen(frame: Image, rng: np.random.Generator, start: Point, tip: Point, thickness: float) -> None:
    """A barrel with a highlight, and a cone."""
    colour = rng.integers(10, 240, 3).tolist()
    along, across = directions(start, tip)
    across = across * thickness / 2
    neck = tip - along * 2 * thickness
    fill_polygon(frame, [start - across, start + across, neck + across, neck - across], colour)
    highlight, width = np.minimum(255, np.array(colour) + 60).tolist(), max(1, round(0.12 * thickness))
    cv2.line(frame, to_pixel(start + 0.4 * across), to_pixel(neck + 0.4 * across), highlight, width, cv2.LINE_AA)
    cone = rng.choice(np.array([[110, 160, 205], [60, 60, 60], [190, 190, 190]])).tolist()
    fill_polygon(frame, [neck - across, neck + across, tip], cone)


def _draw_phone(frame: Image, rng: np.random.Generator, start: Point, tip: Point, thickness: float) -> None:
    """A dark slab with round corners and a screen."""
    along, across = directions(start, tip)
    across = across * thickness / 2
    for share, colour in ((1.0, (28, 26, 26)), (0.86, rng.integers(5, 120, 3).tolist())):
        end = tip - along * thickness * (1 - share)
        corners = [start - share * across, start + share * across, end + share * across, end - share * across]
        fill_polygon(frame, corners, colour)
        outline = np.rint(corners).astype(np.int32)
        cv2.polylines(frame, [outline], True, colour, max(1, round(0.08 * thickness)), cv2.LINE_AA)


def _draw_cable(frame: Image, rng: np.random.Generator, start: Point, tip: Point, thickness: float) -> None:
    """A line with waves."""
    steps = np.linspace(0, 1, 30)[:, None]
    across = np.array([-(tip - start)[1], (tip - start)[0]]) * 0.1
    waves = np.sin(2 * np.pi * (rng.uniform(0.5, 2) * steps + rng.uniform())) * steps
    points = np.rint(start + (tip - start) * steps + across * waves).astype(np.int32)
    grey = int(rng.choice([25, 60, 235]))
    cv2.polylines(frame, [points], False, (grey, grey, grey), max(2, round(thickness)), cv2.LINE_AA)


def _draw_cup(frame: Image, rng: np.random.Generator, start: Point, tip: Point, thickness: float) -> None:
    """A cup of coffee from above."""
    length = float(np.hypot(*(tip - start)))
    centre = to_pixel(start + (tip - start) * max(0.0, 1 - 0.5 * thickness / length))
    china = rng.integers(120, 250, 3)
    for share, colour in ((1.0, china * 0.8), (0.92, china), (0.8, np.array([20, 35, 60]))):
        cv2.circle(frame, centre, round(0.5 * share * thickness), colour.tolist(), -1, cv2.LINE_AA)


OCCLUDERS: dict[str, Occluder] = {
    "finger": Occluder(_draw_finger, thickness=(0.06, 0.13), reach=(0.06, 0.28)),
    "pen": Occluder(_draw_pen, thickness=(0.015, 0.04), reach=(0.15, 0.5)),
    "phone": Occluder(_draw_phone, thickness=(0.15, 0.3), reach=(0.08, 0.3)),
    "cable": Occluder(_draw_cable, thickness=(0.006, 0.014), reach=(0.1, 0.4)),
    "cup": Occluder(_draw_cup, thickness=(0.15, 0.35), reach=(0.05, 0.25)),
}
"""The objects, by name."""
