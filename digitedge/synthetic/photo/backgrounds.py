"""Stand-ins for images of things: fur, leaves, boards, dominoes, lamps, doors, flowers. No digit is in any of them.

They share what matters with photographs of such things: edges and contrasts at every scale, repeated shapes, parts that
are bright on dark or dark on bright, round and thin.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import add_noise, clouds, fine_noise
from digitedge.utils.opencv import cv2

Image = NDArray[np.uint8]
Colour = tuple[float, float, float]


def sample_object(rng: np.random.Generator, frame: tuple[int, int]) -> Image:
    """Draw one of OBJECTS as large as a frame (width, height): uint8 (H, W, 3), BGR; a third of them grey."""
    painters = list(OBJECTS.values())
    image = painters[rng.integers(len(painters))](rng, (frame[1], frame[0]))
    if rng.random() < 0.3:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    return image


def texture(rng: np.random.Generator, shape: tuple[int, int], colour: Colour, *, contrast: float) -> Image:
    """An area with noise at all scales, each as strong, as in nature: uint8 (H, W, 3)."""
    image = np.empty((*shape, 3), np.uint8)
    image[:] = np.clip(colour, 0, 255).astype(np.uint8)
    for spot in (max(shape) / 2, max(shape) / 8, max(shape) / 30, max(shape) / 100):
        image = add_noise(image, clouds(rng, shape, max(2.0, spot)), contrast)
    return add_noise(image, fine_noise(rng, shape), 0.3 * contrast)


def _sample_colour(rng: np.random.Generator, low: int = 0, high: int = 256) -> Colour:
    blue, green, red = rng.integers(low, high, 3).tolist()
    return blue, green, red


def _near(colour: Colour, rng: np.random.Generator, spread: float) -> Colour:
    """The same hue, lighter or darker."""
    blue, green, red = (np.array(colour) * np.exp(rng.normal(0, spread))).clip(0, 255).tolist()
    return blue, green, red


def _fur(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """An animal's face: hairs that follow a flow, two eyes, a nose, whiskers."""
    height, width = shape
    base = _sample_colour(rng, 60, 200)
    image = texture(rng, shape, base, contrast=16)
    flow = clouds(rng, (64, 64), 16).astype(np.float32) / 255 * 6
    count, reach = 2500, max(shape) / 40
    points = rng.uniform(0, 1, (count, 2))
    angles = flow[(points[:, 1] * 63).astype(int), (points[:, 0] * 63).astype(int)] + rng.normal(0, 0.2, count)
    starts = points * [width, height]
    ends = starts + np.stack([np.cos(angles), np.sin(angles)], -1) * reach * rng.uniform(0.4, 1.2, (count, 1))
    lines = np.rint(np.stack([starts, ends], 1)).astype(int).tolist()
    for start, end in lines:
        cv2.line(image, start, end, _near(base, rng, 0.35), 1 + max(shape) // 1200, cv2.LINE_AA)
    middle = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    size = min(shape) * rng.uniform(0.05, 0.1)
    iris = _sample_colour(rng, 60, 230)
    for way in (-1, 1):
        eye = np.rint(middle + np.array([way * 2.2, -1.0]) * size).astype(int).tolist()
        for share, colour in ((1.15, (20, 20, 20)), (1.0, iris), (0.55, (8, 8, 8))):
            cv2.ellipse(
                image, eye, (round(size * share), round(size * share * 0.8)), 8 * way, 0, 360, colour, -1, cv2.LINE_AA
            )
        cv2.circle(
            image,
            (eye[0] - round(0.2 * size), eye[1] - round(0.2 * size)),
            max(1, round(0.16 * size)),
            (250, 250, 250),
            -1,
            cv2.LINE_AA,
        )
        for _ in range(7):
            tip = middle + np.array([way * rng.uniform(3, 6), rng.uniform(0.5, 3)]) * size
            root = np.rint(middle + np.array([way * 0.8, 1.4]) * size).astype(int).tolist()
            cv2.line(image, root, np.rint(tip).astype(int).tolist(), (230, 230, 230), 1, cv2.LINE_AA)
    nose = np.rint(middle + np.array([0, 1]) * size + np.array([[-0.5, 0], [0.5, 0], [0, 0.6]]) * size).astype(np.int32)
    cv2.fillConvexPoly(image, nose, (90, 80, 150), cv2.LINE_AA)
    return image


def _leaves(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Ivy or blossoms before a wall: hundreds of small shapes of one hue, more of them on one side."""
    height, width = shape
    image = texture(rng, shape, _sample_colour(rng, 60, 230), contrast=rng.uniform(6, 16))
    leaf: Colour = ((60, 110, 70), (40, 30, 150), (50, 80, 50), (60, 140, 170))[rng.integers(4)]
    size = max(shape) * rng.uniform(0.006, 0.02)
    for x, y in (rng.beta(1.2, 1.0, (700, 2)) * [width, height]).tolist():
        angle = rng.uniform(0, 2 * np.pi)
        corners = int(rng.integers(3, 8))
        around = angle + np.linspace(0, 2 * np.pi, corners, endpoint=False)
        radius = size * rng.uniform(0.4, 1.4, corners) * rng.uniform(0.5, 1.5)
        points = np.stack([x + radius * np.cos(around), y + 0.7 * radius * np.sin(around)], -1)
        cv2.fillPoly(image, [np.rint(points).astype(np.int32)], _near(leaf, rng, 0.5), cv2.LINE_AA)
    return image


def _planks(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A wall of boards or bricks with dark joints, knots and scratches."""
    height, width = shape
    colour = _sample_colour(rng, 90, 220)
    image = add_noise(
        texture(rng, shape, colour, contrast=8), clouds(rng, shape, max(3.0, height / 150), stretch=20), 12
    )
    pitch = height / rng.uniform(3, 14)
    bricks = rng.random() < 0.5
    for row, y in enumerate(np.arange(0, height, pitch).tolist()):
        cv2.line(
            image,
            (0, round(y)),
            (width, round(y + rng.normal(0, 2))),
            _near((50, 50, 50), rng, 0.4),
            max(1, height // 300),
        )
        for x in np.arange(row % 2 * pitch, width, 2.2 * pitch).tolist() if bricks else []:
            cv2.line(image, (round(x), round(y)), (round(x), round(y + pitch)), (60, 60, 60), max(1, height // 300))
    for x, y in (rng.uniform(0, 1, (rng.integers(4, 30), 2)) * [width, height]).astype(int).tolist():
        axes = (1 + int(width * rng.uniform(0.002, 0.02)), 1 + int(height * rng.uniform(0.002, 0.012)))
        cv2.ellipse(
            image,
            (x, y),
            axes,
            rng.uniform(-20, 20),
            0,
            360,
            _near((50, 60, 70), rng, 0.4),
            int(rng.choice([-1, 1, 2])),
            cv2.LINE_AA,
        )
    return image


def _chess(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A board of squares seen from the side, and rows of pieces before a dark room."""
    height, width = shape
    image = texture(rng, shape, _sample_colour(rng, 5, 50), contrast=5)
    horizon = height * rng.uniform(0.3, 0.6)
    depth = np.geomspace(1, 0.25, 9)
    ys = horizon + (height * 1.1 - horizon) * (depth - 0.25) / 0.75
    for row in range(8):
        for column in range(-8, 8):
            xs = [width / 2 + (column + way) * width * 0.16 * d for d in depth[row : row + 2] for way in (0, 1)]
            corners = [(xs[0], ys[row]), (xs[1], ys[row]), (xs[3], ys[row + 1]), (xs[2], ys[row + 1])]
            colour = (225, 225, 225) if (row + column) % 2 else (25, 25, 25)
            cv2.fillConvexPoly(image, np.rint(corners).astype(np.int32), colour, cv2.LINE_AA)
    foot, size = horizon + 0.1 * height, height * rng.uniform(0.15, 0.3)
    tone = _near((200, 210, 215), rng, 0.2) if rng.random() < 0.7 else (40.0, 40.0, 45.0)
    for x in np.linspace(0.1, 0.9, int(rng.integers(5, 11))).tolist():
        high = size * rng.uniform(0.6, 1.1)
        profile = rng.uniform(0.06, 0.2, 6) * high
        profile[[0, 3]] = 0.22 * high, 0.07 * high
        levels = foot - high * np.array([0, 0.12, 0.4, 0.65, 0.8, 0.95])
        right = np.stack([x * width + profile, levels], -1)
        left = np.stack([x * width - profile, levels], -1)[::-1]
        cv2.fillPoly(image, [np.rint(np.concatenate([right, left])).astype(np.int32)], tone, cv2.LINE_AA)
        cv2.circle(
            image, (round(x * width), round(foot - high)), round(0.11 * high), _near(tone, rng, 0.15), -1, cv2.LINE_AA
        )
    return image


def _dominoes(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Bright stones with dark dots on a table, turned every way; dice too."""
    height, width = shape
    image = texture(rng, shape, _sample_colour(rng, 20, 160), contrast=8)
    size = min(shape) * rng.uniform(0.12, 0.3)
    for _ in range(rng.integers(2, 9)):
        middle = rng.uniform(0.1, 0.9, 2) * [width, height]
        angle = rng.uniform(0, 2 * np.pi)
        right = np.array([np.cos(angle), np.sin(angle)]) * size
        down = np.array([-np.sin(angle), np.cos(angle)]) * size * rng.uniform(0.6, 1)
        corners = middle + np.array([[-1, -0.5], [1, -0.5], [1, 0.5], [-1, 0.5]]) @ np.stack([right, down])
        cv2.fillConvexPoly(image, np.rint(corners + 0.05 * size).astype(np.int32), (15, 15, 15), cv2.LINE_AA)
        cv2.fillConvexPoly(image, np.rint(corners).astype(np.int32), _near((225, 232, 235), rng, 0.06), cv2.LINE_AA)
        ends = [np.rint(middle + way * 0.45 * down).astype(int).tolist() for way in (-1, 1)]
        cv2.line(image, ends[0], ends[1], (30, 30, 30), max(1, round(0.03 * size)), cv2.LINE_AA)
        for half in (-0.5, 0.5):
            for place in rng.permutation(9)[: rng.integers(0, 7)].tolist():
                dot = middle + right * (half + 0.25 * (place % 3 - 1)) + down * 0.28 * (place // 3 - 1)
                cv2.circle(
                    image,
                    np.rint(dot).astype(int).tolist(),
                    max(1, round(0.075 * size)),
                    (25, 25, 25),
                    -1,
                    cv2.LINE_AA,
                )
    return image


def _lamps(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Bright lamps on their wires in a dark room, with their glow."""
    height, width = shape
    image = texture(rng, shape, _sample_colour(rng, 5, 70), contrast=4)
    glow = np.zeros((height // 8 + 1, width // 8 + 1), np.uint8)
    size = max(shape) * rng.uniform(0.008, 0.03)
    for x, y in (rng.uniform(0.05, [0.95, 0.7], (rng.integers(5, 25), 2)) * [width, height]).tolist():
        foot = (round(x), round(y))
        cv2.line(image, (round(x + rng.normal(0, 6)), 0), foot, (60, 90, 110), max(1, width // 500), cv2.LINE_AA)
        axes = (round(size * rng.uniform(0.6, 1.2)), round(size * rng.uniform(0.8, 1.6)))
        cv2.ellipse(image, foot, axes, 0, 0, 360, (200, 240, 255), -1, cv2.LINE_AA)
        cv2.circle(glow, (foot[0] // 8, foot[1] // 8), max(1, round(size / 4)), 160, -1)
    soft = 1 + 2 * (width // 160)
    soft_glow = cv2.resize(cv2.blur(cv2.blur(glow, (soft, soft)), (soft, soft)), (width, height))
    warm = [np.asarray(cv2.convertScaleAbs(soft_glow, alpha=share)) for share in (0.45, 0.8, 1.0)]
    return np.asarray(cv2.add(image, cv2.merge(warm)), np.uint8)


def _door(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """A house front: windows and doors with panes, a railing, plain walls."""
    height, width = shape
    image = texture(rng, shape, _sample_colour(rng, 90, 240), contrast=3)
    wood, glass = _sample_colour(rng, 20, 120), _sample_colour(rng, 60, 190)
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
                    cv2.rectangle(
                        image, (round(left), round(top)), (round(right), round(bottom)), _near(glass, rng, 0.25), -1
                    )
            for x in np.linspace(x0 - 10, x1 + 10, 12).tolist() if rng.random() < 0.5 else []:
                cv2.line(
                    image,
                    (round(x), round(y1 - 0.3 * (y1 - y0))),
                    (round(x), round(y1)),
                    (40, 50, 50),
                    frame,
                    cv2.LINE_AA,
                )
    return image


def _flower(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Rings of petals, light outside and dark between, before something blurred."""
    height, width = shape
    image = texture(rng, shape, _sample_colour(rng, 20, 140), contrast=14)
    for _ in range(rng.integers(1, 4)):
        middle = rng.uniform(0.25, 0.75, 2) * [width, height]
        petal = _sample_colour(rng, 120, 250)
        size = min(shape) * rng.uniform(0.2, 0.5)
        for ring in np.linspace(1, 0.1, int(rng.integers(4, 10))).tolist():
            for angle in np.linspace(0, 2 * np.pi, int(rng.integers(4, 9)), endpoint=False) + rng.uniform(0, 6):
                centre = (
                    np.rint(middle + size * ring * 0.6 * np.array([np.cos(angle), np.sin(angle)])).astype(int).tolist()
                )
                axes = (round(size * ring * 0.5) + 1, round(size * ring * rng.uniform(0.25, 0.5)) + 1)
                turn = float(np.degrees(angle)) + 90
                cv2.ellipse(image, centre, axes, turn, 0, 360, _near(petal, rng, 0.25), -1, cv2.LINE_AA)
                cv2.ellipse(
                    image, centre, axes, turn, 0, 200, _near(petal, rng, 0.7), 1 + round(size / 150), cv2.LINE_AA
                )
    return image


OBJECTS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Image]] = {
    "fur": _fur,
    "leaves": _leaves,
    "planks": _planks,
    "chess": _chess,
    "dominoes": _dominoes,
    "lamps": _lamps,
    "door": _door,
    "flower": _flower,
}
"""What can be drawn, by name."""
