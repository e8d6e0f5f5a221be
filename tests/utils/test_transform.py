from typing import Any

import numpy as np
import pytest

from digitedge.errors import CameraError, InputError
from digitedge.utils.transform import Flip, Transform, parse_roi

FRAME = np.arange(6, dtype=np.uint8).reshape(2, 3)  # 0 1 2 over 3 4 5


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (Transform(), [[0, 1, 2], [3, 4, 5]]),
        (Transform(rotate=90), [[3, 0], [4, 1], [5, 2]]),
        (Transform(rotate=180), [[5, 4, 3], [2, 1, 0]]),
        (Transform(rotate=270), [[2, 5], [1, 4], [0, 3]]),
        (Transform(flip=Flip.HORIZONTAL), [[2, 1, 0], [5, 4, 3]]),
        (Transform(flip=Flip.VERTICAL), [[3, 4, 5], [0, 1, 2]]),
        (Transform(rotate=90, flip=Flip.HORIZONTAL), [[0, 3], [1, 4], [2, 5]]),
        (Transform(roi=(1, 0, 2, 1)), [[1, 2]]),
        (Transform(rotate=90, roi=(1, 2, 9, 9)), [[2]]),
    ],
)
def test_frame_is_rotated_then_flipped_then_cropped(transform: Transform, expected: list[list[int]]) -> None:
    assert transform.apply(FRAME).tolist() == expected
    assert transform.apply(np.dstack([FRAME] * 3))[..., 0].tolist() == expected


def test_region_outside_of_the_frame_is_an_error() -> None:
    with pytest.raises(CameraError, match="the region 3,0,2,2 lies outside of frames of 3x2 pixels"):
        Transform(roi=(3, 0, 2, 2)).apply(FRAME)


@pytest.mark.parametrize("fields", [{"rotate": 45}, {"rotate": -90}, {"roi": (0, 0, 0, 5)}, {"roi": (-1, 0, 5, 5)}])
def test_impossible_transform_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected a"):
        Transform(**fields)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,2,3,4"])
def test_region_that_is_not_four_whole_numbers_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="x,y,width,height"):
        parse_roi(text)


TRANSFORMS = [
    Transform(rotate, flip, roi)
    for rotate in (0, 90, 180, 270)
    for flip in (None, *Flip)
    for roi in (None, (1, 2, 3, 3), (0, 1, 99, 2))
]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_undone_box_has_the_pixels_of_the_box(transform: Transform) -> None:
    image = np.arange(42, dtype=np.uint8).reshape(6, 7)
    box = (1, 0, 2, 1)
    x, y, width, height = transform.undo_box(box, 7, 6)
    before = sorted(image[y : y + height, x : x + width].ravel())
    assert before == sorted(transform.apply(image)[0, 1:3])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_rotating_afterwards_is_one_transform(transform: Transform, degrees: int) -> None:
    image = np.arange(42, dtype=np.uint8).reshape(6, 7)
    expected = Transform(degrees).apply(np.ascontiguousarray(transform.apply(image)))
    np.testing.assert_array_equal(transform.then_rotate(degrees, 7, 6).apply(image), expected)
