"""The user's digits: a folder of images or an npz file, of any size, range, colour and polarity, made into crops.

Each image holds one digit. A folder has subfolders 0 to 9 with the images of each digit, or images whose names begin
with their digit ("7_0001.png"); images in a subfolder x, or named "x_0001.png", are no digits and left out. Crops of a
collection (`digitedge.datasets.collection`) are taken as they are. An npz file has images `x` or `images` and labels
`y` or `labels`; `x_test` and `y_test` work too. Labels are digits, their texts, or one-hot rows. A csv file has a digit
and its pixels in each line, as Kaggle has MNIST.

Range and polarity are decided for the whole set, because in an 8 that fills its box there is more ink than paper. Only
if more than a tenth of the clear images disagree, the polarity is decided for each image.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.annotations import LABELS_FILE
from digitedge.datasets.collection import LABEL_FOLDERS, LabelledImage, list_images
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.errors import DataError, first_line
from digitedge.runtime.contract import CLASSES
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.images import SUFFIXES, read_image
from digitedge.utils.loading import read_npz
from digitedge.utils.memory_limit import check_memory
from digitedge.utils.opencv import cv2, resize, to_grey
from digitedge.vision.normalize import normalize_digit

IMAGE_KEYS = ("x", "images", "x_test")
LABEL_KEYS = ("y", "labels", "y_test")
"""Names of the arrays in an npz file; the first that exists is taken."""

# Longer side in pixels that larger images are shrunk to, to save memory; a crop needs 80 pixels.
MAX_SIDE = 256
# An image has a clear polarity if its ink covers less than this share of it.
CLEAR_SHARE = 0.35
# The whole set has one polarity unless more than this share of its clear images disagrees.
DISSENT_SHARE = 0.1
# Largest deviation of paper from its median, in standard deviations.
PAPER_DEVIATION = 4.0
# Memory in bytes that a digit takes besides its image: crops, results and what Python adds, in `digitedge eval`.
DIGIT_BYTES = 3_500
# Memory that the numbers of a csv file take at most, by its size: a digit and a comma become a float32.
CSV_MEMORY = 3
# Longest text of a label, in bytes: 16 characters as NumPy has them.
MAX_LABEL_BYTES = 64
# Weights of red, green and blue in grey, as in cv2.cvtColor (ITU-R BT.601).
GREY = np.array([0.299, 0.587, 0.114], np.float32)

_LAYOUT = "subfolders named 0 to 9 with images, or images whose names begin with their digit, such as 7_0001.png"
_ADVICE = "Give a folder whose subfolders are the digits alone."


def load_custom_digits(path: str | Path, *, log: Callable[[str], object] = lambda line: None) -> LabelledCrops:
    """Load digits from a folder, npz or csv file, as the crops that `normalize_digit` makes of the images.

    Logs a line with the number of digits and their polarity.

    Raises:
        DataError: the path has no digits in the layouts above, or too many; the message says why.
        CameraError: an image is damaged.
    """
    path = Path(path)
    if path.is_dir():
        return _load_folder(path, log)
    if not path.is_file():
        raise DataError(f"nothing at {path}: expected a folder of digits, an npz or a csv file. Give the path of one.")
    images, labels, names = _read_csv(path) if path.suffix.lower() == ".csv" else _read_arrays(path)
    return LabelledCrops(path.name, _make_crops(images, path, log), labels, names)


def load_non_digits(folder: str | Path) -> NDArray[np.uint8]:
    """Load what a folder of digits holds besides them, in its subfolder x: uint8 (N, 28, 28), ink bright on 0.

    Raises:
        DataError: the folder is in none of the layouts above.
        CameraError: an image is damaged.
    """
    folder = Path(folder)
    found = [image for image in list_images(folder) if image.label is None]
    crops = load_crops(folder, found, lambda line: None)
    return crops[crops.any(axis=(1, 2))]


def _load_folder(folder: Path, log: Callable[[str], object]) -> LabelledCrops:
    unknown = [path.name for path in folder.iterdir() if path.is_dir() and not _is_known_folder(path.name)]
    if unknown:
        raise DataError(f"{folder}: expected {_LAYOUT}, got a subfolder {min(unknown)!r}. {_ADVICE}")
    has_subfolders = any((folder / digit).is_dir() for digit in "0123456789")
    if (folder / LABELS_FILE).is_file() and not has_subfolders:
        raise DataError(
            f"{folder}: expected {_LAYOUT}, got photographs with their {LABELS_FILE}. "
            f"Run: digitedge eval photos {folder}"
        )
    beside = [path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] not in "._"]
    if beside and has_subfolders:
        log(f"{folder}: {len(beside)} images beside the subfolders are left out, first {min(beside)}")
    found = [image for image in list_images(folder) if image.label is not None]
    if not found:
        raise DataError(f"{folder}: expected {_LAYOUT}, got no image of a digit ({', '.join(sorted(SUFFIXES))}).")
    return LabelledCrops(
        folder.name or str(folder),
        load_crops(folder, found, log),
        np.array([image.label for image in found], np.uint8),
        tuple(image.path.relative_to(folder).as_posix() for image in found),
        tuple(image.record.group for image in found),
    )


def _is_known_folder(name: str) -> bool:
    return name in LABEL_FOLDERS or name[0] in "._"


def load_crops(folder: Path, found: Sequence[LabelledImage], log: Callable[[str], object]) -> NDArray[np.uint8]:
    """Load images of a folder as crops, in their order.

    Args:
        folder: for messages.
        found: of the folder, N >= 0. Range and polarity are decided for all of them together.
        log: as in `load_custom_digits`.

    Returns:
        uint8 (N, 28, 28), ink bright on 0.

    Raises:
        DataError: they would take too much memory, or have no ink.
        CameraError: an image is damaged.
    """
    images: list[NDArray[np.uint8]] = []
    used = 0
    for image in found:
        images.append(_shrink(to_grey(read_image(image.path))))
        used += 2 * images[-1].nbytes + DIGIT_BYTES
        check_memory(used, what=f"{folder}: the first {len(images)} of {len(found)} images", error=DataError)
    crops = np.zeros((len(images), CROP_SIZE, CROP_SIZE), np.uint8)
    others = []
    for index, (image, pixels) in enumerate(zip(found, images, strict=True)):
        if image.record.is_crop and pixels.shape == crops.shape[1:]:
            crops[index] = pixels
        else:
            others.append(index)
    if others:
        crops[others] = _make_crops([images[index] for index in others], folder, log)
    else:
        log(f"{folder}: {len(crops)} crops")
    return crops


def _make_crops(images: "Images", path: Path, log: Callable[[str], object]) -> NDArray[np.uint8]:
    """Make crops of images (H, W) of any number type: uint8 (N, 28, 28)."""
    _check_memory(images, path)
    grey = list(_scale(images, path))
    dark = _have_dark_ink(grey)
    if dark.all() or not dark.any():
        polarity = "dark ink on light" if dark.all() else "light ink on dark"
    else:
        polarity = f"dark ink on light in {int(dark.sum())}, light on dark in the others"
    log(f"{path}: {len(grey)} digits, {polarity}")
    bright = (~image if is_dark else image for image, is_dark in zip(grey, dark, strict=True))
    return np.stack([normalize_digit(_remove_paper(image)) for image in bright])


Images = Sequence[NDArray[Any]] | NDArray[Any]
LabelledImages = tuple[Images, NDArray[np.uint8], tuple[str, ...]]
"""Images (H, W) of any number type, labels uint8 (N,), and names."""


def _read_csv(path: Path) -> LabelledImages:
    """Read lines of a digit and its pixels, row by row; a first line of names is left out."""
    check_memory(CSV_MEMORY * path.stat().st_size, what=f"{path}: its numbers", error=DataError)
    try:
        with path.open(encoding="utf-8-sig") as file:
            has_names = not re.match(r"[\d.]+\s*,", file.readline())
        with warnings.catch_warnings(action="ignore"):  # of an empty file
            table = np.loadtxt(
                path, delimiter=",", skiprows=int(has_names), ndmin=2, dtype=np.float32, encoding="utf-8-sig"
            )
    except (OSError, ValueError) as exc:
        raise DataError(f"{path}: expected lines of a digit and its pixels, got: {first_line(exc)}") from exc
    if table.shape[1] < 2:
        raise DataError(f"{path}: expected a digit and its pixels in each line, got {table.shape[1]} values.")
    names = tuple(f"#{index}" for index in range(len(table)))
    return _to_grey(table[:, 1:], path), _check_labels(table[:, 0], path), names


def _read_arrays(path: Path) -> LabelledImages:
    """Read the images and labels of an npz file."""
    advice = f"Give an npz file with images `{IMAGE_KEYS[0]}` and labels `{LABEL_KEYS[0]}`."
    arrays = read_npz(path, error=DataError, advice=advice)
    images, labels = (_first_array(arrays, keys, path) for keys in (IMAGE_KEYS, LABEL_KEYS))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and labels.shape[1] == CLASSES and _is_one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.ndim != 1 or not images.ndim or len(images) != len(labels):
        raise DataError(
            f"{path}: expected as many labels (N,) as images, got images {images.shape} and labels {labels.shape}."
        )
    if not images.size:
        raise DataError(f"{path}: expected at least one image, got an array {images.shape}.")
    names = tuple(f"#{index}" for index in range(len(labels)))
    return _to_grey(images, path), _check_labels(labels, path), names


def _is_one_hot(labels: NDArray[Any]) -> bool:
    """Whether each row has one 1 and else 0."""
    return labels.dtype.kind in "biuf" and bool(np.all(np.sort(labels, axis=1) == np.arange(CLASSES) // (CLASSES - 1)))


def _first_array(arrays: dict[str, NDArray[Any]], keys: Sequence[str], path: Path) -> NDArray[Any]:
    for key in keys:
        if key in arrays:
            return arrays[key]
    got = ", ".join(arrays) or "none"
    raise DataError(f"{path}: expected an array {' or '.join(keys)}, got {got}. Give it that name.")


def _check_labels(labels: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Return the labels as uint8; DataError names the first that is not a digit."""
    if labels.dtype.kind in "US" and labels.itemsize <= MAX_LABEL_BYTES:
        texts = np.char.strip(labels.astype(np.str_))
        numbers: NDArray[Any] = np.where(np.isin(texts, list("0123456789")), texts, "-1").astype(np.int64)
    else:
        numbers = labels if labels.dtype.kind in "iuf" else np.full(len(labels), -1)
    wrong = np.flatnonzero(~np.isin(numbers, np.arange(10)))
    if len(wrong):
        raise DataError(f"{path}: expected labels 0 to 9, got {labels[wrong[0]]!s:.40} at #{wrong[0]}.")
    return numbers.astype(np.uint8)


