"""Keras to ONNX through tf2onnx, and ONNX to int8 through ONNX Runtime.

int8 is QDQ, per channel, with signed weights and activations and reduce_range (7-bit weights). Softmax stays in float,
where it costs nothing and sums to 1. See docs/decisions/onnx-export.md.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from digitedge.bundle.manifest import TensorSpec
from digitedge.bundle.recipe import NumberFormat, Recipe
from digitedge.errors import ModelError
from digitedge.runtime.contract import INPUT_NAME, OUTPUT_NAME
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.quiet import quiet

# Weights and activations that are supported.
NUMBER_FORMATS = {(NumberFormat.FLOAT32, NumberFormat.FLOAT32), (NumberFormat.INT8, NumberFormat.INT8)}
OPSET = 17
IR_VERSION = 8
# ONNX Runtime 1.12 is the first with opset 17 and IR version 8. Source:
# onnxruntime.ai/docs/reference/compatibility.html
MINIMUM_RUNTIME = "ONNX Runtime 1.12"


def convert_onnx(model: keras.Model, recipe: Recipe, calibration: NDArray[np.uint8]) -> bytes:
    """Convert a model that meets the contract to an .onnx file, which takes uint8 and a batch of any size, called N.

    The calibration set, uint8 (N, 28, 28), is only used by int8.

    Raises:
        ModelError: a number format that is not supported for ONNX, or operators that ONNX does not have.
    """
    if (recipe.weights, recipe.activations) not in NUMBER_FORMATS:
        raise ModelError(
            f"recipe {recipe.name}: ONNX files with {recipe.weights} weights and {recipe.activations} activations are "
            "not supported. Leave Format.ONNX out of its formats."
        )
    try:
        with quiet(1, 2), warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as folder:
            proto = _float_model(model)
            if recipe.calibrated:
                proto = _quantized(proto, calibration, Path(folder))
            return bytes(proto.SerializeToString())
    except (ValueError, RuntimeError, KeyError, NotImplementedError, tf.errors.OpError) as exc:
        reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        raise ModelError(f"this model cannot be converted to ONNX {recipe.name}: {reason} Use simpler layers.") from exc


def describe_onnx(content: bytes) -> tuple[TensorSpec, TensorSpec, list[str], str]:
    """Read the input, output and operators of an .onnx file, and the oldest runtime that knows them."""
    proto = onnx.load_from_string(content)
    ops = sorted({node.op_type for node in proto.graph.node})
    opset = next(entry.version for entry in proto.opset_import if not entry.domain)
    return _tensor(proto.graph.input[0]), _tensor(proto.graph.output[0]), ops, f"{MINIMUM_RUNTIME} (opset {opset})"


def _float_model(model: keras.Model) -> onnx.ModelProto:
    """Convert a traced function: tf2onnx 1.17 `from_keras` fails on Keras 3 (KeyError 'keras_tensor_..')."""
    spec = tf.TensorSpec((None, CROP_SIZE, CROP_SIZE, 1), tf.uint8, name=INPUT_NAME)

    @tf.function(input_signature=[spec], autograph=False)  # type: ignore[untyped-decorator]
    def classify(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT_NAME: model(tf.cast(image, tf.float32), training=False)}

    proto, _ = tf2onnx.convert.from_function(classify, input_signature=[spec], opset=OPSET)
    proto.ir_version = IR_VERSION
    _hold_captured(proto, classify.get_concrete_function())
    (output,) = proto.graph.output
    for node in proto.graph.node:  # tf2onnx calls the output Identity:0
        node.output[:] = [OUTPUT_NAME if name == output.name else name for name in node.output]
        node.input[:] = [OUTPUT_NAME if name == output.name else name for name in node.input]
    output.name = OUTPUT_NAME
    for tensor in (*proto.graph.input, *proto.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.checker.check_model(proto)
    return proto


def _hold_captured(proto: onnx.ModelProto, function: Any) -> None:
    """Turn inputs into constants where layers hold a tensor that is no variable: Normalization holds its mean."""
    values = {inner.name: outer for outer, inner in function.graph.captures if inner.dtype != tf.resource}
    for captured in [one for one in proto.graph.input if one.name in values]:
        proto.graph.input.remove(captured)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values[captured.name].numpy(), captured.name))


def _quantized(proto: onnx.ModelProto, calibration: NDArray[np.uint8], folder: Path) -> onnx.ModelProto:
    """Static QDQ quantization; the library works on files."""
    plain, prepared, quantized = (folder / name for name in ("plain.onnx", "prepared.onnx", "quantized.onnx"))
    onnx.save(proto, plain)
    quant_pre_process(plain, prepared, skip_symbolic_shape=True)  # symbolic shapes would need sympy
    types = sorted({node.op_type for node in onnx.load(prepared).graph.node} - {"Softmax", "Cast"})
    quantize_static(
        prepared,
        quantized,
        _CalibrationReader(calibration),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=types,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
    )
    return onnx.load(quantized)


class _CalibrationReader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Feeds the calibration images one by one."""

    def __init__(self, calibration: NDArray[np.uint8]) -> None:
        self._batches = ({INPUT_NAME: crop[None, ..., None]} for crop in calibration)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """One batch of 1, (1, 28, 28, 1); None at the end."""
        return next(self._batches, None)


def _tensor(value: onnx.ValueInfoProto) -> TensorSpec:
    kind = value.type.tensor_type
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
    return TensorSpec(name=value.name, dtype=dtype, shape=[d.dim_param or d.dim_value for d in kind.shape.dim])
