"""An endless clip for those without a camera: sheet after sheet, held in a hand that is not quite still."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.page.page import DETAIL, check_size, write_page
from digitedge.synthetic.page.surface import Medium
from digitedge.synthetic.photo.photograph import (
    View,
    expose,
    homography,
    keep_inside,
    project,
    sensor_noise,
    uneven_light,
)
from digitedge.synthetic.scenes.ground_truth import Scene, true_digits
from digitedge.utils.opencv import cv2

# How long one sheet stays, in seconds.
STAY = (3.0, 5.5)
# Share of the time between two frames in which the shutter is open: motion over that share is smeared.
SHUTTER = 0.5
# How far the light of a sheet turns into another light while the sheet stays.
DRIFT = 0.6


def render_clip(*, seed: int, width: int = 640, height: int = 480, fps: float = 25.0) -> Iterator[Scene]:
    """Render frames for ever, as a hand-held camera sees one sheet of digits after another.

    Args:
        seed: the same seed gives the same clip.
        width: of the frames, in pixels, >= 160.
        height: of the frames, in pixels, >= 120.
        fps: frames that show one second, > 0. Nothing waits: the caller sets the pace.

    Returns:
        Scenes without end. Every digit is whole, plain and at least 24 pixels high in each frame; the sheet, and with
        it the rows, changes every STAY seconds.

    Raises:
        InputError: fps that is not positive.

    Examples:
        >>> clip = render_clip(seed=0, width=320, height=240)
        >>> first, second = next(clip), next(clip)
        >>> first.rows == second.rows, bool((first.frame == second.frame).all())
        (True, False)
    """
    check_size(width, height)
    if not fps > 0:
        raise InputError(f"render_clip() takes fps > 0, got {fps}. 25 is usual.")
    return _sheets(np.random.default_rng(seed), (width, height), fps)


def _sheets(rng: np.random.Generator, frame: tuple[int, int], fps: float) -> Iterator[Scene]:
    """Go through all media in random order, again and again, never twice the same in a row."""
    last: Medium | None = None
    while True:
        order = [list(Medium)[index] for index in rng.permutation(len(Medium))]
        if order[0] is last:
            order = order[1:] + order[:1]
        for medium in order:
            yield from _sheet(rng, medium, frame, round(fps * rng.uniform(*STAY)), fps)
        last = order[-1]


def _sheet(rng: np.random.Generator, medium: Medium, frame: tuple[int, int], count: int, fps: float) -> Iterator[Scene]:
    """One sheet for `count` frames."""
    page = write_page(rng, width=round(frame[0] * DETAIL), height=round(frame[1] * DETAIL), medium=medium, least=3)
    outline = np.concatenate(page.outlines)
    size = (page.image.shape[1], page.image.shape[0])
    lights = [uneven_light(rng, width=frame[0], height=frame[1]) for _ in range(2)]
    noise = sensor_noise(rng, width=frame[0], height=frame[1], sigma=rng.uniform(0.8, 3.0))
    blur = float(rng.uniform(0.3, 0.75))
    sway = _sample_sway(rng)
    middle = outline.mean(axis=0, keepdims=True)
    before = None
    for index in range(max(1, count)):
        matrix = keep_inside(homography(sway.at(index / fps), page=size, frame=frame), outline, frame=frame)
        here = project(middle, matrix)[0]
        way = (here - (here if before is None else before)) * SHUTTER
        before = here
        drift = DRIFT * index / count
        light = np.asarray(cv2.addWeighted(lights[0], 1 - drift, lights[1], drift, 0), np.uint8)
        shot = expose(
            page.image, matrix, rng, light=light, noise=noise, blur=blur, motion=(float(way[0]), float(way[1]))
        )
        yield Scene(shot, true_digits(page, matrix), page.rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Sway:
    """The motion of a hand: for each of six ways to move, three slow waves.

    Attributes:
        size: float64 (6, 3), amplitudes of shift x, shift y, zoom, turn, tilt x, tilt y.
        speed: float64 (6, 3), radians a second.
        phase: float64 (6, 3), radians.
    """

    size: NDArray[np.float64]
    speed: NDArray[np.float64]
    phase: NDArray[np.float64]

    def at(self, time_s: float) -> View:
        """Where the camera is after so many seconds."""
        x, y, zoom, turn, tilt_x, tilt_y = (self.size * np.sin(self.speed * time_s + self.phase)).sum(axis=1).tolist()
        return View(shift=(x, y), zoom=(1 + zoom) / DETAIL, turn=turn, tilt=(tilt_x, tilt_y))


def _sample_sway(rng: np.random.Generator) -> _Sway:
    """A drift of a few seconds, the sway of an arm, and a tremor of a few hertz and hardly a pixel."""
    reach = np.array([0.035, 0.035, 0.035, 0.022, 0.03, 0.035])
    waves = np.array([1.0, 0.35, 0.02])
    return _Sway(
        size=reach[:, None] * waves * rng.uniform(0.5, 1.2, (6, 3)),
        speed=np.array([0.9, 3.0, 18.0]) * rng.uniform(0.6, 1.4, (6, 3)),
        phase=rng.uniform(0, 2 * np.pi, (6, 3)),
    )
