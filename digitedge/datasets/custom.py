"""Anyone's digits: a folder of images or an npz file, whatever its size, range, colour and polarity, as crops.

An image holds one digit and nothing else. A folder has subfolders named 0 to 9 with the images of each digit, or
images whose names begin with the digit ("7_0001.png"). An npz file has images `x` or `images` and labels `y` or
`labels`; `x_test` and `y_test` serve too.

The set decides together what its darkest and brightest value are and whether ink is dark on light, because a single
image misleads: a fat 8 that fills its box has more ink than paper. Only where a good part of the images clearly
says otherwise, each decides for itself.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.labelled_crops import DigitSet
from digitedge.errors import DataError
from digitedge.utils.images import SUFFIXES, natural_key, read_image
from digitedge.utils.loading import read_npz
from digitedge.utils.opencv import cv2
from digitedge.vision.normalize import normalize_digit

IMAGES, LABELS = ("x", "images", "x_test"), ("y", "labels", "y_test")
"""Names of the arrays in an npz file, the first that is there."""

# Larger images are shrunk to this longer side while they wait: a crop needs 80 pixels.
KEPT_SIDE = 256
# An image clearly has one polarity if its ink covers less than this share of it.
CLEAR_SHARE = 0.35
# The set decides unless this share of its clear images says otherwise.
DISSENT = 0.1
# How far paper may stray from its median without being ink, in standard deviations.
GRAIN = 4.0
# Weights of red, green and blue in grey, as cv2.cvtColor has them (ITU-R BT.601).
GREY = np.array([0.299, 0.587, 0.114], np.float32)

_NAME = re.compile(r"([0-9])(?![0-9])")
_LAYOUT = "subfolders named 0 to 9 with images, or images whose names begin with their digit, such as 7_0001.png"


def load_foreign(path: str | Path, *, log: Callable[[str], object] = lambda line: None) -> DigitSet:
    """Load anyone's digits.

    Args:
        path: a folder or an npz file.
        log: gets a line that says how many there are, and how light and dark were understood.

    Returns:
        The crops that `normalize_digit` makes of them, with their labels and names.

    Raises:
        DataError: nothing there, or what is there cannot be understood; the message says why.
        CameraError: an image that is damaged.
    """
    path = Path(path)
    if path.is_dir():
        images, labels, names = _read_folder(path)
    elif path.is_file():
        images, labels, names = _read_arrays(path)
    else:
        raise DataError(f"nothing at {path}: expected a folder of digits or an npz file. Give the path of one.")
    grey = list(_spread(images, path))
    dark = _is_dark(grey)
    log(f"{path}: {len(grey)} digits, {_polarity(dark)}")
    crops = [normalize_digit(_ink(~one if is_dark else one)) for one, is_dark in zip(grey, dark, strict=True)]
    return DigitSet(path.name or str(path), np.stack(crops), labels, names)


Images = Sequence[NDArray[Any]] | NDArray[Any]
Labelled = tuple[Images, NDArray[np.uint8], tuple[str, ...]]
"""Images (H, W) of any number type, their labels uint8 (N,), and their names."""


def _read_folder(folder: Path) -> Labelled:
    """Read all images of a folder as grey uint8 (H, W)."""
    inside = [path for path in folder.iterdir() if path.name[0] not in "._"]
    folders = [path for path in inside if path.is_dir()]
    foreign = [path.name for path in folders if not re.fullmatch("[0-9]", path.name)]
    if foreign:
        raise DataError(f"{folder}: expected {_LAYOUT}, got a subfolder {min(foreign)!r}. Move it away, or rename it.")
    if folders:
        found = [(image, int(one.name)) for one in sorted(folders) for image in _images(one.iterdir())]
    else:
        found = [(image, _named_label(image)) for image in _images(inside)]
    if not found:
        raise DataError(f"{folder}: expected {_LAYOUT}, got no image ({', '.join(sorted(SUFFIXES))}).")
    images = [_small(np.asarray(cv2.cvtColor(read_image(image), cv2.COLOR_BGR2GRAY))) for image, _ in found]
    names = tuple(image.relative_to(folder).as_posix() for image, _ in found)
    return images, np.array([label for _, label in found], np.uint8), names


def _images(paths: Iterable[Path]) -> list[Path]:
    chosen = [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file() and path.name[0] not in "._"]
    return sorted(chosen, key=natural_key)


def _named_label(image: Path) -> int:
    match = _NAME.match(image.stem)
    if match is None:
        raise DataError(f"{image.parent}: expected {_LAYOUT}, got {image.name}. Sort it into a subfolder.")
    return int(match[1])


def _read_arrays(path: Path) -> Labelled:
    """Read the two arrays of an npz file."""
    advice = f"Give an npz file with images `{IMAGES[0]}` and labels `{LABELS[0]}`."
    arrays = read_npz(path, error=DataError, advice=advice)
    images, labels = (_first(arrays, names, path) for names in (IMAGES, LABELS))
    if images.ndim and labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not images.ndim or len(images) != len(labels):
        raise DataError(
            f"{path}: expected as many labels (N,) as images, got images {images.shape} and labels {labels.shape}."
        )
    if not images.size:
        raise DataError(f"{path}: expected at least one image, got an array {images.shape}.")
    names = tuple(f"#{place}" for place in range(len(labels)))
    return _as_grey(images, path), _as_digits(labels, path), names


def _first(arrays: dict[str, NDArray[Any]], names: Sequence[str], path: Path) -> NDArray[Any]:
    array = next((arrays[name] for name in names if name in arrays), None)
    if array is None:
        raise DataError(
            f"{path}: expected an array {' or '.join(names)}, got {', '.join(arrays) or 'none'}. Rename the array."
        )
    return array


def _as_digits(labels: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Labels as uint8, or an error that names the first that is no digit."""
    numbers = labels if labels.dtype.kind in "iuf" else np.full(len(labels), -1)
    wrong = np.flatnonzero(~np.isin(numbers, np.arange(10)))
    if len(wrong):
        raise DataError(f"{path}: expected labels 0 to 9, got {labels[wrong[0]]!s:.40} at #{wrong[0]}.")
    return labels.astype(np.uint8)


