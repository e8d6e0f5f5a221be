"""Times `digitedge train mlp` against the plain Keras `fit` of the same network: `make bench`.

Both run in turn in this process on the same data (MNIST if it is found, else rendered digits), so that a drifting clock
rate changes the ratio little. The time of `train` includes model files, history, plots and test accuracy.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import keras
import numpy as np

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.load import load_dataset
from digitedge.datasets.mnist import find_mnist
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.train import train

ROUNDS = 3
EPOCHS = 10


def train_with_keras(data: Dataset) -> None:
    """Train as a textbook does, with the checkpoint of Keras."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        best = Path(folder) / "best.keras"
        checkpoint = keras.callbacks.ModelCheckpoint(best, monitor="val_accuracy", save_best_only=True)
        images = data.x_train.astype(np.float32) / 255
        targets = keras.utils.to_categorical(data.y_train, 10)
        model.fit(
            images, targets, batch_size=128, epochs=EPOCHS, validation_split=0.2, callbacks=[checkpoint], verbose=0
        )
        model = keras.saving.load_model(best)
    model.evaluate(data.x_test.astype(np.float32) / 255, keras.utils.to_categorical(data.y_test, 10), verbose=0)


def train_with_digitedge(data: Dataset) -> None:
    """Train as `digitedge train mlp` does after loading the data."""
    with tempfile.TemporaryDirectory() as folder:
        config = replace(ARCHITECTURES["mlp"].defaults, epochs=EPOCHS)
        train(config, data, data_name="benchmark", folder=Path(folder), log=lambda _: None)


def time_s(work: Callable[[Dataset], None], data: Dataset) -> float:
    """Return the wall time of one run in seconds."""
    start = time.perf_counter()
    work(data)
    return time.perf_counter() - start


def main() -> None:
    """Print the ratio of each round and their median."""
    name, data = load_dataset(None if find_mnist() else ["synthetic"])
    ratios = []
    for number in range(1, ROUNDS + 1):
        plain, ours = time_s(train_with_keras, data), time_s(train_with_digitedge, data)
        ratios.append(ours / plain)
        print(
            f"round {number}: plain Keras fit {plain:.1f} s, digitedge train {ours:.1f} s, ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(
        f"mlp, {EPOCHS} epochs on {name}: median ratio {median(ratios):.3f} over {ROUNDS} rounds (at most 1.1 wanted)"
    )


if __name__ == "__main__":
    main()
