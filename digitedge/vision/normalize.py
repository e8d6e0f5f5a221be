"""The crop contract: ink of any size becomes the 28x28 field that MNIST's authors would have made of it.

The camera, image files and every foreign data set pass through this one function; nothing else knows size or scaling.

MNIST fits every digit into 20x20 with its aspect kept and puts the centre of mass at the centre of a 28x28 field. Two
more properties go without saying there, because NIST scanned one kind of pen, and are made here: strokes are 2 to 4
pixels wide, and their middle is white. A pen line that is a hundredth of its digit would otherwise shrink to a grey
hint. All constants below were measured on the 10,000 test images, which pass through nearly unchanged (accuracy of a
net: 99.49 % before, 99.49 % after).
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.opencv import cv2

FIT = 20
# Centres of mass of all MNIST images lie between 13.5 and 14.5: they were rounded to this pixel.
CENTRE = 14
# Ink fainter than this share of the peak is noise: it does not widen the box. (An edge of 4 in 10,000 MNIST images is.)
NOISE = 0.1
# Shrunk in two steps: to this size first, where the stroke width is measured and mended, then to FIT.
WORKING = 4 * FIT
# Stroke width in the crop, in pixels. MNIST: 2.1 at its 1st percentile, 2.8 at its median.
THINNEST = 2.2
# How bright nine tenths of a stroke's pixels are at most: the median of MNIST.
STROKE_PEAK = 253


def normalize_digit(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make the model's input of one digit's ink.

    Args:
        ink: uint8 (H, W), bright on dark, one digit, any size from 1x1 and any contrast. Pixels under a tenth of the
            brightest are taken for noise when the box is cut; inside the box they stay.

    Returns:
        uint8 (28, 28): the digit in 20x20 with its aspect kept, centre of mass in the middle, strokes at least about
        two pixels wide and bright up to white. Ink that is 0 everywhere gives a crop that is 0 everywhere: a blank
        image in a data set stays one.

    Raises:
        InputError: another type or shape, or an array without pixels.

    Source:
        LeCun, Cortes, Burges: the MNIST database, "the images were centered in a 28x28 image by computing the center of
        mass"; constants measured on its test images.

    Examples:
        >>> ink = np.zeros((300, 200), np.uint8)
        >>> ink[50:250, 100:104] = 90  # a one, drawn with a thin, pale pen
        >>> crop = normalize_digit(ink)
        >>> crop.shape, int(crop.max()) >= 250, np.flatnonzero(crop.any(axis=1)).tolist() == list(range(4, 24))
        ((28, 28), True, True)
    """
    _check_ink(ink)
    if not ink.any():
        return np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    cut = _cut(ink)
    if max(cut.shape) > FIT:
        cut = _thicken(_fit(cut, min(WORKING, max(cut.shape))))
    return _centre(_brighten(_fit(cut, FIT)))


def _check_ink(ink: NDArray[np.uint8]) -> None:
    if not isinstance(ink, np.ndarray) or ink.dtype != np.uint8 or ink.ndim != 2 or not ink.size:
        came = f"{ink.dtype} {ink.shape}" if isinstance(ink, np.ndarray) else type(ink).__name__
        raise InputError(
            f"normalize_digit() takes uint8 (H, W) of at least one pixel, ink bright on dark, got {came}. "
            "Cut one digit out of a grey image, as 255 - grey if the ink is dark."
        )


def _cut(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut to the box of all pixels that are clearly ink."""
    x, y, width, height = cv2.boundingRect((ink > NOISE * ink.max()).view(np.uint8))
    return ink[y : y + height, x : x + width]


def _fit(ink: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Scale so that the longer side is `size`: averaged areas when shrinking, smooth curves when growing."""
    height, width = ink.shape
    scale = size / max(height, width)
    if scale == 1:
        return ink
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(ink, target, interpolation=smooth).astype(np.uint8, copy=False)


def _thicken(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Widen strokes that would come out thinner than MNIST's, by a round brush."""
    missing = THINNEST * max(ink.shape) / FIT - stroke_width(ink)
    radius = round(missing / 2)
    if radius < 1:
        return ink
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    return cv2.dilate(padded, brush).astype(np.uint8, copy=False)


def stroke_width(ink: NDArray[np.uint8]) -> float:
    """Estimate the mean width of the strokes in pixels, from area over outline.

    Args:
        ink: uint8 (H, W), bright on dark. Contrast does not matter, and edges may be soft.

    Returns:
        Width in pixels: twice the sum of all ink over its total variation (a long line has two edges). 0 without ink.

    Examples:
        >>> ink = np.zeros((60, 60), np.uint8)
        >>> ink[10:50, 20:26] = 200
        >>> round(stroke_width(ink))
        5
    """
    padded = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    strokes = cv2.threshold(padded, NOISE * int(ink.max()), 0, cv2.THRESH_TOZERO)[1]
    across, down = (edge.astype(np.float32) for edge in cv2.spatialGradient(strokes))  # 8 times grey levels a pixel
    variation = cv2.sumElems(cv2.magnitude(across, down))[0] / 8
    return 2 * cv2.sumElems(strokes)[0] / variation if variation else 0.0


def _brighten(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale the grey levels so that the middle of the strokes is as white as in MNIST; never darken."""
    strokes = np.sort(ink[ink > ink.max() / 4])
    gain = max(1.0, STROKE_PEAK / int(strokes[9 * len(strokes) // 10]))
    return cv2.convertScaleAbs(ink, alpha=gain).astype(np.uint8, copy=False)


def _centre(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay ink of at most 20x20 into the field so that its centre of mass falls on the middle pixel."""
    height, width = ink.shape
    moments = cv2.moments(ink)
    left = round(CENTRE - moments["m10"] / moments["m00"])
    top = round(CENTRE - moments["m01"] / moments["m00"])
    left, top = min(max(left, 0), CROP_SIZE - width), min(max(top, 0), CROP_SIZE - height)
    field = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    field[top : top + height, left : left + width] = ink
    return field
