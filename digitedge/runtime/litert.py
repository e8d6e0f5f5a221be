"""TFLite files in LiteRT, the successor of tflite-runtime."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError, first_line
from digitedge.runtime.adapter import choose_output, run_in_batches, to_dtype
from digitedge.runtime.checks.read_model import read_checked_model
from digitedge.runtime.checks.tflite import check_tflite
from digitedge.runtime.contract import (
    CLASSES,
    FEATURES_NAME,
    FOREIGN_ADVICE,
    INPUT_NAME,
    OUTPUT_NAME,
    ContractError,
    check_crops,
    check_outputs,
    no_features,
)
from digitedge.runtime.image_shape import describe_shape, split_batch
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.quiet import quiet


def open_interpreter(path: Path, *, threads: int, sha256: str | None = None) -> Any:
    """Open a `.tflite` file, after a check; see `digitedge.runtime.checks`.

    Raises:
        ModelError: it cannot be read, has another hash, fails the check, or LiteRT cannot run it.
    """
    content, _ = read_checked_model(path, sha256, check=check_tflite, module=__name__)
    try:
        return _open(content, threads)
    except (ValueError, RuntimeError) as exc:
        raise ModelError(
            f"{path}: expected a TFLite model that LiteRT can run, got: {first_line(exc)} Export it again."
        ) from exc


def _open(content: bytes, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with quiet(2):
        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    # What the classes below ask for: a file with wrong details fails here, and not later.
    interpreter.get_input_details(), interpreter.get_output_details(), interpreter.get_signature_list()
    return interpreter


def try_content(content: bytes) -> None:
    """Load a file and run it on images of its input; called in a child process, see `try_in_child`."""
    from digitedge.runtime.checks.trial import limit_time, trial_images

    interpreter = _open(content, threads=1)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    shapes = [tuple(int(n) for n in one["shape"]) for one in inputs]
    images = [trial_images(shape, np.dtype(one["dtype"])) for shape, one in zip(shapes, inputs, strict=True)]
    for values in zip(*images, strict=True):
        for one, value in zip(inputs, values, strict=True):
            interpreter.set_tensor(one["index"], value)
        with limit_time():
            interpreter.invoke()
        for one in outputs:
            interpreter.get_tensor(one["index"])


def _cannot_run(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}: LiteRT cannot run it: {first_line(error)}")


class LiteRTClassifier:
    """A `.tflite` file that meets the model contract; see `load_classifier` for arguments and errors.

    Crops are scored one after the other: resizing the input to a batch gains 3 to 4 % on int8, loses on float32 and
    fails on the MLP (LiteRT 2.3, x86-64).
    """

    def __init__(self, path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._interpreter = open_interpreter(path, threads=threads, sha256=sha256)
        self._input = self._check_input()
        self._output, self._features = self._check_output_tensors()
        self.feature_count = 0 if self._features is None else int(self._features["shape"][1])
        check_outputs(self, path)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        scores = np.empty((len(crops), CLASSES), np.float32)
        self._run(crops, [(self._output, scores)])
        return scores

    def features_and_probabilities(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, F), (N, 10). See `digitedge.runtime.FeatureClassifier`."""
        if self._features is None:
            raise no_features(self.path)
        features = np.empty((len(crops), self.feature_count), np.float32)
        scores = np.empty((len(crops), CLASSES), np.float32)
        self._run(crops, [(self._features["index"], features), (self._output, scores)])
        return features, scores

    def _run(self, crops: NDArray[np.uint8], results: list[tuple[int, NDArray[np.float32]]]) -> None:
        """Score crops and copy output tensors, by index, into the rows of arrays."""
        check_crops(crops)
        interpreter = self._interpreter
        batches = crops.reshape(-1, 1, CROP_SIZE, CROP_SIZE, 1).astype(self._input_type, copy=False)  # one crop each
        with self._lock:  # an interpreter has one input: two threads would get each other's results
            try:
                for index in range(len(batches)):  # NumPy's iterator costs a microsecond more
                    interpreter.set_tensor(self._input, batches[index])
                    interpreter.invoke()
                    for tensor, rows in results:
                        rows[index] = interpreter.get_tensor(tensor)
            except (ValueError, RuntimeError) as exc:
                raise _cannot_run(self.path, exc) from exc

    def _check_input(self) -> int:
        """Index of the one input: (1, 28, 28, 1), uint8 with scale 1 and zero point 0, or float32."""
        details = self._signature_details("inputs", [INPUT_NAME])[INPUT_NAME]
        self._input_type = np.dtype(details["dtype"])
        shape = tuple(int(n) for n in details["shape"])
        quantization = tuple(details["quantization"])
        type_holds = self._input_type == np.float32 or (self._input_type == np.uint8 and quantization == (1.0, 0))
        if shape != (1, CROP_SIZE, CROP_SIZE, 1) or not type_holds:
            raise ContractError(
                f"{self.path}: expected input (1, 28, 28, 1) of float32, or uint8 with scale 1 and zero point 0, got "
                f"{shape} of {self._input_type} with (scale, zero point) {quantization}. {FOREIGN_ADVICE}"
            )
        return int(details["index"])

    def _check_output_tensors(self) -> tuple[int, dict[str, Any] | None]:
        """Index of the probabilities, (1, 10) of float32; and the details of the features, (1, F), if it has them."""
        outputs = self._signature_details("outputs", [OUTPUT_NAME], [FEATURES_NAME, OUTPUT_NAME])
        details, features = outputs[OUTPUT_NAME], outputs.get(FEATURES_NAME)
        shape = tuple(int(n) for n in details["shape"])
        if shape != (1, CLASSES) or details["dtype"] is not np.float32:
            raise ContractError(
                f"{self.path}: expected output (1, 10) of float32, got {shape} of {np.dtype(details['dtype'])}. "
                f"{FOREIGN_ADVICE}"
            )
        if features is not None and (list(features["shape"][:-1]) != [1] or features["dtype"] is not np.float32):
            raise ContractError(
                f"{self.path}: expected output features (1, F) of float32, got {list(features['shape'])} of "
                f"{np.dtype(features['dtype'])}. {FOREIGN_ADVICE}"
            )
        return int(details["index"]), features

    def _signature_details(self, side: str, *expected: list[str]) -> dict[str, dict[str, Any]]:
        """Name in the signature -> tensor; the names must be one of those expected, and no other tensor be there."""
        signatures = self._interpreter.get_signature_list()
        names = sorted(signatures.get("serving_default", {}).get(side, []))
        all_details = getattr(self._interpreter, f"get_{side.removesuffix('s')}_details")()
        if names not in expected or len(all_details) != len(names):
            raise ContractError(
                f"{self.path}: expected a signature serving_default with {side} {expected[0]}, got {names or 'none'} "
                f"and {len(all_details)} tensors: not exported by digitedge. {FOREIGN_ADVICE}"
            )
        runner = self._interpreter.get_signature_runner("serving_default")
        details: dict[str, dict[str, Any]] = getattr(runner, f"get_{side.removesuffix('s')}_details")()
        return details


