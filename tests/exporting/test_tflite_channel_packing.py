"""Channel packing: the outputs stay bit-equal."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from numpy.typing import NDArray
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.exporting.tflite_channel_packing import GROUP, pack_channels
from digitedge.exporting.tflite_strip import serialize_stripped
from digitedge.utils.quiet import quiet

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 1, 28, 28, 1), np.uint8)


def converted(first: Sequence[layers.Layer], *, width: int = 28) -> Any:
    """A small model with random weights, converted by TensorFlow to int8."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(1, 28, width, 1)),
            layers.Rescaling(1 / 255),
            *first,
            layers.Flatten(),  # every position counts; a mean would hide shifted ones
            layers.Dense(10, activation="softmax"),
        ]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([i[:, :, :width].astype(np.float32)] for i in IMAGES)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    with quiet(1, 2), warnings.catch_warnings(action="ignore"):
        return flatbuffer_utils.convert_bytearray_to_object(converter.convert())


def outputs(content: bytes, *, width: int = 28) -> NDArray[np.float32]:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for image in IMAGES:
        interpreter.set_tensor(source["index"], image[:, :, :width])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(target["index"])[0])
    return np.array(rows)


def first_convolution(model: Any) -> tuple[int, ...]:
    """Shape of the filters of the first convolution."""
    convolution = next(o for o in model.subgraphs[0].operators if len(o.inputs) == 3)
    return tuple(int(side) for side in model.subgraphs[0].tensors[convolution.inputs[1]].shape)


@pytest.mark.parametrize(
    ("kernel", "packed"),
    [
        (1, (24, 1, 1, 4)),
        (2, (24, 2, 3, 4)),
        (3, (24, 3, 3, 4)),
        (5, (24, 5, 3, 4)),
        (11, (24, 11, 5, 4)),
        ((1, 5), (24, 1, 3, 4)),
        ((5, 1), (24, 5, 1, 4)),
    ],
)
def test_packing_keeps_the_outputs_for_every_filter_size(
    kernel: int | tuple[int, int], packed: tuple[int, ...]
) -> None:
    first = [layers.Conv2D(6, kernel, padding="same", bias_initializer="random_normal"), layers.ReLU()]
    model = converted(first)
    before = outputs(serialize_stripped(model))
    pack_channels(model)
    assert first_convolution(model) == packed
    np.testing.assert_array_equal(outputs(serialize_stripped(model)), before)
    assert len({tuple(row) for row in before}) > 1, "equal outputs for all images would prove nothing"


def test_a_model_with_a_reshape_gets_no_second_operator_code() -> None:
    model = converted([layers.Conv2D(4, 3, padding="same"), layers.Reshape((14, 56, 4))])
    before = outputs(serialize_stripped(model))
    pack_channels(model)
    assert len(model.operatorCodes) == len({code.builtinCode for code in model.operatorCodes})
    np.testing.assert_array_equal(outputs(serialize_stripped(model)), before)


def test_only_the_first_convolution_is_packed() -> None:
    model = converted([layers.Conv2D(1, 3, padding="same"), layers.Conv2D(4, 3, padding="same")])
    before = outputs(serialize_stripped(model))
    pack_channels(model)
    np.testing.assert_array_equal(outputs(serialize_stripped(model)), before)
    convolutions = [o for o in model.subgraphs[0].operators if len(o.inputs) == 3]
    shapes = [model.subgraphs[0].tensors[o.inputs[1]].shape.tolist() for o in convolutions]
    assert shapes[:2] == [[GROUP, 3, 3, GROUP], [4, 3, 3, 1]]


@pytest.mark.parametrize(
    ("first", "width"),
    [
        ([layers.Conv2D(6, 3, padding="same", strides=2)], 28),
        ([layers.Conv2D(6, 3, padding="same", dilation_rate=2)], 28),
        ([layers.Conv2D(6, 3)], 28),
        ([layers.Conv2D(6, 3, padding="same")], 26),
        ([layers.DepthwiseConv2D(3, padding="same")], 28),
        ([layers.Conv2D(6, 3), layers.ZeroPadding2D(1), layers.Conv2D(4, 3, padding="same")], 28),
    ],
    ids=["stride", "dilation", "no border", "width", "depthwise", "more channels"],
)
def test_other_convolutions_stay_unchanged(first: list[layers.Layer], width: int) -> None:
    model = converted(first, width=width)
    before = serialize_stripped(model)
    pack_channels(model)
    assert serialize_stripped(model) == before


def test_shared_filters_stay_unchanged() -> None:
    shared = layers.Conv2D(1, 3, padding="same")
    model = converted([shared, shared])
    graph = model.subgraphs[0]
    first, second = [o for o in graph.operators if len(o.inputs) == 3][:2]
    # The converter makes two copies, each with its own scales.
    second.inputs = np.array([second.inputs[0], first.inputs[1], second.inputs[2]], np.int32)
    before = serialize_stripped(model)
    pack_channels(model)
    assert serialize_stripped(model) == before


class Mirrored(layers.Layer):
    """Convolves an image and its mirror image as a batch of two."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.convolution = layers.Conv2D(4, 3, padding="same")
        self.convolution.build(shape)

    def call(self, x: Any) -> Any:
        both = keras.ops.concatenate([x, keras.ops.flip(x, 2)], 0)
        return keras.ops.reshape(self.convolution(both), (1, 56, 28, 4))


def test_a_batch_of_two_keeps_its_outputs() -> None:
    model = converted([Mirrored()])
    before = outputs(serialize_stripped(model))
    pack_channels(model)
    assert first_convolution(model) == (16, 3, 3, 4)
    np.testing.assert_array_equal(outputs(serialize_stripped(model)), before)


class Computed(layers.Layer):
    """Filters that depend on the image."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.filters = self.add_weight(shape=(3, 3, 1, 4))

    def call(self, x: Any) -> Any:
        return keras.ops.conv(x, self.filters * (0.1 + keras.ops.mean(x)), padding="same")


def test_computed_filters_stay_unchanged() -> None:
    model = converted([Computed()])
    before = serialize_stripped(model)
    pack_channels(model)
    assert serialize_stripped(model) == before
