"""The crops of the golden set, which goes into every bundle."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import synthetic_digits

GOLDEN_SAMPLES = 250
GOLDEN_SEED = 28


def golden_crops() -> NDArray[np.uint8]:
    """The crops that go into every bundle: uint8 (250, 28, 28), 25 of each digit, seeded."""
    return synthetic_digits(GOLDEN_SAMPLES, seed=GOLDEN_SEED)[0]
