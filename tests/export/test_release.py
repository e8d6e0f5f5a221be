"""The programs in export/ that make the released bundles and the tables of README.md and docs/guide/."""

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from digitedge.bundle.bundle import Bundle, load_bundle, read_manifest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/guide/export-and-verify.md", "docs/guide/evaluate.md")


def figures(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run export/figures.py in a folder."""
    program = [sys.executable, str(ROOT / "export" / "figures.py"), *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The pages with tables, and the released bundles."""
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    for name in ("cnn", "small"):
        shutil.copytree(ROOT / "export" / name, tmp_path / "export" / name)
    shutil.copy(ROOT / "export" / "scenes.json", tmp_path / "export")
    return tmp_path


def test_the_pages_have_the_figures_of_the_released_bundles() -> None:
    done = figures(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_of_the_released_bundles_cnn_runs_by_default() -> None:
    cnn, small = (read_manifest(ROOT / "export" / name) for name in ("cnn", "small"))
    assert datetime.fromisoformat(cnn.created) > datetime.fromisoformat(small.created)


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("README.md", "| same answer as the Keras original |"),
        ("docs/guide/export-and-verify.md", "| `cnn/model_int8.tflite`"),
        ("docs/guide/evaluate.md", "| hard |"),
    ],
)
def test_a_wrong_figure_fails_the_check_and_is_replaced(tree: Path, page: str, line: str) -> None:
    path = tree / page
    true = path.read_text(encoding="utf-8")
    right = next(text for text in true.splitlines() if text.startswith(line))
    path.write_text(true.replace(right, right.replace("9", "8")), encoding="utf-8")
    done = figures(tree, "--check")
    assert (done.returncode, done.stderr.count(f"error: {page} has other figures")) == (1, 1)
    assert figures(tree).returncode == 0
    assert path.read_text(encoding="utf-8") == true


@pytest.mark.parametrize("key", ["name", "unseen"])
def test_an_evaluation_with_other_corruptions_fails_the_check(tree: Path, key: str) -> None:
    path = tree / "export" / "small" / "evaluation.json"
    evaluation = json.loads(path.read_text(encoding="utf-8"))
    evaluation["files"]["model_int8.onnx"]["corruptions"][-1][key] = "other"
    path.write_text(json.dumps(evaluation), encoding="utf-8")
    done = figures(tree, "--check")
    assert done.returncode == 1
    assert "model_int8.onnx was evaluated with other corruptions than there are now" in done.stderr


def test_every_rendered_scene_is_counted_once() -> None:
    scenes = json.loads((ROOT / "export" / "scenes.json").read_text(encoding="utf-8"))
    empty = scenes["images"] - scenes["by_difficulty"]["all"]["images"]
    assert empty > 0
    assert f"In {empty} scenes without a digit" in (ROOT / "docs/guide/evaluate.md").read_text(encoding="utf-8")


def test_a_page_without_a_place_for_its_table_is_an_error(tree: Path) -> None:
    (tree / "README.md").write_text("nothing", encoding="utf-8")
    done = figures(tree)
    assert done.returncode == 1
    assert "expected one place <!-- summary -->" in done.stderr


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


def bundle_with(small: Bundle, **changes: Any) -> Bundle:
    """The released small bundle with another int8 TFLite file."""
    files = dict(small.manifest.files)
    files["model_int8.tflite"] = replace(files["model_int8.tflite"], **changes)
    return replace(small, manifest=replace(small.manifest, files=files))


@pytest.fixture(scope="module")
def small() -> Bundle:
    return load_bundle(ROOT / "export" / "small")


def test_the_released_bundles_meet_the_release_criteria(release: ModuleType, small: Bundle) -> None:
    assert release.failed_criteria("small", small) == []
    assert release.failed_criteria("cnn", load_bundle(ROOT / "export" / "cnn")) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top1": 0.98}, "model_int8.tflite has a top-1 drop of"),
        ({"top1": float("nan")}, "model_int8.tflite has a top-1 drop of nan %"),
        ({"agreement": 0.9989}, "model_int8.tflite has an agreement of 99.89 %"),
        ({"bytes": 24_001}, "model_int8.tflite has 24,001 bytes"),
    ],
)
def test_an_int8_file_that_fails_a_criterion_is_named(
    release: ModuleType, small: Bundle, changes: dict[str, Any], message: str
) -> None:
    (failed,) = release.failed_criteria("small", bundle_with(small, **changes))
    assert failed.startswith(message)


def test_missing_int8_files_and_too_many_macs_are_named(release: ModuleType, small: Bundle) -> None:
    files = {name: file for name, file in small.manifest.files.items() if file.recipe != "int8"}
    manifest = replace(small.manifest, files=files, macs=1_300_001)
    assert release.failed_criteria("small", replace(small, manifest=manifest)) == [
        "1,300,001 multiply-accumulates, at most 1,300,000",
        "no model_int8.tflite",
        "no model_int8.onnx",
    ]


