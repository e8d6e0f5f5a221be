"""Every epoch shows each digit moved a little and, three times in five, as a camera might spoil it."""

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
