"""The table of runtimes, and the loading of model files. A runtime (and NumPy) is imported when a file is loaded."""

import importlib.util
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitedge.errors import InputError, MissingExtraError, ModelError, install_command
from digitedge.runtime.classifier import Classifier

if TYPE_CHECKING:  # so that the table of runtimes can be read without NumPy
    from digitedge.runtime.adapter import Adapter, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A library that runs one kind of model file.

    Attributes:
        name: one lower-case word, for tables.
        title: name for people.
        suffixes: of the files that it runs, lower case, with the dot.
        package: name on PyPI.
        module: what is imported; `helper` is imported besides, to check its files.
        extra: of digitedge that installs it; None where the base install does.
        classifier: dotted name of the class that runs files which meet the model contract, made of a path,
            `threads` and `sha256`; None where there are no such files.
        network: dotted name of the `digitedge.runtime.adapter.Network` that runs third-party files, made alike.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    package: str
    module: str
    helper: str | None = None
    extra: str | None
    classifier: str | None
    network: str

    @property
    def is_installed(self) -> bool:
        """Whether the package is installed. It is not imported to find out."""
        modules = filter(None, (self.module.partition(".")[0], self.helper))
        return all(importlib.util.find_spec(name) is not None for name in modules)

    @property
    def runs_exported_files(self) -> bool:
        """Whether it runs what `digitedge export` makes; others run only the third-party models."""
        return self.classifier is not None

    @property
    def install_command(self) -> str:
        """The command that installs it."""
        return install_command(self.extra) if self.extra else f"pip install {self.package}"

    @property
    def missing(self) -> str:
        """The message where it is not installed."""
        return f"{self.title} is not installed. Run: {self.install_command}"


RUNTIMES = (
    Runtime(
        name="litert",
        title="LiteRT",
        suffixes=(".tflite",),
        package="ai-edge-litert",
        module="ai_edge_litert.interpreter",
        extra=None,
        classifier="digitedge.runtime.litert.LiteRTClassifier",
        network="digitedge.runtime.litert.LiteRTNetwork",
    ),
    Runtime(
        name="onnxruntime",
        title="ONNX Runtime",
        suffixes=(".onnx",),
        package="onnxruntime",
        module="onnxruntime",
        helper="onnx",
        extra="onnx",
        classifier="digitedge.runtime.onnx.OnnxClassifier",
        network="digitedge.runtime.onnx.OnnxNetwork",
    ),
    Runtime(
        name="keras",
        title="TensorFlow",
        suffixes=(".keras", ".h5", ".hdf5"),
        package="tensorflow",
        module="tensorflow",
        extra="train",
        classifier=None,
        network="digitedge.runtime.keras.KerasNetwork",
    ),
)
"""All runtimes, the preferred one first. A new one is an entry here and a file beside this one."""

SAVED_MODEL = "saved_model.pb"
MODEL_SUFFIXES = ", ".join(suffix for runtime in RUNTIMES for suffix in runtime.suffixes)
"""The suffixes of all model files, for messages."""


def find_runtime(path: str | Path) -> Runtime:
    """Find the runtime of a model by the suffix of its file, or as the folder of a SavedModel.

    Raises:
        ModelError: no runtime runs this kind of file.

    Examples:
        >>> find_runtime("model_int8.tflite").title
        'LiteRT'
    """
    path = Path(path)
    for runtime in RUNTIMES:
        if path.suffix.lower() in runtime.suffixes or (runtime.name == "keras" and is_saved_model(path)):
            return runtime
    advice = _ADVICE.get(path.suffix.lower(), "Make one with: digitedge export")
    raise ModelError(f"expected a model file ({MODEL_SUFFIXES}), got {path}. {advice}")


_TORCH = (
    "A file of PyTorch is Python code; save its graph where it is made: torch.onnx.export(model, example, 'model.onnx')"
)
_PICKLE = "A pickle is Python code, which digitedge does not run; save the model of scikit-learn with skl2onnx"
_ADVICE = {
    **dict.fromkeys((".pt", ".pth", ".ckpt"), _TORCH),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".sav"), _PICKLE),
    ".pb": "Give the folder of a SavedModel, with its saved_model.pb and variables",
    ".json": "It holds no weights; save the model as a whole: model.save('model.keras')",
    ".safetensors": "It holds weights alone; save the model as ONNX where it is made",
}
"""What can be done with files of kinds that digitedge does not run."""


def is_saved_model(path: str | Path) -> bool:
    """Whether a path is the folder of a SavedModel."""
    return (Path(path) / SAVED_MODEL).is_file()


def can_run(path: str | Path) -> bool:
    """Whether the runtime of a model is installed; false for other files."""
    try:
        return find_runtime(path).is_installed
    except ModelError:
        return False


def load_classifier(
    path: str | Path, *, threads: int = 1, adapter: "Adapter | None" = None, sha256: str | None = None
) -> Classifier:
    """Load a model file that meets the model contract, or any other with an adapter.

    Args:
        path: a `.tflite` or `.onnx` file; with an adapter also a Keras file or a SavedModel folder.
        threads: of the runtime, >= 1. With a free core, a second one saves `cnn` 5 to 37 % of the time; where another
            program has that core, a call may take 20 times as long (2 cores of an EPYC; `digitedge bench` measures it).
        adapter: how a third-party model is used. `digitedge.bundle.load_model` finds it by itself.
        sha256: hexadecimal hash that the content must have; None for any content. The file is read once, so what is
            hashed is what runs.

    Raises:
        InputError: fewer than one thread.
        ContractError: no adapter, and the file does not meet the contract; the message says how.
        ModelError: no such file, another kind of file, another content, or one that cannot run.
        MissingExtraError: the runtime of this kind of file is not installed.
    """
    if threads < 1:
        raise InputError(f"expected at least 1 thread, got {threads}.")
    runtime = _installed_runtime(Path(path))
    if adapter is not None:
        from digitedge.runtime.adapter import AdaptedClassifier

        return AdaptedClassifier(load_network(path, threads=threads, sha256=sha256), adapter)
    if runtime.classifier is None:
        from digitedge.runtime.contract import FOREIGN_ADVICE, ContractError

        raise ContractError(
            f"{path}: expected a file made by digitedge export, got a model to export. {FOREIGN_ADVICE}"
        )
    classifier: Classifier = pkgutil.resolve_name(runtime.classifier)(Path(path), threads=threads, sha256=sha256)
    return classifier


def load_network(path: str | Path, *, threads: int = 1, sha256: str | None = None) -> "Network":
    """Load a third-party model, as its author made it. Errors as in `load_classifier`."""
    runtime = _installed_runtime(Path(path))
    network: Network = pkgutil.resolve_name(runtime.network)(Path(path), threads=threads, sha256=sha256)
    return network


def _installed_runtime(path: Path) -> Runtime:
    runtime = find_runtime(path)
    if not path.exists():
        raise ModelError(f"no model file at {path}. Make one with: digitedge export")
    if not runtime.is_installed:
        raise MissingExtraError(f"{path} cannot run: {runtime.missing}")
    return runtime
