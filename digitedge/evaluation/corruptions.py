"""How images of digits go wrong: twenty-one kinds of damage at three strengths, to measure how well a model holds up.

The idea and several kinds are those of MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337), done anew for what a camera on
paper meets. Training sees relatives of most kinds (`digitedge.training.transforms`), so these only show that it worked.
The kinds marked as unseen are used by no training in any form: only they tell how a model meets what nobody thought of.
(Eight were named at first. An inverted stripe is near to the glare of `occlusion`, dead pixels to noise kept as black
and white in `sensor`; both count as known since. How well held-out training images are read under the six others was
among the figures looked at while transforms and architectures were chosen; nothing was made for one of them.)

Everything works on crops, as the model gets them: uint8 (N, 28, 28), ink bright on 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

Crops = NDArray[np.uint8]
Strengths = tuple[float, float, float]
Damage = Callable[[Crops, float, np.random.Generator], Crops]

LEVELS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Degradation:
    """One kind of damage.

    Attributes:
        name: a few words, lower case.
        unseen: whether no training uses it in any form.
        strengths: what `damage` takes at the levels 1, 2 and 3.
        damage: crops, strength, source of randomness -> crops.
    """

    name: str
    unseen: bool
    strengths: Strengths
    damage: Damage

    def apply(self, crops: Crops, level: int, *, seed: int = 0) -> Crops:
        """Damage crops.

        Args:
            crops: uint8 (N, 28, 28), left alone.
            level: 1, 2 or 3.
            seed: the same seed gives the same damage.

        Returns:
            uint8 (N, 28, 28).
        """
        rng = np.random.default_rng((seed, level))
        return self.damage(crops, self.strengths[level - 1], rng)


def _tilt(crops: Crops, degrees: float, rng: np.random.Generator) -> Crops:
    """Turned one way, sheared the other."""

    def tilted(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        angle = np.deg2rad(degrees) * rng.choice([-1, 1])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return _warp(crop, turn @ np.array([[1, -0.5 * angle], [0, 1]]))

    return _each(crops, tilted)


def _small(crops: Crops, scale: float, rng: np.random.Generator) -> Crops:
    """Smaller than a digit should be, and not in the middle."""
    room = crops.shape[1] * (1 - scale) / 4
    return _each(crops, lambda crop: _warp(crop, np.eye(2) * scale, rng.uniform(-room, room, 2)))


def _warp(
    crop: NDArray[np.uint8], linear: NDArray[np.float64], shift: NDArray[np.float64] | float = 0.0
) -> NDArray[np.uint8]:
    """Move about the middle."""
    height, width = crop.shape
    middle = np.array([width - 1, height - 1]) / 2
    matrix = np.column_stack([linear, middle - linear @ middle + shift])
    return np.asarray(cv2.warpAffine(crop, matrix, (width, height)), np.uint8)


def _thin(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """A pen so thin that its line is pale."""
    brush = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return _each(crops, lambda crop: cv2.addWeighted(crop, 1 - share, cv2.erode(crop, brush), share, 0))


def _thick(crops: Crops, times: float, rng: np.random.Generator) -> Crops:
    """A marker that closes loops."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    whole = int(times)

    def thickened(crop: NDArray[np.uint8]) -> Any:
        wide = cv2.dilate(crop, brush, iterations=whole) if whole else crop
        return cv2.addWeighted(wide, 1 - times + whole, cv2.dilate(wide, brush), times - whole, 0)

    return _each(crops, thickened)


def _blur(crops: Crops, sigma: float, rng: np.random.Generator) -> Crops:
    """Out of focus."""
    return _each(crops, lambda crop: cv2.GaussianBlur(crop, (0, 0), sigma))


def _coarse(crops: Crops, side: float, rng: np.random.Generator) -> Crops:
    """So far away that a crop had few pixels."""
    shape = crops.shape[2], crops.shape[1]
    return _each(crops, lambda crop: cv2.resize(_shrunk(crop, round(side)), shape, interpolation=cv2.INTER_LINEAR))


