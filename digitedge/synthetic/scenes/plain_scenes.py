"""Frames as a camera gives them, of pages that were never written, with the truth about every digit in them.

`render_scene` takes one image, `render_clip` films for ever. The way of a scene: surface and pen (page), camera and
light (photograph), where the digits came to lie (truth).
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.page.page import DETAIL, Page, check_size, write_page
from digitedge.synthetic.page.surface import Medium
from digitedge.synthetic.photo.photograph import View, expose, homography, keep_inside, sensor_noise, uneven_light
from digitedge.synthetic.scenes.clip import render_clip
from digitedge.synthetic.scenes.ground_truth import Scene, TrueDigit, true_digits
from digitedge.utils.opencv import cv2

__all__ = ["Medium", "Scene", "TrueDigit", "render_clip", "render_scene"]


def render_scene(
    *, seed: int, width: int = 640, height: int = 480, medium: Medium | None = None, clean: bool = False
) -> Scene:
    """Take one image of a page with 1 to 3 rows of 1 to 8 digits.

    Args:
        seed: the same seed gives the same scene.
        width: of the frame, in pixels, >= 160.
        height: of the frame, in pixels, >= 120.
        medium: what is written on; None takes any.
        clean: flat, evenly lit and sharp, without noise: for exact tests.

    Returns:
        The frame, and every digit in it: whole, at least 24 pixels high, not touching its neighbours.

    Examples:
        >>> scene = render_scene(seed=3)
        >>> scene.frame.shape, "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
        ((480, 640, 3), True)
    """
    check_size(width, height)
    rng = np.random.default_rng(seed)
    kind = list(Medium)[rng.integers(len(Medium))] if medium is None else medium
    page = write_page(rng, width=round(width * DETAIL), height=round(height * DETAIL), medium=kind)
    matrix = _aim(page, View(zoom=1 / DETAIL) if clean else _sample_view(rng), frame=(width, height))
    return Scene(_shoot(page, matrix, rng, (width, height), clean), true_digits(page, matrix), page.rows)


def _aim(page: Page, view: View, *, frame: tuple[int, int]) -> NDArray[np.float64]:
    """Point the camera so that every digit is in the frame."""
    height, width = page.image.shape[:2]
    matrix = homography(view, page=(width, height), frame=frame)
    return keep_inside(matrix, np.concatenate(page.outlines), frame=frame)


def _sample_view(rng: np.random.Generator) -> View:
    return View(
        shift=(rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)),
        zoom=rng.uniform(0.92, 1.08) / DETAIL,
        turn=rng.normal(0, 0.025),
        tilt=(rng.normal(0, 0.035), rng.normal(0, 0.05)),
    )


def _shoot(
    page: Page, matrix: NDArray[np.float64], rng: np.random.Generator, frame: tuple[int, int], clean: bool
) -> NDArray[np.uint8]:
    """One image; unless clean, with light, blur, noise and the softness of JPEG."""
    if clean:
        return np.asarray(cv2.warpPerspective(page.image, matrix, frame, flags=cv2.INTER_LINEAR), np.uint8)
    light = uneven_light(rng, width=frame[0], height=frame[1])
    noise = sensor_noise(rng, width=frame[0], height=frame[1], sigma=rng.uniform(0.8, 5.0))
    seen = expose(page.image, matrix, rng, light=light, noise=noise, blur=rng.uniform(0.3, 1.1))
    packed = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
