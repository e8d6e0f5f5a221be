from typing import Any

import numpy as np
import pytest

from digitedge.camera import Flip, Transform, parse_roi
from digitedge.errors import CameraError, InputError

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
