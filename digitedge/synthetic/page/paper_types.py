"""Papers and boards: plain, ruled, squared, crumpled, embossed, brown, wiped. Colours are BGR in even light."""

from enum import StrEnum

import numpy as np

from digitedge.synthetic.drawing import Image
from digitedge.synthetic.noise import add_noise, apply_gains, blend_colour, fine_noise, smooth_noise
from digitedge.synthetic.page.lines import print_lines
from digitedge.utils.opencv import as_uint8, cv2, resize


class PaperType(StrEnum):
    """What is written on."""

    PLAIN = "plain"
    RULED = "ruled"
    SQUARED = "squared"
    NOTEBOOK = "notebook"
    CRUMPLED = "crumpled"
    NAPKIN = "napkin"
    BROWN = "brown"
    ENVELOPE = "envelope"
    STICKY = "sticky"
    WHITEBOARD = "whiteboard"
    BLACKBOARD = "blackboard"
    SCAN = "scan"


LINED_PAPERS = (PaperType.RULED, PaperType.SQUARED, PaperType.NOTEBOOK)
_WHITES = ((236, 238, 240), (222, 230, 234), (226, 226, 226), (214, 226, 234), (238, 240, 238))
_COLOURS = {
    PaperType.BROWN: ((110, 150, 185), (140, 178, 205), (96, 132, 168)),
    PaperType.STICKY: ((120, 232, 246), (190, 170, 240), (170, 225, 170), (235, 210, 160)),
    PaperType.BLACKBOARD: ((58, 74, 52), (50, 50, 48), (62, 52, 44)),
    PaperType.SCAN: ((255, 255, 255), (250, 250, 250)),
    PaperType.WHITEBOARD: ((236, 236, 232), (228, 230, 230)),
}
_LINE_COLOURS = ((200, 160, 120), (190, 180, 170), (150, 150, 150), (215, 190, 130), (170, 150, 120))


def make_paper(
    paper: PaperType,
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    pitch: float,
    start: float = 0.0,
    angle: float = 0.0,
    boldness: float = 0.5,
) -> Image:
    """Make an empty paper or board, uint8 (height, width, 3), BGR.

    If it is lined, its lines are `pitch` pixels apart, and one starts `start` pixels below the upper left corner. The
    angle is in radians; `boldness`, 0 to 1, is how dark and thick they are.
    """
    shape = (height, width)
    colours = _COLOURS.get(paper, _WHITES)
    colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.94, 1.02)
    page = np.full((*shape, 3), colour.clip(0, 255), np.uint8)
    if paper is PaperType.SCAN:
        return page
    page = add_noise(page, fine_noise(rng, shape), rng.uniform(0.6, 3.0))
    page = add_noise(page, smooth_noise(rng, shape, max(8, max(shape) / rng.uniform(4, 30))), rng.uniform(0.5, 3.0))
    if paper in LINED_PAPERS:
        _print_lines(page, paper, rng, pitch, start, angle, boldness)
    if paper is PaperType.CRUMPLED:
        page = _crumple(page, rng, strength=rng.uniform(0.06, 0.22))
    elif paper is PaperType.NAPKIN:
        page = _crumple(_emboss(page, rng), rng, strength=rng.uniform(0.03, 0.08))
    elif paper is PaperType.BROWN:
        fibres = as_uint8(cv2.blur(fine_noise(rng, shape), (13, 1)))
        page = add_noise(page, fibres, rng.uniform(6, 14))
    elif paper is PaperType.ENVELOPE:
        _print_envelope(page, rng)
    elif paper in (PaperType.WHITEBOARD, PaperType.BLACKBOARD):
        _add_wiped_strokes(page, rng, dark=paper is PaperType.BLACKBOARD)
    return page


def _print_lines(
    page: Image, paper: PaperType, rng: np.random.Generator, pitch: float, start: float, angle: float, boldness: float
) -> None:
    """Print lines or squares; a notebook also gets a red margin and holes."""
    colour = _LINE_COLOURS[rng.integers(len(_LINE_COLOURS))]
    blue, green, red = (round(value * (1 - 0.55 * boldness)) for value in colour)
    thickness = max(1, round(min(pitch * 0.12, rng.uniform(0.5, 1 + 3 * boldness) * page.shape[0] / 900)))
    print_lines(
        page,
        rng,
        pitch=pitch,
        colour=(blue, green, red),
        opacity=0.25 + 0.65 * boldness,
        thickness=thickness,
        angle=angle,
        start=start,
        squares=paper is PaperType.SQUARED,
    )
    if paper is not PaperType.NOTEBOOK:
        return
    height, width = page.shape[:2]
    margin = width * rng.uniform(0.06, 0.16)
    mask = np.zeros((height, width), np.uint8)
    lean = np.tan(angle) * height
    cv2.line(mask, (round(margin), 0), (round(margin - lean), height), 255, thickness, cv2.LINE_AA)
    blend_colour(page, mask, (120, 110, 215), opacity=0.4 + 0.4 * boldness)
    mask[:] = 0
    distance, radius = max(24.0, height / rng.uniform(3, 30)), max(3, round(width * rng.uniform(0.006, 0.014)))
    for y in np.arange(distance / 2, height, distance).tolist():
        cv2.circle(mask, (round(0.4 * margin - lean * y / height), round(y)), radius, 255, -1, cv2.LINE_AA)
    blend_colour(page, mask, (60, 64, 70), opacity=0.85)


