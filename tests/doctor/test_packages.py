import os
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.packages import (
    EXTRAS,
    OLDEST_PYTHON,
    TOO_NEW_PYTHON,
    check_extras,
    check_libraries,
    check_library,
    check_opencv_packages,
    check_python,
)
from digitedge.errors import install_command

ROOT = Path(__file__).parents[2]
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and scripts of POSIX")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that precede the installed ones, for this process and its children."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_this_python_and_numpy_are_ok() -> None:
    assert check_python().status is Status.OK
    assert check_library("numpy", package="numpy", module="numpy") == Finding("numpy", Status.OK, np.__version__)


@pytest.mark.parametrize(
    ("version", "bits", "fix"),
    [
        ((3, 11, 7), 32, "64-bit Raspberry Pi OS"),
        ((3, 10, 14), 64, "Python 3.11, 3.12 or 3.13"),
        ((3, 14, 0), 64, "Python 3.11, 3.12 or 3.13"),
    ],
)
def test_an_unsupported_python_is_a_problem(version: tuple[int, ...], bits: int, fix: str) -> None:
    finding = check_python(version, bits)
    assert finding.status is Status.PROBLEM
    assert fix in str(finding.fix)


def test_the_python_versions_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest, too_new = (".".join(map(str, version)) for version in (OLDEST_PYTHON, TOO_NEW_PYTHON))
    assert project["requires-python"] == f">={oldest},<{too_new}"


@pytest.mark.parametrize(
    ("code", "found", "fix"),
    [
        (
            "raise ImportError('libxcb.so.1: cannot open shared object file: No such file or directory')",
            "libxcb.so.1",
            "sudo apt install libgl1 libglib2.0-0; without root, after every pip install of digitedge: ",
        ),
        ("import os; os.abort()", "it crashed (Abort", "pip install --force-reinstall opencv-python"),
        ("", "has no attribute '__version__'", "pip install --force-reinstall opencv-python"),
        ("import os; os._exit(3)", "it exited with code 3", "pip install --force-reinstall opencv-python"),
    ],
    ids=["shared object", "abort", "empty", "code"],
)
@posix_only
def test_an_opencv_that_cannot_be_imported_is_a_problem(packages: Path, code: str, found: str, fix: str) -> None:
    (packages / "cv2.py").write_text(code)
    finding = check_library("opencv", package="opencv-python", module="cv2")
    assert finding.status is Status.PROBLEM
    assert found in finding.found
    assert str(finding.fix).startswith(fix)


@posix_only
def test_missing_packages_are_problems_with_their_command(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "executable", _bare_python(packages))
    names = {
        "numpy": "numpy",
        "opencv": "opencv-python",
        "litert": "ai-edge-litert",
        "onnxruntime": install_command("onnx").removeprefix("pip install "),
    }
    assert list(check_libraries()) == [
        Finding(check, Status.PROBLEM, "not installed", f"pip install {package}") for check, package in names.items()
    ]


@posix_only
def test_one_runtime_is_enough(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (packages / "onnxruntime.py").write_text("__version__ = '1.19'")
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "executable", _bare_python(packages))
    findings = {finding.check: finding for finding in check_libraries()}
    assert findings["onnxruntime"] == Finding("onnxruntime", Status.OK, "1.19")
    assert (findings["litert"].status, findings["litert"].fix) == (Status.NOTE, "pip install ai-edge-litert")


def test_a_broken_runtime_is_a_problem_beside_a_working_one(packages: Path) -> None:
    (packages / "onnxruntime.py").write_text("raise ImportError('DLL load failed')")
    finding = {finding.check: finding for finding in check_libraries()}["onnxruntime"]
    assert finding.status is Status.PROBLEM
    assert finding.fix == "pip install --force-reinstall onnxruntime"


@pytest.mark.parametrize(
    ("installed", "status", "found"),
    [
        ([], None, ""),
        (["opencv_python"], None, ""),
        (
            ["opencv_python", "opencv_python_headless"],
            Status.PROBLEM,
            "opencv-python and opencv-python-headless are both installed and overwrite each other",
        ),
        (
            ["opencv_python_headless"],
            Status.NOTE,
            "opencv-python-headless: the next pip install of digitedge adds opencv-python, which overwrites it",
        ),
    ],
    ids=["none", "opencv-python", "both", "headless"],
)
def test_another_opencv_than_opencv_python_is_reported_with_the_lasting_fix(
    packages: Path, monkeypatch: pytest.MonkeyPatch, installed: list[str], status: Status | None, found: str
) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "platform", "linux")
    for name in installed:
        _install(packages, name)
    names = " ".join(name.replace("_", "-") for name in installed)
    fix = (
        f"sudo apt install libgl1 libglib2.0-0 && pip uninstall --yes {names} && pip install opencv-python; "
        "without root, after every pip install of digitedge: "
        "pip uninstall --yes opencv-python opencv-python-headless && pip install opencv-python-headless"
    )
    assert list(check_opencv_packages()) == ([Finding("opencv", status, found, fix)] if status else [])


def test_a_missing_extra_is_a_note(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    for _, modules in EXTRAS.values():
        for module in modules:
            monkeypatch.delitem(sys.modules, module, raising=False)  # imported by another test
    (packages / "starlette.py").touch()
    findings = {finding.check: finding for finding in check_extras()}
    assert {finding.status for finding in findings.values()} == {Status.NOTE}
    assert findings["web"].found == "a page in the browser: not installed (uvicorn)"
    assert findings["web"].fix == install_command("web")
    (packages / "uvicorn.py").touch()
    assert {finding.check: finding.status for finding in check_extras()}["web"] is Status.OK


def _install(packages: Path, name: str) -> None:
    """Write the metadata by which a package counts as installed."""
    folder = packages / f"{name}-4.10.0.84.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 4.10.0.84\n")


def _bare_python(folder: Path) -> str:
    """Write a Python that finds only the packages in PYTHONPATH."""
    program = folder / "bare-python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    program.chmod(0o755)
    return str(program)