def _shrunk(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _noise(crops: Crops, deviation: float, rng: np.random.Generator) -> Crops:
    """A sensor in poor light."""
    return _as_crops(crops + rng.normal(0, deviation, crops.shape))


def _jpeg(crops: Crops, quality: float, rng: np.random.Generator) -> Crops:
    """Compressed far too much."""

    def compressed(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        written = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1]
        return np.asarray(cv2.imdecode(written, cv2.IMREAD_GRAYSCALE), np.uint8)

    return _each(crops, compressed)


def _grey(crops: Crops, level: float, rng: np.random.Generator) -> Crops:
    """Paper that was taken for pale ink."""
    return _as_crops(level + crops * (1 - level / 255))


def _faint(crops: Crops, contrast: float, rng: np.random.Generator) -> Crops:
    """Pale ink that nobody brightened."""
    return _as_crops(crops * contrast)


def _shadow(crops: Crops, level: float, rng: np.random.Generator) -> Crops:
    """Grey from a soft edge on, in any direction."""
    height, width = crops.shape[1:]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle, offset = rng.uniform(0, 2 * np.pi, (len(crops), 1, 1)), rng.uniform(-0.5, 0.5, (len(crops), 1, 1))
    side = 1 / (1 + np.exp(-8 * (x * np.cos(angle) + y * np.sin(angle) - offset)))
    return _as_crops(level * side + crops * (1 - level * side / 255))


def _ruling(crops: Crops, level: float, rng: np.random.Generator) -> Crops:
    """A line of the paper that was not erased, upright or flat."""
    ruled = crops.copy()
    for crop in ruled:
        line = slice(place := int(rng.integers(4, crop.shape[0] - 5)), place + 1 + int(rng.integers(2)))
        part = crop[line] if rng.random() < 0.5 else crop[:, line]
        np.maximum(part, np.uint8(level), out=part)
    return ruled


def _cover(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """A part is hidden."""
    covered = crops.copy()
    side = round(share * crops.shape[1])
    for crop in covered:
        y, x = rng.integers(2, crop.shape[0] - side - 1, 2)
        crop[y : y + side, x : x + side] = 0
    return covered


def _motion(crops: Crops, length: float, rng: np.random.Generator) -> Crops:
    """The hand or the camera moved."""
    size = 2 * int(length / 2) + 3
    middle = size // 2

    def swept(crop: NDArray[np.uint8]) -> Any:
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        path = np.rint(16 * (middle + np.array([-reach, reach]))).astype(int).tolist()
        kernel = cv2.line(np.zeros((size, size), np.uint8), path[0], path[1], 255, 1, cv2.LINE_AA, 4)
        return cv2.filter2D(crop, -1, kernel.astype(np.float32) / float(kernel.sum()))

    return _each(crops, swept)


def _dead_pixels(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """Single pixels black or white, whatever was there."""
    dice = rng.random(crops.shape)
    return np.where(dice < share / 2, 0, np.where(dice > 1 - share / 2, 255, crops)).astype(np.uint8)


def _drops(crops: Crops, count: float, rng: np.random.Generator) -> Crops:
    """Round splashes of ink."""
    splashed = crops.copy()
    for crop in splashed:
        for _ in range(round(count)):
            centre = rng.integers(0, 16 * crop.shape[0], 2).tolist()
            cv2.circle(crop, centre, int(16 * rng.uniform(0.5, 1.6)), int(rng.integers(120, 256)), -1, cv2.LINE_AA, 4)
    return splashed


def _glass(crops: Crops, reach: float, rng: np.random.Generator) -> Crops:
    """Frosted glass: pixels change places with near ones."""
    height, width = crops.shape[1:]
    y, x = np.mgrid[:height, :width]
    seen = np.empty_like(crops)
    for crop, target in zip(crops, seen, strict=True):
        jump = rng.uniform(-reach, reach, (2, height, width))
        from_y, from_x = np.rint(y + jump[0]).clip(0, height - 1), np.rint(x + jump[1]).clip(0, width - 1)
        target[:] = crop[from_y.astype(int), from_x.astype(int)]
    return seen


def _halftone(crops: Crops, ink: float, rng: np.random.Generator) -> Crops:
    """Printed with too little ink, in dots: ordered dithering with a Bayer matrix."""
    bayer = np.zeros((1, 1))
    for _ in range(2):
        bayer = np.block([[4 * bayer, 4 * bayer + 2], [4 * bayer + 3, 4 * bayer + 1]])
    height, width = crops.shape[1:]
    limits = np.tile((bayer + 0.5) / bayer.size, (height, width))[:height, :width]
    return np.where(ink * _blur(crops, 0.8, rng) / 255 > limits, 255, 0).astype(np.uint8)


def _hollow(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """Only the outline of the strokes is dark."""

    def hollowed(crop: NDArray[np.uint8]) -> Any:
        outline = cv2.morphologyEx(crop, cv2.MORPH_GRADIENT, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
        return cv2.addWeighted(crop, 1 - share, outline, share, 0)

    return _each(crops, hollowed)


def _shifted_rows(crops: Crops, pixels: float, rng: np.random.Generator) -> Crops:
    """Every pair of rows read a little late or early: a rolling shutter, or interlaced video."""

    def jittered(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        shifts = np.repeat(np.rint(rng.normal(0, pixels, len(crop) // 2 + 1)).astype(int), 2)[: len(crop)]
        return np.stack([np.roll(row, shift) for row, shift in zip(crop, shifts, strict=True)])

    return _each(crops, jittered)


def _stripes(crops: Crops, width: float, rng: np.random.Generator) -> Crops:
    """Bright and dark change places in a stripe beside the middle."""
    inverted = crops.copy()
    for crop in inverted:
        start = int(rng.choice([3, crop.shape[1] - 3 - round(width)]))
        crop[:, start : start + round(width)] = 255 - crop[:, start : start + round(width)]
    return inverted


def _each(crops: Crops, change: Callable[[NDArray[np.uint8]], Any]) -> Crops:
    """Change crops one by one."""
    return np.stack([change(crop) for crop in crops]).astype(np.uint8, copy=False)


def _as_crops(values: NDArray[np.floating[Any]]) -> Crops:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


DEGRADATIONS: tuple[Degradation, ...] = (
    Degradation("tilt", False, (12, 20, 28), _tilt),
    Degradation("small", False, (0.8, 0.65, 0.5), _small),
    Degradation("thin pen", False, (0.4, 0.6, 0.8), _thin),
    Degradation("thick pen", False, (0.6, 1.0, 1.5), _thick),
    Degradation("blur", False, (0.8, 1.2, 1.6), _blur),
    Degradation("far away", False, (14, 11, 8), _coarse),
    Degradation("sensor noise", False, (20, 40, 60), _noise),
    Degradation("jpeg", False, (40, 20, 10), _jpeg),
    Degradation("grey paper", False, (40, 80, 120), _grey),
    Degradation("faint ink", False, (0.6, 0.4, 0.25), _faint),
    Degradation("shadow", False, (60, 100, 140), _shadow),
    Degradation("ruling", False, (100, 175, 250), _ruling),
    Degradation("cover", False, (0.18, 0.25, 0.32), _cover),
    Degradation("inverted stripe", False, (2, 4, 6), _stripes),
    Degradation("motion blur", True, (4, 6, 8), _motion),
    Degradation("dead pixels", False, (0.03, 0.08, 0.15), _dead_pixels),
    Degradation("drops", True, (3, 6, 10), _drops),
    Degradation("frosted glass", True, (0.8, 1.2, 1.7), _glass),
    Degradation("halftone", True, (0.9, 0.7, 0.5), _halftone),
    Degradation("hollow strokes", True, (0.5, 0.8, 1.0), _hollow),
    Degradation("shifted rows", True, (0.7, 1.2, 1.8), _shifted_rows),
)
"""Every kind of damage; three strengths each."""
