"""An endless clip for machines without a camera: one plain page after another, seen by a hand-held camera."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.noise import add_noise, apply_gains, fine_noise
from digitedge.synthetic.page.page import write_page
from digitedge.synthetic.page.scene_types import PLAIN_SCENE_TYPES, Difficulty
from digitedge.synthetic.photo.camera_pose import CameraPose, homography, keep_inside, project
from digitedge.synthetic.photo.effects import CONDITIONS, sample_light, warp_page
from digitedge.synthetic.scenes.ground_truth import Scene, box_in_frame, describe_scene
from digitedge.synthetic.scenes.scene import MIN_PLAIN_FRAME_SIZE, check_frame_size
from digitedge.utils.opencv import as_uint8, cv2

# How long one page stays, in seconds.
PAGE_SECONDS = (3.0, 5.5)
# Share of the time between two frames in which the shutter is open and motion is blurred.
SHUTTER = 0.5
# Share by which the light of a page changes to another light while the page stays.
LIGHT_CHANGE = 0.6
# Longest motion blur on each side of a pixel, in pixels.
MAX_MOTION_REACH = 4


def render_clip(*, seed: int, width: int = 640, height: int = 480, fps: float = 25.0) -> Iterator[Scene]:
    """Render frames without end, as a hand-held camera sees one page of digits after another.

    Every digit is whole, clear and at least 24 pixels high in each frame; the page changes after PAGE_SECONDS.

    Args:
        seed: the same seed gives the same clip.
        width: of the frames, in pixels, >= 160.
        height: of the frames, in pixels, >= 120.
        fps: frames that show one second, > 0. Nothing waits: the caller sets the pace.

    Raises:
        InputError: a frame that is too small, or fps that is not positive.

    Examples:
        >>> clip = render_clip(seed=0, width=320, height=240)
        >>> first, second = next(clip), next(clip)
        >>> first.rows == second.rows, bool((first.frame == second.frame).all())
        (True, False)
    """
    check_frame_size(width, height, smallest=MIN_PLAIN_FRAME_SIZE)
    if not fps > 0:
        raise InputError(f"render_clip() takes fps > 0, got {fps}. 25 is usual.")
    return _render_pages(np.random.default_rng(seed), (width, height), fps)


def _render_pages(rng: np.random.Generator, frame: tuple[int, int], fps: float) -> Iterator[Scene]:
    """Go through all plain scene types in random order, again and again, never the same twice in a row."""
    last: str | None = None
    while True:
        order = rng.permutation(list(PLAIN_SCENE_TYPES)).tolist()
        if order[0] == last:
            order = order[1:] + order[:1]
        for name in order:
            yield from _render_page(rng, name, frame, max(1, round(fps * rng.uniform(*PAGE_SECONDS))), fps)
        last = order[-1]


def _render_page(
    rng: np.random.Generator, name: str, frame: tuple[int, int], count: int, fps: float
) -> Iterator[Scene]:
    """Render one page for `count` frames."""
    page = write_page(PLAIN_SCENE_TYPES[name], Difficulty.PLAIN, rng, frame)
    outlines = [placed.outline() for placed in page.digits]
    points = np.concatenate(outlines)
    centre = points.mean(axis=0, keepdims=True)
    conditions = CONDITIONS[Difficulty.PLAIN]
    lights = [sample_light(rng, frame, conditions) for _ in range(2)]
    blur, deviation = float(rng.uniform(0.3, 0.75)), float(rng.uniform(0.8, 3.0))
    pose_at = _sample_sway(rng)
    previous: NDArray[np.float64] | None = None
    for index in range(count):
        matrix = homography(pose_at(index / fps), page=page.image.shape[1::-1], frame=frame)
        matrix = keep_inside(matrix, points, frame=frame)
        position = project(centre, matrix)[0]
        motion = (position - (position if previous is None else previous)) * SHUTTER
        previous = position
        change = LIGHT_CHANGE * index / count
        light = as_uint8(cv2.addWeighted(lights[0], 1 - change, lights[1], change, 0))
        image = as_uint8(cv2.GaussianBlur(warp_page(page.image, matrix, frame), (3, 3), blur))
        image = apply_gains(_blur_motion(image, motion), light)
        image = add_noise(image, fine_noise(rng, frame[::-1], coloured=True), deviation)
        boxes = [box_in_frame(outline, matrix) for outline in outlines]
        yield describe_scene(image, page.rows, boxes, scene_type=name, difficulty=Difficulty.PLAIN)


def _blur_motion(image: NDArray[np.uint8], motion: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Blur along the motion (x, y) of the camera in pixels; under 0.8 pixels nothing is done."""
    if np.abs(motion).max() <= 0.8:
        return image
    reach = min(MAX_MOTION_REACH, int(np.ceil(np.abs(motion).max() / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    half = 0.5 * motion
    (x0, y0), (x1, y1) = np.rint(16 * (reach + np.stack([-half, half]))).astype(int).tolist()
    cv2.line(kernel, (x0, y0), (x1, y1), 255, 1, cv2.LINE_AA, 4)
    return as_uint8(cv2.filter2D(image, -1, np.asarray(kernel / max(1, int(kernel.sum())), np.float32)))


def _sample_sway(rng: np.random.Generator) -> Callable[[float], CameraPose]:
    """Sample the motion of a hand, as the pose of the camera after some seconds."""
    # A drift of a few seconds, the sway of an arm, and a tremor of a few hertz and hardly a pixel.
    waves, radians_a_second = np.array([1.0, 0.35, 0.02]), np.array([0.9, 3.0, 18.0])
    reach = np.array([0.035, 0.035, 0.035, 0.022, 0.03, 0.035])  # of shift x and y, zoom, turn, tilt x and y
    size = reach[:, None] * waves * rng.uniform(0.5, 1.2, (6, 3))
    speed = radians_a_second * rng.uniform(0.6, 1.4, (6, 3))
    phase = rng.uniform(0, 2 * np.pi, (6, 3))

    def pose_at(time_s: float) -> CameraPose:
        x, y, zoom, turn, tilt_x, tilt_y = (size * np.sin(speed * time_s + phase)).sum(axis=1).tolist()
        return CameraPose(shift=(x, y), zoom=1 + zoom, turn=turn, tilt=(tilt_x, tilt_y))

    return pose_at
