"""Which files can be made of which model, and who makes them."""

from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from digitedge.bundle.recipe import Artifact, Format
from digitedge.exporting.contract_model import build_contract_model, without_mixed_precision
from digitedge.exporting.onnx import convert_onnx, describe_onnx
from digitedge.exporting.onnx_contract import wrap_onnx
from digitedge.exporting.tflite import convert_tflite, describe_tflite
from digitedge.runtime.adapter import CONTRACT, Adapter
from digitedge.runtime.keras import KerasNetwork

CONVERTERS = {Format.TFLITE: convert_tflite, Format.ONNX: convert_onnx}
DESCRIBERS = {Format.TFLITE: describe_tflite, Format.ONNX: describe_onnx}


Convertible: TypeAlias = keras.Model | onnx.ModelProto
"""A model that meets the contract and can be converted."""


def load_convertible(path: Path, adapter: Adapter | None) -> Convertible:
    """Load a model as one that meets the contract: a Keras model, or an ONNX model for an `.onnx` file.

    Args:
        path: a Keras or `.onnx` file, or a SavedModel folder.
        adapter: how it is used; None where it meets the contract.

    Raises:
        ModelError: it cannot be loaded or wrapped.
    """
    adapter = adapter or CONTRACT
    if path.suffix.lower() == ".onnx":
        return wrap_onnx(path, adapter)
    return wrap_keras(KerasNetwork(path), adapter)


def wrap_keras(network: KerasNetwork, adapter: Adapter) -> keras.Model:
    """Wrap a loaded Keras model into one that meets the contract and computes in float32."""
    return build_contract_model(without_mixed_precision(network.model), adapter, network.shape)


def convert_file(model: Convertible, artifact: Artifact, calibration: NDArray[np.uint8]) -> bytes:
    """Convert a model that meets the contract to one file. Arguments and errors as in `convert_tflite`."""
    convert = CONVERTERS[artifact.format]
    return convert(model, artifact.recipe, calibration, keep_float=artifact.keep_float, method=artifact.method)
