"""Keras to TFLite, through TensorFlow's converter.

A functional clone with a fixed batch of 1 is converted: a free batch adds SHAPE and PACK operators, and converting
concrete functions wrote a file without weights and reported success (TensorFlow 2.21). Only built-in operators are
allowed, because others need a delegate that devices do not have.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.manifest import TensorSpec
from digitedge.bundle.recipe import RECIPES, CalibrationMethod, NumberFormat, Recipe
from digitedge.errors import InputError, ModelError, first_line
from digitedge.exporting.feature_output import add_tflite_features
from digitedge.exporting.layer_names import choose_kept, marked_layers, tflite_layers
from digitedge.exporting.tflite_channel_packing import builtin_code, pack_channels
from digitedge.exporting.tflite_strip import MINIMUM_RUNTIME, serialize_stripped
from digitedge.runtime.contract import INPUT_NAME, OUTPUT_NAME
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.quiet import quiet


def convert_tflite(
    model: keras.Model,
    recipe: Recipe,
    calibration: NDArray[np.uint8],
    *,
    keep_float: Sequence[str] = (),
    method: CalibrationMethod = CalibrationMethod.MINMAX,
) -> bytes:
    """Convert a model that meets the contract to a .tflite file, with the features as its second output if it has any.

    Only int8 uses the calibration set, uint8 (N, 28, 28), its method, and the layers to keep in float.

    Raises:
        ModelError: the model needs operators that TFLite does not have.
        InputError: a name in `keep_float` that no layer has.
    """
    with _explain_errors(recipe), marked_layers(model):
        converter = _converter(model, recipe, calibration)
        if recipe.calibrated and (keep_float or method is not CalibrationMethod.MINMAX):
            converted = _quantize_in_steps(converter, calibration, keep_float, method)
        else:
            converted = converter.convert()
    unpacked = flatbuffer_utils.convert_bytearray_to_object(converted)
    if recipe.calibrated:
        pack_channels(unpacked)
    add_tflite_features(unpacked)
    return serialize_stripped(unpacked)


def convert_named_tflite(model: keras.Model) -> bytes:
    """Convert a model to a float32 .tflite file whose tensors keep the names of its layers.

    Raises:
        ModelError: the model needs operators that TFLite does not have.
    """
    recipe = RECIPES["float32"]
    with _explain_errors(recipe), marked_layers(model):
        return bytes(_converter(model, recipe, np.empty((0, CROP_SIZE, CROP_SIZE), np.uint8)).convert())


def _converter(model: keras.Model, recipe: Recipe, calibration: NDArray[np.uint8]) -> Any:
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
    return converter


@contextmanager
def _explain_errors(recipe: Recipe) -> Iterator[None]:
    try:
        with quiet(1, 2), warnings.catch_warnings(action="ignore"):
            yield
    except InputError:  # also a ValueError
        raise
    except Exception as exc:  # the converter, MLIR and the calibrator raise errors of many kinds
        raise ModelError(f"TensorFlow cannot convert this model to TFLite {recipe.name}: {_explain(exc)}") from exc


def _quantize_in_steps(
    converter: Any, calibration: NDArray[np.uint8], keep_float: Sequence[str], method: CalibrationMethod
) -> bytes:
    """Calibrate first and quantize then, as the converter does inside, but leave out the operators of some layers."""
    converter._experimental_calibrate_only = True
    calibrated = converter.convert()
    model = flatbuffer_utils.convert_bytearray_to_object(calibrated)
    graph = model.subgraphs[0]
    kept = {
        graph.tensors[graph.operators[index].outputs[0]].name.decode()
        for index in choose_kept(keep_float, tflite_layers(model))
    }
    if method is CalibrationMethod.PERCENTILE:
        _leave_out_extremes(model, calibrated, calibration)
        calibrated = flatbuffer_utils.convert_object_to_bytearray(model)
    return bytes(mlir_quantize(bytes(calibrated), input_data_type=tf.uint8, denylisted_nodes=kept))


def _leave_out_extremes(model: Any, content: bytes, calibration: NDArray[np.uint8]) -> None:
    """Set each range of a calibrated model to what all but 1 % of the images stay within, at either end."""
    interpreter = open_tflite(content, keep_tensors=True)
    (image,) = interpreter.get_input_details()
    graph = model.subgraphs[0]
    computed = sorted({int(tensor) for one in graph.operators for tensor in one.outputs})
    observed = [index for index in computed if graph.tensors[index].type == schema.TensorType.FLOAT32]
    extremes = np.empty((len(calibration), len(observed), 2))
    for row, crop in zip(extremes, calibration, strict=True):
        interpreter.set_tensor(image["index"], crop[None, ..., None].astype(np.float32))
        interpreter.invoke()
        row[:] = [(values.min(), values.max()) for values in map(interpreter.get_tensor, observed)]
    for index, low, high in zip(observed, *np.percentile(extremes, (1, 99), axis=0)[[0, 1], :, [0, 1]], strict=True):
        about = graph.tensors[index].quantization
        if about is not None and about.min is not None:
            about.min, about.max = np.array([low], np.float32), np.array([high], np.float32)


def open_tflite(content: bytes, *, keep_tensors: bool = False) -> Interpreter:
    """Open a file; to keep tensors between operators, without XNNPACK, which computes past them."""
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if keep_tensors else OpResolverType.AUTO
    with quiet(2):
        interpreter = Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=resolver,
            experimental_preserve_all_tensors=keep_tensors,
        )
        interpreter.allocate_tensors()
    return interpreter


def _explain(error: Exception) -> str:
    """The operators that TFLite does not have, if these are the cause, else the first line of the error."""
    ops = sorted(set(re.findall(r"\btf\.(?!lite|Tensor)([A-Z]\w+)", str(error))))
    if ops:
        return f"it has no {', '.join(ops)}. Use other layers, or export it as ONNX alone: --format onnx"
    return f"{first_line(error)} Use other layers, or export it as ONNX alone: --format onnx"


def describe_tflite(content: bytes) -> tuple[TensorSpec, TensorSpec, list[str], str]:
    """Read the input, output and operators of a .tflite file, and the oldest runtime that knows them."""
    interpreter = open_tflite(content)
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
    return "of an unknown version"  # a third-party file
