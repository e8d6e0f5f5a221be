"""ONNX files in ONNX Runtime."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError, first_line
from digitedge.runtime.adapter import choose_output, run_in_batches, to_dtype
from digitedge.runtime.checks.onnx import MAX_BATCH, check_onnx
from digitedge.runtime.checks.read_model import read_checked_model
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

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
_FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")
# scikit-learn's classifiers give a list of dictionaries: label -> probability.
_DICTIONARIES = "seq(map(int64,tensor(float)))"


def open_session(path: Path, *, threads: int, sha256: str | None = None) -> tuple[Any, int]:
    """Open an `.onnx` file, after a check; see `digitedge.runtime.checks`.

    Without a hash, which a bundle has, weights in a file beside it are found.

    Returns:
        The session, and how many images it may score at once: those for which its memory is known.

    Raises:
        ModelError: it cannot be read, has another hash, fails the check, or ONNX Runtime cannot run it.
    """
    check = partial(check_onnx, weights_beside=sha256 is None)
    content, is_known = read_checked_model(path, sha256, check=check, module=__name__)
    try:
        return _open(content, threads), MAX_BATCH if is_known else 1
    except Exception as exc:  # onnxruntime's own exceptions share no base but Exception
        raise ModelError(
            f"{path}: expected an ONNX model that ONNX Runtime can run, got: {first_line(exc)} Export it again."
        ) from exc


def _open(content: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors reach the user as exceptions, once
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    # What the classes below ask for: a file with wrong names fails here, and not later.
    [(one.name, one.type, one.shape) for one in (*session.get_inputs(), *session.get_outputs())]
    return session


def try_content(content: bytes) -> None:
    """Load a file and run it on images of its input; called in a child process, see `try_in_child`."""
    from digitedge.runtime.checks.trial import limit_time, trial_images

    session = _open(content, threads=1)
    inputs = session.get_inputs()
    shapes = [tuple(size or 1 for size in _sizes(one.shape)) for one in inputs]
    images = [trial_images(shape, np.dtype(_TYPES[one.type])) for shape, one in zip(shapes, inputs, strict=True)]
    for values in zip(*images, strict=True):
        with limit_time():
            session.run(None, {one.name: value for one, value in zip(inputs, values, strict=True)})


def _parts(inputs: NDArray[Any], size: int) -> list[NDArray[Any]]:
    return [inputs[start : start + size] for start in range(0, len(inputs), size)]


def _cannot_run(path: Path, inputs: NDArray[Any], error: Exception) -> ModelError:
    return ModelError(f"{path}: ONNX Runtime cannot run it on {inputs.shape}: {first_line(error)}")


class OnnxClassifier:
    """An `.onnx` file that meets the model contract; see `load_classifier` for arguments and errors.

    Up to 64 crops are scored at once, or as many as the batch of a third-party file, exported again, that is fixed.
    """

    def __init__(self, path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        self.path = path
        self._session, self._at_once = open_session(path, threads=threads, sha256=sha256)
        self._check_tensors()
        check_outputs(self, path)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        return self._score(crops, [OUTPUT_NAME], CLASSES)

    def features_and_probabilities(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, F), (N, 10). See `digitedge.runtime.FeatureClassifier`."""
        if not self.feature_count:
            raise no_features(self.path)
        both = self._score(crops, [FEATURES_NAME, OUTPUT_NAME], self.feature_count + CLASSES)
        return both[:, : self.feature_count], both[:, self.feature_count :]

    def _score(self, crops: NDArray[np.uint8], outputs: list[str], width: int) -> NDArray[np.float32]:
        """Outputs of a file side by side, float32 (N, width)."""
        check_crops(crops)
        if not len(crops):
            return np.empty((0, width), np.float32)
        return run_in_batches(partial(self._run, outputs), crops[..., None], self._batch, width=width)

    def _run(self, outputs: list[str], crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            if len(crops) <= self._at_once or self._batch:
                return np.concatenate(self._session.run(outputs, {INPUT_NAME: crops}), axis=1, dtype=np.float32)
        except Exception as exc:  # as in `open_session`
            raise _cannot_run(self.path, crops, exc) from exc
        return np.concatenate([self._run(outputs, part) for part in _parts(crops, self._at_once)])

    def _check_tensors(self) -> None:
        found = [
            [(t.name, t.type, list(t.shape)) for t in side]
            for side in (self._session.get_inputs(), self._session.get_outputs())
        ]
        batch = next(iter(found[0][0][2]), "N") if found[0] else "N"
        self._batch = batch if isinstance(batch, int) else None
        expected = [
            [(INPUT_NAME, "tensor(uint8)", [batch, CROP_SIZE, CROP_SIZE, 1])],
            [(OUTPUT_NAME, "tensor(float)", [batch, CLASSES])],
        ]
        features = found[1][1:]
        self.feature_count = int(features[0][2][1]) if _are_features(features, batch) else 0
        if self.feature_count:
            found[1] = found[1][:1]
        if found != expected:
            raise ContractError(
                f"{self.path}: expected input image uint8 (N, 28, 28, 1) and output probabilities float (N, 10), got "
                f"inputs {found[0]} and outputs {found[1]}. {FOREIGN_ADVICE}"
            )


def _are_features(outputs: list[tuple[str, str, list[Any]]], batch: Any) -> bool:
    """Whether the outputs of a file after the first are features: one of float (N, F)."""
    if len(outputs) != 1 or len(outputs[0][2]) != 2:
        return False
    name, kind, (first, count) = outputs[0]
    return (name, kind, first) == (FEATURES_NAME, "tensor(float)", batch) and isinstance(count, int) and count > 0


class OnnxNetwork:
    """A third-party `.onnx` file, as a `Network`: any names and number types, batch fixed, free or missing.

    Raises:
        ModelError: it cannot run, or has no input of one image and no output of ten scores.
    """

    def __init__(self, path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        self.path = path
        self._session, self._at_once = open_session(path, threads=threads, sha256=sha256)
        inputs = self._session.get_inputs()
        self._batch_shape = _sizes(inputs[0].shape) if inputs else []
        split = split_batch(self._batch_shape)
        if len(inputs) != 1 or split is None or inputs[0].type not in _TYPES:
            found = ", ".join(f"{one.name} {one.type} {describe_shape(_sizes(one.shape))}" for one in inputs)
            raise ModelError(f"{path}: expected one input with the image of a digit, got {found}. Save it so.")
        self._batch, self.shape = split
        self._input = inputs[0].name
        self._type: np.dtype[Any] = np.dtype(_TYPES[inputs[0].type])
        outputs = self._session.get_outputs()
        usable = [one for one in outputs if one.type in (*_FLOATS, _DICTIONARIES)]
        named = [one for one in usable if one.type == _DICTIONARIES]
        if named:
            self._output = named[0].name
        else:
            shapes = [(one.name, self._output_sizes(one)) for one in usable]
            self._output = usable[choose_output(shapes, path)].name

    def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score inputs: float32 (N, *shape) -> float32 (N, 10)."""
        return run_in_batches(self._run, inputs, self._batch) if len(inputs) else np.empty((0, CLASSES), np.float32)

    def _run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._batch is None and len(inputs) > self._at_once:
            return np.concatenate([self._run(part) for part in _parts(inputs, self._at_once)])
        scores = self._call(self._output, inputs)
        if isinstance(scores, list):
            scores = [[row.get(digit, 0.0) for digit in range(CLASSES)] for row in scores]
        return np.asarray(scores, np.float32)

    def _call(self, output: str, inputs: NDArray[np.float32]) -> Any:
        try:
            return self._session.run([output], {self._input: to_dtype(inputs, self._type)})[0]
        except Exception as exc:  # as in `open_session`
            raise _cannot_run(self.path, inputs, exc) from exc

    def _output_sizes(self, output: Any) -> list[int | None]:
        """The shape of an output; of one input where the file leaves it open."""
        sizes = _sizes(output.shape)
        if sizes and None not in sizes[1:]:
            return sizes
        batch = [] if self._batch == 0 else [self._batch or 1]
        inputs = np.zeros((*batch, *self.shape), np.float32)
        return [int(size) for size in np.shape(self._call(output.name, inputs))]


def _sizes(shape: list[Any]) -> list[int | None]:
    """A shape of ONNX Runtime: free dimensions, which may have names, become None."""
    return [size if isinstance(size, int) and size > 0 else None for size in shape]
