"""A photograph of a sheet becomes the flat ink of its block: perspective, curl, light and printed borders removed."""

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.pose import SheetPose
from digitedge.collecting.sheet import BLOCK_MM
from digitedge.utils.opencv import as_uint8, cv2, resize

PX_PER_MM = 5
"""Resolution of the flat page: a digit is 20 to 70 pixels high and its strokes are 2 to 10 wide."""

# The photograph is sampled this many times as finely along each side, and averaged.
_OVERSAMPLING = 2
# Distance of the points that are projected exactly, in millimetres; between them the map is linear.
_MAP_STEP_MM = 2


def flatten(image: NDArray[np.uint8], pose: SheetPose) -> NDArray[np.uint8]:
    """Return the block of the sheet as seen from above.

    Args:
        image: uint8 (H, W) or (H, W, 3), the photograph.
        pose: of the sheet in it.

    Returns:
        uint8 (h, w) or (h, w, 3), `PX_PER_MM` pixels a millimetre; what is not in the photograph repeats its border.
    """
    shrink = max(1.0, pose.pixels_per_mm() / (PX_PER_MM * _OVERSAMPLING))
    height, width = image.shape[:2]
    source = image
    if shrink > 1:
        source = resize(image, (round(width / shrink), round(height / shrink)), cv2.INTER_AREA)
    scale = np.array([source.shape[1] / width, source.shape[0] / height])
    columns, rows = (round(size * PX_PER_MM * _OVERSAMPLING) for size in BLOCK_MM)
    xs = np.arange(0, BLOCK_MM[0] + _MAP_STEP_MM, _MAP_STEP_MM)
    ys = np.arange(0, BLOCK_MM[1] + _MAP_STEP_MM, _MAP_STEP_MM)
    points = np.stack(np.meshgrid(xs, ys), axis=-1)
    pixels = (pose.to_pixels(points.reshape(-1, 2)) + 0.5) * scale - 0.5
    coarse = pixels.reshape(*points.shape).astype(np.float32)
    # The middle of pixel i of the flat page is at (i + 0.5) / resolution millimetres, in steps of the map.
    step = PX_PER_MM * _OVERSAMPLING * _MAP_STEP_MM
    place_x = np.broadcast_to(((np.arange(columns, dtype=np.float32) + 0.5) / step), (rows, columns))
    place_y = np.broadcast_to(((np.arange(rows, dtype=np.float32) + 0.5) / step)[:, None], (rows, columns))
    fine = cv2.remap(coarse, np.ascontiguousarray(place_x), np.ascontiguousarray(place_y), cv2.INTER_LINEAR)
    flat = as_uint8(cv2.remap(source, fine, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))  # type: ignore[call-overload]  # the stubs want a second map
    return resize(flat, (columns // _OVERSAMPLING, rows // _OVERSAMPLING), cv2.INTER_AREA)
