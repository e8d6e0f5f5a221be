"""What a bad camera in bad light makes of a page: tilted, dim, blurred, noisy, and packed as JPEG."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import add_noise, fine_noise
from digitedge.synthetic.page.scene_types import Difficulty
from digitedge.synthetic.photo.light import harsh_light
from digitedge.synthetic.photo.photograph import UNIT, View
from digitedge.utils.opencv import cv2


@dataclass(frozen=True, slots=True)
class Conditions:
    """How bad an image may get.

    Attributes:
        tilt: of the camera, deviation, see `View`.
        turn: of the camera, deviation in radians.
        dark: how much of the light may be missing everywhere, 0 to 1.
        uneven: how much of it may be missing at one end and in the corners, 0 to 1.
        shadowed: how likely each of two shadows is.
        blur: deviation in pixels, at most.
        noise: deviation in grey levels, at most, where the ink is black.
        quality: of JPEG, at least.
    """

    tilt: float
    turn: float
    dark: float
    uneven: float
    shadowed: float
    blur: float
    noise: float
    quality: int


CONDITIONS = {
    Difficulty.EASY: Conditions(0.01, 0.01, dark=0.16, uneven=0.15, shadowed=0.0, blur=0.6, noise=1.6, quality=75),
    Difficulty.MEDIUM: Conditions(0.03, 0.02, dark=0.3, uneven=0.5, shadowed=0.1, blur=1.6, noise=3.5, quality=55),
    Difficulty.HARD: Conditions(0.05, 0.035, dark=0.5, uneven=1.0, shadowed=0.2, blur=3.0, noise=6.0, quality=35),
}


def sample_view(rng: np.random.Generator, conditions: Conditions) -> View:
    """Hold the camera a little askew."""
    tilt = (rng.normal(0, conditions.tilt), rng.normal(0, conditions.tilt))
    return View(turn=rng.normal(0, conditions.turn), tilt=tilt)


def see_page(page: NDArray[np.uint8], matrix: NDArray[np.float64], frame: tuple[int, int]) -> NDArray[np.uint8]:
    """What the camera sees; where the page ends, it sees the page mirrored."""
    seen = cv2.warpPerspective(page, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen, np.uint8)


def light_up(seen: NDArray[np.uint8], rng: np.random.Generator, conditions: Conditions) -> NDArray[np.uint8]:
    """Give an evenly lit image the light of a room."""
    light = harsh_light(
        rng,
        width=seen.shape[1],
        height=seen.shape[0],
        brightness=float(rng.uniform(1 - conditions.dark, 1)),
        gradient=0.8 * conditions.uneven * float(rng.beta(1, 3)),
        shadows=int(rng.binomial(2, conditions.shadowed)),
        vignette=conditions.uneven * float(rng.beta(1, 4)),
    )
    return np.asarray(cv2.multiply(seen, light, scale=1 / UNIT), np.uint8)


def shoot(
    seen: NDArray[np.uint8],
    rng: np.random.Generator,
    conditions: Conditions,
    *,
    stroke: float = 3.0,
    contrast: float = 0.5,
) -> NDArray[np.uint8]:
    """Blur an image and add noise, but spare its thinnest and palest stroke.

    Args:
        seen: uint8 (H, W, 3), BGR.
        rng: where chance comes from.
        conditions: how bad it may get.
        stroke: width of the thinnest stroke in pixels.
        contrast: opacity of the palest ink, 0 to 1.
    """
    blur = float(rng.uniform(0.25, 0.25 + min(conditions.blur, 0.25 * stroke)))
    noise = float(rng.uniform(0.4, 1 + (conditions.noise - 1) * contrast))
    soft = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.uint8)
    return add_noise(soft, fine_noise(rng, (seen.shape[0], seen.shape[1]), coloured=True), noise)


def pack(shot: NDArray[np.uint8], rng: np.random.Generator, conditions: Conditions) -> NDArray[np.uint8]:
    """What JPEG leaves of an image."""
    packed = cv2.imencode(".jpg", shot, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(conditions.quality, 96))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
