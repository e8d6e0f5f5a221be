"""What a net learns from, and what chooses its best epoch: the data set, and what a camera's search cuts out.

The data set alone makes a net that is sure of everything. So the `cnn` also sees digits as they are cut out of rendered
scenes and, by outlier exposure (Hendrycks, Mazeika, Dietterich 2019, arXiv:1812.04606), what is no digit: its target is
a tenth for every digit, so that the ten outputs stay ten and low confidence says "none". Scenes that validate are never
trained on.

What is no digit counts as much in the loss as a digit does. (That paper halves it. Three more epochs of a trained `cnn`
with a weight of 0.5 and of 1.5 let 3.0 and 2.3 % of held-out non-digits pass, misread 3.9 and 4.1 % of digits damaged
as training does not know, and 0.32 and 0.36 % of clean ones. Four more epochs of the released `small` with 1, 2, 4 and
6 let 7.5, 6.6, 6.6 and 6.2 % pass and misread 5.5, 5.8, 6.0 and 6.1 % of the damaged; with 2 and the teacher's answers
about non-digits, too, 7.6 and 5.5 %. It is too small a net for both.)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.metrics.ood import NOTHING
from digitedge.runtime.contract import CLASSES
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.non_digits.glyphs import synthetic_glyphs
from digitedge.synthetic.non_digits.samples import synthetic_marks
from digitedge.synthetic.scenes.crops import Cuttings, cut_scenes, join
from digitedge.training.config import Plan
from digitedge.training.crop_cache import kept_cuttings

# Apart from those of tests, of the demo clip, of `--data synthetic` and of each other.
TRAINING_SEED, VALIDATION_SEED = 1001, 1002
# Scenes that train for each one that validates.
TRAINING_SCENES = 10
# For each scene: digits rendered one by one, about as many as are cut out of it, and marks and glyphs that are none.
RENDERED, MARKS, GLYPHS = 8, 5, 2
# Weight in the loss of what is no digit; a digit's is 1.
OUTLIER_WEIGHT = 1.0
# Row of a digit, and in the last row what is asked for where there is none.
TARGETS = np.vstack([np.eye(CLASSES), np.full(CLASSES, 1 / CLASSES)]).astype(np.float32)


class Material(NamedTuple):
    """Images and what is asked of the net for each.

    Attributes:
        images: uint8 (N, 28, 28).
        targets: float32 (N, 10): 1 for the digit, or a tenth for each digit where there is none.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]

    @property
    def digits(self) -> NDArray[np.uint8]:
        """What the images are: uint8 (N,), 0 to 9 or NOTHING."""
        return np.where(self.targets.max(axis=1) > 0.5, self.targets.argmax(axis=1), NOTHING).astype(np.uint8)

    @property
    def weights(self) -> NDArray[np.float32]:
        """How much each image counts in the loss: float32 (N,)."""
        return np.where(self.digits == NOTHING, OUTLIER_WEIGHT, 1).astype(np.float32)


def divide(plan: Plan, data: Dataset) -> tuple[Material, Material]:
    """Make the material to train on and the material to validate with.

    Args:
        plan: which part of the training images validates, and how many scenes come with them.
        data: its test half is not looked at.
    """
    cut = plan.training_count(len(data.x_train))
    training = [Cuttings(data.x_train[:cut], data.y_train[:cut])]
    validation = [Cuttings(data.x_train[cut:], data.y_train[cut:])]
    if plan.scenes:
        held_out = -(-plan.scenes // TRAINING_SCENES)
        training.append(kept_cuttings(camera_cuttings, plan.scenes, seed=TRAINING_SEED))
        validation.append(kept_cuttings(camera_cuttings, held_out, seed=VALIDATION_SEED))
    return as_material(join(training)), as_material(join(validation))


def camera_cuttings(scenes: int, *, seed: int) -> Cuttings:
    """Cut scenes, and add rendered digits and marks in proportion.

    Examples:
        >>> cuttings = camera_cuttings(1, seed=0)
        >>> int((cuttings.digits == NOTHING).sum()) >= MARKS + GLYPHS
        True
    """
    rendered = Cuttings(*synthetic_digits(RENDERED * scenes, seed=seed))
    drawn = [synthetic_marks(MARKS * scenes, seed=seed), synthetic_glyphs(GLYPHS * scenes, seed=seed)]
    others = [Cuttings(crops, np.full(len(crops), NOTHING, np.uint8)) for crops in drawn]
    return join([cut_scenes(scenes, seed=seed), rendered, *others])


def as_material(cuttings: Cuttings) -> Material:
    """Turn digits, or NOTHING, into targets.

    Examples:
        >>> as_material(Cuttings(np.zeros((2, 28, 28), np.uint8), np.uint8([1, NOTHING]))).targets[:, :3]
        array([[0. , 1. , 0. ],
               [0.1, 0.1, 0.1]], dtype=float32)
    """
    return Material(cuttings.crops, TARGETS[np.minimum(cuttings.digits, CLASSES)])
