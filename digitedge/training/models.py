"""The architectures: what a textbook builds, and what this project deploys.

All take pixel values 0 to 255, (28, 28, 1), and divide by 255 inside, so that the exported file needs no preprocessing;
all end in a softmax over 10 digits.

`cnn` spends its 52 thousand parameters on six 3x3 convolutions and averages over the field instead of flattening it: a
flattened 7x7x48 field into 128 units would alone cost 301 thousand. (Rejected: widths up to 64, 99.66 % at 87 kB
against 99.61 % at 65 kB in int8, because the tool is for weak machines.)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import layers

from digitedge.runtime.contract import CLASSES, CROP_SIZE, INPUT_NAME, OUTPUT_NAME

# Keras's 0.99 lags hundreds of steps behind the weights, so that a short training validates and quantizes badly.
BATCH_NORM_MOMENTUM = 0.9


def build_mlp(dropout: float) -> keras.Model:
    """The textbook net: flatten, twice 512 relu with dropout, softmax. 669,706 parameters.

    Args:
        dropout: share of units dropped after each hidden layer while training, 0 to below 1; 0.2 in the textbook.
    """
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
class Block:
    """A convolution with batch normalization and ReLU.

    Attributes:
        filters: channels that come out.
        size: side of the kernel in pixels.
        stride: 2 halves the field.
        pooled: whether the field is halved before it, by the maximum of 2x2 pixels.
        separable: whether a filter for each channel comes first (size x size), and then a 1x1 convolution; each with
            batch normalization and ReLU of its own.
    """

    filters: int
    size: int = 3
    stride: int = 1
    pooled: bool = False
    separable: bool = False


def build_convolutional(name: str, blocks: Sequence[Block], dropout: float) -> keras.Model:
    """Blocks one after another, the mean of the field, softmax.

    Args:
        name: of the model.
        blocks: at least one.
        dropout: share of the averaged features dropped while training, 0 to below 1.
    """
    model = keras.Sequential(
        [keras.Input((CROP_SIZE, CROP_SIZE, 1), name=INPUT_NAME), layers.Rescaling(1 / 255)], name=name
    )

    def add(convolution: keras.layers.Layer) -> None:
        model.add(convolution)
        model.add(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM))
        model.add(layers.ReLU())

    for block in blocks:
        how: Any = {"strides": block.stride, "padding": "same", "use_bias": False}
        if block.pooled:
            model.add(layers.MaxPooling2D())
        if block.separable:
            add(layers.DepthwiseConv2D(block.size, **how))
            add(layers.Conv2D(block.filters, 1, use_bias=False))
        else:
            add(layers.Conv2D(block.filters, block.size, **how))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(CLASSES, activation="softmax", name=OUTPUT_NAME))
    return model


CNN = (
    Block(24),
    Block(24, pooled=True),
    Block(24),
    Block(24),
    Block(48, pooled=True),
    Block(48),
    Block(64, 5, separable=True),
    Block(64, 5, separable=True),
)
SMALL = (
    Block(8),
    Block(16, pooled=True),
    Block(16),
    Block(28, pooled=True),
    Block(44, 5, separable=True),
    Block(40, 5, separable=True),
)

ARCHITECTURES: dict[str, Callable[[float], keras.Model]] = {
    "cnn": partial(build_convolutional, "cnn", CNN),
    "small": partial(build_convolutional, "small", SMALL),
    "mlp": build_mlp,
}
"""Name -> builder that takes the dropout."""


def count_macs(model: keras.Model) -> int:
    """Multiply-accumulate operations for one image, in convolutions and dense layers; nested models included.

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
            positions = math.prod(layer.output.shape[1:3])
            macs += positions * math.prod(layer.kernel.shape)
    return macs
