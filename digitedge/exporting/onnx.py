"""Keras to ONNX through tf2onnx, and ONNX to int8 through ONNX Runtime.

int8 is QDQ, per channel, with signed weights and activations and reduce_range (7-bit weights). Softmax stays in float,
where it costs nothing and sums to 1. See docs/decisions/onnx-export.md.
"""

import re
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnx.version_converter
import onnxruntime.quantization as quantization
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from digitedge.benchmark.footprint.onnx_runtimes import minimum_version
from digitedge.bundle.manifest import TensorSpec
from digitedge.bundle.recipe import CalibrationMethod, NumberFormat, Recipe
from digitedge.errors import InputError, ModelError, first_line
from digitedge.exporting.feature_output import add_onnx_features
from digitedge.exporting.layer_names import choose_kept, marked_layers, name_folded, onnx_layers
from digitedge.exporting.number_formats import recipe_of_onnx
from digitedge.runtime.contract import INPUT_NAME, OUTPUT_NAME
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.quiet import quiet

# Weights and activations that are supported.
NUMBER_FORMATS = {(NumberFormat.FLOAT32, NumberFormat.FLOAT32), (NumberFormat.INT8, NumberFormat.INT8)}
FUSED = ("Relu", "Clip")
"""Kinds of nodes that quantization may remove: the range of the codes does their work."""
OPSET = 17
FIRST_OPSET_WITH_AXIS = 13
IR_VERSION = 8
_METHODS = {
    CalibrationMethod.MINMAX: quantization.CalibrationMethod.MinMax,
    CalibrationMethod.PERCENTILE: quantization.CalibrationMethod.Percentile,
}


def convert_onnx(
    model: keras.Model | onnx.ModelProto,
    recipe: Recipe,
    calibration: NDArray[np.uint8],
    *,
    keep_float: Sequence[str] = (),
    method: CalibrationMethod = CalibrationMethod.MINMAX,
) -> bytes:
    """Convert a model that meets the contract to an .onnx file, which takes uint8 and a batch of any size, called N.

    A Keras model that ends in a dense layer and a softmax gets the features as its second output. An ONNX model, see
    `digitedge.exporting.onnx_contract`, keeps its batch.

    Only int8 uses the calibration set, uint8 (N, 28, 28), its method, and the layers to keep in float.

    Raises:
        ModelError: a number format that is not supported for ONNX, or operators that ONNX does not have.
        InputError: a name in `keep_float` that no layer has.
    """
    if isinstance(model, onnx.ModelProto) and recipe_of_onnx(model) == recipe.name:
        return bytes(model.SerializeToString())
    if (recipe.weights, recipe.activations) not in NUMBER_FORMATS:
        raise ModelError(
            f"recipe {recipe.name}: ONNX files with {recipe.weights} weights and {recipe.activations} activations are "
            "not supported. Leave Format.ONNX out of its formats."
        )
    try:
        with (
            nullcontext() if isinstance(model, onnx.ModelProto) else marked_layers(model),
            quiet(1, 2),
            warnings.catch_warnings(action="ignore"),
            temporary_folder() as folder,
        ):
            proto = model if isinstance(model, onnx.ModelProto) else _float_model(model)
            if recipe.calibrated:
                proto = _quantized(_with_axis(proto), calibration, folder, keep_float, method)
            if isinstance(model, keras.Model):
                add_onnx_features(proto)
            return bytes(proto.SerializeToString())
    except InputError:  # also a ValueError
        raise
    except Exception as exc:  # tf2onnx, onnx and ONNX Runtime raise errors of many kinds
        if isinstance(model, onnx.ModelProto):
            raise ModelError(
                f"this model cannot be quantized by ONNX Runtime: {first_line(exc)} Use its float32 file."
            ) from exc
        raise ModelError(f"this model cannot be converted to ONNX {recipe.name}: {_explain(exc)}") from exc


def _explain(error: Exception) -> str:
    """The operator that ONNX does not have, if it is the cause, else the first line of the error."""
    missing = re.search(r"No Op registered for (\w+)", str(error))
    if missing and missing[1] not in ("StatefulPartitionedCall", "PartitionedCall"):
        return f"ONNX has no {missing[1]}. Use another layer, or leave ONNX out: --format tflite"
    return f"{first_line(error)} Use other layers, or leave ONNX out: --format tflite"


def describe_onnx(content: bytes) -> tuple[TensorSpec, TensorSpec, list[str], str]:
    """Read the input, output and operators of an .onnx file, and the oldest runtime that knows them."""
    proto = onnx.load_from_string(content)
    ops = sorted({node.op_type for node in proto.graph.node})
    opset = next(entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))
    minimum = minimum_version(opset, proto.ir_version) or "newer than 1.32"
    return _tensor(proto.graph.input[0]), _tensor(proto.graph.output[0]), ops, f"ONNX Runtime {minimum} (opset {opset})"


