"""Augmentation: in every epoch each digit moves, and three in five change as a pen, paper or camera changes them.

What each transform is worth: see docs/decisions/augmentation.md.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.training.transforms import TRANSFORMS, geometry

# Strength of the geometry: up to MILD for most digits, up to 1 for a share of WILD_SHARE.
MILD = 0.5
WILD_SHARE = 0.25
# Share of the digits that only move; each of the others gets 1 to MOST_TRANSFORMS of the other transforms.
CLEAN_SHARE = 0.4
MOST_TRANSFORMS = 3


def augment_geometry(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each crop, uint8 (N, H, W), by a small random amount: rotate, shear, scale, shift and bend it."""
    limit = np.where(rng.random(len(crops)) < WILD_SHARE, 1.0, MILD)
    return geometry(crops, (limit * rng.random(len(crops))).astype(np.float32), rng)


def augment(crops: NDArray[np.uint8], transforms: Sequence[str], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each crop, uint8 (N, H, W), ink bright on 0, and apply further transforms to three in five.

    The names in TRANSFORMS are in the order of their use; geometry, where given, comes first.
    """
    crops = augment_geometry(crops, rng) if "geometry" in transforms else crops.copy()
    others = [name for name in transforms if name != "geometry"]
    count = np.where(rng.random(len(crops)) < CLEAN_SHARE, 0, rng.integers(1, MOST_TRANSFORMS + 1, len(crops)))
    rank = rng.random((len(crops), len(others))).argsort(axis=1).argsort(axis=1)
    for column, name in enumerate(others):
        chosen = np.flatnonzero(rank[:, column] < count)
        if len(chosen):
            crops[chosen] = TRANSFORMS[name](crops[chosen], rng.random(len(chosen), np.float32), rng)
    return crops
