"""What happens to a digit before a net sees it through a camera: eight transforms, each for a batch of crops.

Each takes uint8 (N, H, W) crops, ink bright on 0, a strength from 0 (hardly anything) to 1 for each of them, and a
source of randomness; and returns new crops. `digitedge.training.augment` puts them together.

What `digitedge.evaluation.corruptions` marks as unseen (motion blur, drops, frosted glass, halftone, hollow
strokes, shifted rows) is used here in no form, so that its figures tell what no training taught. What comes nearest
to them: round blur,
square patches, bends over a seventh of the field, speckles without order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

Crops = NDArray[np.uint8]
Strengths = NDArray[np.float32]
Transform = Callable[[Crops, Strengths, np.random.Generator], Crops]

# Everything below is what full strength does. Geometry: half-widths of uniform distributions, wide enough to cover a
# tilted page, narrow enough that a 6 never becomes a 9; the smallest size, and which share of crops is pulled towards a
# square, as forms and old scanned sets do, whose 1 is as wide as it is high; how far points bend apart, and how many of
# a side move freely.
ROTATION_DEG, SHEAR, SCALE, SHIFT_PX = 24.0, 0.4, 0.25, 4.0
SMALLEST_SCALE, SQUARED, WIDEST = 0.55, 0.12, 3.0
BEND_PX, FREE_POINTS = 1.3, 7
# Logarithm of the exponent that hardens or softens edges, and how often a pen gets thicker rather than thinner.
PROFILE, THICKER = 1.2, 0.6
# Shortest side in pixels that a crop is shrunk to, and the widest blur (standard deviation in pixels).
SMALLEST, BLUR_PX = 8, 2.0
# Standard deviation of sensor noise, grey levels of 255; qualities of JPEG; the levels at which a scanner parts ink and
# paper; and which share of crops each of the two ways of keeping them gets, the others being kept as they are.
NOISE, JPEG_BEST, JPEG_WORST, SCANNED = 90.0, 80, 5, (60, 170)
AS_JPEG, AS_SCAN = 0.4, 0.25
# Height of rough paper above which a stroke still catches, in standard deviations below its mean (so 46 % of a stroke
# do); and the coarsest grains of that paper in pixels.
LOWEST_CAUGHT, COARSEST = -0.1, 3.0
# How grey paper gets, and which share of its contrast ink loses.
GREY, PALE = 150.0, 0.7
# What is left over: shares of neighbours, whole rulings and dashed ones; the rest are scribbles.
NEIGHBOURS, WHOLE, DASHED = 0.35, 0.2, 0.2
# How far away a neighbour stands, in widths of a crop: a digit is 0.7 wide at most.
NEIGHBOUR = (0.55, 0.75)
# Least and largest share of a side that something in front covers, and how many such things there are at most.
COVERED, THINGS = (0.08, 0.4), 3


def geometry(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Turn, shear, stretch and shift as a tilted page does, and bend as another hand does."""
    count, height, width = crops.shape
    free = rng.standard_normal((count, FREE_POINTS, FREE_POINTS, 2), np.float32)
    bends = free * (BEND_PX * strengths * rng.random(count, np.float32))[:, None, None, None]
    sources = _affine_sources(crops, strengths, rng)
    moved = np.empty_like(crops)
    for crop, source, bend, target in zip(crops, sources, bends, moved, strict=True):
        where = source + cv2.resize(bend, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.remap(crop, where, None, cv2.INTER_LINEAR, dst=target)  # type: ignore[call-overload]  # one map of pairs
    return moved


def _affine_sources(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> NDArray[np.float32]:
    """Where each pixel comes from: float32 (N, H, W, 2) of x and y."""
    count, height, width = crops.shape
    angle = np.deg2rad(ROTATION_DEG) * _either_way(strengths, rng)
    shear = SHEAR * _either_way(strengths, rng)
    zoom = np.exp(np.log(SMALLEST_SCALE) * strengths * rng.random(count, np.float32) * (rng.random(count) < 0.3))
    wide, high = (zoom * (1 + SCALE * _either_way(strengths, rng)) for _ in "xy")
    wide *= _squaring(crops) ** (strengths * (rng.random(count) < SQUARED))
    shift = SHIFT_PX * np.stack([_either_way(strengths, rng), _either_way(strengths, rng)], axis=1)
    cos, sin = np.cos(angle), np.sin(angle)
    # rotation @ shear @ stretch, written out and inverted
    linear = np.stack([cos * wide, (cos * shear - sin) * high, sin * wide, (sin * shear + cos) * high], axis=1)
    back = np.linalg.inv(linear.reshape(count, 2, 2)).astype(np.float32)
    middle = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    origin = middle - (back @ (middle + shift)[:, :, None])[:, :, 0]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    along, down = x[:, None] * back[:, None, :, 0], y[:, None] * back[:, None, :, 1]  # (N, W, 2), (N, H, 2)
    return along[:, None] + (down + origin[:, None])[:, :, None]


def _squaring(crops: Crops) -> NDArray[np.float32]:
    """How much wider each digit would be as a square: float32 (N,), from 1 to WIDEST."""
    high, wide = ((crops.max(axis=axis) > 60).sum(axis=1).clip(1) for axis in (2, 1))
    return np.asarray((high / wide).clip(1, WIDEST), np.float32)


def pen(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Make strokes up to a pixel thicker or thinner on every side, and their edges harder or softer."""
    brush = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    thicker = rng.random(len(crops)) < THICKER
    changed = np.stack([(cv2.dilate if t else cv2.erode)(crop, brush) for crop, t in zip(crops, thicker, strict=True)])
    share = (strengths * rng.random(len(crops), np.float32))[:, None, None]
    mixed = crops + share * (changed.astype(np.float32) - crops)
    power = np.exp(PROFILE * _either_way(strengths, rng))[:, None, None]
    return _as_crops(255 * (mixed / 255) ** power)


def resolution(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Shrink and grow again, as a digit far from the camera; then blur, as one out of focus."""
    _, height, width = crops.shape
    seen = np.empty_like(crops)
    sides = np.rint(width - (width - SMALLEST) * strengths * rng.random(len(crops), np.float32)).astype(int)
    blurs = BLUR_PX * strengths * rng.random(len(crops), np.float32)
    growing = rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST], len(crops))
    for crop, side, blur, how, target in zip(crops, sides.tolist(), blurs, growing.tolist(), seen, strict=True):
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        grown = cv2.resize(small, (width, height), interpolation=how)
        target[:] = cv2.GaussianBlur(grown, (0, 0), float(blur)) if blur > 0.3 else grown
    return seen


def grain(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Let ink catch only on the heights of rough paper or of a board, so that strokes are speckled or broken."""
    count, (height, width) = len(crops), crops.shape[1:]
    heights = rng.standard_normal(crops.shape, np.float32)
    for index, size in enumerate(rng.uniform(0, COARSEST, count)):
        if size > 1:
            coarse = np.ascontiguousarray(heights[index, : round(height / size), : round(width / size)])
            cv2.resize(coarse, (width, height), dst=heights[index], interpolation=cv2.INTER_CUBIC)
    lowest = 2.0 - (2.0 - LOWEST_CAUGHT) * strengths  # standard deviations below the mean, all but certain to catch
    soft = rng.uniform(0.05, 0.8, count).astype(np.float32)
    caught = ((heights + lowest[:, None, None]) / soft[:, None, None] + 0.5).clip(0, 1)
    return _as_crops(crops * caught)


def sensor(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Add the noise of a sensor, fine or in coarse grains; then keep it as it is, as JPEG, or as black and white."""
    count, (height, width) = len(crops), crops.shape[1:]
    grains = rng.standard_normal(crops.shape, np.float32)
    for index in np.flatnonzero(rng.random(count) < 0.3):
        coarse = grains[index, : (height + 1) // 2, : (width + 1) // 2]
        grains[index] = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    seen = _as_crops(crops + NOISE * (strengths * rng.random(count, np.float32))[:, None, None] * grains)
    kept = rng.random(count)
    qualities = JPEG_BEST - (JPEG_BEST - JPEG_WORST) * strengths * rng.random(count, np.float32)
    for index in np.flatnonzero(kept < AS_JPEG):
        written = cv2.imencode(".jpg", seen[index], [cv2.IMWRITE_JPEG_QUALITY, round(float(qualities[index]))])[1]
        seen[index] = np.asarray(cv2.imdecode(written, cv2.IMREAD_GRAYSCALE))
    scanned = kept > 1 - AS_SCAN
    levels = rng.integers(*SCANNED, (count, 1, 1))
    seen[scanned] = np.where(seen[scanned] > levels[scanned], 255, 0)
    return seen


def light(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Lay uneven grey over the paper, and take contrast from the ink."""
    count, height, width = crops.shape
    points = rng.random((count, 4, 4), np.float32) * rng.random((count, 1, 1), np.float32)  # smooth, any direction
    points += rng.random((count, 1, 1), np.float32)
    fields = np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_CUBIC) for p in points]).clip(0, 2) / 2
    grey = GREY * strengths[:, None, None] * fields
    kept = 1 - (PALE * strengths * rng.random(count, np.float32))[:, None, None]
    return _as_crops(grey + kept * crops * (1 - grey / 255))


def leftovers(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Leave what a search did not erase: a ruling, whole or dashed; a scribble; or a piece of a neighbour."""
    count = len(crops)
    levels = strengths * rng.uniform(0.3, 1, count)
    neighbours = crops[rng.integers(count, size=count)]
    pieces = np.stack([_piece(neighbour, rng) for neighbour in neighbours])
    return np.maximum(crops, _as_crops(pieces * levels[:, None, None]))


def _piece(neighbour: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One leftover, alone in a field."""
    kind = rng.random()
    if kind < NEIGHBOURS:
        return _edge_of(neighbour, rng)
    height, width = neighbour.shape
    is_ruling, is_dashed = kind < NEIGHBOURS + WHOLE + DASHED, kind > NEIGHBOURS + WHOLE
    points = rng.uniform(-0.2, 1.2, (2 if is_ruling else int(rng.integers(3, 7)), 2))
    if not is_ruling:  # a scribble goes on from side to side
        points[:, int(rng.integers(2))].sort()
    field = np.zeros_like(neighbour)
    corners = np.rint(points * (16 * width, 16 * height)).astype(np.int32)
    cv2.polylines(field, [corners], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
    if is_ruling and is_dashed:
        across, down = np.ptp(corners, axis=0)
        along = np.arange(width) if across > down else np.arange(height)[:, None]
        field *= (along // int(rng.integers(1, 5)) % 2).astype(np.uint8)
    return field


def _edge_of(neighbour: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """What comes into a field of a digit that stands to its left or right."""
    field, width = np.zeros_like(neighbour), neighbour.shape[1]
    away = round(width * rng.uniform(*NEIGHBOUR))
    if rng.random() < 0.5:
        field[:, away:] = neighbour[:, : width - away]
    else:
        field[:, : width - away] = neighbour[:, away:]
    return field


def occlusion(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Put things in front: patches, or bands from side to side; black, any grey, or a glare that turns light dark."""
    hidden = crops.copy()
    for crop, strength, things in zip(
        hidden, strengths.tolist(), rng.integers(1, THINGS + 1, len(crops)).tolist(), strict=True
    ):
        for _ in range(things):
            part = _part(crop, strength / things**0.5, rng)
            how = rng.random()
            if how < 0.3:
                np.subtract(255, part, out=part)
            else:
                part[:] = 0 if how < 0.7 else rng.integers(256)
    return hidden


def _part(crop: NDArray[np.uint8], strength: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A view of a patch of a crop, or of a band."""
    height, width = crop.shape
    least, most = COVERED
    down, across = rng.uniform(least, least + (most - least) * strength, 2).tolist()
    if rng.random() < 0.3:
        down, across = (down, 1.0) if rng.random() < 0.5 else (1.0, across)
    rows, columns = max(1, round(height * down)), max(1, round(width * across))
    y, x = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    return crop[y : y + rows, x : x + columns]


def _either_way(strengths: Strengths, rng: np.random.Generator) -> Strengths:
    """From minus the strength to plus the strength, evenly."""
    return strengths * rng.uniform(-1, 1, len(strengths)).astype(np.float32)


def _as_crops(values: NDArray[np.floating[Any]]) -> Crops:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


TRANSFORMS: dict[str, Transform] = {
    one.__name__: one for one in (geometry, pen, grain, light, leftovers, occlusion, resolution, sensor)
}
"""Name -> transform."""