def _as_grey(images: NDArray[Any], path: Path) -> NDArray[Any]:
    """Images as numbers (N, H, W): grey of colours (N, H, W, 3 or 4) or (N, 3, H, W), rows of squares (N, side * side).

    Transparency is not looked at.
    """
    shape = images.shape
    if images.dtype.kind not in "biuf":
        raise DataError(f"{path}: expected images of numbers, got {images.dtype}.")
    if images.ndim == 2 and (side := math.isqrt(shape[1])) ** 2 == shape[1] and side > 3:
        return images.reshape(-1, side, side)
    if images.ndim == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3, 4):
        images = np.moveaxis(images, 1, 3)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim == 4 and images.shape[3] in (3, 4):
        images = images[..., :3].astype(np.float32) @ GREY
    if images.ndim != 3:
        raise DataError(f"{path}: expected images (N, H, W), or (N, H, W, 3) in red, green and blue, got {shape}.")
    return images


def _spread(images: Images, path: Path) -> Iterator[NDArray[np.uint8]]:
    """Scale images so that the set reaches from 0 to 255, whether it had 0 to 1, 0 to 16 or -1 to 1; small, uint8."""
    lowest, highest = (float(reach([reach(one) for one in images])) for reach in (np.min, np.max))
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise DataError(f"{path}: expected images of finite numbers, got {lowest} to {highest}.")
    if lowest == highest:
        raise DataError(f"{path}: expected ink and paper, got images that are {lowest:g} everywhere.")
    for one in images:
        scaled = (one.astype(np.float64) - lowest) * (255 / (highest - lowest))
        yield _small(np.rint(scaled).astype(np.uint8))


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink to KEPT_SIDE."""
    height, width = image.shape
    scale = KEPT_SIDE / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(image, np.uint8)
    target = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, target, interpolation=cv2.INTER_AREA), np.uint8)


def _is_dark(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.bool_]:
    """For each image, whether its ink is dark on light: bool (N,)."""
    light = np.array([_light_share(image) for image in images])
    dark = light > 0.5
    clear = np.abs(light - 0.5) > 0.5 - CLEAR_SHARE
    if not clear.any():
        return np.full(len(dark), light.mean() > 0.5)
    share = dark[clear].mean()
    return dark if DISSENT < share < 1 - DISSENT else np.full(len(dark), share > 0.5)


def _light_share(image: NDArray[np.uint8]) -> float:
    """Share of the light part, 0 to 1: of all pixels and of those at the edge, where paper is, each half."""
    if image.min() == image.max():
        return 0.5  # blank: it says nothing
    light = image > _level(image)
    edge = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    return float(light.mean() + edge.mean()) / 2


def _level(image: NDArray[np.uint8]) -> float:
    """Otsu's level between light and dark."""
    return float(cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)[0])


def _polarity(dark: NDArray[np.bool_]) -> str:
    if dark.all() or not dark.any():
        return "dark ink on light" if dark.all() else "light ink on dark"
    return f"dark ink on light in {int(dark.sum())}, light on dark in the others"


def _ink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take away the paper, which is not black in a photograph: uint8 (H, W), bright on dark -> bright on 0.

    What is black already stays as it is.
    """
    lightest = max(_level(image), int(image.min()))  # a blank image is all paper
    paper = np.sort(image[image <= lightest])
    median = int(paper[len(paper) // 2])
    level = median + GRAIN * (median - int(paper[round(0.16 * (len(paper) - 1))]))  # no ink is darker than paper
    black = np.uint8(min(level, lightest))
    return np.maximum(image, black) - black
