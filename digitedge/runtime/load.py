"""The table of runtimes, and the loading of model files. A runtime (and NumPy) is imported when a file is loaded."""

import importlib.util
import pkgutil
from dataclasses import dataclass
from pathlib import Path

from digitedge.errors import InputError, MissingExtraError, ModelError, install_command
from digitedge.runtime.classifier import Classifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A library that runs one kind of model file.

    Attributes:
        name: one lower-case word, for tables.
        title: name for people.
        suffix: of the files that it runs, lower case, with the dot.
        package: name on PyPI.
        module: what is imported.
        extra: of digitedge that installs it; None where the base install does.
        loader: dotted name of the `Classifier` class in `digitedge.runtime` that is made of a path and `threads`.
    """

    name: str
    title: str
    suffix: str
    package: str
    module: str
    extra: str | None
    loader: str

    @property
    def is_installed(self) -> bool:
        """Whether the package is installed. It is not imported to find out."""
        return importlib.util.find_spec(self.module.partition(".")[0]) is not None

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
        suffix=".tflite",
        package="ai-edge-litert",
        module="ai_edge_litert.interpreter",
        extra=None,
        loader="digitedge.runtime.litert.LiteRTClassifier",
    ),
    Runtime(
        name="onnxruntime",
        title="ONNX Runtime",
        suffix=".onnx",
        package="onnxruntime",
        module="onnxruntime",
        extra="onnx",
        loader="digitedge.runtime.onnx.OnnxClassifier",
    ),
)
"""All runtimes, the preferred one first. A new one is an entry here and a file beside this one."""


def find_runtime(path: str | Path) -> Runtime:
    """Find the runtime of a model file by the suffix.

    Raises:
        ModelError: no runtime runs this kind of file.

    Examples:
        >>> find_runtime("model_int8.tflite").title
        'LiteRT'
    """
    for runtime in RUNTIMES:
        if runtime.suffix == Path(path).suffix.lower():
            return runtime
    suffixes = ", ".join(runtime.suffix for runtime in RUNTIMES)
    raise ModelError(f"expected a model file ({suffixes}), got {path}. Make one with: digitedge export")


def can_run(path: str | Path) -> bool:
    """Whether the runtime of a model file is installed; false for other files."""
    return any(Path(path).suffix.lower() == runtime.suffix and runtime.is_installed for runtime in RUNTIMES)


def load_classifier(path: str | Path, *, threads: int = 1) -> Classifier:
    """Load a model file and check that it meets the model contract.

    Args:
        path: a `.tflite` or `.onnx` file.
        threads: of the runtime, >= 1. With a free core, a second one saves `cnn` 5 to 37 % of the time; where another
            program has that core, a call may take 20 times as long (2 cores of an EPYC; `digitedge bench` measures it).

    Raises:
        InputError: fewer than one thread.
        ModelError: no such file, another kind of file, or one that breaks the contract; the message says how.
        MissingExtraError: the runtime of this kind of file is not installed.
    """
    if threads < 1:
        raise InputError(f"expected at least 1 thread, got {threads}.")
    path = Path(path)
    runtime = find_runtime(path)
    if not path.is_file():
        raise ModelError(f"no model file at {path}. Make one with: digitedge export")
    if not runtime.is_installed:
        raise MissingExtraError(f"{path} cannot run: {runtime.missing}")
    classifier: Classifier = pkgutil.resolve_name(runtime.loader)(path, threads=threads)
    return classifier
