"""The median of `vision` against NumPy's."""

import subprocess
import sys

import numpy as np
import pytest

from digitedge.vision.median import median


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 3, 10, 101])
def test_median_is_equal_to_that_of_numpy(dtype: type[np.number], count: int) -> None:
    values = np.random.default_rng(count).integers(0, 256, count).astype(dtype)
    before = values.copy()
    assert median(values) == np.median(values)
    np.testing.assert_array_equal(values, before)


def test_reading_an_image_imports_no_masked_arrays() -> None:
    code = (
        "import sys, numpy as np; from digitedge import Reader; from digitedge.bundle.bundle import released_bundle\n"
        "page = np.full((300, 400), 220, np.uint8); page[100:200, 100:112] = page[100:112, 60:112] = 30\n"
        "page[250:253] = 90; print(Reader(released_bundle()).read(page).rows, 'numpy.ma' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "('7',) False"
