"""The structure of the package: levels, what imports without the train and trust extras, and the public names."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import digitedge
from digitedge.errors import install_command

PACKAGE = Path(digitedge.__file__).parent
LEVELS = (
    *(
        "cli",
        "exporting",
        "doctor",
        "web",
        "training",
        "adapting",
        "bulk",
        "evaluation",
        "benchmark",
        "camera",
        "collecting",
        "datasets",
        "reader",
    ),
    *("synthetic", "updates", "bundle", "metrics", "runtime", "vision", "documents", "engines", "utils", "errors"),
)
"""Packages from the top down; docs/architecture.md describes them. A package imports only from those after it."""

TRAIN_PACKAGES = ("digitedge.training", "digitedge.exporting")
EDGE_MODULES = [
    module.name
    for module in pkgutil.walk_packages(digitedge.__path__, "digitedge.")
    if not module.name.startswith(TRAIN_PACKAGES) and module.name != "digitedge.__main__"
]
TRAIN_EXTRA = ("tensorflow", "keras", "tf2onnx", "matplotlib")
TRUST_EXTRA = ("cryptography", "tuf", "securesystemslib")
UPDATES = "digitedge.updates"


def run(code: str, *, blocked: tuple[str, ...] = TRAIN_EXTRA) -> subprocess.CompletedProcess[str]:
    """Run code in a process in which some packages are missing."""
    block = f"import sys; sys.modules.update(dict.fromkeys({blocked}))\n"
    return subprocess.run([sys.executable, "-P", "-c", block + code], capture_output=True, text=True, timeout=120)


def imported_packages(source: str) -> set[str]:
    """Return the packages of digitedge that a source file imports, also inside functions; "" for the root."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
    return {f"{name}.".split(".")[1] for name in modules if name.split(".")[0] == "digitedge"}


def upward_imports(package: str, source: str) -> set[str]:
    """Return what a source file of a package imports although it is not on a lower level."""
    lower = LEVELS[LEVELS.index(package) :]
    return {name for name in imported_packages(source) if name not in lower}


def test_the_root_holds_packages_and_errors_only() -> None:
    names = {path.name for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "released")}
    assert names == {"__init__.py", "__main__.py", "errors.py", "py.typed", *LEVELS} - {"errors"}


@pytest.mark.parametrize("package", LEVELS)
def test_a_package_imports_only_from_lower_levels(package: str) -> None:
    files = sorted((PACKAGE / package).rglob("*.py")) or [PACKAGE / f"{package}.py"]
    found = {str(file): upward_imports(package, file.read_text()) for file in files}
    assert {file: packages for file, packages in found.items() if packages} == {}


def test_an_upward_import_would_be_noticed() -> None:
    source = "def late():\n    from digitedge.reader import Reader\n    import digitedge.vision\n    import digitedge\n"
    assert upward_imports("runtime", source) == {"reader", ""}
    assert upward_imports("camera", source) == {""}


# Each module as if it were the first of the package. Third-party modules stay loaded, because NumPy and OpenCV take
# half a second each time; so a module that forgets to import a part of such a package is not noticed here.
IMPORT_EACH = """
import importlib, traceback
for name in {names}:
    for known in [known for known in sys.modules if known.startswith("digitedge")]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except BaseException:  # SystemExit, too
        traceback.print_exc()
    print(name)
"""


@pytest.mark.parametrize("is_update", [False, True], ids=["without train and trust", "updates without train"])
def test_every_edge_module_imports_without_the_extras_that_it_does_not_need(is_update: bool) -> None:
    names = [name for name in EDGE_MODULES if name.startswith(UPDATES) == is_update]
    assert is_update or {"digitedge.bundle.keys", "digitedge.bundle.signature", "digitedge.cli.sign"} <= set(names)
    result = run(IMPORT_EACH.format(names=names), blocked=TRAIN_EXTRA if is_update else TRAIN_EXTRA + TRUST_EXTRA)
    assert result.stdout.split() == names
    assert "Traceback" not in result.stderr, result.stderr


def test_a_module_that_needs_the_train_extra_would_be_noticed() -> None:
    result = run(IMPORT_EACH.format(names=[*EDGE_MODULES[:3], *TRAIN_PACKAGES]))
    assert result.stderr.count("MissingExtraError: tensorflow is not installed") == len(TRAIN_PACKAGES)


def test_a_module_that_needs_the_trust_extra_would_be_noticed() -> None:
    result = run(IMPORT_EACH.format(names=[f"{UPDATES}.install"]), blocked=TRUST_EXTRA)
    assert "MissingExtraError: tuf is not installed" in result.stderr


def test_the_public_names_are_these_and_all_exist() -> None:
    assert digitedge.__all__ == [
        "Bundle",
        "CameraError",
        "Classifier",
        "DataError",
        "Digit",
        "DigitEdgeError",
        "InputError",
        "MissingExtraError",
        "ModelError",
        "ParityError",
        "Reader",
        "Reading",
        "Trace",
        "__version__",
        "load_bundle",
        "load_classifier",
        "load_mnist",
        "normalize_digit",
    ]
    assert dir(digitedge) == sorted(digitedge.__all__)
    for name in digitedge.__all__:
        assert name == "__version__" or getattr(digitedge, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        digitedge.nothing  # noqa: B018


def test_importing_digitedge_imports_nothing_else() -> None:
    code = "import sys, digitedge; print([m for m in ('numpy', 'cv2', 'ai_edge_litert', 'rich') if m in sys.modules])"
    assert run(code).stdout.strip() == "[]"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['digitedge', '--help']\n"
        "import digitedge.cli\n"
        "try: digitedge.cli.main()\n"
        "except SystemExit as exc: print('exit code', exc.code)\n"
        "print([m for m in ('numpy', 'cv2', 'ai_edge_litert', 'onnxruntime') if m in sys.modules])"
    )
    result = run(code, blocked=TRAIN_EXTRA + TRUST_EXTRA)
    assert result.stdout.endswith("exit code 0\n[]\n"), result.stderr


def test_reading_works_without_the_train_extra() -> None:
    code = (
        "import numpy as np, digitedge\n"
        "page = np.full((200, 300), 230, np.uint8); page[60:68, 100:146] = page[60:140, 138:146] = 40\n"
        "print(digitedge.Reader().read(page).rows)"
    )
    result = run(code)
    assert result.stdout.strip() == "('7',)", result.stderr


@pytest.mark.parametrize("package", TRAIN_PACKAGES)
def test_the_train_packages_name_the_extra_that_they_need(package: str) -> None:
    result = run(f"import {package}")
    assert f"MissingExtraError: tensorflow is not installed. Run: {install_command('train')}" in result.stderr


def test_a_package_that_is_broken_inside_shows_its_own_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package.py").write_text("import a_module_that_it_needs")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="a_module_that_it_needs") as caught:
        importlib.import_module("digitedge.errors").require("broken_package", extra="train")
    assert not isinstance(caught.value, digitedge.MissingExtraError)