def _crumple(page: Image, rng: np.random.Generator, *, strength: float) -> Image:
    """Add creases, each light on one side and dark on the other; strength is the largest change of brightness."""
    height, width = page.shape[0] // 3 + 1, page.shape[1] // 3 + 1
    y, x = np.mgrid[:height, :width].astype(np.float32)
    relief = np.zeros((height, width), np.float32)
    waves = smooth_noise(rng, (height, width), max(height, width) / 9).astype(np.float32) - 128
    for _ in range(rng.integers(4, 30)):
        angle, reach = rng.uniform(0, 2 * np.pi), max(width, height)
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = x - np.float32(rng.uniform(0, width)), y - np.float32(rng.uniform(0, height))
        across = dx * cos + dy * sin + waves * np.float32(reach * rng.normal(0, 0.0006))
        along = dy * cos - dx * sin
        soft, length = np.float32(reach * rng.uniform(0.01, 0.07)), np.float32(reach * rng.uniform(0.05, 0.5))
        edge = across / (np.float32(rng.uniform(0.6, 2.0)) + np.abs(across))  # -1 to 1, steep at the crease
        relief += edge * np.exp(-np.abs(across) / soft - (along / length) ** 2) * np.float32(rng.uniform(0.3, 1))
    gains = (128 * (1 + strength * relief)).clip(30, 255).astype(np.uint8)
    return apply_gains(page, resize(gains, page.shape[1::-1], cv2.INTER_LINEAR))


def _emboss(page: Image, rng: np.random.Generator) -> Image:
    """Press rows of dots into a napkin, each lit from one side."""
    height, width = page.shape[:2]
    period = max(7.0, width / rng.uniform(35, 90))
    angle = rng.uniform(-0.4, 0.4)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    frequency = np.float32(2 * np.pi / period)
    u = frequency * (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))
    v = frequency * (y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle)))
    dots = np.sin(u) * np.cos(v)
    depth = smooth_noise(rng, (height, width), period * 6).astype(np.float32) / 128
    gains = (128 * (1 + np.float32(rng.uniform(0.02, 0.07)) * dots * depth)).clip(0, 255).astype(np.uint8)
    return apply_gains(page, gains)


def _print_envelope(page: Image, rng: np.random.Generator) -> None:
    """Print the red and blue stripes of air mail along the border, and a box for the stamp."""
    height, width = page.shape[:2]
    border, stripe = round(0.11 * min(height, width)), max(6, round(0.05 * width))
    border_mask = np.full((height, width), 255, np.uint8)
    border_mask[border : height - border, border : width - border] = 0
    for index, colour in enumerate(((70, 60, 200), (170, 90, 50))):
        mask = np.zeros((height, width), np.uint8)
        for x in range(index * 2 * stripe - height, width, 4 * stripe):
            corners = np.array([[x, height], [x + stripe, height], [x + stripe + height, 0], [x + height, 0]])
            cv2.fillConvexPoly(mask, corners.astype(np.int32), 255, cv2.LINE_AA)
        blend_colour(page, np.minimum(mask, border_mask), colour, opacity=0.8)
    side, pad = round(rng.uniform(0.12, 0.2) * height), round(1.4 * border)
    cv2.rectangle(page, (width - pad - side, pad), (width - pad, pad + side), (170, 140, 110), max(1, height // 400))


def _add_wiped_strokes(page: Image, rng: np.random.Generator, *, dark: bool) -> None:
    """Add broad pale traces of what was wiped off a board."""
    height, width = page.shape[:2]
    mask = np.zeros((height // 4 + 1, width // 4 + 1), np.uint8)
    for _ in range(rng.integers(0, 9)):
        ends = rng.uniform(-0.1, 1.1, (2, 2)) * [mask.shape[1], mask.shape[0]]
        (x0, y0), (x1, y1) = np.rint(ends).astype(int).tolist()
        cv2.line(mask, (x0, y0), (x1, y1), int(rng.integers(40, 200)), int(rng.integers(4, 30)), cv2.LINE_AA)
    mask = as_uint8(cv2.blur(mask, (9, 9)))
    streaks = cv2.blur(fine_noise(rng, mask.shape), (15, 3))
    mask = as_uint8(cv2.multiply(mask, streaks, scale=1 / 128))
    mask = resize(mask, (width, height), cv2.INTER_LINEAR)
    blend_colour(page, mask, (150, 156, 150) if dark else (205, 200, 200), opacity=0.3 if dark else 0.35)
