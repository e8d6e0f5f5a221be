"""What does not change a page does not change its reading: a step aside or back, a dimmer lamp, chalk for ink.

Scenes with a mark that is in doubt are left out: it may come and go, or change its name, with any pixel.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digitedge.reader.reader import Reader
from digitedge.synthetic.scenes.plain_scenes import render_scene
from digitedge.utils.opencv import cv2

# Digits that are surer than this are clear, and so are other marks that are surer to be none.
CLEAR = 0.8
# Edges of boxes move by at most 2 pixels; those of digits that are searched at 80 pixels by 2 pixels of that image.
PIXELS, SEARCHED = 2, 2 / 80
# Paper that is left around the digits, in pixels.
ROOM = 16

many = settings(max_examples=20, deadline=None, derandomize=True)
seeds = st.integers(0, 59)


@pytest.fixture(scope="module")
def reader():
    return Reader()


def clear_scene(reader, seed, clean):
    scene = render_scene(seed=seed, clean=clean)
    marks = [verdict for verdict in reader.judge(scene.frame) if verdict.points]
    assume(all(mark.confidence > CLEAR if mark.kept else mark.confidence < 1 - CLEAR for mark in marks))
    return scene


def edges(box):
    x, y, width, height = box
    return np.array([x, y, x + width, y + height])


def assert_same(before, after, *, scale=1.0, corner=(0, 0)):
    """The same digits in the same rows, in boxes that moved as the image did."""
    assert after.rows == before.rows
    for old, new in zip(before.digits, after.digits, strict=True):
        expected = (edges(old.box) - np.tile(corner, 2)) * scale
        tolerance = max(1.0, scale) * max(PIXELS, SEARCHED * old.box[3])
        assert np.abs(edges(new.box) - expected).max() <= tolerance, f"{old.box} became {new.box}"


@many
@given(seeds, st.booleans(), st.tuples(*[st.floats(0, 1)] * 4))
def test_a_step_aside_changes_nothing(reader, seed, clean, shares):
    scene = clear_scene(reader, seed, clean)
    boxes = np.array([edges(true.box) for true in scene.digits])
    height, width = scene.frame.shape[:2]
    # Cut from the frame, so that the page moves in it and nothing is made up at its edges.
    room = np.concatenate([boxes[:, :2].min(axis=0), (width, height) - boxes[:, 2:].max(axis=0)]) - ROOM
    left, top, right, bottom = (room.clip(0) * shares).astype(int)
    moved = scene.frame[top : height - bottom, left : width - right]
    assert_same(reader.read(scene.frame), reader.read(moved), corner=(left, top))


@many
@given(seeds, st.booleans(), st.floats(0.8, 1.25))
def test_a_step_back_or_closer_changes_nothing(reader, seed, clean, scale):
    scene = clear_scene(reader, seed, clean)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(scene.frame, None, fx=scale, fy=scale, interpolation=way)
    assert_same(reader.read(scene.frame), reader.read(scaled), scale=scale)


@many
@given(seeds, st.booleans(), st.floats(0.6, 1.1), st.floats(-20, 20))
def test_more_or_less_light_changes_nothing(reader, seed, clean, gain, offset):
    scene = clear_scene(reader, seed, clean)
    lit = np.clip(scene.frame * gain + offset, 0, 255).astype(np.uint8)
    assert_same(reader.read(scene.frame), reader.read(lit))


@many
@given(seeds, st.booleans())
def test_chalk_reads_like_ink(reader, seed, clean):
    scene = clear_scene(reader, seed, clean)
    assert_same(reader.read(scene.frame), reader.read(255 - scene.frame))
