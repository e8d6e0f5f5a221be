"""What lies on a page or is done to it: pens, rulers, coins, clips, hands; holes, staples, margins, a ring binder."""

from collections.abc import Callable, Sequence

import numpy as np

from digitedge.synthetic.documents.rules import Rule, draw_rule
from digitedge.synthetic.documents.sheet import Sheet
from digitedge.synthetic.drawing import Image, Point, directions, fill_polygon, to_pixel
from digitedge.synthetic.page.occluders import OCCLUDERS, add_occluder
from digitedge.utils.boxes import Box, is_free
from digitedge.utils.opencv import cv2


def add_object(image: Image, rng: np.random.Generator, boxes: Sequence[Box]) -> None:
    """Lay one object on a page, in place, where it covers none of the boxes; nothing if there is no room."""
    if rng.random() < 0.3:
        add_occluder(image, rng, boxes, name=str(rng.choice(list(OCCLUDERS))))
        return
    height, width = image.shape[:2]
    draw, aspect = _OBJECTS[rng.integers(len(_OBJECTS))]
    for _ in range(12):
        length = max(width, height) * rng.uniform(0.05, 0.6 if aspect < 0.3 else 0.14)
        thick = max(4.0, length * aspect)
        angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.normal(np.pi / 2, 0.2)
        half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        centre = rng.uniform(0.08, 0.92, 2) * [width, height]
        low, high = centre - np.abs(half) - thick, centre + np.abs(half) + thick
        box = (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
        if _is_clear(centre - half, centre + half, thick, box, boxes):
            draw(image, rng, centre - half, centre + half, thick)
            return


def _is_clear(start: Point, end: Point, thick: float, box: Box, boxes: Sequence[Box]) -> bool:
    """Tell whether an object covers none of the boxes: those around its axis, sampled."""
    near = [one for one in boxes if not is_free(box, [one])]
    for share in np.linspace(0, 1, 30):
        x, y = start + share * (end - start)
        reach = round(0.8 * thick) + 2
        if not is_free((round(x) - reach, round(y) - reach, 2 * reach, 2 * reach), near):
            return False
    return True


def _draw_pen(image: Image, rng: np.random.Generator, start: Point, end: Point, thick: float) -> None:
    """A pen or pencil, lit along its length."""
    colour = np.array(rng.integers(10, 240, 3))
    for share, shade in ((1.0, 0.7), (0.75, 1.0), (0.25, 1.25)):
        body = start + 0.86 * (end - start)
        tone = (colour * shade).clip(0, 255).tolist()
        cv2.line(image, to_pixel(start), to_pixel(body), tone, max(1, round(share * thick)), cv2.LINE_AA)
    across = directions(start, end)[1] * thick / 2
    neck = start + 0.86 * (end - start)
    fill_polygon(image, [neck - across, neck + across, end], rng.choice([[110, 160, 205], [60, 60, 60]]).tolist())


def _draw_stick(image: Image, rng: np.random.Generator, start: Point, end: Point, thick: float) -> None:
    """A stick, a stylus or a closed marker: a bar of one colour."""
    tone = rng.integers(10, 150, 3) if rng.random() < 0.5 else np.full(3, rng.integers(10, 130))
    cv2.line(image, to_pixel(start), to_pixel(end), tone.tolist(), max(2, round(thick)), cv2.LINE_AA)


def _draw_ruler(image: Image, rng: np.random.Generator, start: Point, end: Point, thick: float) -> None:
    """A ruler with a scale along one side."""
    along, across = directions(start, end)
    across = across * thick / 2
    base = ((150, 200, 225), (220, 220, 215), (60, 110, 160), (200, 190, 160))[rng.integers(4)]
    corners = [start - across, start + across, end + across, end - across]
    fill_polygon(image, corners, base)
    ink = (40, 40, 40)
    length = float(np.hypot(*(end - start)))
    step = max(3.0, thick / rng.uniform(6, 14))
    for index, at in enumerate(np.arange(step, length - step, step).tolist()):
        foot = start + along * at + across
        reach = (0.75 if index % 10 == 0 else 0.5 if index % 5 == 0 else 0.3) * 2 * across * 0.5
        cv2.line(image, to_pixel(foot), to_pixel(foot - reach), ink, max(1, round(0.02 * thick)), cv2.LINE_AA)
    cv2.polylines(image, [np.rint(corners).astype(np.int32)], True, (90, 90, 90), 1, cv2.LINE_AA)


def _draw_coin(image: Image, rng: np.random.Generator, start: Point, end: Point, thick: float) -> None:
    """A coin or button: a disc with a rim."""
    centre = to_pixel((start + end) / 2)
    metal = np.array(((70, 120, 175), (90, 170, 205), (175, 175, 175))[rng.integers(3)])
    for share, shade in ((1.0, 0.6), (0.93, 1.1), (0.82, 0.85), (0.78, 1.0)):
        tone = (metal * shade).clip(0, 255).tolist()
        cv2.circle(image, centre, max(2, round(0.5 * thick * share)), tone, -1, cv2.LINE_AA)


def _draw_clip(image: Image, rng: np.random.Generator, start: Point, end: Point, thick: float) -> None:
    """A paper clip: three bends of a wire."""
    along = end - start
    across = np.array([-along[1], along[0]]) * 0.14
    wire = [
        start + along * a + across * b
        for a, b in ((0.1, 1), (0.9, 1), (1, 0), (0.9, -1), (0.2, -1), (0.12, -0.1), (0.75, 0))
    ]
    colour = ((120, 120, 120), (170, 170, 170), (60, 60, 180))[rng.integers(3)]
    points = np.rint(wire).astype(np.int32)
    cv2.polylines(image, [points], False, colour, max(1, round(0.06 * thick)), cv2.LINE_AA)


# What draws it, and its width over its length.
_OBJECTS: tuple[tuple[Callable[[Image, np.random.Generator, Point, Point, float], None], float], ...] = (
    (_draw_pen, 0.06),
    (_draw_pen, 0.08),
    (_draw_stick, 0.04),
    (_draw_stick, 0.07),
    (_draw_ruler, 0.13),
    (_draw_coin, 0.9),
    (_draw_clip, 0.5),
)


def add_paper_details(sheet: Sheet) -> None:
    """Draw what paper has: punched holes, a margin line, a staple, print that shows through, specks and stains."""
    rng, image = sheet.rng, sheet.image
    left, top, right, bottom = sheet.area
    edge = left - (right - left) * rng.uniform(0.01, 0.05)
    if rng.random() < 0.2:
        _punch_holes(sheet, edge)
    if rng.random() < 0.3:
        dash = (bottom - top) * rng.uniform(0.005, 0.03) if rng.random() < 0.4 else 0.0
        colour = ((120, 110, 215), sheet.pale(0.5), (200, 160, 120))[rng.integers(3)]
        lean = (bottom - top) * rng.normal(0, 0.006)
        x = left if rng.random() < 0.7 else right
        ends = np.array([[x, 0], [x + lean, image.shape[0]]], np.float64)
        draw_rule(image, ends, Rule(colour, max(1, image.shape[0] // 700), dash=dash), rng)
    if rng.random() < 0.1:
        _show_through(sheet)
    if rng.random() < 0.12:
        _soil(sheet)
    if rng.random() < 0.1:
        x, y = edge + rng.uniform(0, 0.03) * (right - left), top
        length, angle = 0.02 * (right - left) + 6, rng.uniform(-0.8, 0.8)
        end = round(x + length * np.cos(angle)), round(y + length * np.sin(angle))
        cv2.line(image, (round(x), round(y)), end, (110, 110, 110), max(1, round(length / 12)), cv2.LINE_AA)


def _punch_holes(sheet: Sheet, x: float) -> None:
    """Punch round holes in a column; in a binder there are rings through them."""
    rng, image = sheet.rng, sheet.image
    height = image.shape[0]
    radius = max(3, round(height * rng.uniform(0.006, 0.016)))
    count = int((2, 2, 3, 4, rng.integers(8, 30))[rng.integers(5)])
    radius = min(radius, height // (4 * count))
    shade = rng.integers(20, 190)
    rings = rng.random() < 0.3
    for y in np.linspace(0, height, count + 2)[1:-1].tolist():
        centre = (round(x), round(y))
        cv2.circle(image, centre, radius, (int(shade),) * 3, -1, cv2.LINE_AA)
        cv2.circle(image, centre, radius, sheet.pale(0.4), 1, cv2.LINE_AA)
        if rings:
            axes = (4 * radius, max(2, round(1.2 * radius)))
            start = (round(x - 3 * radius), round(y))
            cv2.ellipse(image, start, axes, 0, 180, 360, (90, 90, 95), max(2, radius // 2), cv2.LINE_AA)


def _show_through(sheet: Sheet) -> None:
    """Print a pale mirrored paragraph: the other side of the page."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    ink, sheet.print_colour = sheet.print_colour, sheet.pale(rng.uniform(0.06, 0.16))
    ignored, ambiguous = len(sheet.ignore), len(sheet.ambiguous)
    high = rng.uniform(0.1, 0.6) * (bottom - top)
    y = rng.uniform(top, bottom - high)
    sheet.paragraph((left, y, right, y + high), height=max(7.0, 0.012 * (bottom - top)))
    del sheet.ignore[ignored:], sheet.ambiguous[ambiguous:]  # too pale to be read
    sheet.print_colour = ink
    part = sheet.image[round(y) : round(y + high)]
    part[:] = part[:, ::-1].copy()


def _soil(sheet: Sheet) -> None:
    """Add specks and stains, as of a dirty scanner or a cup."""
    rng, image = sheet.rng, sheet.image
    height, width = image.shape[:2]
    for x, y in (rng.random((rng.integers(10, 150), 2)) * [width, height]).astype(int).tolist():
        cv2.circle(
            image, (x, y), int(rng.integers(1, 2 + max(1, height // 700))), sheet.pale(rng.uniform(0.2, 0.9)), -1
        )
    if rng.random() < 0.3:
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        radius = max(6, round(height * rng.uniform(0.04, 0.1)))
        cv2.circle(image, centre, radius, sheet.pale(rng.uniform(0.1, 0.3)), max(1, radius // 12), cv2.LINE_AA)
