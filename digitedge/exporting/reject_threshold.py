"""The reject threshold: the confidence below which the prediction of an exported file is rejected.

Each file gets its own, because each rounds differently. See docs/decisions/reject-threshold.md.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.ood import NON_DIGIT, threshold_at_99_tpr
from digitedge.runtime import Classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.scenes.crops import SceneCrops, crop_scenes, join_crops
from digitedge.training.augment import augment_geometry

SAMPLES = 3000
"""Number of augmented training images, and of rendered digits."""
SCENES = 60
"""Number of rendered scenes, which give about 380 digits in five seconds on two cores."""


def threshold_digits(images: NDArray[np.uint8], labels: NDArray[np.uint8], *, seed: int = 0) -> SceneCrops:
    """Make the digits that set the reject threshold, from all training images, uint8 (N, 28, 28), and labels (N,).

    Returns:
        SAMPLES augmented training images, SAMPLES rendered digits, then the digits of SCENES.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(images), SAMPLES)
    augmented = SceneCrops(augment_geometry(images[chosen], rng), labels[chosen])
    return join_crops([augmented, SceneCrops(*synthetic_digits(SAMPLES, seed=seed)), _scene_digits(seed)])


def reject_threshold(classifier: Classifier, digits: SceneCrops) -> float:
    """The confidence that 99 % of the correctly classified digits reach: 0 to 1, rounded down to 3 decimals."""
    return int(1000 * threshold_at_99_tpr(classifier.probabilities(digits.crops), digits.labels)) / 1000


@cache
def _scene_digits(seed: int) -> SceneCrops:
    found = crop_scenes(SCENES, seed=seed)
    whole = found.labels != NON_DIGIT
    return SceneCrops(found.crops[whole], found.labels[whole])
