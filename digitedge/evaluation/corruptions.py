"""Corruptions of digit crops at three severities, to measure the robustness of a classifier.

Modelled on MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337), for a camera on paper. Most have relatives in the
augmentation (`digitedge.training.transforms`); no training uses the unseen ones in any form, see
docs/decisions/unseen-corruptions.md. Crops are model inputs: uint8 (N, 28, 28), ink bright on 0.

To add a corruption, write its function and add a line to `CORRUPTIONS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.utils.opencv import as_uint8, cv2, decode_image, encode_image, resize, to_uint8

Crops = NDArray[np.uint8]

SEVERITIES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind of corruption.

    Attributes:
        name: a few words in lower case.
        unseen: whether no training uses it in any form.
        strengths: what `function` gets at each severity.
        function: (crops, strength, random generator) -> crops of the same shape.
    """

    name: str
    unseen: bool
    strengths: tuple[float, float, float]
    function: Callable[[Crops, float, np.random.Generator], Crops]

    def apply(self, crops: Crops, severity: int, *, seed: int = 0) -> Crops:
        """Corrupt a copy of crops, uint8 (N, 28, 28); the same seed gives the same copy.

        Raises:
            InputError: a severity that is not 1, 2 or 3.
        """
        if severity not in SEVERITIES:
            raise InputError(f"expected a severity of {SEVERITIES}, got {severity}. The highest is the strongest.")
        rng = np.random.default_rng((seed, severity))
        return self.function(crops, self.strengths[severity - 1], rng)


