"""The programs in export/ that make the released bundles and README's figures."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def figures(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run export/figures.py in a folder."""
    program = [sys.executable, str(ROOT / "export" / "figures.py"), *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """README.md and the released bundles."""
    shutil.copy(ROOT / "README.md", tmp_path)
    for name in ("cnn", "small"):
        shutil.copytree(ROOT / "export" / name, tmp_path / "export" / name)
    return tmp_path


def test_the_readme_has_the_figures_of_the_released_bundles() -> None:
    done = figures(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_another_figure_is_noticed_and_mended(tree: Path) -> None:
    readme = tree / "README.md"
    true = readme.read_text(encoding="utf-8")
    line = next(line for line in true.splitlines() if line.startswith("| `cnn/model_int8.tflite`"))
    readme.write_text(true.replace(line, line.replace("99.", "98.")), encoding="utf-8")
    done = figures(tree, "--check")
    assert (done.returncode, done.stderr.count("error: README.md has other figures")) == (1, 1)
    assert figures(tree).returncode == 0
    assert readme.read_text(encoding="utf-8") == true


def test_a_readme_without_a_place_for_a_table_is_an_error(tree: Path) -> None:
    (tree / "README.md").write_text("nothing", encoding="utf-8")
    done = figures(tree)
    assert done.returncode == 1
    assert "expected one <!-- parity -->" in done.stderr


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """export/release.py as a module, in an empty folder."""
    spec = importlib.util.spec_from_file_location("release", ROOT / "export" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    return module


@pytest.mark.parametrize(
    ("top1", "agreement", "message"),
    [(0.9954, 1.0, "loses 0.06%"), (0.996, 0.9989, "agrees on 99.89%"), (float("nan"), 1.0, "loses nan%")],
)
def test_an_int8_file_far_from_its_original_is_not_released(release, top1, agreement, message) -> None:
    file = {"recipe": "int8", "top1": top1, "agreement": agreement}
    Path("manifest.json").write_text(json.dumps({"reference_top1": 0.996, "files": {"model_int8.onnx": file}}))
    with pytest.raises(SystemExit, match=message):
        release.check_int8(Path())


def test_an_int8_file_near_its_original_is_released(release) -> None:
    file = {"recipe": "int8", "top1": 0.9956, "agreement": 0.9991}
    other = {"recipe": "dynamic", "top1": 0.9, "agreement": 0.9}
    Path("manifest.json").write_text(json.dumps({"reference_top1": 0.996, "files": {"a": file, "b": other}}))
    release.check_int8(Path())


def test_the_spread_of_three_seeds_is_reported(release, capsys) -> None:
    for seed in range(3):
        for name in ("cnn", "small"):
            folder = Path(f"runs/release/seed-{seed}/{name}")
            folder.mkdir(parents=True)
            file = dict.fromkeys(release.FIGURES.values(), 0.99 + seed / 100)
            (folder / "evaluation.json").write_text(json.dumps({"files": {"model_int8.tflite": file}}))
    release.report_spread(3)
    assert "| `cnn` | 100.00 ± 1.00 % |" in capsys.readouterr().out
    assert Path("runs/release/spread.md").is_file()


def test_a_finished_training_is_not_done_again(release, capsys) -> None:
    folder = release.folder_of("cnn", 0)
    folder.mkdir(parents=True)
    (folder / "metrics.json").touch()
    assert release.train("cnn", seed=0) == folder
    assert "finished before" in capsys.readouterr().out
