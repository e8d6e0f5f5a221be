"""The border between workshop and edge, and the public face."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import digitedge

WORKSHOP = ("digitedge.training", "digitedge.exporting")
EDGE_MODULES = [
    module.name
    for module in pkgutil.walk_packages(digitedge.__path__, "digitedge.")
    if not module.name.startswith(WORKSHOP) and module.name != "digitedge.__main__"
]
BLOCK = "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'tf2onnx', 'matplotlib']))\n"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCK + code], capture_output=True, text=True, timeout=120)


def test_every_room_of_the_edge_is_looked_at() -> None:
    rooms = {name.split(".")[1] for name in EDGE_MODULES}
    assert {"benchmark", "bundle", "camera", "cli", "datasets", "evaluation", "metrics", "reader"} <= rooms
    assert {"doctor", "runtime", "synthetic", "utils", "vision", "web"} <= rooms


# Each module as if it were the first of the package. What comes from outside stays, because NumPy and OpenCV take half
# a second each time; so a module that forgets to import a part of such a package is not noticed here.
IMPORT_EACH = f"""
import importlib, traceback
for name in {EDGE_MODULES}:
    for known in [known for known in sys.modules if known.startswith("digitedge")]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except BaseException:  # SystemExit, too
        traceback.print_exc()
    print(name)
"""


def test_every_edge_module_imports_without_the_workshops_packages() -> None:
    result = run(IMPORT_EACH)
    assert result.stdout.split() == EDGE_MODULES
    assert "Traceback" not in result.stderr, result.stderr


def test_a_module_that_wants_them_would_be_noticed() -> None:
    result = run(IMPORT_EACH.replace(f"{EDGE_MODULES}", f"{[*EDGE_MODULES[:3], *WORKSHOP]}"))
    assert result.stderr.count("MissingExtraError: tensorflow is not installed") == len(WORKSHOP)


def test_the_public_names_are_these_and_all_there() -> None:
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
        "load_bundle",
        "load_classifier",
        "load_mnist",
        "normalize_digit",
    ]
    for name in digitedge.__all__:
        assert getattr(digitedge, name).__name__ == name
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
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'cv2', 'ai_edge_litert', 'onnxruntime') if m in sys.modules])"
    )
    assert run(code).stdout.strip().endswith("[]")


def test_reading_works_without_the_workshop() -> None:
    code = (
        "import numpy as np, digitedge\n"
        "page = np.full((200, 300), 230, np.uint8); page[60:140, 100:108] = 40\n"
        "print(digitedge.Reader().read(page).rows)"
    )
    result = run(code)
    assert result.stdout.strip() == "('1',)", result.stderr


@pytest.mark.parametrize("room", WORKSHOP)
def test_the_workshop_says_which_extra_it_needs(room: str) -> None:
    result = run(f"import {room}")
    assert "MissingExtraError: tensorflow is not installed. Run: pip install 'digitedge[train]'" in result.stderr


def test_a_package_that_is_broken_inside_shows_its_true_cause(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package.py").write_text("import a_module_that_it_needs")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="a_module_that_it_needs") as caught:
        importlib.import_module("digitedge.errors").require("broken_package", extra="train")
    assert not isinstance(caught.value, digitedge.MissingExtraError)
