"""Keras to TFLite, through TensorFlow's converter.

A functional clone with a fixed batch of 1 is converted: a free batch adds SHAPE and PACK operators, and converting
concrete functions wrote a file without weights and reported success (TensorFlow 2.21). Only built-in operators are
allowed, because others need a delegate that devices do not have.
"""

import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from tensorflow.lite.python.convert import ConverterError
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.manifest import TensorSpec
from digitedge.bundle.recipe import NumberFormat, Recipe
from digitedge.errors import ModelError
from digitedge.exporting.tflite_channel_packing import builtin_code, pack_channels
from digitedge.exporting.tflite_strip import MINIMUM_RUNTIME, serialize_stripped
from digitedge.runtime.contract import INPUT_NAME, OUTPUT_NAME
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.quiet import quiet


def convert_tflite(model: keras.Model, recipe: Recipe, calibration: NDArray[np.uint8]) -> bytes:
    """Convert a model that meets the contract to a .tflite file.

    The calibration set, uint8 (N, 28, 28), is only used by int8.

    Raises:
        ModelError: the model needs operators that TFLite does not have.
    """
    image = keras.Input(batch_shape=(1, CROP_SIZE, CROP_SIZE, 1), name=INPUT_NAME)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, {OUTPUT_NAME: model(image)}))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if recipe.weights is not NumberFormat.FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.weights is NumberFormat.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    if recipe.calibrated:
        converter.representative_dataset = lambda: ([crop[None, ..., None].astype(np.float32)] for crop in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8  # scale 1, zero point 0: crops are fed unchanged
    try:
        with quiet(1, 2), warnings.catch_warnings(action="ignore"):
            converted = converter.convert()
    except (ConverterError, tf.errors.OpError, ValueError, RuntimeError, TypeError) as exc:
        reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        raise ModelError(
            f"TensorFlow cannot convert this model to TFLite {recipe.name}: {reason} Use simpler layers."
        ) from exc
    unpacked = flatbuffer_utils.convert_bytearray_to_object(converted)
    if recipe.calibrated:
        pack_channels(unpacked)
    return serialize_stripped(unpacked)


def describe_tflite(content: bytes) -> tuple[TensorSpec, TensorSpec, list[str], str]:
    """Read the input, output and operators of a .tflite file, and the oldest runtime that knows them."""
    with quiet(2):
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    ops = sorted({names[builtin_code(code)] for code in model.operatorCodes})
    return (
        _tensor(interpreter.get_input_details()[0], INPUT_NAME),
        _tensor(interpreter.get_output_details()[0], OUTPUT_NAME),
        ops,
        f"LiteRT or TensorFlow Lite {_minimum_runtime(model)}",
    )


def _tensor(details: dict[str, Any], name: str) -> TensorSpec:
    scale, zero_point = details["quantization"]
    return TensorSpec(
        name=name,
        dtype=np.dtype(details["dtype"]).name,
        shape=[int(n) for n in details["shape"]],
        scale=float(scale) or None,
        zero_point=int(zero_point) if scale else None,
    )


def _minimum_runtime(model: Any) -> str:
    """The metadata entry min_runtime_version that the converter wrote."""
    for entry in model.metadata or []:
        if entry.name == MINIMUM_RUNTIME:
            return bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode()
    raise ModelError("the TFLite file does not state its minimum runtime; use TensorFlow 2.20 or newer")
