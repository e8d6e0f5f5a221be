"""Float .tflite files become int8 files that give the same digits."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from numpy.typing import NDArray
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.recipe import RECIPES
from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.exporting.tflite_quantizer import quantize_tflite
from digitedge.utils.quiet import quiet

INT8 = RECIPES["int8"]


@pytest.fixture(scope="module")
def foreign(unit_model: Path) -> bytes:
    """A float file as others make it: a free batch, pixels from 0 to 1, neither signature nor names of tensors."""
    with quiet(1, 2):
        converted = tf.lite.TFLiteConverter.from_keras_model(keras.models.load_model(unit_model)).convert()
    model = flatbuffer_utils.convert_bytearray_to_object(converted)
    model.signatureDefs = None
    for tensor in model.subgraphs[0].tensors:
        tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


@pytest.fixture(scope="module")
def calibration(data: Dataset) -> list[NDArray[np.float32]]:
    return list(data.x_train[:100, None].astype(np.float32) / 255)


def run(content: bytes, images: NDArray[np.uint8]) -> tuple[NDArray[np.int64], set[Any]]:
    """The digits of images, and the types of all tensors."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert source["dtype"] == target["dtype"] == np.float32
    digits = []
    for image in images:
        interpreter.set_tensor(source["index"], image[None].astype(np.float32) / 255)
        interpreter.invoke()
        digits.append(int(np.argmax(interpreter.get_tensor(target["index"]))))
    return np.array(digits), {detail["dtype"] for detail in interpreter.get_tensor_details()}


def test_an_int8_file_gives_the_digits_of_the_float_file(
    foreign: bytes, calibration: list[NDArray[np.float32]], data: Dataset
) -> None:
    quantized = quantize_tflite(foreign, INT8, calibration)
    before, _ = run(foreign, data.x_test)
    after, types = run(quantized, data.x_test)
    assert np.mean(before == data.y_test) > 0.8, "a model that knows nothing would prove nothing"
    assert np.mean(after == before) >= 0.98
    assert np.int8 in types
    assert len(quantized) < len(foreign) / 3


def test_a_network_that_crashes_tensorflow_is_an_error_in_one_line() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(1, 28, 28)), layers.LSTM(4), layers.Dense(10)])
    with quiet(1, 2):
        content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    with pytest.raises(ModelError, match=r"cannot quantize this \.tflite file to int8: it crashed") as raised:
        quantize_tflite(content, INT8, [np.zeros((1, 28, 28), np.float32)])
    assert "\n" not in str(raised.value)


def test_other_recipes_are_refused(foreign: bytes, calibration: list[NDArray[np.float32]]) -> None:
    with pytest.raises(ModelError, match=r"recipe int8 .* got dynamic"):
        quantize_tflite(foreign, RECIPES["dynamic"], calibration)


def test_a_quantized_file_is_refused(released: Path) -> None:
    with pytest.raises(ModelError, match="one float32 input, got uint8"):
        quantize_tflite((released / "model_int8.tflite").read_bytes(), INT8, [np.zeros((1, 28, 28, 1), np.float32)])


def test_damage_is_refused(foreign: bytes) -> None:
    with pytest.raises(ModelError, match="that LiteRT can run"):
        quantize_tflite(b"not a model", INT8, [])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([], "got none"),
        ([np.zeros((28, 28), np.float32)], r"float32 \(1, 28, 28\).*got float32 \(28, 28\)"),
        ([np.zeros((1, 28, 28), np.uint8)], r"got uint8 \(1, 28, 28\)"),
    ],
    ids=["none", "shape", "type"],
)
def test_calibration_arrays_are_checked(foreign: bytes, arrays: list[NDArray[Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        quantize_tflite(foreign, INT8, arrays)
