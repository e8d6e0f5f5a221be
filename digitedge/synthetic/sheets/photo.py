"""A flat page becomes the photograph of a telephone: a pinhole camera above a table, light, blur, noise and JPEG."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import add_noise, apply_gains, fine_noise
from digitedge.synthetic.page.desk import lay_on_desk, make_desk
from digitedge.synthetic.photo.camera_pose import project
from digitedge.synthetic.photo.effects import Conditions, compress_jpeg, sample_light
from digitedge.utils.opencv import as_uint8, cv2, resize

# Focal length in longer sides of the image: that of telephones.
_FOCAL = 0.75

EVEN_LIGHT = Conditions(0, 0, 0.1, 0.1, 0.0, 0, 0, 80)


@dataclass(frozen=True, slots=True)
class Shot:
    """How a page is photographed.

    Attributes:
        width: of the photograph in pixels; its height is four thirds of it.
        tilt: angle in degrees between the page and the plane of the image.
        direction: in degrees: towards which side it is tilted.
        turn: in degrees: rotation in the plane of the image.
        fill: share of the image's width or height that the page takes, at most; over 1 its borders are cut off.
        curl: height in page widths that the middle of the page is lifted by.
        light: of the room.
        blur: standard deviation in pixels.
        noise: standard deviation in grey levels.
    """

    width: int = 1000
    tilt: float = 0.0
    direction: float = 0.0
    turn: float = 0.0
    fill: float = 0.92
    curl: float = 0.0
    light: Conditions = EVEN_LIGHT
    blur: float = 0.5
    noise: float = 2.0


def photograph(page: NDArray[np.uint8], rng: np.random.Generator, shot: Shot) -> NDArray[np.uint8]:
    """Photograph a page, uint8 (H, W, 3), that lies on a table: uint8 (h, w, 3).

    Examples:
        >>> photograph(np.full((297, 210, 3), 240, np.uint8), np.random.default_rng(0), Shot(width=90, tilt=20)).shape
        (120, 90, 3)
    """
    frame = (shot.width, round(shot.width * 4 / 3))
    matrix = camera_matrix((page.shape[1], page.shape[0]), frame, shot)
    twice = np.diag([2.0, 2.0, 1.0]) @ matrix  # sampled twice as finely, and averaged
    size = (2 * frame[0], 2 * frame[1])
    scale = float(np.sqrt(abs(np.linalg.det(twice[:2, :2] / twice[2, 2]))))
    source = _curl(page, shot)
    if scale < 0.8:  # no aliasing
        shrunk = resize(source, (round(page.shape[1] * scale), round(page.shape[0] * scale)), cv2.INTER_AREA)
        twice = twice @ np.diag([page.shape[1] / shrunk.shape[1], page.shape[0] / shrunk.shape[0], 1.0])
        source = shrunk
    paper = as_uint8(cv2.warpPerspective(source, twice, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    corners = np.array([[0, 0], [source.shape[1], 0], [source.shape[1], source.shape[0]], [0, source.shape[0]]])
    outline = project(corners.astype(np.float64), twice)
    image = resize(lay_on_desk(make_desk(rng, size[::-1]), paper, rng, outline), frame, cv2.INTER_AREA)
    image = apply_gains(image, sample_light(rng, frame, shot.light))
    if shot.blur > 0.2:
        image = as_uint8(cv2.GaussianBlur(image, (0, 0), shot.blur))
    image = add_noise(image, fine_noise(rng, frame[::-1], coloured=True), shot.noise)
    return compress_jpeg(image, rng, shot.light)


def camera_matrix(page: tuple[int, int], frame: tuple[int, int], shot: Shot) -> NDArray[np.float64]:
    """Return the matrix (3, 3) from pixels of a page to those of the frame; sizes are (width, height)."""
    tilt, direction, turn = np.radians([shot.tilt, shot.direction, shot.turn])
    axis = np.array([np.cos(direction), np.sin(direction), 0.0])
    rotation = cv2.Rodrigues(axis * tilt)[0] @ cv2.Rodrigues(np.array([0.0, 0.0, turn]))[0]
    to_middle = np.array([[1, 0, -page[0] / 2], [0, 1, -page[1] / 2], [0, 0, 1]])
    distance = 1.15 * max(page)
    flat = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, distance]])
    matrix = np.diag([_FOCAL * max(frame), _FOCAL * max(frame), 1.0]) @ flat @ to_middle
    corners = project(np.array([[0, 0], [page[0], 0], [page[0], page[1]], [0, page[1]]], np.float64), matrix)
    low, high = corners.min(axis=0), corners.max(axis=0)
    zoom = shot.fill * float((np.array(frame) / (high - low)).min())
    move = np.array(frame) / 2 - zoom * (low + high) / 2
    return np.asarray(np.array([[zoom, 0, move[0]], [0, zoom, move[1]], [0, 0, 1]]) @ matrix, np.float64)


def _curl(page: NDArray[np.uint8], shot: Shot) -> NDArray[np.uint8]:
    """Shift the middle of a page as its lift would look in a tilted camera."""
    if not shot.curl:
        return page
    height, width = page.shape[:2]
    lift = shot.curl * width * np.sin(np.pi * (np.arange(width) + 0.5) / width)
    tilt, direction = np.radians([max(shot.tilt, 5), shot.direction])
    shift = lift * np.tan(tilt)
    x = np.arange(width) + shift * np.sin(direction)
    x_map = np.tile(x.astype(np.float32), (height, 1))
    y_map = np.arange(height, dtype=np.float32)[:, None] - (shift * np.cos(direction)).astype(np.float32)
    return as_uint8(cv2.remap(page, x_map, y_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
