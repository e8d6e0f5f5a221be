"""The architectures: the networks that this project deploys, and that of the textbook.

All take pixel values from 0 to 255, (28, 28, 1), divide by 255 inside, and end in a softmax over ten digits, so the
exported files need no preprocessing. Why the blocks of `cnn` and `small` are what they are:
see docs/decisions/architectures.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from digitedge.errors import ModelError
from digitedge.runtime.contract import CLASSES, INPUT_NAME, OUTPUT_NAME
from digitedge.training.config import ALL_TRANSFORMS, TrainConfig
from digitedge.training.keras_io import load_keras
from digitedge.utils.crop_format import CROP_SIZE

# The 0.99 of Keras lags hundreds of steps behind the weights, so short trainings validate and quantize badly.
BATCH_NORM_MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class Block:
    """A convolution with batch normalization and ReLU.

    Attributes:
        filters: output channels.
        size: side of the kernel in pixels.
        stride: of the convolution; 2 halves width and height.
        pooled: whether 2x2 max pooling comes first.
        separable: whether it is a depthwise convolution and a 1x1 convolution, each with batch normalization and ReLU.
    """

    filters: int
    size: int = 3
    stride: int = 1
    pooled: bool = False
    separable: bool = False


CNN_BLOCKS = (
    Block(24),
    Block(24, pooled=True),
    Block(24),
    Block(24),
    Block(48, pooled=True),
    Block(48),
    Block(64, 5, separable=True),
    Block(64, 5, separable=True),
)
SMALL_BLOCKS = (
    Block(8),
    Block(16, pooled=True),
    Block(16),
    Block(28, pooled=True),
    Block(44, 5, separable=True),
    Block(40, 5, separable=True),
)


def build_convolutional(name: str, blocks: Sequence[Block], dropout: float) -> keras.Model:
    """Build convolution blocks, global average pooling, dropout (0 to below 1) and a softmax."""
    model = keras.Sequential(
        [keras.Input((CROP_SIZE, CROP_SIZE, 1), name=INPUT_NAME), layers.Rescaling(1 / 255)], name=name
    )

    def add(convolution: keras.layers.Layer) -> None:
        model.add(convolution)
        model.add(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM))
        model.add(layers.ReLU())

    for block in blocks:
        settings: Any = {"strides": block.stride, "padding": "same", "use_bias": False}
        if block.pooled:
            model.add(layers.MaxPooling2D())
        if block.separable:
            add(layers.DepthwiseConv2D(block.size, **settings))
            add(layers.Conv2D(block.filters, 1, use_bias=False))
        else:
            add(layers.Conv2D(block.filters, block.size, **settings))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(CLASSES, activation="softmax", name=OUTPUT_NAME))
    return model


def build_mlp(dropout: float) -> keras.Model:
    """Build the network of the textbook: flatten, twice 512 ReLU units with dropout, softmax. 669,706 parameters."""
    return keras.Sequential(
        [
            keras.Input((CROP_SIZE, CROP_SIZE, 1), name=INPUT_NAME),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(512, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(CLASSES, activation="softmax", name=OUTPUT_NAME),
        ],
        name="mlp",
    )


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network that can be trained: `build` takes the dropout; `defaults` hold where the user gives no option."""

    build: Callable[[float], keras.Model]
    defaults: TrainConfig


def _camera_defaults(name: str) -> TrainConfig:
    """Defaults of a network for a camera. 5,000 of MNIST's 60,000 training images are enough to choose the epoch."""
    return TrainConfig(
        architecture=name,
        optimizer="adamw",
        epochs=8,
        validation_split=1 / 12,
        augment=ALL_TRANSFORMS,
        scenes=400,  # rendered in about a minute on two cores
    )


ARCHITECTURES = {
    "cnn": Architecture(partial(build_convolutional, "cnn", CNN_BLOCKS), _camera_defaults("cnn")),
    "small": Architecture(partial(build_convolutional, "small", SMALL_BLOCKS), _camera_defaults("small")),
    "mlp": Architecture(  # as in the textbook
        build_mlp,
        TrainConfig(architecture="mlp", optimizer="rmsprop", epochs=10, dropout=0.2, validation_split=0.2, augment=()),
    ),
}
"""Name -> architecture. The command line knows the names from `digitedge.bundle.architectures`."""


def find_architecture(path: Path) -> str:
    """Find the architecture whose layers a .keras file has.

    Raises:
        ModelError: no such file, or one with other layers.
    """
    shapes = [one.shape for one in load_keras(path).get_weights()]
    for name, architecture in ARCHITECTURES.items():
        if [one.shape for one in architecture.build(0.0).get_weights()] == shapes:
            return name
    raise ModelError(f"{path}: expected the layers of {', '.join(ARCHITECTURES)}, got others. Fine-tune one of these.")


def count_macs(model: keras.Model) -> int:
    """Count the multiply-accumulate operations for one image in convolutions and dense layers, nested models included.

    Examples:
        >>> count_macs(build_mlp(0.2)) == 784 * 512 + 512 * 512 + 512 * 10
        True
    """
    macs = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            macs += count_macs(layer)
        elif isinstance(layer, layers.Dense):
            macs += math.prod(layer.kernel.shape)
        elif hasattr(layer, "kernel") and len(layer.output.shape) == 4:
            macs += math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    return macs
