"""How much of an epoch the augmentation takes, in processor time; part of `make bench`.

It runs in Python beside TensorFlow's own threads, so that wall time says little where the cores are shared. So the
processor time of making all batches with and without it is set against that of all threads in a whole epoch. The mark
is a fifth of the epoch.
"""

import time
from dataclasses import replace
from statistics import median

import keras

from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.scenes.crops import Cuttings
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.batches import Batches
from digitedge.training.config import DEFAULT_PLANS, Plan
from digitedge.training.training_data import Material, as_material

IMAGES, ROUNDS = 12_800, 3


def main() -> None:
    """Print the share for each architecture that is augmented."""
    material = as_material(Cuttings(*synthetic_digits(IMAGES, seed=0)))
    for name, plan in DEFAULT_PLANS.items():
        if not plan.augment:
            continue
        model = ARCHITECTURES[name](plan.dropout)
        model.compile("adamw", "categorical_crossentropy")
        epoch_seconds(model, material, plan)  # traces and warms up
        whole = median(epoch_seconds(model, material, plan) for _ in range(ROUNDS))
        spent = batch_seconds(material, plan) - batch_seconds(material, replace(plan, augment=()))
        print(
            f"{name}: {1e6 * spent / IMAGES:.0f} of {1e6 * whole / IMAGES:.0f} us of processor time an image, "
            f"{spent / whole:.1%} of an epoch (mark: at most 20 %)",
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
    """Processor time of one epoch, all threads together."""
    batches = Batches(material, plan)
    started = time.process_time()
    model.fit(batches, epochs=1, verbose=0, shuffle=False)
    return time.process_time() - started


if __name__ == "__main__":
    main()
