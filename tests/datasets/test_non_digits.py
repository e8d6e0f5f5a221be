import numpy as np

from digitedge.datasets.non_digits import EXAMINATION_SEED, GLYPHS, MARKS, non_digits
from digitedge.synthetic.non_digits.samples import synthetic_marks


def test_sources_come_in_proportion_and_the_seed_decides() -> None:
    found = non_digits(3)
    assert {source: len(crops) for source, crops in found.items() if source != "cuttings"} == {
        "marks": 3 * MARKS,
        "glyphs": 3 * GLYPHS,
    }
    for crops in found.values():
        assert crops.dtype == np.uint8
        assert crops.shape[1:] == (28, 28)
    np.testing.assert_array_equal(found["marks"], synthetic_marks(3 * MARKS, seed=EXAMINATION_SEED))


def test_no_scenes_give_no_sources() -> None:
    assert non_digits(0) == {}
