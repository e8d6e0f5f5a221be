"""Share of the augmentation in the processor time of an epoch; part of `make bench`.

It runs in Python beside the threads of TensorFlow, so wall time says little on shared cores. Compares the processor
time of making all batches, with and without augmentation, with that of all threads in an epoch. At most a fifth is
wanted.
"""

import time
from dataclasses import replace
from statistics import median

import keras

from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.scenes.crops import SceneCrops
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.batches import Batches
from digitedge.training.config import TrainConfig
from digitedge.training.training_data import TrainingData, to_training_data

IMAGES = 12_800
ROUNDS = 3


def main() -> None:
    """Print the share for each architecture with augmentation."""
    data = to_training_data(SceneCrops(*synthetic_digits(IMAGES, seed=0)))
    for name, architecture in ARCHITECTURES.items():
        config = architecture.defaults
        if not config.augment:
            continue
        model = architecture.build(config.dropout)
        model.compile("adamw", "categorical_crossentropy")
        epoch_seconds(model, data, config)  # traces and warms up
        whole = median(epoch_seconds(model, data, config) for _ in range(ROUNDS))
        spent = batch_seconds(data, config) - batch_seconds(data, replace(config, augment=()))
        print(
            f"{name}: {1e6 * spent / IMAGES:.0f} of {1e6 * whole / IMAGES:.0f} us of processor time an image, "
            f"{spent / whole:.1%} of an epoch (at most 20 % wanted)",
            flush=True,
        )


def batch_seconds(data: TrainingData, config: TrainConfig) -> float:
    """Processor time to make all batches of an epoch."""
    batches = Batches(data, config)
    started = time.process_time()
    for index in range(len(batches)):
        batches[index]
    return time.process_time() - started


def epoch_seconds(model: keras.Model, data: TrainingData, config: TrainConfig) -> float:
    """Processor time of one epoch, all threads together."""
    batches = Batches(data, config)
    started = time.process_time()
    model.fit(batches, epochs=1, verbose=0, shuffle=False)
    return time.process_time() - started


if __name__ == "__main__":
    main()
