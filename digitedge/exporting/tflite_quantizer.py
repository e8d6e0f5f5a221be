"""Quantize a float .tflite file to int8, for networks of which no Keras file exists.

TensorFlow's converter takes no .tflite file, but the two functions with which it calibrates and quantizes do. They are
not public; LiteRT Quantizer, which is, gives the same accuracy and refuses more files. See
docs/decisions/quantizer-library.md.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize.calibrator import Calibrator
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.recipe import NumberFormat, Recipe
from digitedge.errors import InputError, ModelError, first_line
from digitedge.exporting.tflite_channel_packing import pack_channels
from digitedge.exporting.tflite_strip import serialize_stripped
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.quiet import quiet
from digitedge.utils.subprocesses import call_in_new_process


def quantize_tflite(content: bytes, recipe: Recipe, calibration: Sequence[NDArray[np.float32]]) -> bytes:
    """Quantize a float .tflite file; the result takes and gives float32 as before, and computes in int8 between.

    An operator that has no int8 form stays in float. The work is done in a process of its own, because TensorFlow
    crashes on some operators, such as those of an LSTM; it takes a few seconds.

    Args:
        content: the file, with one float32 input. It needs no signature and no tensor names.
        recipe: int8; TensorFlow can make the other recipes from a Keras file only.
        calibration: float32 arrays of the input's shape, at least one, in the range that the file expects.

    Returns:
        The quantized file, packed and stripped as an exported one.

    Raises:
        ModelError: another recipe; not a .tflite file with one float32 input; TensorFlow cannot quantize it.
        InputError: arrays of another shape or type, or none.
    """
    if recipe.activations is not NumberFormat.INT8:
        raise ModelError(
            f"expected recipe int8 for a .tflite file, got {recipe.name}. Export the Keras file for other recipes."
        )
    shape = _input_shape(content)
    if not calibration:
        raise InputError("expected at least one calibration array, got none. 100 to 500 training images are usual.")
    for values in calibration:
        if values.shape != shape or values.dtype != np.float32:
            raise InputError(
                f"expected calibration arrays as the file's input, float32 {shape}, got {values.dtype} {values.shape}."
            )
    with temporary_folder() as folder:
        source, inputs, target = (Path(folder, name) for name in ("float32.tflite", "calibration.npy", "int8.tflite"))
        source.write_bytes(content)
        np.save(inputs, np.stack(calibration))
        try:
            call_in_new_process(quantize_file, str(source), str(inputs), str(target))
        except ModelError as exc:
            raise ModelError(f"TensorFlow cannot quantize this .tflite file to int8: {exc}. Use it as it is.") from exc
        return target.read_bytes()


def quantize_file(source: str, inputs: str, target: str) -> None:
    """Quantize a file with the calibration arrays of a .npy file, here and now; the result must load."""
    calibration = np.load(inputs)
    with quiet(1):
        calibrated = Calibrator(Path(source).read_bytes()).calibrate(lambda: ([values] for values in calibration))
        quantized = mlir_quantize(calibrated)
    model = flatbuffer_utils.convert_bytearray_to_object(quantized)
    pack_channels(model)
    content = serialize_stripped(model)
    Interpreter(model_content=content, num_threads=1).allocate_tensors()
    Path(target).write_bytes(content)


def _input_shape(content: bytes) -> tuple[int, ...]:
    """Shape of the one float32 input; 1 for dimensions that are free."""
    try:
        with quiet(2):
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as exc:
        raise ModelError(
            f"expected a .tflite file that LiteRT can run, got: {first_line(exc)} Export it again."
        ) from exc
    details = interpreter.get_input_details()
    if [detail["dtype"] for detail in details] != [np.float32]:
        kinds = ", ".join(np.dtype(detail["dtype"]).name for detail in details)
        raise ModelError(f"expected a .tflite file with one float32 input, got {kinds or 'none'}. Use the float file.")
    return tuple(int(side) for side in details[0]["shape"])
