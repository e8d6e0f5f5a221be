"""Rotate, flip and crop frames to the mounting of the camera and the region of interest."""

from dataclasses import dataclass
from enum import StrEnum

from digitedge.camera.sources.base import Frame
from digitedge.errors import CameraError, InputError
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import as_uint8, cv2

# Degrees clockwise.
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Flip(StrEnum):
    """Direction in which a frame is mirrored."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


@dataclass(frozen=True, slots=True)
class Transform:
    """What is done to a frame before it is read: rotated, then flipped, then cropped.

    Attributes:
        rotate: degrees clockwise: 0, 90, 180 or 270.
        flip: None for no flip.
        roi: region of interest in pixels of the rotated and flipped frame, clipped to it; None for all of it. Boxes of
            digits count from its corner.

    Raises:
        InputError: another angle, or a region without pixels.

    Examples:
        >>> import numpy as np
        >>> frame = np.arange(6, dtype=np.uint8).reshape(2, 3)
        >>> Transform(rotate=90, roi=(0, 0, 2, 2)).apply(frame)
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

    def apply(self, frame: Frame) -> Frame:
        """Transform a frame uint8 (H, W, 3) or (H, W). The result may be a view of `frame`.

        Raises:
            CameraError: the region lies outside the frame.
        """
        if self.rotate:
            frame = as_uint8(cv2.rotate(frame, _ROTATIONS[self.rotate]))
        if self.flip:
            frame = as_uint8(cv2.flip(frame, 1 if self.flip is Flip.HORIZONTAL else 0))
        if self.roi:
            x, y, width, height = self.roi
            size = f"{frame.shape[1]}x{frame.shape[0]}"
            frame = frame[y : y + height, x : x + width]
            if not frame.size:
                raise CameraError(f"the region {x},{y},{width},{height} lies outside of frames of {size} pixels")
        return frame


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
