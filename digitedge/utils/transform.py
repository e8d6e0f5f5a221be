"""Rotate, flip and crop images: to the mounting of a camera, to how a page lies, and to a region of interest."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import CameraError, InputError
from digitedge.utils.boxes import Box, clip_box
from digitedge.utils.opencv import as_uint8, cv2

# Degrees clockwise.
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Flip(StrEnum):
    """Direction in which an image is mirrored."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


@dataclass(frozen=True, slots=True)
class Transform:
    """What is done to an image before it is read: rotated, then flipped, then cropped.

    Attributes:
        rotate: degrees clockwise: 0, 90, 180 or 270.
        flip: None for no flip.
        roi: region of interest in pixels of the rotated and flipped image, clipped to it; None for all of it.

    Raises:
        InputError: another angle, or a region without pixels.

    Examples:
        >>> image = np.arange(6, dtype=np.uint8).reshape(2, 3)
        >>> Transform(rotate=90, roi=(0, 0, 2, 2)).apply(image)
        array([[3, 0],
               [4, 1]], dtype=uint8)
    """

    rotate: int = 0
    flip: Flip | None = None
    roi: Box | None = None

    def __post_init__(self) -> None:
        if self.rotate not in (0, *_ROTATIONS):
            raise InputError(f"expected a rotation of 0, 90, 180 or 270 degrees, got {self.rotate}")
        if self.roi and (min(self.roi) < 0 or min(self.roi[2:]) < 1):
            raise InputError(f"expected a region x,y,width,height of at least one pixel, got {self.roi}")

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Transform an image uint8 (H, W, 3) or (H, W). The result may be a view of `image`.

        Raises:
            CameraError: the region lies outside the image.
        """
        if self.rotate:
            image = as_uint8(cv2.rotate(image, _ROTATIONS[self.rotate]))
        if self.flip:
            image = as_uint8(cv2.flip(image, 1 if self.flip is Flip.HORIZONTAL else 0))
        if self.roi:
            x, y, width, height = self.roi
            size = f"{image.shape[1]}x{image.shape[0]}"
            image = image[y : y + height, x : x + width]
            if not image.size:
                raise CameraError(f"the region {x},{y},{width},{height} lies outside of frames of {size} pixels")
        return image

    def undo_box(self, box: Box, width: int, height: int) -> Box:
        """Return a box of the transformed image in pixels of the image before, which has this width and height.

        Examples:
            >>> Transform(rotate=90).undo_box((0, 0, 1, 2), width=3, height=2)  # upright at the upper left
            (0, 1, 2, 1)
        """
        if self.roi:
            box = (box[0] + self.roi[0], box[1] + self.roi[1], box[2], box[3])
        turned = (height, width) if self.rotate in (90, 270) else (width, height)
        return _rotate_box(_flip_box(box, self.flip, *turned), (360 - self.rotate) % 360, *turned)

    def then_rotate(self, degrees: int, width: int, height: int) -> Self:
        """Return the transform that also rotates what this one gives, for images of this width and height.

        Args:
            degrees: clockwise: 0, 90, 180 or 270.
            width: of the image before both, in pixels.
            height: of the image before both, in pixels.

        Examples:
            >>> Transform(roi=(0, 0, 2, 1)).then_rotate(90, width=3, height=2)
            Transform(rotate=90, flip=None, roi=(1, 0, 1, 2))
        """
        if self.rotate in (90, 270):
            width, height = height, width
        flip, roi = self.flip, self.roi
        if flip and degrees in (90, 270):
            flip = Flip.VERTICAL if flip is Flip.HORIZONTAL else Flip.HORIZONTAL
        if roi:
            roi = _rotate_box(clip_box(roi, width, height), degrees, width, height)
        return type(self)((self.rotate + degrees) % 360, flip, roi)


def parse_roi(text: str) -> Box:
    """Parse a region of interest.

    Raises:
        InputError: not four whole numbers.

    Examples:
        >>> parse_roi("100, 50, 640, 480")
        (100, 50, 640, 480)
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as exc:
        raise InputError(
            f"expected a region as x,y,width,height in pixels, such as 100,50,640,480, got {text!r}"
        ) from exc
    return x, y, width, height


def _flip_box(box: Box, flip: Flip | None, width: int, height: int) -> Box:
    """Return where a box lies after an image of this size was mirrored."""
    x, y, w, h = box
    if flip is Flip.HORIZONTAL:
        x = width - x - w
    elif flip is Flip.VERTICAL:
        y = height - y - h
    return x, y, w, h


def _rotate_box(box: Box, degrees: int, width: int, height: int) -> Box:
    """Return where a box lies after an image of this size was rotated clockwise."""
    x, y, w, h = box
    if degrees == 90:
        return height - y - h, x, h, w
    if degrees == 180:
        return width - x - w, height - y - h, w, h
    if degrees == 270:
        return y, width - x - w, h, w
    return box
