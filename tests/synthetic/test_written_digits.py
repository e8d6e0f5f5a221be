"""Written digits: images of real handwriting keep their shape at any height, and pages are written in them."""

import numpy as np
import pytest

from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.documents.hand import sample_hand
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.page.page import sample_pen
from digitedge.synthetic.page.paper_types import PaperType
from digitedge.synthetic.page.pens import BALL
from digitedge.synthetic.scenes import render_document
from digitedge.synthetic.scenes.crops import crop_scenes
from digitedge.training.crop_cache import cached_crops
from digitedge.utils.opencv import cv2


@pytest.fixture(scope="module")
def squares() -> WrittenDigits:
    """Images in which every digit is a square frame, like nobody's handwriting."""
    image = np.zeros((28, 28), np.uint8)
    cv2.rectangle(image, (5, 5), (22, 22), 255, 3)
    return WrittenDigits(np.repeat(image[None], 10, axis=0), np.arange(10, dtype=np.uint8))


@pytest.mark.parametrize("height", [1, 7, 28, 300])
@pytest.mark.parametrize("boldness", [0.0, 1.0])
def test_ink_has_the_height_and_the_shape_of_the_image(squares: WrittenDigits, height: int, boldness: float) -> None:
    ink = squares.draw(3, np.random.default_rng(0), height=height, boldness=boldness)
    assert ink.dtype == np.uint8 and ink.shape[0] == height
    assert abs(ink.shape[1] - height) <= 1
    if height > 20:
        assert ink[height // 2, height // 2] == 0 and ink.max() == 255


def test_bolder_strokes_are_thicker(squares: WrittenDigits) -> None:
    thin, thick = (squares.draw(3, np.random.default_rng(0), height=90, boldness=bold).mean() for bold in (0, 1))
    assert thick > 1.05 * thin


def test_only_images_of_the_digit_are_drawn() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 13:16] = 255  # a one
    images[1, 4:24, 4:24] = 255
    digits = WrittenDigits(images, np.array([1, 0], np.uint8))
    rng = np.random.default_rng(0)
    assert all(digits.draw(1, rng, height=40, boldness=0.5).shape[1] < 12 for _ in range(8))


def test_pale_image_is_drawn_as_it_is() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 12:15] = 60
    digits = WrittenDigits(image, np.array([1], np.uint8))
    assert digits.draw(1, np.random.default_rng(0), height=40, boldness=0.0).max() > 0


def test_data_without_a_digit_gives_no_handwriting(squares: WrittenDigits) -> None:
    assert WrittenDigits.from_data(squares.images[:9], squares.labels[:9]) is None
    blank = np.concatenate([squares.images[:9], np.zeros_like(squares.images[9:])])
    assert WrittenDigits.from_data(blank, squares.labels) is None
    assert WrittenDigits.from_data(blank[:0], squares.labels[:0]) is None


def test_images_without_ink_are_left_out(squares: WrittenDigits) -> None:
    images = np.concatenate([squares.images, np.zeros_like(squares.images)])
    written = WrittenDigits.from_data(images, np.tile(squares.labels, 2))
    assert written is not None
    np.testing.assert_array_equal(written.images, squares.images)


def test_a_hand_writes_the_images(squares: WrittenDigits) -> None:
    rng = np.random.default_rng(0)
    hand = sample_hand(rng, sample_pen((BALL,), PaperType.PLAIN, rng), 60)
    hand.touching, hand.written = 0.0, squares
    for glyphs in hand.write("2 47", height=60):
        assert glyphs.text in "247"
        assert 0.9 < glyphs.ink.shape[1] / glyphs.ink.shape[0] < 1.1


def test_documents_are_written_in_the_images(squares: WrittenDigits) -> None:
    shapes = [one.box[2] / one.box[3] for seed in range(4) for one in render_document(seed, written=squares).digits]
    assert len(shapes) > 20
    assert 0.9 < np.median(shapes) < 1.1


def test_crops_show_the_images(squares: WrittenDigits) -> None:
    drawn, written = crop_scenes(4, seed=4), crop_scenes(4, seed=4, written=squares)
    assert not np.array_equal(drawn.crops, written.crops)
    assert (written.labels != NON_DIGIT).any()


def test_crops_of_other_images_are_made_again(
    squares: WrittenDigits, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("digitedge.training.crop_cache.cache_folder", lambda: tmp_path)
    other = WrittenDigits(255 - squares.images, squares.labels)
    made = []
    for written in (squares, squares, other):
        cached_crops(crop_scenes, 1, seed=1, written=written)
        made.append("rendering" in capsys.readouterr().err)
    assert made == [True, False, True]
