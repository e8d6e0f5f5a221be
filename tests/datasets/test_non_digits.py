import numpy as np

from digitedge.datasets.non_digits import DRAWINGS, EVALUATION_SEED, GLYPHS, make_non_digits
from digitedge.synthetic.non_digits.samples import synthetic_non_digits


def test_the_counts_depend_on_the_scenes_and_the_crops_on_the_seed() -> None:
    found = make_non_digits(3)
    assert {source: len(crops) for source, crops in found.items() if source != "scene crops"} == {
        "drawings": 3 * DRAWINGS,
        "glyphs": 3 * GLYPHS,
    }
    for crops in found.values():
        assert crops.dtype == np.uint8
        assert crops.shape[1:] == (28, 28)
    np.testing.assert_array_equal(found["drawings"], synthetic_non_digits(3 * DRAWINGS, seed=EVALUATION_SEED))


def test_without_scenes_there_are_no_sources() -> None:
    assert make_non_digits(0) == {}
