import os
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.packages import (
    EXTRAS,
    NUMPY,
    OLDEST,
    OPENCV,
    TOO_NEW,
    check_extras,
    check_libraries,
    check_library,
    check_opencvs,
    check_python,
)

ROOT = Path(__file__).parents[2]
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and scripts of POSIX")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in front of all installed packages, for this process and for those that it starts."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_this_python_and_its_packages_are_well() -> None:
    assert check_python().status is Status.OK
    assert check_library(NUMPY) == Finding("numpy", Status.OK, np.__version__)


@pytest.mark.parametrize(
    ("version", "bits", "mend"),
    [
        ((3, 11, 7), 32, "64-bit Raspberry Pi OS"),
        ((3, 10, 14), 64, "Python 3.11, 3.12 or 3.13"),
        ((3, 14, 0), 64, "Python 3.11, 3.12 or 3.13"),
    ],
)
def test_a_python_that_does_not_fit_is_a_problem(version: tuple[int, ...], bits: int, mend: str) -> None:
    finding = check_python(version, bits)
    assert finding.status is Status.PROBLEM
    assert mend in str(finding.mend)


def test_the_versions_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest, too_new = (".".join(map(str, version)) for version in (OLDEST, TOO_NEW))
    assert project["requires-python"] == f">={oldest},<{too_new}"


@pytest.mark.parametrize(
    ("code", "found", "mend"),
    [
        (
            "raise ImportError('libxcb.so.1: cannot open shared object file: No such file or directory')",
            "libxcb.so.1",
            "sudo apt install libgl1 libglib2.0-0, or: ",
        ),
        ("import os; os.abort()", "it crashes (Abort", "pip install --force-reinstall opencv-python"),
        ("", "cannot import name 'VideoCapture'", "pip install --force-reinstall opencv-python"),
        ("import os; os._exit(3)", "it ends with code 3", "pip install --force-reinstall opencv-python"),
    ],
    ids=["shared object", "abort", "empty", "code"],
)
@posix_only
def test_an_opencv_that_does_not_start_is_one_finding(packages: Path, code: str, found: str, mend: str) -> None:
    (packages / "cv2.py").write_text(code)
    finding = check_library(OPENCV)
    assert finding.status is Status.PROBLEM
    assert found in finding.found
    assert str(finding.mend).startswith(mend)


@posix_only
def test_a_package_that_is_not_there_is_to_be_installed(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "executable", _bare_python(packages))
    names = {"numpy": "numpy", "opencv": "opencv-python", "litert": "ai-edge-litert", "onnxruntime": "onnxruntime"}
    assert list(check_libraries()) == [
        Finding(check, Status.PROBLEM, "not installed", f"pip install {package}") for check, package in names.items()
    ]


@posix_only
def test_one_runtime_is_enough(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (packages / "onnxruntime.py").write_text("__version__ = '1.19'; InferenceSession = None")
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "executable", _bare_python(packages))
    *_, litert, onnxruntime = check_libraries()
    assert onnxruntime == Finding("onnxruntime", Status.OK, "1.19")
    assert (litert.status, litert.mend) == (Status.NOTE, "pip install ai-edge-litert")


def test_a_runtime_that_is_broken_is_a_problem_beside_one_that_works(packages: Path) -> None:
    (packages / "onnxruntime.py").write_text("raise ImportError('DLL load failed')")
    *_, finding = check_libraries()
    assert finding.status is Status.PROBLEM
    assert finding.mend == "pip install --force-reinstall onnxruntime"


def test_two_opencvs_are_a_problem(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    _install(packages, "opencv_python")
    assert list(check_opencvs()) == []
    _install(packages, "opencv_python_headless")
    (finding,) = check_opencvs()
    assert finding.status is Status.PROBLEM
    assert finding.found.startswith("opencv-python and opencv-python-headless are both installed")
    assert finding.mend == (
        "pip uninstall --yes opencv-python opencv-python-headless && pip install opencv-python-headless"
    )
    monkeypatch.setenv("DISPLAY", ":0")
    assert str(next(check_opencvs()).mend).endswith("&& pip install opencv-python")


def test_an_extra_that_is_not_installed_is_a_note(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    for _, modules in EXTRAS.values():
        for module in modules:
            monkeypatch.delitem(sys.modules, module, raising=False)  # imported by another test
    (packages / "starlette.py").touch()
    findings = {finding.check: finding for finding in check_extras()}
    assert {finding.status for finding in findings.values()} == {Status.NOTE}
    assert findings["web"].found == "a page in the browser: not installed (uvicorn)"
    assert findings["web"].mend == "pip install 'digitedge[web]'"
    (packages / "uvicorn.py").touch()
    assert {finding.check: finding.status for finding in check_extras()}["web"] is Status.OK


def _install(packages: Path, name: str) -> None:
    """What pip leaves of a package for those who ask which there are."""
    folder = packages / f"{name}-4.10.0.84.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 4.10.0.84\n")


def _bare_python(folder: Path) -> str:
    """A Python that sees no installed package but those in PYTHONPATH."""
    program = folder / "bare-python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    program.chmod(0o755)
    return str(program)
