"""Keras files and SavedModel folders in TensorFlow: the third-party models before they are exported.

Python code that a file holds (Lambda layers, pickles) is never run.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError, first_line, require
from digitedge.runtime.adapter import choose_output, run_in_batches, to_dtype
from digitedge.runtime.checks.read_model import read_model
from digitedge.runtime.contract import CLASSES
from digitedge.runtime.image_shape import describe_shape, split_batch
from digitedge.runtime.load import is_saved_model
from digitedge.runtime.saved_model import GRAPH_ADVICE, load_saved_model
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.memory_limit import check_memory, memory_limit
from digitedge.utils.quiet import quiet, require_tensorflow

_BATCH = 250
# Arguments of layers of Keras 2 that Keras 3 refuses, with the values that mean what Keras 3 does; None for all values.
OLD_ARGUMENTS: dict[str, tuple[Any, ...] | None] = {
    "time_major": (False,),
    "groups": (1,),
    "implementation": None,
    "rng_type": None,
    "kernel_initializer": None,
    "kernel_regularizer": None,
    "kernel_constraint": (None,),
}
MAX_DROPPED = 20
# Weights hardly shrink when they are packed, and Keras does not pack them.
MAX_UNPACKED_RATIO = 10
MIN_UNPACKED_BYTES = 16_000_000
# The first version without a known way to run code from a file (CVE-2026-1462).
SAFE_KERAS = (3, 13, 2)


class KerasNetwork:
    """A Keras file or a SavedModel folder, as a `Network`.

    Attributes:
        model: `keras.Model` with one input, that of the file, and one output of ten scores.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        ModelError: it cannot be loaded, or has no input of one image and no output of ten scores.
    """

    def __init__(self, path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        content = None if is_saved_model(path) else read_model(path, sha256)[0]
        _check_size(path)
        require_tensorflow()
        self.path = path
        with _cpu():
            model = load_saved_model(path) if content is None else _load_keras(path, content)
        self.model = _with_one_output(model, path)
        batch_shape = list(self.model.inputs[0].shape)
        split = split_batch(batch_shape)
        if split is None or split[0] == 0:
            raise ModelError(f"{path}: expected the image of a digit as input, got {describe_shape(batch_shape)}.")
        self._batch, self.shape = split
        self._type = self.model.inputs[0].dtype
        self._call = _compile(self.model)

    def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score inputs: float32 (N, *shape) -> float32 (N, 10)."""
        if not len(inputs):
            return np.empty((0, CLASSES), np.float32)
        return run_in_batches(self._run, to_dtype(inputs, np.dtype(self._type)), self._batch)

    def _run(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        try:
            with _cpu():
                return np.concatenate(
                    [self._call(inputs[start : start + _BATCH]) for start in range(0, len(inputs), _BATCH)]
                )
        except Exception as exc:  # TensorFlow raises its own OpError, ValueError and others
            raise ModelError(f"{self.path}: TensorFlow cannot run it on {inputs.shape}: {first_line(exc)}") from exc


def _check_size(path: Path) -> None:
    """Refuse a model that takes too much memory, or far more than its file has, before TensorFlow is loaded.

    Raises:
        ModelError: it does.
    """
    if path.is_dir():
        sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
        check_memory(sum(sizes), what=f"{path}: its files", error=ModelError)
        return
    try:
        file_size = path.stat().st_size
        if not zipfile.is_zipfile(path):
            unpacked = _hdf5_bytes(path)
        else:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
                if unpacked <= _most_unpacked(file_size):
                    weights = [name for name in archive.namelist() if name.endswith((".h5", ".hdf5"))]
                    unpacked += sum(_hdf5_bytes(io.BytesIO(archive.read(name))) for name in weights)
    except (OSError, ValueError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile, NotImplementedError):
        return  # missing or damaged: Keras says how
    check_memory(unpacked, what=f"{path}: its weights", error=ModelError)
    if unpacked > _most_unpacked(file_size):
        raise ModelError(
            f"{path}: expected a model, got a file of {file_size:,} bytes that unpacks to {unpacked:,}. Save it again."
        )


def _most_unpacked(file_size: int) -> int:
    return min(max(MAX_UNPACKED_RATIO * file_size, MIN_UNPACKED_BYTES), memory_limit())


def _hdf5_bytes(file: Path | BinaryIO) -> int:
    """Bytes of all arrays in an HDF5 file, by what it says of them."""
    h5py = require("h5py", extra="train")
    arrays: list[int] = []
    with h5py.File(file, "r") as opened:
        opened.visititems(lambda name, one: arrays.append(one.nbytes) if isinstance(one, h5py.Dataset) else None)
    return sum(arrays)


def _cpu() -> Any:
    """Run TensorFlow on the CPU in this context, also beside a training on a GPU.

    A GPU calculates convolutions in TF32, with 10 bits of mantissa: probabilities differ by about 1e-3, more than
    parity allows.
    """
    import tensorflow as tf

    return tf.device("/CPU:0")


def _compile(model: Any) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """A model as one graph; `predict` would take a tenth of a second for its own preparations in each call."""
    import tensorflow as tf

    spec = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)
    graph = tf.function(lambda inputs: model(inputs, training=False), input_signature=[spec], autograph=False)
    return lambda inputs: np.asarray(graph(inputs), np.float32)


