"""Orientation: pages that lie on their side or head, with the released model."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.reader import Reader
from digitedge.reader.orientation import choose_rotation, is_sound, orientation_score, read_transformed, read_upright
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.transform import Flip, Transform

ROTATIONS = (0, 90, 180, 270)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def page() -> NDArray[np.uint8]:
    """A clean page of 13 digits, 640x480."""
    return render_scene(seed=24, difficulty=Difficulty.PLAIN, scene_type="plain-paper", clean=True).frame


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_page_is_read_upright_however_it_lies(reader: Reader, page: NDArray[np.uint8], rotation: int) -> None:
    upright = reader.read(page)
    given = Transform(rotation).apply(page)
    reading = read_upright(reader, given, source="page")
    assert (reading.rows, reading.source) == (upright.rows, "page")
    assert reading.transform.rotate == (360 - rotation) % 360
    assert (reading.height, reading.width) == given.shape[:2]
    back = [Transform((360 - rotation) % 360).undo_box(digit.box, *given.shape[1::-1]) for digit in upright.digits]
    assert [digit.box for digit in reading.digits] == back


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_only_the_region_is_turned(reader: Reader, page: NDArray[np.uint8], rotation: int) -> None:
    given = np.full((900, 1000, 3), 235, np.uint8)
    turned = np.fliplr(Transform(rotation).apply(page))
    height, width = turned.shape[:2]
    given[100 : 100 + height, 200 : 200 + width] = turned
    region = Transform(flip=Flip.HORIZONTAL, roi=(1000 - 200 - width, 100, width, height))
    reading = read_upright(reader, given, region)
    assert reading.rows == reader.read(page).rows
    x, y, w, h = reading.digits[0].box
    assert given[y : y + h, x : x + w].min() < 128
    assert (reading.width, reading.height) == (1000, 900)


def test_an_image_of_one_digit_is_never_turned(reader: Reader) -> None:
    """Many digits read as another one in another orientation: 6 and 9, 1, 0, 8, 2 and 5."""
    seen: set[int] = set()
    for seed in range(8):
        scene = render_scene(seed=seed, difficulty=Difficulty.PLAIN, scene_type="plain-paper", clean=True)
        for one in scene.digits:
            x, y, width, height = one.box
            image = np.full((height + 60, width + 60, 3), np.median(scene.frame, axis=(0, 1)), np.uint8)
            image[30:-30, 30:-30] = scene.frame[y : y + height, x : x + width]
            assert read_upright(reader, image).transform == Transform()
            seen.add(one.digit)
    assert len(seen) == 10


def test_a_blank_image_is_read_once(page: NDArray[np.uint8]) -> None:
    class Counting(Reader):
        images = 0

        def read(self, *args: object, **options: object) -> object:  # type: ignore[override]
            self.images += 1
            return super().read(*args, **options)  # type: ignore[arg-type]

    counting = Counting()
    assert read_upright(counting, np.full((200, 300), 230, np.uint8)).rows == ()
    assert counting.images == 1
    read_upright(counting, Transform(90).apply(page))
    assert counting.images == 5


def test_a_sound_reading_scores_higher_than_one_on_its_side(reader: Reader, page: NDArray[np.uint8]) -> None:
    upright, side = (reader.trace(Transform(degrees).apply(page)).decisions for degrees in (0, 90))
    assert is_sound(upright)
    assert not is_sound(side)
    assert orientation_score(upright) > orientation_score(side) + 10


@pytest.mark.parametrize(
    ("scores", "rotation"),
    [
        ((0.0, 28.0, 3.0, 20.0), 90),
        ((0.0, 3.0, 3.0, 28.0), 270),
        ((25.0, 3.0, 28.0, 3.0), 0),  # hardly better than as it is
        ((0.0, 28.0, 3.0, 28.0), 0),  # two alike
        ((0.0, 14.0, 0.0, 0.0), 0),  # four digits are not enough
        ((0.0, 0.0, 0.0, 0.0), 0),
    ],
)
def test_an_image_is_turned_on_clear_evidence_only(scores: tuple[float, ...], rotation: int) -> None:
    assert choose_rotation(dict(zip(ROTATIONS, scores, strict=True))) == rotation


def test_a_transform_that_was_asked_for_is_kept(reader: Reader, page: NDArray[np.uint8]) -> None:
    reading = read_transformed(reader, page, Transform(90))
    assert reading.transform == Transform(90)
    assert reading.to_dict()["rotated"] == 90
