"""Small Keras models, really trained, for tests of the export."""

import keras
import numpy as np

from digitedge.datasets.dataset import Dataset


def train_model(
    data: Dataset,
    layers: list[keras.layers.Layer],
    *,
    shape: tuple[int, ...],
    scale: float,
    logits: bool = False,
    epochs: int = 12,
) -> keras.Model:
    """A small model, really trained, on pixels times `scale`."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    model.compile("adam", loss, metrics=["accuracy"])
    images = data.x_train.reshape(-1, *shape).astype(np.float32) * scale
    model.fit(images, data.y_train.astype(np.int64), epochs=epochs, batch_size=32, verbose=0)
    return model


def dense_layers(activation: str | None = "softmax") -> list[keras.layers.Layer]:
    return [
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation=activation),
    ]
