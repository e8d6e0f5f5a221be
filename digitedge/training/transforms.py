"""The transforms of the augmentation: what can happen to a digit between the pen and the model.

Each takes uint8 (N, H, W) crops with ink bright on 0, float32 (N,) strengths from 0 (hardly any change) to 1, and a
source of randomness, and returns new crops. `digitedge.training.augment` combines them.

None imitates the corruptions that `digitedge.evaluation.corruptions` calls unseen, so that these measure what no
training taught. See docs/decisions/augmentation.md.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2, decode_image, encode_image, resize, to_uint8

Crops = NDArray[np.uint8]
Strengths = NDArray[np.float32]
Transform = Callable[[Crops, Strengths, np.random.Generator], Crops]

# What full strength does.

# geometry: half-widths of uniform distributions, wide enough for a tilted page, too narrow to turn a 6 into a 9.
ROTATION_DEG = 24.0
SHEAR = 0.4
SCALE = 0.25
SHIFT_PX = 4.0
SMALLEST_SCALE = 0.55  # smallest size of a digit, as a share of its own
SQUARED_SHARE = 0.12  # of crops stretched towards a square, as in forms whose 1 is as wide as it is high
WIDEST_STRETCH = 3.0
BEND_PX = 1.3  # standard deviation of the displacement of the control points
CONTROL_POINTS = 7  # per side
# pen
EDGE_EXPONENT = 1.2  # log of the exponent that hardens or softens edges
THICKER_SHARE = 0.6  # of strokes; the others get thinner
# resolution
SMALLEST_SIDE_PX = 8  # that a crop is shrunk to
BLUR_PX = 2.0  # standard deviation of the widest blur
# grain
LOWEST_INKED = -0.1  # lowest paper that takes ink, in standard deviations below the mean: 46 % of a stroke stays
COARSEST_GRAIN_PX = 3.0
# light
PAPER_GREY = 150.0  # brightest paper, of 255
PALE = 0.7  # share of the contrast that the ink loses
# sensor
NOISE = 90.0  # standard deviation, of 255
JPEG_SHARE = 0.4  # of crops that are compressed
JPEG_BEST = 80
JPEG_WORST = 5
BINARIZED_SHARE = 0.25  # of crops that are binarized, as by a scanner
BINARIZE_THRESHOLDS = (60, 170)
# leftovers: the others are scribbles
NEIGHBOUR_SHARE = 0.35
WHOLE_RULING_SHARE = 0.2
DASHED_RULING_SHARE = 0.2
NEIGHBOUR_DISTANCE = (0.55, 0.75)  # in widths of a crop; a digit is at most 0.7 wide
# occlusion
OCCLUDER_SIDE = (0.08, 0.4)  # least and largest side, as a share of that of the crop
MOST_OCCLUDERS = 3


def geometry(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Rotate, shear, scale, shift and bend, as a tilted page or another writer does."""
    count, height, width = crops.shape
    points = rng.standard_normal((count, CONTROL_POINTS, CONTROL_POINTS, 2), np.float32)
    bends = points * (BEND_PX * strengths * rng.random(count, np.float32))[:, None, None, None]
    sources = _affine_sources(crops, strengths, rng)
    moved = np.empty_like(crops)
    for crop, source, bend, target in zip(crops, sources, bends, moved, strict=True):
        where = source + cv2.resize(bend, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.remap(crop, where, None, cv2.INTER_LINEAR, dst=target)  # type: ignore[call-overload]  # one map of pairs
    return moved


def _affine_sources(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw affine maps, and return where each pixel comes from: float32 (N, H, W, 2) of x and y."""
    count, height, width = crops.shape
    angle = np.deg2rad(ROTATION_DEG) * _signed(strengths, rng)
    shear = SHEAR * _signed(strengths, rng)
    zoom = np.exp(np.log(SMALLEST_SCALE) * strengths * rng.random(count, np.float32) * (rng.random(count) < 0.3))
    wide, high = (zoom * (1 + SCALE * _signed(strengths, rng)) for _ in "xy")
    wide *= _stretch_to_square(crops) ** (strengths * (rng.random(count) < SQUARED_SHARE))
    shift = SHIFT_PX * np.stack([_signed(strengths, rng), _signed(strengths, rng)], axis=1)
    cos, sin = np.cos(angle), np.sin(angle)
    # rotation @ shear @ stretch, written out and inverted
    linear = np.stack([cos * wide, (cos * shear - sin) * high, sin * wide, (sin * shear + cos) * high], axis=1)
    back = np.linalg.inv(linear.reshape(count, 2, 2)).astype(np.float32)
    middle = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    origin = middle - (back @ (middle + shift)[:, :, None])[:, :, 0]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    along, down = x[:, None] * back[:, None, :, 0], y[:, None] * back[:, None, :, 1]  # (N, W, 2), (N, H, 2)
    return along[:, None] + (down + origin[:, None])[:, :, None]


def _stretch_to_square(crops: Crops) -> NDArray[np.float32]:
    """Return the horizontal stretch that makes each digit square: float32 (N,), from 1 to WIDEST_STRETCH."""
    high, wide = ((crops.max(axis=axis) > 60).sum(axis=1).clip(1) for axis in (2, 1))
    return np.asarray((high / wide).clip(1, WIDEST_STRETCH), np.float32)


def pen(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Make strokes up to a pixel thicker or thinner on each side, and their edges harder or softer."""
    brush = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    thicker = rng.random(len(crops)) < THICKER_SHARE
    changed = np.stack([(cv2.dilate if t else cv2.erode)(crop, brush) for crop, t in zip(crops, thicker, strict=True)])
    share = (strengths * rng.random(len(crops), np.float32))[:, None, None]
    mixed = crops + share * (changed.astype(np.float32) - crops)
    power = np.exp(EDGE_EXPONENT * _signed(strengths, rng))[:, None, None]
    return to_uint8(255 * (mixed / 255) ** power)


def hollow(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Take the inside out of the strokes, up to the whole: outlines, narrow or broad, black or grey inside."""
    brush = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    broadened = strengths * rng.random(len(crops), np.float32)
    emptied = strengths * rng.uniform(0.6, 1, len(crops)).astype(np.float32)
    result = np.empty_like(crops)
    for crop, broad, empty, target in zip(crops, broadened.tolist(), emptied.tolist(), result, strict=True):
        # From the crop and its core to the crop, a pixel broader on each side, and all that was ink.
        outer = cv2.addWeighted(crop, 1 - broad, cv2.dilate(crop, brush), broad, 0)
        inside = cv2.addWeighted(cv2.erode(crop, brush), empty * (1 - broad), crop, empty * broad, 0)
        cv2.subtract(outer, inside, dst=target)
    return result


def resolution(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Shrink and enlarge, as for a digit far from the camera; then blur, as for one out of focus."""
    _, height, width = crops.shape
    seen = np.empty_like(crops)
    sides = np.rint(width - (width - SMALLEST_SIDE_PX) * strengths * rng.random(len(crops), np.float32)).astype(int)
    blurs = BLUR_PX * strengths * rng.random(len(crops), np.float32)
    methods = rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST], len(crops))
    for crop, side, blur, method, target in zip(crops, sides.tolist(), blurs, methods.tolist(), seen, strict=True):
        enlarged = resize(resize(crop, (side, side), cv2.INTER_AREA), (width, height), method)
        target[:] = cv2.GaussianBlur(enlarged, (0, 0), float(blur)) if blur > 0.3 else enlarged
    return seen


def grain(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Keep ink only on the heights of rough paper or of a board, so that strokes are speckled or broken."""
    count, (height, width) = len(crops), crops.shape[1:]
    heights = rng.standard_normal(crops.shape, np.float32)
    for index, size in enumerate(rng.uniform(0, COARSEST_GRAIN_PX, count)):
        if size > 1:
            coarse = np.ascontiguousarray(heights[index, : round(height / size), : round(width / size)])
            cv2.resize(coarse, (width, height), dst=heights[index], interpolation=cv2.INTER_CUBIC)
    lowest = 2.0 - (2.0 - LOWEST_INKED) * strengths  # standard deviations below the mean; at 2 nearly all ink stays
    softness = rng.uniform(0.05, 0.8, count).astype(np.float32)
    kept = ((heights + lowest[:, None, None]) / softness[:, None, None] + 0.5).clip(0, 1)
    return to_uint8(crops * kept)


def sensor(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Add fine or coarse sensor noise; then leave the crop as it is, compress it as JPEG, or binarize it."""
    count, (height, width) = len(crops), crops.shape[1:]
    noise = rng.standard_normal(crops.shape, np.float32)
    for index in np.flatnonzero(rng.random(count) < 0.3):
        coarse = noise[index, : (height + 1) // 2, : (width + 1) // 2]
        noise[index] = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    seen = to_uint8(crops + NOISE * (strengths * rng.random(count, np.float32))[:, None, None] * noise)
    choice = rng.random(count)
    qualities = JPEG_BEST - (JPEG_BEST - JPEG_WORST) * strengths * rng.random(count, np.float32)
    for index in np.flatnonzero(choice < JPEG_SHARE):
        encoded = encode_image(seen[index], ".jpg", cv2.IMWRITE_JPEG_QUALITY, round(float(qualities[index])))
        seen[index] = as_uint8(decode_image(encoded, cv2.IMREAD_GRAYSCALE))
    binarized = choice > 1 - BINARIZED_SHARE
    thresholds = rng.integers(*BINARIZE_THRESHOLDS, (count, 1, 1))
    seen[binarized] = np.where(seen[binarized] > thresholds[binarized], 255, 0)
    return seen


def light(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Add uneven grey to the paper, and take contrast from the ink."""
    count, height, width = crops.shape
    points = rng.random((count, 4, 4), np.float32) * rng.random((count, 1, 1), np.float32)  # smooth, any direction
    points += rng.random((count, 1, 1), np.float32)
    fields = np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_CUBIC) for p in points]).clip(0, 2) / 2
    grey = PAPER_GREY * strengths[:, None, None] * fields
    contrast = 1 - (PALE * strengths * rng.random(count, np.float32))[:, None, None]
    return to_uint8(grey + contrast * crops * (1 - grey / 255))


def leftovers(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Add what segmentation may leave in a crop: a whole or dashed ruling, a scribble, or part of a neighbour."""
    count = len(crops)
    brightness = strengths * rng.uniform(0.3, 1, count)
    neighbours = crops[rng.integers(count, size=count)]
    pieces = np.stack([_draw_leftover(neighbour, rng) for neighbour in neighbours])
    return np.maximum(crops, to_uint8(pieces * brightness[:, None, None]))


def _draw_leftover(neighbour: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one leftover on black."""
    kind = rng.random()
    if kind < NEIGHBOUR_SHARE:
        return _neighbour_edge(neighbour, rng)
    height, width = neighbour.shape
    is_ruling = kind < NEIGHBOUR_SHARE + WHOLE_RULING_SHARE + DASHED_RULING_SHARE
    is_dashed = is_ruling and kind > NEIGHBOUR_SHARE + WHOLE_RULING_SHARE
    points = rng.uniform(-0.2, 1.2, (2 if is_ruling else int(rng.integers(3, 7)), 2))
    if not is_ruling:  # a scribble runs from side to side
        points[:, int(rng.integers(2))].sort()
    field = np.zeros_like(neighbour)
    corners = np.rint(points * (16 * width, 16 * height)).astype(np.int32)
    cv2.polylines(field, [corners], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
    if is_dashed:
        across, down = np.ptp(corners, axis=0)
        along = np.arange(width) if across > down else np.arange(height)[:, None]
        field *= (along // int(rng.integers(1, 5)) % 2).astype(np.uint8)
    return field


def _neighbour_edge(neighbour: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the part of a digit to the left or right that reaches into the crop."""
    field, width = np.zeros_like(neighbour), neighbour.shape[1]
    away = round(width * rng.uniform(*NEIGHBOUR_DISTANCE))
    if rng.random() < 0.5:
        field[:, away:] = neighbour[:, : width - away]
    else:
        field[:, : width - away] = neighbour[:, away:]
    return field


def occlusion(crops: Crops, strengths: Strengths, rng: np.random.Generator) -> Crops:
    """Cover parts with patches or bands: black, grey, or a glare that inverts what it covers."""
    occluded = crops.copy()
    counts = rng.integers(1, MOST_OCCLUDERS + 1, len(crops)).tolist()
    for crop, strength, count in zip(occluded, strengths.tolist(), counts, strict=True):
        for _ in range(count):
            part = _sample_part(crop, strength / count**0.5, rng)
            kind = rng.random()
            if kind < 0.3:
                np.subtract(255, part, out=part)
            else:
                part[:] = 0 if kind < 0.7 else rng.integers(256)
    return occluded


def _sample_part(crop: NDArray[np.uint8], strength: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a random patch or band of a crop, as a view."""
    height, width = crop.shape
    least, most = OCCLUDER_SIDE
    down, across = rng.uniform(least, least + (most - least) * strength, 2).tolist()
    if rng.random() < 0.3:
        down, across = (down, 1.0) if rng.random() < 0.5 else (1.0, across)
    rows, columns = max(1, round(height * down)), max(1, round(width * across))
    y, x = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    return crop[y : y + rows, x : x + columns]


def _signed(strengths: Strengths, rng: np.random.Generator) -> Strengths:
    """Draw uniformly between minus and plus the strength."""
    return strengths * rng.uniform(-1, 1, len(strengths)).astype(np.float32)


TRANSFORMS: dict[str, Transform] = {
    one.__name__: one for one in (geometry, hollow, pen, grain, light, leftovers, occlusion, resolution, sensor)
}
"""Name -> transform."""
