"""What a camera makes of a flat page: perspective, light, blur, noise and JPEG, for each difficulty."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import add_noise, apply_gains, fine_noise
from digitedge.synthetic.page.scene_types import Difficulty
from digitedge.synthetic.photo.camera_pose import CameraPose
from digitedge.utils.opencv import as_uint8, cv2, decode_image, encode_image, resize, to_bgr, to_grey


@dataclass(frozen=True, slots=True)
class Conditions:
    """How bad an image may get.

    Attributes:
        tilt: standard deviation of the tilt, see `CameraPose`.
        turn: standard deviation of the turn in radians.
        darkness: 0 to 1, largest share of the light that is missing everywhere.
        unevenness: 0 to 1, largest share of the light that is missing at one end and in the corners.
        shadow_rate: probability of each of two shadows.
        blur: largest standard deviation of the blur in pixels.
        noise: largest standard deviation of the noise in grey levels, for black ink.
        quality: least JPEG quality.
    """

    tilt: float
    turn: float
    darkness: float
    unevenness: float
    shadow_rate: float
    blur: float
    noise: float
    quality: int


CONDITIONS = {
    # tilt, turn; darkness, unevenness, shadow_rate; blur, noise, quality
    Difficulty.PLAIN: Conditions(0.03, 0.02, 0.25, 0.3, 0.0, 0.8, 4.0, 60),
    Difficulty.EASY: Conditions(0.01, 0.01, 0.16, 0.15, 0.0, 0.6, 1.6, 75),
    Difficulty.MEDIUM: Conditions(0.03, 0.02, 0.3, 0.5, 0.1, 1.6, 3.5, 55),
    Difficulty.HARD: Conditions(0.05, 0.035, 0.5, 1.0, 0.2, 3.0, 6.0, 35),
}


def sample_camera_pose(rng: np.random.Generator, conditions: Conditions) -> CameraPose:
    """Sample a camera that is held a little askew."""
    tilt = (rng.normal(0, conditions.tilt), rng.normal(0, conditions.tilt))
    return CameraPose(turn=rng.normal(0, conditions.turn), tilt=tilt)


def warp_page(page: NDArray[np.uint8], matrix: NDArray[np.float64], frame: tuple[int, int]) -> NDArray[np.uint8]:
    """Apply the perspective of a camera; beyond its border the page is mirrored."""
    return as_uint8(cv2.warpPerspective(page, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def sample_light(rng: np.random.Generator, frame: tuple[int, int], conditions: Conditions) -> NDArray[np.uint8]:
    """Sample the light of a room on a frame (width, height): uint8 (H, W, 3), gains for `apply_gains`."""
    brightness = float(rng.uniform(1 - conditions.darkness, 1))
    gradient = 0.8 * conditions.unevenness * float(rng.beta(1, 3))
    shadows = int(rng.binomial(2, conditions.shadow_rate))
    vignette = conditions.unevenness * float(rng.beta(1, 4))
    rows, columns = max(8, frame[1] // 4), max(8, frame[0] // 4)
    y, x = np.linspace(-1, 1, rows, dtype=np.float32)[:, None], np.linspace(-1, 1, columns, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 0.5 + 0.36 * (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))  # about 0 to 1
    light = 1 - np.float32(gradient) * ramp.clip(0, 1) ** np.float32(rng.uniform(0.7, 2.5))
    light *= 1 - np.float32(vignette) * ((x * x + y * y) / 2) ** np.float32(rng.uniform(0.8, 2.5))
    for _ in range(shadows):
        light *= _sample_shadow(rng, (rows, columns))
    tint = 1 + np.array([rng.normal(-0.02, 0.04), 0, rng.normal(0.01, 0.03)], np.float32)
    gains = (light[..., None] * tint * np.float32(128 * brightness)).clip(0, 255).astype(np.uint8)
    return resize(gains, frame, cv2.INTER_LINEAR)


def _sample_shadow(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The shadow of a phone, an arm or a hand, reaching in from a border: gains 0 to 1, float32 (H, W)."""
    rows, columns = shape
    mask = np.zeros(shape, np.uint8)
    size = max(rows, columns)
    side = rng.uniform(0, 2 * np.pi)
    outward = np.array([np.cos(side), np.sin(side)])
    centre = np.array([columns, rows]) / 2 * (1 + outward * rng.uniform(0.4, 1.1))
    turn = side + rng.normal(0, 0.4)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    half = np.array([rng.uniform(0.2, 0.7), rng.uniform(0.12, 0.4)]) * size
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ np.stack([along, across])
    cv2.fillConvexPoly(mask, np.rint(centre + corners).astype(np.int32), 255)
    if rng.random() < 0.5:  # a hand: knuckles along the edge
        for place in np.linspace(-0.9, 0.9, 4).tolist():
            knuckle = centre - along * half[0] + across * half[1] * place
            cv2.circle(mask, np.rint(knuckle).astype(int).tolist(), round(0.24 * half[1]), 255, -1)
    blur = 1 + 2 * round(size * rng.uniform(0.004, 0.05))
    mask = as_uint8(cv2.blur(cv2.blur(mask, (blur, blur)), (blur, blur)))
    return 1 - mask * np.float32(rng.uniform(0.15, 0.6) / 255)


