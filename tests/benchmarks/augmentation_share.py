"""How much of an epoch the augmentation takes: the same training with and without it, in turn; part of `make bench`.

An epoch without augmentation shows the same images, so the difference of both wall times is what augmentation costs on
this machine, where it runs beside TensorFlow's own threads. The mark is a fifth of the epoch.
"""

import time
from dataclasses import replace
from statistics import median

import keras
import numpy as np

from digitedge.rendering.hand.synthetic import synthetic_digits
from digitedge.rendering.scenes.cuttings import Cuttings
from digitedge.training.batches import Batches
from digitedge.training.material import Material, as_material
from digitedge.training.models import ARCHITECTURES
from digitedge.training.plan import DEFAULT_PLANS, Plan

IMAGES, ROUNDS = 12_800, 5


def main() -> None:
    """Print the share for each architecture that is augmented."""
    material = as_material(Cuttings(*synthetic_digits(IMAGES, seed=0)))
    for name, plan in DEFAULT_PLANS.items():
        if not plan.augment:
            continue
        model = ARCHITECTURES[name](plan.dropout)
        model.compile("adamw", "categorical_crossentropy")
        epoch_seconds(model, material, plan)  # traces and warms up
        shares = []
        for _ in range(ROUNDS):
            bare = epoch_seconds(model, material, replace(plan, augment=()))
            whole = epoch_seconds(model, material, plan)
            shares.append(1 - bare / whole)
        spent = batch_seconds(material, plan) - batch_seconds(material, replace(plan, augment=()))
        print(
            f"{name}: augmentation takes {median(shares):.1%} of an epoch, median of {ROUNDS} (mark: at most 20 %); "
            f"{np.min(shares):.1%} to {np.max(shares):.1%}; {1e6 * spent / IMAGES:.0f} us of processor time an image",
            flush=True,
        )


def batch_seconds(material: Material, plan: Plan) -> float:
    """Processor time to make all batches of an epoch."""
    batches = Batches(material, plan)
    started = time.process_time()
    for index in range(len(batches)):
        batches[index]
    return time.process_time() - started


def epoch_seconds(model: keras.Model, material: Material, plan: Plan) -> float:
    """Wall time of one epoch."""
    batches = Batches(material, plan)
    started = time.perf_counter()
    model.fit(batches, epochs=1, verbose=0, shuffle=False)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