def _to_grey(images: NDArray[Any], path: Path) -> NDArray[Any]:
    """Turn an array of images into grey ones, (N, H, W) of any number type; alpha is ignored.

    It may be (N, H, W), (N, H, W, 1, 3 or 4), (N, 1 or 3, H, W) or flat (N, side * side).
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
        check_memory(_colour_bytes(images), what=f"{path}: {len(images)} images in colour", error=DataError)
        grey = np.empty(images.shape[:3], np.float32)
        for image, target in zip(images, grey, strict=True):
            target[...] = image[..., :3].astype(np.float32) @ GREY
        images = grey
    if images.ndim != 3:
        raise DataError(f"{path}: expected images (N, H, W), or (N, H, W, 3) in red, green and blue, got {shape}.")
    return images


def _colour_bytes(images: NDArray[Any]) -> int:
    """Memory that colour images take together with grey ones."""
    return int(images.nbytes + math.prod(images.shape[:3]) * 4)


def _check_memory(images: Images, path: Path) -> None:
    """Refuse images that would take too much memory while they become crops."""
    shape = images[0].shape
    kept = min(math.prod(shape), MAX_SIDE**2)
    scaling = 3 * 8 * math.prod(shape)  # one image as float64
    needed = sum(image.nbytes for image in images) + len(images) * (kept + DIGIT_BYTES) + scaling
    check_memory(needed, what=f"{path}: {len(images):,} digits", error=DataError)


def _scale(images: Images, path: Path) -> Iterator[NDArray[np.uint8]]:
    """Scale images so that the set spans 0 to 255, whether it had 0 to 1, 0 to 16 or -1 to 1; and shrink them."""
    lowest, highest = (float(limit([limit(image) for image in images])) for limit in (np.min, np.max))
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise DataError(f"{path}: expected images of finite numbers, got {lowest} to {highest}.")
    if lowest == highest:
        raise DataError(f"{path}: expected ink and paper, got images that are {lowest:g} everywhere.")
    for image in images:
        scaled = (image.astype(np.float64) - lowest) * (255 / (highest - lowest))
        yield _shrink(np.rint(scaled).astype(np.uint8))


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape
    scale = MAX_SIDE / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(image, np.uint8)
    target = max(1, round(width * scale)), max(1, round(height * scale))
    return resize(image, target, cv2.INTER_AREA)


def _have_dark_ink(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.bool_]:
    """Decide for each image whether its ink is dark on light: bool (N,)."""
    light = np.array([_light_share(image) for image in images])
    dark = light > 0.5
    clear = np.abs(light - 0.5) > 0.5 - CLEAR_SHARE
    if not clear.any():
        return np.full(len(dark), light.mean() > 0.5)
    share = dark[clear].mean()
    return dark if DISSENT_SHARE < share < 1 - DISSENT_SHARE else np.full(len(dark), share > 0.5)


def _light_share(image: NDArray[np.uint8]) -> float:
    """Return the mean of two shares, 0 to 1: of light pixels in the image, and at its border, where paper is."""
    if image.min() == image.max():
        return 0.5  # blank
    light = image > _otsu_threshold(image)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    return float(light.mean() + border.mean()) / 2


def _otsu_threshold(image: NDArray[np.uint8]) -> float:
    return float(cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)[0])


def _remove_paper(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Subtract the paper, which is not black in a photo: uint8 (H, W), ink bright on dark -> ink bright on 0."""
    lightest = max(_otsu_threshold(image), int(image.min()))  # a blank image is all paper
    paper = np.sort(image[image <= lightest])
    median = int(paper[len(paper) // 2])
    deviation = median - int(paper[round(0.16 * (len(paper) - 1))])  # of the dark half: no ink is darker than paper
    black = np.uint8(min(median + PAPER_DEVIATION * deviation, lightest))
    return np.maximum(image, black) - black