def _load_keras(path: Path, content: bytes) -> Any:
    import keras

    if tuple(int(part) for part in keras.__version__.split(".")[:3]) < SAFE_KERAS:
        oldest = ".".join(map(str, SAFE_KERAS))
        raise ModelError(
            f"expected Keras {oldest} or newer, because older ones run code from model files, got {keras.__version__}. "
            f"Run: pip install 'keras>={oldest}'"
        )
    with temporary_folder() as folder:
        loaded = folder / f"read{path.suffix.lower()}"  # what was read and hashed, not what is at `path` by then
        loaded.write_bytes(content)
        for _ in range(MAX_DROPPED):
            try:
                with quiet(2):
                    return keras.saving.load_model(loaded, compile=False, safe_mode=True)
            except Exception as exc:  # Keras names no base for what it raises: ValueError, KeyError, BadZipFile ...
                if not _drop_old_arguments(loaded, str(exc)):
                    raise ModelError(f"{path}: {_explain_keras(path, exc)}") from exc
        raise ModelError(f"{path}: expected a model of Keras 3, got one with too many arguments of an older Keras.")


def _drop_old_arguments(path: Path, error: str) -> bool:
    """Remove the arguments that Keras 3 refuses from an HDF5 file of Keras 2, such as LSTM's time_major.

    Returns:
        Whether there were any that only say what Keras 3 does anyway.
    """
    import h5py

    found = re.search(r"Unrecognized keyword arguments passed to (\w+): \{(.*)\}", error)
    if found is None or path.suffix.lower() not in (".h5", ".hdf5"):
        return False
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        dropped = _drop_from_layers(config, found[1], {name for name in OLD_ARGUMENTS if f"'{name}':" in found[2]})
        file.attrs["model_config"] = json.dumps(config)
    return dropped


def _drop_from_layers(config: Any, class_name: str, names: set[str]) -> bool:
    """Remove arguments from the config of every layer of a class; returns whether any was removed."""
    if isinstance(config, list):
        return any([_drop_from_layers(value, class_name, names) for value in config])
    if not isinstance(config, dict):
        return False
    dropped = any([_drop_from_layers(value, class_name, names) for value in config.values()])
    if config.get("class_name") == class_name and isinstance(config.get("config"), dict):
        for name in names & config["config"].keys():
            allowed = OLD_ARGUMENTS[name]
            if allowed is None or config["config"][name] in allowed:
                del config["config"][name]
                dropped = True
    return dropped


def _explain_keras(path: Path, error: Exception) -> str:
    """What is wrong with a Keras file, and what the user can do."""
    text = str(error)
    if path.suffix.lower() == ".keras" and not zipfile.is_zipfile(path):
        return "expected a model saved by Keras 3, got a file that is damaged or of another kind. Save it again."
    version = _keras_version(path)
    if "Lambda" in text or "lambda" in text:
        return (
            "it has a Lambda layer, which is Python code, and digitedge runs no code from model files. "
            f"{GRAPH_ADVICE}; or put a built-in layer such as Rescaling in its place."
        )
    if "No model config found" in text or "model_config" in text:
        return "expected a model, got weights alone. Save it with model.save('model.keras') where the model is made."
    if version and not version.startswith("3") and path.suffix == ".keras":
        return (
            f"expected a file of Keras 3, got one of Keras {version}. If you trust it, convert it: pip install "
            "tf_keras; python -c \"import tf_keras; tf_keras.models.load_model('MODEL.keras').save('MODEL.h5')\""
        )
    unknown = re.search(r"(?:Could not locate class|Unknown layer:?|Could not locate function) '([\w>.]+)'", text)
    if unknown:
        return f"it has {unknown[1]}, of its author's own, whose code is not in the file. {GRAPH_ADVICE}."
    if version and not version.startswith("3"):
        return (
            f"Keras 3 cannot load this file of Keras {version} ({first_line(error)}). If you trust it, convert it: pip "
            "install tf_keras; python -c \"import tf_keras; tf_keras.models.load_model('MODEL.h5').export('FOLDER')\""
            " and give that folder."
        )
    return f"expected a model saved by Keras 3 with built-in layers, got: {first_line(error)} Save it again."


def _keras_version(path: Path) -> str | None:
    """The version of Keras that a file says it is of; None if it does not say."""
    import h5py

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        with h5py.File(path, "r") as file:
            version = file.attrs["keras_version"]
            return version.decode() if isinstance(version, bytes) else str(version)
    except Exception:  # zipfile, zlib, json and h5py raise errors of many kinds for damaged files
        return None


def _with_one_output(model: Any, path: Path) -> Any:
    """The model with its one input and the one output that has ten scores."""
    import keras

    try:
        inputs = list(model.inputs)
        outputs = model.outputs[0] if isinstance(model, keras.Sequential) else model.output
    except (AttributeError, ValueError, TypeError) as exc:
        raise ModelError(
            f"{path}: expected a model whose input shape is known, got one that is not built or a class of its own. "
            f"{GRAPH_ADVICE}."
        ) from exc
    if len(inputs) != 1:
        raise ModelError(f"{path}: expected one input, got {len(inputs)}. Save the model with one image as input.")
    if isinstance(outputs, dict):
        named = list(outputs.items())
    else:
        listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        named = [(one.name, one) for one in listed]
    chosen = named[choose_output([(name, list(one.shape)) for name, one in named], path)][1]
    return model if chosen is outputs else keras.Model(inputs[0], chosen)