def apply_light(image: NDArray[np.uint8], rng: np.random.Generator, conditions: Conditions) -> NDArray[np.uint8]:
    """Put an evenly lit image (H, W, 3) into the light of a room."""
    return apply_gains(image, sample_light(rng, (image.shape[1], image.shape[0]), conditions))


def add_reflections(frame: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add the reflections of lamps on a glossy board: soft bright spots and bands."""
    rows, columns = frame.shape[0] // 8 + 1, frame.shape[1] // 8 + 1
    glow = np.zeros((rows, columns), np.uint8)
    for _ in range(rng.integers(1, 4)):
        centre = (int(rng.integers(columns)), int(rng.integers(rows)))
        axes = (1 + int(columns * rng.uniform(0.02, 0.2)), 1 + int(rows * rng.uniform(0.02, 0.12)))
        cv2.ellipse(glow, centre, axes, rng.uniform(-30, 30), 0, 360, int(rng.integers(30, 120)), -1)
    blur = 1 + 2 * max(1, columns // 24)
    glow = as_uint8(cv2.blur(cv2.blur(glow, (blur, blur)), (blur, blur)))
    return as_uint8(cv2.add(frame, to_bgr(resize(glow, frame.shape[1::-1], cv2.INTER_LINEAR))))


def blur_and_add_noise(
    image: NDArray[np.uint8],
    rng: np.random.Generator,
    conditions: Conditions,
    *,
    stroke_width: float = 3.0,
    contrast: float = 0.5,
) -> NDArray[np.uint8]:
    """Blur an image and add noise, but so that its thinnest and palest stroke stays visible.

    `stroke_width` is that of the thinnest in pixels, `contrast` the opacity of the palest, 0 to 1.
    """
    blur = float(rng.uniform(0.25, 0.25 + min(conditions.blur, 0.25 * stroke_width)))
    deviation = float(rng.uniform(0.4, 1 + (conditions.noise - 1) * contrast))
    blurred = as_uint8(cv2.GaussianBlur(image, (0, 0), blur))
    return add_noise(blurred, fine_noise(rng, (image.shape[0], image.shape[1]), coloured=True), deviation)


def compress_jpeg(image: NDArray[np.uint8], rng: np.random.Generator, conditions: Conditions) -> NDArray[np.uint8]:
    """Encode an image as JPEG and decode it again."""
    content = encode_image(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(conditions.quality, 96)))
    return np.asarray(decode_image(content))


def scan_black_and_white(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make an evenly lit image (H, W, 3) black and white, as a fax or a scanner does: pale lines break."""
    grey = to_grey(image)
    level = (float(np.percentile(grey[::7, ::7], 90)) * 2 + float(grey.min())) / 3
    return to_bgr(as_uint8(np.where(grey > level, 255, 0)))
