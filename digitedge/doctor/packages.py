"""Python, and the packages that digitedge is built on."""

import importlib.util
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions

from digitedge.doctor.finding import Finding, Status
from digitedge.utils.subprocesses import ChildResult, run_python

OLDEST, TOO_NEW = (3, 11), (3, 14)  # requires-python in pyproject.toml
SHARED_OBJECTS = "sudo apt install libgl1 libglib2.0-0"  # measured on a bare Debian; see digitedge.utils.opencv


@dataclass(frozen=True, slots=True)
class Library:
    """A package with machine code, and the name in it that an import must give."""

    check: str
    package: str
    module: str
    name: str

    @property
    def top(self) -> str:
        """What is imported, without what is inside."""
        return self.module.partition(".")[0]

    def try_it(self) -> ChildResult:
        """Import it in a child process; it answers with its version.

        A name is asked for, because `pip uninstall` of one OpenCV beside another leaves an empty `cv2` that imports.
        """
        return run_python(f"import {self.top}; from {self.module} import {self.name}; print({self.top}.__version__)")

    def is_missing(self, answer: ChildResult) -> bool:
        """Whether it answers that it is not installed."""
        return answer.text == f"ModuleNotFoundError: No module named {self.top!r}"


NUMPY = Library("numpy", "numpy", "numpy", "ndarray")
OPENCV = Library("opencv", "opencv-python", "cv2", "VideoCapture")
# Either will do: one reads .tflite files, the other .onnx.
RUNTIMES = (
    Library("litert", "ai-edge-litert", "ai_edge_litert.interpreter", "Interpreter"),
    Library("onnxruntime", "onnxruntime", "onnxruntime", "InferenceSession"),
)
EXTRAS = {
    "train": ("training and export", ("tensorflow", "keras", "tf2onnx", "onnx", "matplotlib")),
    "web": ("a page in the browser", ("starlette", "uvicorn")),
    "mqtt": ("readings to a message broker", ("paho",)),
}
OPENCVS = {f"opencv-{contrib}python{headless}" for contrib in ("", "contrib-") for headless in ("", "-headless")}


def check_python(version: tuple[int, ...] = sys.version_info[:3], bits: int = 8 * struct.calcsize("P")) -> Finding:
    """Look at this Python: its version and its width, which is not the processor's."""
    found = f"{'.'.join(map(str, version))}, {bits} bit, {sys.executable}"
    if bits < 64:
        mend = "install a 64-bit system, such as 64-bit Raspberry Pi OS: the runtime has no package for 32 bits"
        return Finding("python", Status.PROBLEM, found, mend)
    if not OLDEST <= version < TOO_NEW:
        return Finding("python", Status.PROBLEM, found, "make a venv with Python 3.11, 3.12 or 3.13")
    return Finding("python", Status.OK, found)


def check_libraries() -> Iterator[Finding]:
    """Import what the edge needs, each in a child process."""
    yield check_library(NUMPY)
    yield check_library(OPENCV)
    yield from check_opencvs()
    answers = {runtime: runtime.try_it() for runtime in RUNTIMES}
    one_works = any(answer.works for answer in answers.values())
    for runtime, answer in answers.items():
        if one_works and runtime.is_missing(answer):
            yield Finding(runtime.check, Status.NOTE, "not installed; the other runtime will do", _install(runtime))
        else:
            yield _judged(runtime, answer)


def check_library(library: Library) -> Finding:
    """Import a package in a child process."""
    return _judged(library, library.try_it())


def check_opencvs() -> Iterator[Finding]:
    """Look for two OpenCVs: they write the same files, so each breaks the other."""
    installed = {str(distribution.name).lower().replace("_", "-") for distribution in distributions()} & OPENCVS
    if len(installed) > 1:
        names = sorted(installed)
        has_screen = sys.platform != "linux" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        kept = "opencv-python" if has_screen else "opencv-python-headless"
        mend = f"pip uninstall --yes {' '.join(names)} && pip install {kept}"
        yield Finding("opencv", Status.PROBLEM, f"{' and '.join(names)} are both installed and break each other", mend)


def check_extras() -> Iterator[Finding]:
    """Say which optional parts are installed. They are not imported: TensorFlow takes seconds and 560 MB."""
    for extra, (purpose, modules) in EXTRAS.items():
        missing = [module for module in modules if not _is_installed(module)]
        if missing:
            found = f"{purpose}: not installed ({', '.join(missing)})"
            yield Finding(extra, Status.NOTE, found, f"pip install 'digitedge[{extra}]'")
        else:
            yield Finding(extra, Status.OK, f"{purpose}: installed")


def _judged(library: Library, answer: ChildResult) -> Finding:
    if answer.works:
        return Finding(library.check, Status.OK, answer.text)
    if library.is_missing(answer):
        return Finding(library.check, Status.PROBLEM, "not installed", _install(library))
    found = f"installed, but cannot be imported: {answer.text}"
    if library is OPENCV and ".so" in answer.text:
        mend = f"{SHARED_OBJECTS}, or: pip uninstall --yes opencv-python && pip install opencv-python-headless"
        return Finding(library.check, Status.PROBLEM, found, mend)
    return Finding(library.check, Status.PROBLEM, found, f"pip install --force-reinstall {library.package}")


def _install(library: Library) -> str:
    return f"pip install {library.package}"


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
