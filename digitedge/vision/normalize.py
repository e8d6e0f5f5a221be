"""The crop contract: ink of any size becomes a 28x28 crop with the geometry of MNIST.

Camera frames, image files and other data sets all pass through `normalize_digit`; nothing else knows size or scaling.

MNIST scales every digit to fit into 20x20 with its aspect kept and puts the centre of mass at the centre of 28x28.
Because NIST scanned one kind of pen, its strokes also are 2 to 4 pixels wide with a white middle. Both are restored
here: a pen line that is a hundredth of its digit would otherwise shrink to a pale grey. The constants were measured on
MNIST's 10,000 test images, which pass through nearly unchanged.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.opencv import as_uint8, cv2, resize

# Longer side of the digit in the crop, in pixels.
DIGIT_SIZE = 20
# Pixel of the centre of mass. In MNIST all centres lie between 13.5 and 14.5.
CENTRE = 14
# Ink below this share of the peak is noise and does not widen the box. (In MNIST it does in 4 of 10,000 images.)
NOISE = 0.1
# Longer side in pixels at which the stroke width is measured and corrected, before the digit is scaled to DIGIT_SIZE.
WORKING_SIZE = 4 * DIGIT_SIZE
# Least stroke width in the crop, in pixels. MNIST: 2.1 at the 1st percentile, 2.8 at the median.
MIN_STROKE_WIDTH = 2.2
# Grey level of the 90th percentile of the pixels of a stroke: the median of MNIST.
STROKE_PEAK = 253


def normalize_digit(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make the model's input from the ink of one digit.

    Args:
        ink: uint8 (H, W), bright on dark, one digit, any size from 1x1 and any contrast. Pixels under a tenth of the
            brightest are ignored when the box is determined; inside the box they stay.

    Returns:
        uint8 (28, 28): the digit in 20x20 with its aspect kept, centre of mass in the middle, strokes at least about
        two pixels wide and white in the middle. A blank image gives a blank crop.

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
    digit = _crop_to_ink(ink)
    if max(digit.shape) > DIGIT_SIZE:
        digit = _thicken(_scale(digit, min(WORKING_SIZE, max(digit.shape))))
    return _centre(_brighten(_scale(digit, DIGIT_SIZE)))


def _check_ink(ink: NDArray[np.uint8]) -> None:
    if not isinstance(ink, np.ndarray) or ink.dtype != np.uint8 or ink.ndim != 2 or not ink.size:
        came = f"{ink.dtype} {ink.shape}" if isinstance(ink, np.ndarray) else type(ink).__name__
        raise InputError(
            f"normalize_digit() takes uint8 (H, W) of at least one pixel, ink bright on dark, got {came}. "
            "Pass the grey image of one digit, as 255 - grey if the ink is dark."
        )


def _crop_to_ink(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Crop to the box of all pixels that are clearly ink."""
    x, y, width, height = cv2.boundingRect(cv2.threshold(ink, NOISE * int(ink.max()), 255, cv2.THRESH_BINARY)[1])
    return ink[y : y + height, x : x + width]


def _scale(ink: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Scale so that the longer side is `size`: area average to shrink, cubic interpolation to enlarge."""
    height, width = ink.shape
    scale = size / max(height, width)
    if scale == 1:
        return ink
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    return resize(ink, target, cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _thicken(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dilate strokes that would become thinner than MNIST's."""
    missing = MIN_STROKE_WIDTH * max(ink.shape) / DIGIT_SIZE - stroke_width(ink)
    radius = round(missing / 2)
    if radius < 1:
        return ink
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    return as_uint8(cv2.dilate(padded, brush))


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
    strokes = np.sort(ink[ink > ink.max() // 4], kind="stable")  # radix sort: for bytes faster than a partition
    gain = max(1.0, STROKE_PEAK / int(strokes[9 * len(strokes) // 10]))
    return as_uint8(cv2.convertScaleAbs(ink, alpha=gain))


def _centre(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Place ink of at most 20x20 in the crop so that its centre of mass falls on the middle pixel."""
    height, width = ink.shape
    moments = cv2.moments(ink)
    left = round(CENTRE - moments["m10"] / moments["m00"])
    top = round(CENTRE - moments["m01"] / moments["m00"])
    left, top = min(max(left, 0), CROP_SIZE - width), min(max(top, 0), CROP_SIZE - height)
    crop = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    crop[top : top + height, left : left + width] = ink
    return crop
