"""Every epoch shows each digit moved a little and, three times in five, as a camera might spoil it.

What each transform is worth (`make ablation`): `small`, trained on 20,000 of MNIST's training images and 200 scenes for
4 epochs, one seed, once with all transforms and once without each; errors in % on 5,000 other training images, clean,
under kinds of damage that training knows and does not know (`digitedge.evaluation.corruptions`, means of 15 and 6
kinds and of three strengths), and the non-digits that it is as sure of as of 99 in 100 digits:

    without      clean   known   unknown   non-digits
    (nothing)     1.10    4.47      6.75        43.0
    geometry      1.28    5.78      6.00        29.4
    pen           1.32    4.56      6.60        40.7
    grain         1.22    3.99      7.56        41.6
    light         1.28    5.35      6.72        40.0
    leftovers     1.32    4.68      6.28        45.2
    occlusion     1.16    5.39      6.74        36.0
    resolution    1.18    4.59      7.24        39.4
    sensor        1.24    5.98      6.83        39.6

So short a training is far from its end (the released `small` accepts 7 % of non-digits), and 0.2 in the first column
is ten images. Every transform helps clean accuracy, most help known damage, and grain and resolution unknown damage.
Drop geometry or occlusion, and fewer non-digits pass: what they make of digits looks less like one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.training.transforms import TRANSFORMS, geometry

# How far digits move: most up to half of full strength, one in four up to all of it.
MILD, WILD_SHARE = 0.5, 0.25
# Share of the digits that are only moved; the others also suffer one to MOST of the other transforms.
CLEAN_SHARE, MOST = 0.4, 3


def moved(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give each crop its own small movement.

    Args:
        crops: uint8 (N, H, W), ink bright on 0.
        rng: source of the movements.
    """
    reach = np.where(rng.random(len(crops)) < WILD_SHARE, 1.0, MILD)
    return geometry(crops, (reach * rng.random(len(crops))).astype(np.float32), rng)


def camera_like(crops: NDArray[np.uint8], names: Sequence[str], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each crop, and spoil three in five as a pen, paper or camera may.

    Args:
        crops: uint8 (N, H, W), ink bright on 0.
        names: of the transforms, in the order in which they happen; geometry, where it is among them, comes first.
        rng: source of everything that is random.
    """
    crops = moved(crops, rng) if geometry.__name__ in names else crops.copy()
    spoiling = [name for name in names if name != geometry.__name__]
    count = np.where(rng.random(len(crops)) < CLEAN_SHARE, 0, rng.integers(1, MOST + 1, len(crops)))
    rank = rng.random((len(crops), len(spoiling))).argsort(axis=1).argsort(axis=1)
    for column, name in enumerate(spoiling):
        chosen = np.flatnonzero(rank[:, column] < count)
        if len(chosen):
            crops[chosen] = TRANSFORMS[name](crops[chosen], rng.random(len(chosen), np.float32), rng)
    return crops
