"""Python, and the packages that digitedge needs."""

import importlib.util
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import distributions

from digitedge.doctor.finding import Finding, Status
from digitedge.errors import install_command
from digitedge.runtime.load import RUNTIMES
from digitedge.utils.opencv_install import INSTALL_LIBRARIES, WITHOUT_ROOT
from digitedge.utils.subprocesses import run_python

# requires-python in pyproject.toml
OLDEST_PYTHON = (3, 11)
TOO_NEW_PYTHON = (3, 14)
OPENCV_PACKAGES = {"opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"}
EXTRAS = {
    "train": ("training and export", ("tensorflow", "keras", "tf2onnx", "onnx", "matplotlib")),
    "web": ("a page in the browser", ("starlette", "uvicorn")),
    "mqtt": ("readings to a message broker", ("paho",)),
    "trust": ("signatures and updates", ("cryptography", "tuf")),
}
NOT_INSTALLED = "not installed"


def check_python(version: tuple[int, ...] = sys.version_info[:3], bits: int = 8 * struct.calcsize("P")) -> Finding:
    """Check version and word size of this Python; the processor may have a larger one."""
    found = f"{'.'.join(map(str, version))}, {bits} bit, {sys.executable}"
    if bits < 64:
        fix = "install a 64-bit system, such as 64-bit Raspberry Pi OS: the runtime has no package for 32 bits"
        return Finding("python", Status.PROBLEM, found, fix)
    if not OLDEST_PYTHON <= version < TOO_NEW_PYTHON:
        return Finding("python", Status.PROBLEM, found, "make a venv with Python 3.11, 3.12 or 3.13")
    return Finding("python", Status.OK, found)


def check_libraries() -> Iterator[Finding]:
    """Check NumPy, OpenCV and the runtimes, of which one is enough."""
    yield check_library("numpy", package="numpy", module="numpy")
    yield check_library("opencv", package="opencv-python", module="cv2")
    yield from check_opencv_packages()
    findings = [
        check_library(one.name, package=one.package, module=one.module, install=one.install_command)
        for one in RUNTIMES
        if one.runs_exported_files
    ]
    one_works = any(finding.status is Status.OK for finding in findings)
    for finding in findings:
        if one_works and finding.found == NOT_INSTALLED:
            finding = replace(finding, status=Status.NOTE, found=f"{NOT_INSTALLED}; another runtime works")
        yield finding


def check_library(name: str, *, package: str, module: str, install: str | None = None) -> Finding:
    """Import a package with machine code in a child process, which prints its version.

    An empty `cv2`, which `pip uninstall` of one OpenCV beside another leaves behind, imports but has no version.
    `install` is the command that installs the package; None for `pip install PACKAGE`.
    """
    top_module = module.partition(".")[0]
    result = run_python(f"import {module}; print({top_module}.__version__)")
    if result.succeeded:
        return Finding(name, Status.OK, result.text)
    if result.text == f"ModuleNotFoundError: No module named {top_module!r}":
        return Finding(name, Status.PROBLEM, NOT_INSTALLED, install or f"pip install {package}")
    fix = f"pip install --force-reinstall {package}"
    if module == "cv2" and ".so" in result.text:
        fix = f"{INSTALL_LIBRARIES}; {WITHOUT_ROOT}"
    return Finding(name, Status.PROBLEM, f"installed, but cannot be imported: {result.text}", fix)


def check_opencv_packages() -> Iterator[Finding]:
    """Check that opencv-python is the only OpenCV: all of them write the same files.

    One of the others alone works until the next pip install of digitedge, which requires opencv-python and adds it.
    """
    names = {str(distribution.name).lower().replace("_", "-") for distribution in distributions()}
    installed = sorted(names & OPENCV_PACKAGES)
    if installed in ([], ["opencv-python"]):
        return
    fix = f"pip uninstall --yes {' '.join(installed)} && pip install opencv-python"
    if sys.platform == "linux":
        fix = f"{INSTALL_LIBRARIES} && {fix}; {WITHOUT_ROOT}"
    if len(installed) > 1:
        found = f"{' and '.join(installed)} are both installed and overwrite each other"
        yield Finding("opencv", Status.PROBLEM, found, fix)
    else:
        found = f"{installed[0]}: the next pip install of digitedge adds opencv-python, which overwrites it"
        yield Finding("opencv", Status.NOTE, found, fix)


def check_extras() -> Iterator[Finding]:
    """Report which extras are installed. They are not imported: TensorFlow takes seconds and 560 MB."""
    for extra, (purpose, modules) in EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            found = f"{purpose}: not installed ({', '.join(missing)})"
            yield Finding(extra, Status.NOTE, found, install_command(extra))
        else:
            yield Finding(extra, Status.OK, f"{purpose}: installed")
