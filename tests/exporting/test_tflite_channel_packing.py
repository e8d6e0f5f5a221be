"""The first convolution over groups of four pixels: the same answers, bit for bit."""

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

from digitedge.exporting.tflite_channel_packing import PIXELS, pack_pixels
from digitedge.exporting.tflite_strip import compact
from digitedge.utils.quiet import quiet

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 1, 28, 28, 1), np.uint8)


def converted(first: Sequence[layers.Layer], *, width: int = 28) -> Any:
    """What TensorFlow makes of a small net with random weights, in int8."""
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input(batch_shape=(1, 28, width, 1)),
            layers.Rescaling(1 / 255),
            *first,
            layers.Flatten(),  # every place counts, where a mean would hide what stands beside its place
            layers.Dense(10, activation="softmax"),
        ]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([i[:, :, :width].astype(np.float32)] for i in IMAGES)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    with quiet(1, 2), warnings.catch_warnings(action="ignore"):
        return flatbuffer_utils.convert_bytearray_to_object(converter.convert())


def answers(content: bytes, *, width: int = 28) -> NDArray[np.float32]:
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
def test_the_answers_stay_whatever_the_size_of_the_filters(
    kernel: int | tuple[int, int], packed: tuple[int, ...]
) -> None:
    first = [layers.Conv2D(6, kernel, padding="same", bias_initializer="random_normal"), layers.ReLU()]
    model = converted(first)
    before = answers(compact(model))
    pack_pixels(model)
    assert first_convolution(model) == packed
    np.testing.assert_array_equal(answers(compact(model)), before)
    assert len({tuple(row) for row in before}) > 1, "answers that differ prove that they stay"


def test_a_net_that_reshapes_already_keeps_one_operator_for_it() -> None:
    model = converted([layers.Conv2D(4, 3, padding="same"), layers.Reshape((14, 56, 4))])
    before = answers(compact(model))
    pack_pixels(model)
    assert len(model.operatorCodes) == len({code.builtinCode for code in model.operatorCodes})
    np.testing.assert_array_equal(answers(compact(model)), before)


def test_only_the_first_convolution_changes() -> None:
    model = converted([layers.Conv2D(1, 3, padding="same"), layers.Conv2D(4, 3, padding="same")])
    before = answers(compact(model))
    pack_pixels(model)
    np.testing.assert_array_equal(answers(compact(model)), before)
    convolutions = [o for o in model.subgraphs[0].operators if len(o.inputs) == 3]
    shapes = [model.subgraphs[0].tensors[o.inputs[1]].shape.tolist() for o in convolutions]
    assert shapes[:2] == [[PIXELS, 3, 3, PIXELS], [4, 3, 3, 1]]


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
def test_what_does_not_fit_stays_as_it_is(first: list[layers.Layer], width: int) -> None:
    model = converted(first, width=width)
    before = compact(model)
    pack_pixels(model)
    assert compact(model) == before


def test_filters_that_another_convolution_uses_too_stay() -> None:
    shared = layers.Conv2D(1, 3, padding="same")
    model = converted([shared, shared])
    graph = model.subgraphs[0]
    first, second = [o for o in graph.operators if len(o.inputs) == 3][:2]
    # The converter makes two of them, with scales of their own.
    second.inputs = np.array([second.inputs[0], first.inputs[1], second.inputs[2]], np.int32)
    before = compact(model)
    pack_pixels(model)
    assert compact(model) == before


class Mirrored(layers.Layer):
    """An image and its mirror image, stacked into the batch, convolved, and laid on top of each other."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.convolution = layers.Conv2D(4, 3, padding="same")
        self.convolution.build(shape)

    def call(self, x: Any) -> Any:
        both = keras.ops.concatenate([x, keras.ops.flip(x, 2)], 0)
        return keras.ops.reshape(self.convolution(both), (1, 56, 28, 4))


def test_a_batch_of_two_stays_one() -> None:
    model = converted([Mirrored()])
    before = answers(compact(model))
    pack_pixels(model)
    assert first_convolution(model) == (16, 3, 3, 4)
    np.testing.assert_array_equal(answers(compact(model)), before)


class Computed(layers.Layer):
    """Filters that depend on the image."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.filters = self.add_weight(shape=(3, 3, 1, 4))

    def call(self, x: Any) -> Any:
        return keras.ops.conv(x, self.filters * (0.1 + keras.ops.mean(x)), padding="same")


def test_filters_that_are_computed_stay() -> None:
    model = converted([Computed()])
    before = compact(model)
    pack_pixels(model)
    assert compact(model) == before
