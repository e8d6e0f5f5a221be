"""Images of objects without digits: fur, leaves, planks, chess, dominoes, lamps, house fronts, flowers.

They stand in for photographs: edges, contrasts and repeated shapes at every scale, bright on dark and dark on bright.
"""

from collections.abc import Callable, Sequence

import numpy as np

from digitedge.synthetic.drawing import Image, fill_polygon, to_pixel
from digitedge.synthetic.noise import add_noise, fine_noise, smooth_noise
from digitedge.utils.opencv import as_uint8, cv2, resize, to_bgr, to_grey

Colour = Sequence[float]


def sample_object(rng: np.random.Generator, frame: tuple[int, int]) -> Image:
    """Draw one of OBJECTS in the size of a frame (width, height): uint8 (H, W, 3), BGR; a third of them are grey."""
    painters = list(OBJECTS.values())
    image = painters[rng.integers(len(painters))](rng, (frame[1], frame[0]))
    return to_bgr(to_grey(image)) if rng.random() < 0.3 else image


def _texture(rng: np.random.Generator, shape: tuple[int, int], colour: Colour, *, contrast: float) -> Image:
    """An area with equally strong noise at all scales: uint8 (H, W, 3)."""
    image = np.full((*shape, 3), np.clip(colour, 0, 255), np.uint8)
    for spot_size in (max(shape) / 2, max(shape) / 8, max(shape) / 30, max(shape) / 100):
        image = add_noise(image, smooth_noise(rng, shape, max(2.0, spot_size)), contrast)
    return add_noise(image, fine_noise(rng, shape), 0.3 * contrast)


def _vary(colour: Colour, rng: np.random.Generator, spread: float) -> Colour:
    """The same hue, lighter or darker."""
    return list((np.array(colour) * np.exp(rng.normal(0, spread))).clip(0, 255))


