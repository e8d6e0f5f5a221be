import numpy as np
import pytest

from digitedge.camera import Flip, View, parse_roi
from digitedge.errors import CameraError, InputError

FRAME = np.arange(6, dtype=np.uint8).reshape(2, 3)  # 0 1 2 over 3 4 5


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(), [[0, 1, 2], [3, 4, 5]]),
        (View(rotate=90), [[3, 0], [4, 1], [5, 2]]),
        (View(rotate=180), [[5, 4, 3], [2, 1, 0]]),
        (View(rotate=270), [[2, 5], [1, 4], [0, 3]]),
        (View(flip=Flip.HORIZONTAL), [[2, 1, 0], [5, 4, 3]]),
        (View(flip=Flip.VERTICAL), [[3, 4, 5], [0, 1, 2]]),
        (View(rotate=90, flip=Flip.HORIZONTAL), [[0, 3], [1, 4], [2, 5]]),
        (View(roi=(1, 0, 2, 1)), [[1, 2]]),
        (View(rotate=90, roi=(1, 2, 9, 9)), [[2]]),
    ],
)
def test_a_frame_is_rotated_then_flipped_then_cut(view: View, expected: list) -> None:
    assert view.of(FRAME).tolist() == expected
    assert view.of(np.dstack([FRAME] * 3))[..., 0].tolist() == expected


def test_a_region_outside_of_the_frame_is_an_error() -> None:
    with pytest.raises(CameraError, match="the region 3,0,2,2 lies outside of frames of 3x2 pixels"):
        View(roi=(3, 0, 2, 2)).of(FRAME)


@pytest.mark.parametrize("wrong", [{"rotate": 45}, {"rotate": -90}, {"roi": (0, 0, 0, 5)}, {"roi": (-1, 0, 5, 5)}])
def test_an_impossible_view_is_an_error(wrong: dict) -> None:
    with pytest.raises(InputError, match="expected a"):
        View(**wrong)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,2,3,4"])
def test_a_region_is_four_whole_numbers(text: str) -> None:
    with pytest.raises(InputError, match="x,y,width,height"):
        parse_roi(text)