def test_the_spread_of_three_seeds_is_reported(release: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(3):
        for name in ("cnn", "small"):
            folder = Path(f"runs/release/seed-{seed}/{name}")
            folder.mkdir(parents=True)
            file = dict.fromkeys(release.FIGURES.values(), 0.99 + seed / 100)
            (folder / "evaluation.json").write_text(json.dumps({"files": {"model_int8.tflite": file}}))
    release.report_spread(range(3), ["seed-1 fails: agreement"])
    printed = capsys.readouterr().out
    assert "| `cnn` | 100.00 ± 1.00 % |" in printed
    assert "seed-1 fails: agreement" in printed
    assert Path("runs/release/spread.md").is_file()


@pytest.fixture
def commands(release: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would run."""
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(release, "digitedge", lambda *arguments: ran.append(arguments))
    return ran


def started_run(release: ModuleType, name: str, **changes: object) -> Path:
    """The run folder of a training that started with the released config."""
    run = release.run_folder(name, 0)
    run.mkdir(parents=True)
    config = {"architecture": name, "seed": 0, **release.RELEASED[name], **changes}
    (run / "args.json").write_text(json.dumps({"config": config}))
    (run / "start.keras").write_text(f"published weights of {name}")
    (run / "model.keras").write_text(f"weights of {name}")
    (run / "teacher.keras").write_text("weights of cnn")
    (release.PUBLISHED / name).mkdir(parents=True)
    (release.PUBLISHED / name / "model.keras").write_text(f"published weights of {name}")
    return run


def test_a_training_gets_its_options_and_starts_from_the_published_model(
    release: ModuleType, commands: list[tuple[str, ...]]
) -> None:
    release.run_folder("small", 0).mkdir(parents=True)  # interrupted before the training began
    assert release.train("small", seed=0) == Path("runs/train/release-small-0-1")
    (command,) = commands
    assert command[:6] == ("train", "small", "--epochs", "9", "--scenes", "3000")
    assert command[6:10] == ("--from", "export/small", "--teacher", "runs/train/release-cnn-0-1")
    assert command[10:] == ("--seed", "0", "--name", "release-small-0")
    assert not release.run_folder("small", 0).exists()


def test_an_interrupted_training_is_resumed(release: ModuleType, commands: list[tuple[str, ...]]) -> None:
    run = started_run(release, "cnn")
    assert release.train("cnn", seed=0) == run
    assert commands == [("train", "--resume", str(run))]


def test_a_run_whose_bundle_is_published_already_is_not_another_one(
    release: ModuleType, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    """As after an interruption between the two bundles: to fine-tune again would start from the result."""
    (started_run(release, "cnn") / "metrics.json").touch()
    made = release.MADE / "seed-0" / "cnn"
    made.mkdir(parents=True)
    for folder in (made, release.PUBLISHED / "cnn"):
        (folder / "model.keras").write_text("fine-tuned weights")
    release.train("cnn", seed=0)
    assert commands == []
    assert "finished before" in capsys.readouterr().out


def test_a_finished_training_is_not_repeated(
    release: ModuleType, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    (started_run(release, "cnn") / "metrics.json").touch()
    release.train("cnn", seed=0)
    assert commands == []
    assert "finished before" in capsys.readouterr().out


def test_a_run_with_another_config_is_refused(release: ModuleType, commands: list[tuple[str, ...]]) -> None:
    started_run(release, "cnn", epochs=3)
    with pytest.raises(SystemExit, match=r"was trained with \{'epochs': 3\}"):
        release.train("cnn", seed=0)


@pytest.mark.parametrize("role", ["start", "teacher"])
def test_a_run_of_another_model_or_teacher_is_refused(
    role: str, release: ModuleType, commands: list[tuple[str, ...]]
) -> None:
    started_run(release, "cnn")
    (started_run(release, "small") / f"{role}.keras").write_text("others")
    with pytest.raises(SystemExit, match=f"'{role}': 'another model'"):
        release.train("small", seed=0)


@pytest.mark.slow
def test_a_seed_that_fails_is_reported_and_the_others_are_tried(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    shutil.copy(ROOT / "export" / "release.py", tmp_path / "export")  # without the bundles that training starts from
    command = [sys.executable, "export/release.py", "--seeds", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stderr.startswith("error: expected 2 seeds, got 0:")
    for seed in range(2):
        assert f"seed {seed} could not be made: error: " in done.stderr
        assert "$ digitedge train cnn" in (tmp_path / "runs" / "release" / f"seed-{seed}.log").read_text()