def _paint_fur(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """The face of an animal: hairs along a flow, two eyes, a nose, whiskers."""
    height, width = shape
    base = rng.integers(60, 200, 3).tolist()
    image = _texture(rng, shape, base, contrast=16)
    flow = smooth_noise(rng, (64, 64), 16).astype(np.float32) / 255 * 6
    count, length = 2500, max(shape) / 40
    points = rng.uniform(0, 1, (count, 2))
    angles = flow[(points[:, 1] * 63).astype(int), (points[:, 0] * 63).astype(int)] + rng.normal(0, 0.2, count)
    starts = points * [width, height]
    ends = starts + np.stack([np.cos(angles), np.sin(angles)], -1) * length * rng.uniform(0.4, 1.2, (count, 1))
    for start, end in zip(starts, ends, strict=True):
        colour = _vary(base, rng, 0.35)
        cv2.line(image, to_pixel(start), to_pixel(end), colour, 1 + max(shape) // 1200, cv2.LINE_AA)
    centre = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    size = min(shape) * rng.uniform(0.05, 0.1)
    iris = rng.integers(60, 230, 3).tolist()
    for side in (-1, 1):
        eye = to_pixel(centre + np.array([side * 2.2, -1.0]) * size)
        for share, colour in ((1.15, (20, 20, 20)), (1.0, iris), (0.55, (8, 8, 8))):
            axes = (round(size * share), round(size * share * 0.8))
            cv2.ellipse(image, eye, axes, 8 * side, 0, 360, colour, -1, cv2.LINE_AA)
        glint = (eye[0] - round(0.2 * size), eye[1] - round(0.2 * size))
        cv2.circle(image, glint, max(1, round(0.16 * size)), (250, 250, 250), -1, cv2.LINE_AA)
        root = to_pixel(centre + np.array([side * 0.8, 1.4]) * size)
        for _ in range(7):
            tip = centre + np.array([side * rng.uniform(3, 6), rng.uniform(0.5, 3)]) * size
            cv2.line(image, root, to_pixel(tip), (230, 230, 230), 1, cv2.LINE_AA)
    nose = centre + np.array([0, 1]) * size + np.array([[-0.5, 0], [0.5, 0], [0, 0.6]]) * size
    fill_polygon(image, nose, (90, 80, 150))
    return image


def _paint_leaves(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Ivy or blossoms on a wall: hundreds of small shapes of one hue, more of them on one side."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(60, 230, 3).tolist(), contrast=rng.uniform(6, 16))
    leaf: Colour = ((60, 110, 70), (40, 30, 150), (50, 80, 50), (60, 140, 170))[rng.integers(4)]
    size = max(shape) * rng.uniform(0.006, 0.02)
    for x, y in (rng.beta(1.2, 1.0, (700, 2)) * [width, height]).tolist():
        angle = rng.uniform(0, 2 * np.pi)
        corners = int(rng.integers(3, 8))
        angles = angle + np.linspace(0, 2 * np.pi, corners, endpoint=False)
        radius = size * rng.uniform(0.4, 1.4, corners) * rng.uniform(0.5, 1.5)
        points = np.stack([x + radius * np.cos(angles), y + 0.7 * radius * np.sin(angles)], -1)
        cv2.fillPoly(image, [np.rint(points).astype(np.int32)], _vary(leaf, rng, 0.5), cv2.LINE_AA)
    return image


def _paint_planks(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A wall of planks or bricks with dark joints, knots and scratches."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(90, 220, 3).tolist(), contrast=8)
    image = add_noise(image, smooth_noise(rng, shape, max(3.0, height / 150), stretch=20), 12)
    pitch = height / rng.uniform(3, 14)
    bricks = rng.random() < 0.5
    joint = max(1, height // 300)
    for row, y in enumerate(np.arange(0, height, pitch).tolist()):
        end = round(y + rng.normal(0, 2))
        cv2.line(image, (0, round(y)), (width, end), _vary((50, 50, 50), rng, 0.4), joint)
        for x in np.arange(row % 2 * pitch, width, 2.2 * pitch).tolist() if bricks else []:
            cv2.line(image, (round(x), round(y)), (round(x), round(y + pitch)), (60, 60, 60), joint)
    for x, y in (rng.uniform(0, 1, (rng.integers(4, 30), 2)) * [width, height]).astype(int).tolist():
        axes = (1 + int(width * rng.uniform(0.002, 0.02)), 1 + int(height * rng.uniform(0.002, 0.012)))
        angle, colour = rng.uniform(-20, 20), _vary((50, 60, 70), rng, 0.4)
        cv2.ellipse(image, (x, y), axes, angle, 0, 360, colour, int(rng.choice([-1, 1, 2])), cv2.LINE_AA)
    return image


def _paint_chess(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A chessboard from the side, and a row of pieces in a dark room."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(5, 50, 3).tolist(), contrast=5)
    horizon = height * rng.uniform(0.3, 0.6)
    depth = np.geomspace(1, 0.25, 9)
    ys = horizon + (height * 1.1 - horizon) * (depth - 0.25) / 0.75
    for row in range(8):
        for column in range(-8, 8):
            xs = [width / 2 + (column + side) * width * 0.16 * d for d in depth[row : row + 2] for side in (0, 1)]
            corners = np.array([(xs[0], ys[row]), (xs[1], ys[row]), (xs[3], ys[row + 1]), (xs[2], ys[row + 1])])
            fill_polygon(image, corners, (225, 225, 225) if (row + column) % 2 else (25, 25, 25))
    foot, size = horizon + 0.1 * height, height * rng.uniform(0.15, 0.3)
    tone = _vary((200, 210, 215), rng, 0.2) if rng.random() < 0.7 else (40.0, 40.0, 45.0)
    for x in np.linspace(0.1, 0.9, int(rng.integers(5, 11))).tolist():
        high = size * rng.uniform(0.6, 1.1)
        profile = rng.uniform(0.06, 0.2, 6) * high
        profile[[0, 3]] = 0.22 * high, 0.07 * high
        levels = foot - high * np.array([0, 0.12, 0.4, 0.65, 0.8, 0.95])
        right = np.stack([x * width + profile, levels], -1)
        left = np.stack([x * width - profile, levels], -1)[::-1]
        cv2.fillPoly(image, [np.rint(np.concatenate([right, left])).astype(np.int32)], tone, cv2.LINE_AA)
        head = (round(x * width), round(foot - high))
        cv2.circle(image, head, round(0.11 * high), _vary(tone, rng, 0.15), -1, cv2.LINE_AA)
    return image


def _paint_dominoes(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Bright dominoes and dice with dark dots on a table, in all directions."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(20, 160, 3).tolist(), contrast=8)
    size = min(shape) * rng.uniform(0.12, 0.3)
    for _ in range(rng.integers(2, 9)):
        centre = rng.uniform(0.1, 0.9, 2) * [width, height]
        angle = rng.uniform(0, 2 * np.pi)
        right = np.array([np.cos(angle), np.sin(angle)]) * size
        down = np.array([-np.sin(angle), np.cos(angle)]) * size * rng.uniform(0.6, 1)
        corners = centre + np.array([[-1, -0.5], [1, -0.5], [1, 0.5], [-1, 0.5]]) @ np.stack([right, down])
        fill_polygon(image, corners + 0.05 * size, (15, 15, 15))
        fill_polygon(image, corners, _vary((225, 232, 235), rng, 0.06))
        middle = to_pixel(centre - 0.45 * down), to_pixel(centre + 0.45 * down)
        cv2.line(image, *middle, (30, 30, 30), max(1, round(0.03 * size)), cv2.LINE_AA)
        for half in (-0.5, 0.5):
            for place in rng.permutation(9)[: rng.integers(0, 7)].tolist():
                dot = centre + right * (half + 0.25 * (place % 3 - 1)) + down * 0.28 * (place // 3 - 1)
                cv2.circle(image, to_pixel(dot), max(1, round(0.075 * size)), (25, 25, 25), -1, cv2.LINE_AA)
    return image


def _paint_lamps(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Bright hanging lamps with their glow in a dark room."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(5, 70, 3).tolist(), contrast=4)
    glow = np.zeros((height // 8 + 1, width // 8 + 1), np.uint8)
    size = max(shape) * rng.uniform(0.008, 0.03)
    for x, y in (rng.uniform(0.05, [0.95, 0.7], (rng.integers(5, 25), 2)) * [width, height]).tolist():
        foot = (round(x), round(y))
        cv2.line(image, (round(x + rng.normal(0, 6)), 0), foot, (60, 90, 110), max(1, width // 500), cv2.LINE_AA)
        axes = (round(size * rng.uniform(0.6, 1.2)), round(size * rng.uniform(0.8, 1.6)))
        cv2.ellipse(image, foot, axes, 0, 0, 360, (200, 240, 255), -1, cv2.LINE_AA)
        cv2.circle(glow, (foot[0] // 8, foot[1] // 8), max(1, round(size / 4)), 160, -1)
    blur = 1 + 2 * (width // 160)
    glow = resize(as_uint8(cv2.blur(cv2.blur(glow, (blur, blur)), (blur, blur))), (width, height), cv2.INTER_LINEAR)
    warm = [np.asarray(cv2.convertScaleAbs(glow, alpha=share)) for share in (0.45, 0.8, 1.0)]
    return as_uint8(cv2.add(image, cv2.merge(warm)))


def _paint_house_front(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Windows and doors with panes, railings, plain walls."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(90, 240, 3).tolist(), contrast=3)
    wood, glass = rng.integers(20, 120, 3).tolist(), rng.integers(60, 190, 3).tolist()
    columns, rows = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    for column in range(columns):
        for row in range(rows):
            x0, y0 = (column + 0.22) * width / columns, (row + 0.15) * height / rows
            x1, y1 = x0 + 0.56 * width / columns, y0 + 0.7 * height / rows
            frame = max(2, round(0.05 * (x1 - x0)))
            panes = (int(rng.integers(1, 4)), int(rng.integers(1, 5)))
            cv2.rectangle(image, (round(x0), round(y0)), (round(x1), round(y1)), wood, -1)
            for i in range(panes[0]):
                for j in range(panes[1]):
                    left, top = x0 + i * (x1 - x0) / panes[0] + frame, y0 + j * (y1 - y0) / panes[1] + frame
                    right, bottom = left + (x1 - x0) / panes[0] - 2 * frame, top + (y1 - y0) / panes[1] - 2 * frame
                    corners = (round(left), round(top)), (round(right), round(bottom))
                    cv2.rectangle(image, *corners, _vary(glass, rng, 0.25), -1)
            for x in np.linspace(x0 - 10, x1 + 10, 12).tolist() if rng.random() < 0.5 else []:
                post = (round(x), round(y1 - 0.3 * (y1 - y0))), (round(x), round(y1))
                cv2.line(image, *post, (40, 50, 50), frame, cv2.LINE_AA)
    return image


def _paint_flowers(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Flowers of several rings of petals on a blurred background."""
    height, width = shape
    image = _texture(rng, shape, rng.integers(20, 140, 3).tolist(), contrast=14)
    for _ in range(rng.integers(1, 4)):
        centre = rng.uniform(0.25, 0.75, 2) * [width, height]
        petal = rng.integers(120, 250, 3).tolist()
        size = min(shape) * rng.uniform(0.2, 0.5)
        outline = 1 + round(size / 150)
        for ring in np.linspace(1, 0.1, int(rng.integers(4, 10))).tolist():
            for angle in np.linspace(0, 2 * np.pi, int(rng.integers(4, 9)), endpoint=False) + rng.uniform(0, 6):
                middle = to_pixel(centre + size * ring * 0.6 * np.array([np.cos(angle), np.sin(angle)]))
                axes = (round(size * ring * 0.5) + 1, round(size * ring * rng.uniform(0.25, 0.5)) + 1)
                turn = float(np.degrees(angle)) + 90
                cv2.ellipse(image, middle, axes, turn, 0, 360, _vary(petal, rng, 0.25), -1, cv2.LINE_AA)
                cv2.ellipse(image, middle, axes, turn, 0, 200, _vary(petal, rng, 0.7), outline, cv2.LINE_AA)
    return image


OBJECTS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Image]] = {
    "fur": _paint_fur,
    "leaves": _paint_leaves,
    "planks": _paint_planks,
    "chess": _paint_chess,
    "dominoes": _paint_dominoes,
    "lamps": _paint_lamps,
    "house front": _paint_house_front,
    "flowers": _paint_flowers,
}
"""The objects, by name."""