class LiteRTNetwork:
    """A third-party `.tflite` file, as a `Network`; quantized inputs and outputs are hidden.

    Raises:
        ModelError: it cannot run, or has no input of one image and no output of ten scores.
    """

    def __init__(self, path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._interpreter = open_interpreter(path, threads=threads, sha256=sha256)
        inputs = self._interpreter.get_input_details()
        shape = [int(n) for n in inputs[0]["shape"]] if inputs else []
        split = split_batch(shape)
        if len(inputs) != 1 or split is None:
            found = ", ".join(f"{one['name']} {describe_shape(list(one['shape']))}" for one in inputs)
            raise ModelError(f"{path}: expected one input with the image of a digit, got {found}. Save it so.")
        self._batch, self.shape = split
        self._batch_shape = shape
        self._input = inputs[0]
        outputs = self._interpreter.get_output_details()
        self._output = outputs[choose_output([(one["name"], [int(n) for n in one["shape"]]) for one in outputs], path)]

    def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score inputs: float32 (N, *shape) -> float32 (N, 10)."""
        with self._lock:
            return run_in_batches(self._run, inputs, self._batch)

    def batches(self, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Inputs, float32 (N, *shape), in whole batches of the shape that the file takes, the last one filled up."""
        size = max(self._batch or 1, 1)
        whole = np.resize(inputs, (-(-len(inputs) // size) * size, *inputs.shape[1:]))  # the last one is filled up
        return [whole[start : start + size].reshape(self._batch_shape) for start in range(0, len(whole), size)]

    def _run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            self._interpreter.set_tensor(
                self._input["index"], _quantize(inputs.reshape(self._batch_shape), self._input)
            )
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as exc:
            raise _cannot_run(self.path, exc) from exc
        return _dequantize(self._interpreter.get_tensor(self._output["index"]), self._output)


def _quantize(values: NDArray[np.float32], details: dict[str, Any]) -> NDArray[Any]:
    """Real values in the type of a tensor."""
    dtype = np.dtype(details["dtype"])
    scale, zero_point = details["quantization"]
    return to_dtype(values / np.float32(scale) + np.float32(zero_point) if scale else values, dtype)


def _dequantize(codes: NDArray[Any], details: dict[str, Any]) -> NDArray[np.float32]:
    scale, zero_point = details["quantization"]
    return (codes.astype(np.float32) - zero_point) * np.float32(scale) if scale else codes.astype(np.float32)
