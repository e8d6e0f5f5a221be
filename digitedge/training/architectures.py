"""The architectures: what a textbook builds, and what this project deploys.

All take pixel values 0 to 255, (28, 28, 1), and divide by 255 inside, so that the exported file needs no preprocessing;
all end in a softmax over 10 digits.

`cnn` and `small` average over the field instead of flattening it: a flattened 7x7x48 field into 128 units would alone
cost 301 thousand parameters. They were chosen by a search (`make search`: 5 epochs on 20,000 training images and 200
scenes, one seed; int8 TFLite on 5,000 other training images, clean and under the damage that training knows):

    net                            kB   thousand   million      us   right   right of
                                        parameters    MACs                    damaged
    pairs                        61.3       52.1      6.32      45   99.26      97.22
    stride                       75.5       66.6      4.67      35   99.22      96.64
    wide                         73.6       63.8      4.74      45   99.20      96.93
    cnn                          75.7       59.2      5.23      57   99.38      97.45
    stride, small                23.1       17.2      1.21      15   98.44      93.22
    pooled, small                18.1       12.2      0.79      17   97.98      92.85
    stride and separable, small  23.6       13.5      0.99      19   98.78      94.60
    separable, small             30.7       14.9      1.00      36   98.92      95.20
    small                        24.5       13.7      1.17      25   99.08      96.09

In the last stage, a 5x5 filter for each channel with a 1x1 convolution does more for its parameters than 3x3
convolutions; before it, a first layer that sees every pixel and is then pooled does more than one with a stride. Such
filters cost bytes, because an int8 file had 28 for each channel beside the weights. (Microseconds: one thread of
LiteRT on an AMD with AVX-512, other jobs beside it. Files have become 2 kB smaller since, 20 bytes for each channel,
and with AMX faster: exporting/packed_pixels.py. The limits were 80 kB for `cnn`, 24 kB and 1.3 million
multiply-accumulates for `small`.)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import layers

from digitedge.runtime.contract import CLASSES, INPUT_NAME, OUTPUT_NAME
from digitedge.utils.crop_format import CROP_SIZE

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
