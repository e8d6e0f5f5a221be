"""Changes of an image that leave what is written also leave the reading: shift, scale, brightness, inversion.

Scenes with a doubtful candidate are left out: any pixel may change the decision about it.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitedge.reader import Reader, Reading
from digitedge.synthetic.scenes import Difficulty, Scene, render_scene
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision.segment import MIN_DIGIT_PX

# Digits above this confidence are clear, and so are rejected candidates below the rest of it to 1. The log odds of a
# clear decision are this far from 0.
CLEAR = 0.8
CLEAR_SCORE = 2.0
# Edges of boxes move by at most 2 pixels, or 2 pixels of a level of the pyramid, on which digits are 20 or more high.
MAX_SHIFT_PX = 2
MAX_SHIFT = 2 / MIN_DIGIT_PX
# Paper that is left around the digits, in pixels.
MARGIN = 16

examples = settings(max_examples=20, deadline=None, derandomize=True)
seeds = st.integers(0, 59)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def render_clear_scene(reader: Reader, seed: int, clean: bool) -> Scene:
    """Render a scene; skip the example if a decision in it is doubtful."""
    scene = render_scene(seed=seed, difficulty=Difficulty.PLAIN, clean=clean)
    for decision in reader.trace(scene.frame).decisions:
        if decision.evidence:  # its shape is that of a digit
            confidence = decision.prediction.confidence
            assume(confidence > CLEAR if decision.kept else confidence < 1 - CLEAR)
            assume(abs(decision.score) > CLEAR_SCORE)
    return scene


def edges(box: Box) -> NDArray[np.int64]:
    x, y, width, height = box
    return np.array([x, y, x + width, y + height])


def assert_same_reading(
    before: Reading, after: Reading, *, scale: float = 1.0, corner: tuple[int, int] = (0, 0)
) -> None:
    """Check for the same digits in the same rows, in boxes that moved as the image did."""
    assert after.rows == before.rows
    for old, new in zip(before.digits, after.digits, strict=True):
        expected = (edges(old.box) - np.tile(corner, 2)) * scale
        tolerance = max(1.0, scale) * max(MAX_SHIFT_PX, MAX_SHIFT * old.box[3])
        assert np.abs(edges(new.box) - expected).max() <= tolerance, f"{old.box} became {new.box}"


@examples
@given(seeds, st.booleans(), st.tuples(*[st.floats(0, 1)] * 4))
def test_shifted_image_gives_the_same_reading(
    reader: Reader, seed: int, clean: bool, shares: tuple[float, float, float, float]
) -> None:
    scene = render_clear_scene(reader, seed, clean)
    boxes = np.array([edges(true.box) for true in scene.digits])
    height, width = scene.frame.shape[:2]
    # The shifted image is a part of the image, so that no pixels are made up at its borders.
    spare = np.concatenate([boxes[:, :2].min(axis=0), (width, height) - boxes[:, 2:].max(axis=0)]) - MARGIN
    left, top, right, bottom = (spare.clip(0) * shares).astype(int)
    shifted = scene.frame[top : height - bottom, left : width - right]
    assert_same_reading(reader.read(scene.frame), reader.read(shifted), corner=(left, top))


@examples
@given(seeds, st.booleans(), st.floats(0.8, 1.25))
def test_scaled_image_gives_the_same_reading(reader: Reader, seed: int, clean: bool, scale: float) -> None:
    scene = render_clear_scene(reader, seed, clean)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = as_uint8(cv2.resize(scene.frame, None, fx=scale, fy=scale, interpolation=interpolation))
    assert_same_reading(reader.read(scene.frame), reader.read(scaled), scale=scale)


@examples
@given(seeds, st.booleans(), st.floats(0.6, 1.1), st.floats(-20, 20))
def test_brighter_or_darker_image_gives_the_same_reading(
    reader: Reader, seed: int, clean: bool, gain: float, offset: float
) -> None:
    scene = render_clear_scene(reader, seed, clean)
    lit = np.clip(scene.frame * gain + offset, 0, 255).astype(np.uint8)
    assert_same_reading(reader.read(scene.frame), reader.read(lit))


@examples
@given(seeds, st.booleans())
def test_inverted_image_gives_the_same_reading(reader: Reader, seed: int, clean: bool) -> None:
    """Sheets on a desk are left out: their corners are bright strokes, too."""
    scene = render_clear_scene(reader, seed, clean)
    assume(scene.scene_type != "plain-desk")
    assert_same_reading(reader.read(scene.frame), reader.read(255 - scene.frame))
