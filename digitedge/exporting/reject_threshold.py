"""The confidence under which a camera says nothing: set for each exported file, because each rounds otherwise."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.ood import NOTHING, threshold_for
from digitedge.runtime import Classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.scenes.crops import Cuttings, cut_scenes, join
from digitedge.training.augment import moved

# Moved training images, and as many rendered digits. With 380 of each the same net got 0.73 or 0.78; four seeds of
# these give `cnn` 0.66 to 0.71 and `small` 0.52 to 0.57.
EACH = 3000
# Scenes that digits are cut out of: about 380, in five seconds on two cores.
SCENES = 60


def threshold_digits(images: NDArray[np.uint8], labels: NDArray[np.uint8], *, seed: int = 0) -> Cuttings:
    """Digits that set the reject threshold: training images moved as in training, rendered ones, and cut ones.

    Each kind alone misleads: a net has seen the training images, so that on these alone the threshold of a well-trained
    one was 0.93 and cost rows in photographs; rendered hands it has not seen; and only cuttings have passed through
    light, blur and the search. (Rejected: the test images, which only judge; and as many cuttings as others, which
    takes a minute or weighs a few of them much.)

    Args:
        images: uint8 (N, 28, 28), all training images: of a few hundred, each would come often.
        labels: uint8 (N,), 0 to 9.
        seed: of the movements, the rendered digits and the scenes.

    Returns:
        Whole digits: EACH moved ones, EACH rendered ones, then those of SCENES.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(images), EACH)
    known = Cuttings(moved(images[chosen], rng), labels[chosen])
    return join([known, Cuttings(*synthetic_digits(EACH, seed=seed)), _cut_digits(seed)])


def reject_threshold(classifier: Classifier, digits: Cuttings) -> float:
    """The confidence that 99 of 100 digits reach in one exported file.

    Args:
        classifier: the exported file.
        digits: see `threshold_digits`.

    Returns:
        0 to 1, rounded down to 3 digits.
    """
    return int(1000 * threshold_for(classifier.probabilities(digits.crops), digits.digits)) / 1000


@cache
def _cut_digits(seed: int) -> Cuttings:
    """The digits among the cuttings of SCENES."""
    found = cut_scenes(SCENES, seed=seed)
    whole = found.digits != NOTHING
    return Cuttings(found.crops[whole], found.digits[whole])
