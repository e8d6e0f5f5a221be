import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.non_digits.glyphs import render_glyph, synthetic_glyphs


def test_glyphs_are_crops_with_ink_and_no_two_are_equal() -> None:
    crops = synthetic_glyphs(200, seed=4)
    assert crops.shape == (200, 28, 28) and crops.dtype == np.uint8
    assert crops.max(axis=(1, 2)).min() > 200
    assert len({crop.tobytes() for crop in crops}) == 200


def test_the_same_seed_gives_the_same_glyphs_and_another_seed_others() -> None:
    one, same, other = (synthetic_glyphs(5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_few_glyphs_are_as_slim_as_a_1() -> None:
    inks = [render_glyph(np.random.default_rng(seed), height=60) for seed in range(200)]
    slim = [ink for ink in inks if min(ink.shape) < 0.3 * max(ink.shape)]
    assert len(slim) < 20
    assert 50 <= np.median([max(ink.shape) for ink in inks]) <= 80


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InputError, match="0 or more, got -1"):
        synthetic_glyphs(-1, seed=0)
