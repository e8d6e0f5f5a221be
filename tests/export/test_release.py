"""The programs in export/ that make the released bundles and README's figures."""

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest

from digitedge.bundle.bundle import Bundle, load_bundle, read_manifest

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
    shutil.copy(ROOT / "export" / "scenes.json", tmp_path / "export")
    return tmp_path


def test_the_readme_has_the_figures_of_the_released_bundles() -> None:
    done = figures(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_of_the_released_bundles_cnn_runs_by_default() -> None:
    cnn, small = (read_manifest(ROOT / "export" / name) for name in ("cnn", "small"))
    assert datetime.fromisoformat(cnn.created) > datetime.fromisoformat(small.created)


def test_another_figure_is_noticed_and_mended(tree: Path) -> None:
    readme = tree / "README.md"
    true = readme.read_text(encoding="utf-8")
    line = next(line for line in true.splitlines() if line.startswith("| `cnn/model_int8.tflite`"))
    readme.write_text(true.replace(line, line.replace("99.", "98.")), encoding="utf-8")
    done = figures(tree, "--check")
    assert (done.returncode, done.stderr.count("error: README.md has other figures")) == (1, 1)
    assert figures(tree).returncode == 0
    assert readme.read_text(encoding="utf-8") == true


def test_every_rendered_scene_is_counted_once() -> None:
    scenes = json.loads((ROOT / "export" / "scenes.json").read_text(encoding="utf-8"))
    empty = scenes["images"] - scenes["by_difficulty"]["all"]["frames"]
    assert empty > 0
    assert f"In {empty} scenes without a digit it invents" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_readme_without_a_place_for_a_table_is_an_error(tree: Path) -> None:
    (tree / "README.md").write_text("nothing", encoding="utf-8")
    done = figures(tree)
    assert done.returncode == 1
    assert "expected one place <!-- parity -->" in done.stderr


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


def bundle_with(small: Bundle, **changes: object) -> Bundle:
    """The released small bundle with another int8 TFLite file."""
    files = dict(small.manifest.files)
    files["model_int8.tflite"] = replace(files["model_int8.tflite"], **changes)
    return replace(small, manifest=replace(small.manifest, files=files))


@pytest.fixture(scope="module")
def small() -> Bundle:
    return load_bundle(ROOT / "export" / "small")


def test_what_is_released_keeps_its_marks(release, small: Bundle) -> None:
    assert release.missed_marks("small", small) == []
    assert release.missed_marks("cnn", load_bundle(ROOT / "export" / "cnn")) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top1": 0.98}, "model_int8.tflite loses"),
        ({"top1": float("nan")}, "model_int8.tflite loses nan%"),
        ({"agreement": 0.9989}, "model_int8.tflite agrees on 99.89%"),
        ({"bytes": 24_001}, "model_int8.tflite has 24,001 bytes"),
    ],
)
def test_an_int8_file_that_misses_a_mark_is_not_released(release, small: Bundle, changes, message) -> None:
    (missed,) = release.missed_marks("small", bundle_with(small, **changes))
    assert missed.startswith(message)


def test_a_bundle_without_int8_or_with_too_much_work_is_not_released(release, small: Bundle) -> None:
    files = {name: file for name, file in small.manifest.files.items() if file.recipe != "int8"}
    manifest = replace(small.manifest, files=files, macs=1_300_001)
    assert release.missed_marks("small", replace(small, manifest=manifest)) == [
        "1,300,001 multiply-accumulates, at most 1,300,000",
        "no model_int8.tflite",
        "no model_int8.onnx",
    ]


def test_the_spread_of_three_seeds_is_reported(release, capsys) -> None:
    for seed in range(3):
        for name in ("cnn", "small"):
            folder = Path(f"runs/release/seed-{seed}/{name}")
            folder.mkdir(parents=True)
            file = dict.fromkeys(release.FIGURES.values(), 0.99 + seed / 100)
            (folder / "evaluation.json").write_text(json.dumps({"files": {"model_int8.tflite": file}}))
    release.report_spread(3, ["seed-1 misses: agreement"])
    told = capsys.readouterr().out
    assert "| `cnn` | 100.00 ± 1.00 % |" in told
    assert "seed-1 misses: agreement" in told
    assert Path("runs/release/spread.md").is_file()


@pytest.fixture
def commands(release, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would run."""
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(release, "digitedge", lambda *arguments: ran.append(arguments))
    return ran


def begun(release, name: str, **changes: object) -> Path:
    """The run folder of a training that began with the released plan."""
    run = release.folder_of(name, 0)
    run.mkdir(parents=True)
    plan = {"architecture": name, "seed": 0, **release.RELEASED[name], **changes}
    (run / "args.json").write_text(json.dumps({"plan": plan}))
    (run / "model.keras").write_text(f"weights of {name}")
    return run


def test_a_training_begins_with_its_plan_and_its_teacher(release, commands) -> None:
    release.folder_of("small", 0).mkdir(parents=True)  # killed before it began
    assert release.train("small", seed=0) == Path("runs/train/release-small-0-1")
    (command,) = commands
    assert command[:6] == ("train", "small", "--epochs", "20", "--scenes", "2000")
    assert command[6:] == ("--teacher", "runs/train/release-cnn-0-1", "--seed", "0", "--name", "release-small-0")
    assert not release.folder_of("small", 0).exists()


def test_an_interrupted_training_goes_on(release, commands) -> None:
    run = begun(release, "cnn")
    assert release.train("cnn", seed=0) == run
    assert commands == [("train", "--resume", str(run))]


def test_a_finished_training_is_not_done_again(release, commands, capsys) -> None:
    (begun(release, "cnn") / "metrics.json").touch()
    release.train("cnn", seed=0)
    assert commands == []
    assert "finished before" in capsys.readouterr().out


def test_a_run_of_another_plan_is_not_released(release, commands) -> None:
    begun(release, "cnn", epochs=3)
    with pytest.raises(SystemExit, match=r"was trained with \{'epochs': 3\}"):
        release.train("cnn", seed=0)


def test_a_student_of_another_teacher_is_not_released(release, commands) -> None:
    begun(release, "cnn")
    (begun(release, "small") / "teacher.keras").write_text("others")
    with pytest.raises(SystemExit, match="'teacher': 'another net'"):
        release.train("small", seed=0)