def _float_model(model: keras.Model) -> onnx.ModelProto:
    """Convert a traced function: tf2onnx 1.17 `from_keras` fails on Keras 3 (KeyError 'keras_tensor_..')."""
    batch = model.outputs[0].shape[0]  # that of a SavedModel may be fixed
    spec = tf.TensorSpec((batch, CROP_SIZE, CROP_SIZE, 1), tf.uint8, name=INPUT_NAME)

    @tf.function(input_signature=[spec], autograph=False)  # type: ignore[untyped-decorator]
    def classify(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT_NAME: model(tf.cast(image, tf.float32), training=False)}

    proto, _ = tf2onnx.convert.from_function(
        classify, input_signature=[spec], opset=OPSET, custom_op_handlers={"Erfc": (_erfc_handler, [])}
    )
    proto.ir_version = IR_VERSION
    name_folded(proto, model)
    _hold_captured(proto, classify.get_concrete_function())
    (output,) = proto.graph.output
    for node in proto.graph.node:  # tf2onnx calls the output Identity:0
        node.output[:] = [OUTPUT_NAME if name == output.name else name for name in node.output]
        node.input[:] = [OUTPUT_NAME if name == output.name else name for name in node.input]
    output.name = OUTPUT_NAME
    if batch is None:
        for tensor in (*proto.graph.input, *proto.graph.output):
            tensor.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.checker.check_model(proto)
    return proto


def _erfc_handler(context: Any, node: Any, name: str, args: Any) -> None:
    """Make Erfc, which the activation gelu contains and ONNX does not have, of Erf: erfc(x) = 1 - erf(x)."""
    (shape,), (dtype,) = node.output_shapes, node.output_dtypes
    outputs = list(node.output)
    inputs = list(node.input)
    context.remove_node(name)
    erf = context.make_node("Erf", inputs, shapes=[shape], dtypes=[dtype])
    one = context.make_const(tf2onnx.utils.make_name("one"), np.ones((), np.float32))
    context.make_node("Sub", [one.output[0], erf.output[0]], outputs=outputs, shapes=[shape], dtypes=[dtype])


def _hold_captured(proto: onnx.ModelProto, function: Any) -> None:
    """Turn inputs into constants where layers hold a tensor that is no variable: Normalization holds its mean."""
    values = {inner.name: outer for outer, inner in function.graph.captures if inner.dtype != tf.resource}
    for captured in [one for one in proto.graph.input if one.name in values]:
        proto.graph.input.remove(captured)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values[captured.name].numpy(), captured.name))


def prepare_onnx(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Fuse nodes and fold constants, as static quantization wants it; the library works on files."""
    with temporary_folder() as folder:
        plain, prepared = folder / "plain.onnx", folder / "prepared.onnx"
        onnx.save(proto, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)  # symbolic shapes would need sympy
        return onnx.load(prepared)


def _with_axis(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A model in an opset that can quantize each channel by itself; one that is older is converted."""
    opset = next(entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))
    return proto if opset >= FIRST_OPSET_WITH_AXIS else onnx.version_converter.convert_version(proto, OPSET)


def _quantized(
    proto: onnx.ModelProto,
    calibration: NDArray[np.uint8],
    folder: Path,
    keep_float: Sequence[str],
    method: CalibrationMethod,
) -> onnx.ModelProto:
    """Static QDQ quantization; the library works on files."""
    prepared, quantized = prepare_onnx(proto), folder / "quantized.onnx"
    quantize_static(
        prepared,
        quantized,
        _CalibrationReader(calibration, proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value or 1),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=sorted({node.op_type for node in prepared.graph.node} - {"Softmax", "Cast"}),
        nodes_to_exclude=_kept_nodes(prepared, keep_float),
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=_METHODS[method],
    )
    proto = onnx.load(quantized)
    if keep_float:
        _protect_kept(proto.graph)
    return proto


def _kept_nodes(proto: onnx.ModelProto, keep_float: Sequence[str]) -> list[str]:
    """Names of the nodes of some layers, and of the activations behind them."""
    kept = [proto.graph.node[index] for index in choose_kept(keep_float, onnx_layers(proto))]
    made = {tensor for node in kept for tensor in node.output}
    fused = [node for node in proto.graph.node if node.op_type in FUSED and node.input[0] in made]
    return [node.name for node in (*kept, *fused)]


def _protect_kept(graph: onnx.GraphProto) -> None:
    """Put a Sum of one input before nodes with float weights that read codes.

    Without it, ONNX Runtime (WeightBiasQuantization) rounds these weights to int8 per tensor when it loads the file. It
    removes an Identity, but not a Sum.
    """
    constants = {one.name for one in graph.initializer}
    codes = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type in ("Conv", "ConvTranspose", "Gemm") and node.input[0] in codes and node.input[1] in constants:
            plain = f"{node.name}_float"
            barrier = onnx.helper.make_node("Sum", [node.input[0]], [plain], name=f"{node.name}_in_float")
            node.input[0] = plain
            graph.node.insert(index, barrier)


class _CalibrationReader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Feeds the calibration images in batches of the size that the model takes; the last one is filled up."""

    def __init__(self, calibration: NDArray[np.uint8], size: int) -> None:
        count = -(-len(calibration) // size)
        images = np.resize(calibration, (count, size, CROP_SIZE, CROP_SIZE, 1))
        self._batches = ({INPUT_NAME: batch} for batch in images)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """One batch, uint8 (size, 28, 28, 1); None at the end."""
        return next(self._batches, None)


def _tensor(value: onnx.ValueInfoProto) -> TensorSpec:
    kind = value.type.tensor_type
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
    return TensorSpec(name=value.name, dtype=dtype, shape=[d.dim_param or d.dim_value for d in kind.shape.dim])
