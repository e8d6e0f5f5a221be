"""The architectures: what a textbook builds, and what this project deploys.

All take pixel values 0 to 255, (28, 28, 1), and divide by 255 inside, so that the exported file needs no preprocessing;
all end in a softmax over 10 digits.

`cnn` spends its 52 thousand parameters on six 3x3 convolutions and averages over the field instead of flattening it: a
flattened 7x7x48 field into 128 units would alone cost 301 thousand. (Rejected: widths up to 64, 99.66 % at 87 kB
against 99.61 % at 65 kB in int8, because the tool is for weak machines.)
"""

import math
from collections.abc import Callable

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


def build_cnn(dropout: float) -> keras.Model:
    """Three pairs of 3x3 convolutions with batch normalization, pooled in between, averaged at the end.

    Args:
        dropout: share of the averaged features dropped while training, 0 to below 1.
    """
    model = keras.Sequential(
        [keras.Input((CROP_SIZE, CROP_SIZE, 1), name=INPUT_NAME), layers.Rescaling(1 / 255)], name="cnn"
    )
    for stage, filters in enumerate((16, 32, 48)):
        if stage:
            model.add(layers.MaxPooling2D())  # 28 -> 14 -> 7
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
            model.add(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM))
            model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(CLASSES, activation="softmax", name=OUTPUT_NAME))
    return model


ARCHITECTURES: dict[str, Callable[[float], keras.Model]] = {"cnn": build_cnn, "mlp": build_mlp}
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