def _tilt(crops: Crops, degrees: float, rng: np.random.Generator) -> Crops:
    """Rotate by an angle of either sign, and shear the other way."""

    def tilt(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Tilt one crop to either side."""
        angle = np.deg2rad(degrees) * rng.choice([-1, 1])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return _warp(crop, turn @ np.array([[1, -0.5 * angle], [0, 1]]))

    return _each(crops, tilt)


def _small(crops: Crops, scale: float, rng: np.random.Generator) -> Crops:
    """Shrink, and shift off the centre."""
    room = crops.shape[1] * (1 - scale) / 4
    return _each(crops, lambda crop: _warp(crop, np.eye(2) * scale, rng.uniform(-room, room, 2)))


def _warp(
    crop: NDArray[np.uint8], linear: NDArray[np.float64], shift: NDArray[np.float64] | float = 0.0
) -> NDArray[np.uint8]:
    """Transform one crop linearly about its centre, then shift it by pixels."""
    height, width = crop.shape
    centre = np.array([width - 1, height - 1]) / 2
    matrix = np.column_stack([linear, centre - linear @ centre + shift])
    return as_uint8(cv2.warpAffine(crop, matrix, (width, height)))


def _thin(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """Erode, as a thin, pale pen."""
    brush = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    eroded = _each(crops, lambda crop: cv2.erode(crop, brush))
    return as_uint8(cv2.addWeighted(crops, 1 - share, eroded, share, 0))


def _thick(crops: Crops, times: float, rng: np.random.Generator) -> Crops:
    """Dilate, as a marker that closes loops."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    whole = int(times)

    def dilate(crop: NDArray[np.uint8]) -> Any:
        """Dilate one crop, the last time by a fraction."""
        wide = cv2.dilate(crop, brush, iterations=whole) if whole else crop
        return cv2.addWeighted(wide, 1 - times + whole, cv2.dilate(wide, brush), times - whole, 0)

    return _each(crops, dilate)


def _blur(crops: Crops, sigma: float, rng: np.random.Generator) -> Crops:
    """Gaussian blur: out of focus."""
    return _each(crops, lambda crop: cv2.GaussianBlur(crop, (0, 0), sigma))


def _coarse(crops: Crops, side: float, rng: np.random.Generator) -> Crops:
    """Downscale and upscale again: a digit far away."""
    small, size = (round(side), round(side)), (crops.shape[2], crops.shape[1])
    return _each(crops, lambda crop: resize(resize(crop, small, cv2.INTER_AREA), size, cv2.INTER_LINEAR))


def _noise(crops: Crops, deviation: float, rng: np.random.Generator) -> Crops:
    """Gaussian noise: a sensor in poor light."""
    return to_uint8(crops + rng.normal(0, deviation, crops.shape))


def _jpeg(crops: Crops, quality: float, rng: np.random.Generator) -> Crops:
    """Compress with a low JPEG quality."""
    setting = cv2.IMWRITE_JPEG_QUALITY, round(quality)
    return _each(crops, lambda crop: decode_image(encode_image(crop, ".jpg", *setting), cv2.IMREAD_GRAYSCALE))


def _grey(crops: Crops, level: float, rng: np.random.Generator) -> Crops:
    """Raise the background to grey."""
    return to_uint8(level + crops * (1 - level / 255))


def _faint(crops: Crops, contrast: float, rng: np.random.Generator) -> Crops:
    """Lower the contrast."""
    return to_uint8(crops * contrast)


def _shadow(crops: Crops, level: float, rng: np.random.Generator) -> Crops:
    """Raise the background on one side of a soft edge, in a random direction."""
    height, width = crops.shape[1:]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle, offset = rng.uniform(0, 2 * np.pi, (len(crops), 1, 1)), rng.uniform(-0.5, 0.5, (len(crops), 1, 1))
    side = 1 / (1 + np.exp(-8 * (x * np.cos(angle) + y * np.sin(angle) - offset)))
    return to_uint8(level * side + crops * (1 - level * side / 255))


def _ruling(crops: Crops, level: float, rng: np.random.Generator) -> Crops:
    """Draw one horizontal or vertical line, 1 or 2 pixels wide."""
    ruled = crops.copy()
    for crop in ruled:
        line = slice(place := int(rng.integers(4, crop.shape[0] - 5)), place + 1 + int(rng.integers(2)))
        part = crop[line] if rng.random() < 0.5 else crop[:, line]
        np.maximum(part, np.uint8(level), out=part)
    return ruled


def _cover(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """Set a random square to background."""
    covered = crops.copy()
    side = round(share * crops.shape[1])
    for crop in covered:
        y, x = rng.integers(2, crop.shape[0] - side - 1, 2)
        crop[y : y + side, x : x + side] = 0
    return covered


def _motion(crops: Crops, length: float, rng: np.random.Generator) -> Crops:
    """Motion blur in a random direction."""
    size = 2 * int(length / 2) + 3
    middle = size // 2

    def blur(crop: NDArray[np.uint8]) -> Any:
        """Blur one crop along a line."""
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        path = np.rint(16 * (middle + np.array([-reach, reach]))).astype(int).tolist()
        kernel = cv2.line(np.zeros((size, size), np.uint8), path[0], path[1], 255, 1, cv2.LINE_AA, 4)
        return cv2.filter2D(crop, -1, kernel.astype(np.float32) / float(kernel.sum()))

    return _each(crops, blur)


def _dead_pixels(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """Set random pixels to black or white."""
    dice = rng.random(crops.shape)
    return np.where(dice < share / 2, 0, np.where(dice > 1 - share / 2, 255, crops)).astype(np.uint8)


def _drops(crops: Crops, count: float, rng: np.random.Generator) -> Crops:
    """Draw round drops of ink."""
    splashed = crops.copy()
    for crop in splashed:
        for _ in range(round(count)):
            centre = rng.integers(0, 16 * crop.shape[0], 2).tolist()
            cv2.circle(crop, centre, int(16 * rng.uniform(0.5, 1.6)), int(rng.integers(120, 256)), -1, cv2.LINE_AA, 4)
    return splashed


def _glass(crops: Crops, reach: float, rng: np.random.Generator) -> Crops:
    """Replace every pixel with a random near one, as behind frosted glass."""
    height, width = crops.shape[1:]
    y, x = np.mgrid[:height, :width]
    result = np.empty_like(crops)
    for crop, target in zip(crops, result, strict=True):
        jump = rng.uniform(-reach, reach, (2, height, width))
        from_y, from_x = np.rint(y + jump[0]).clip(0, height - 1), np.rint(x + jump[1]).clip(0, width - 1)
        target[:] = crop[from_y.astype(int), from_x.astype(int)]
    return result


def _halftone(crops: Crops, ink: float, rng: np.random.Generator) -> Crops:
    """Blur and dither with a Bayer matrix, as printed with too little ink."""
    bayer = np.zeros((1, 1))
    for _ in range(2):
        bayer = np.block([[4 * bayer, 4 * bayer + 2], [4 * bayer + 3, 4 * bayer + 1]])
    height, width = crops.shape[1:]
    limits = np.tile((bayer + 0.5) / bayer.size, (height, width))[:height, :width]
    return np.where(ink * _blur(crops, 0.8, rng) / 255 > limits, 255, 0).astype(np.uint8)


def _hollow(crops: Crops, share: float, rng: np.random.Generator) -> Crops:
    """Blend with the outline of the strokes."""
    brush = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    outlines = _each(crops, lambda crop: cv2.morphologyEx(crop, cv2.MORPH_GRADIENT, brush))
    return as_uint8(cv2.addWeighted(crops, 1 - share, outlines, share, 0))


def _moire(crops: Crops, strength: float, rng: np.random.Generator) -> Crops:
    """Fade the ink and grey the paper in fine waves of any direction, as in a photograph of a screen."""
    height, width = crops.shape[1:]
    y, x = np.mgrid[:height, :width]
    angle, phase = rng.uniform(0, 2 * np.pi, (2, len(crops), 1, 1))
    length = rng.uniform(2.5, 5, (len(crops), 1, 1))
    waves = 0.5 + 0.5 * np.sin(2 * np.pi / length * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return to_uint8(crops + strength * waves * (0.3 * (255.0 - crops) - crops))


def _shifted_rows(crops: Crops, pixels: float, rng: np.random.Generator) -> Crops:
    """Shift every pair of rows at random, as a rolling shutter or interlaced video does."""

    def shift_rows(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Shift the rows of one crop."""
        shifts = np.repeat(np.rint(rng.normal(0, pixels, len(crop) // 2 + 1)).astype(int), 2)[: len(crop)]
        return np.stack([np.roll(row, shift) for row, shift in zip(crop, shifts, strict=True)])

    return _each(crops, shift_rows)


def _stripes(crops: Crops, width: float, rng: np.random.Generator) -> Crops:
    """Invert a vertical stripe near the left or right edge."""
    inverted = crops.copy()
    for crop in inverted:
        start = int(rng.choice([3, crop.shape[1] - 3 - round(width)]))
        stripe = crop[:, start : start + round(width)]
        stripe[:] = 255 - stripe
    return inverted


def _each(crops: Crops, change: Callable[[NDArray[np.uint8]], Any]) -> Crops:
    """Change every crop."""
    return as_uint8([change(crop) for crop in crops])


CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("tilt", False, (12, 20, 28), _tilt),
    Corruption("small", False, (0.8, 0.65, 0.5), _small),
    Corruption("thin pen", False, (0.4, 0.6, 0.8), _thin),
    Corruption("thick pen", False, (0.6, 1.0, 1.5), _thick),
    Corruption("blur", False, (0.8, 1.2, 1.6), _blur),
    Corruption("far away", False, (14, 11, 8), _coarse),
    Corruption("sensor noise", False, (20, 40, 60), _noise),
    Corruption("jpeg", False, (40, 20, 10), _jpeg),
    Corruption("grey paper", False, (40, 80, 120), _grey),
    Corruption("faint ink", False, (0.6, 0.4, 0.25), _faint),
    Corruption("shadow", False, (60, 100, 140), _shadow),
    Corruption("ruling", False, (100, 175, 250), _ruling),
    Corruption("cover", False, (0.18, 0.25, 0.32), _cover),
    Corruption("inverted stripe", False, (2, 4, 6), _stripes),
    Corruption("hollow strokes", False, (0.5, 0.8, 1.0), _hollow),
    Corruption("motion blur", True, (4, 6, 8), _motion),
    Corruption("dead pixels", False, (0.03, 0.08, 0.15), _dead_pixels),
    Corruption("drops", True, (3, 6, 10), _drops),
    Corruption("frosted glass", True, (0.8, 1.2, 1.7), _glass),
    Corruption("halftone", True, (0.9, 0.7, 0.5), _halftone),
    Corruption("moire", True, (0.5, 0.75, 1.0), _moire),
    Corruption("shifted rows", True, (0.7, 1.2, 1.8), _shifted_rows),
)
"""All corruptions: name, unseen, strengths at severity 1 to 3, function."""
