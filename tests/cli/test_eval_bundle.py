"""`digitedge eval [BUNDLE]` on few images."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import digitedge.utils.files
from digitedge.bundle.bundle import released_bundle
from digitedge.cli.app import app
from digitedge.errors import DigitEdgeError
from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.evaluation.plots import PLOTS
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.utils.opencv import cv2

Run = Callable[..., Any]

FEW = ("--images", "40", "--corrupted", "4", "--scenes", "1")


def save_digits(path: Path, count: int = 60, **arrays: np.ndarray) -> Path:
    """Rendered digits, dark on light; the labels of the first three are wrong."""
    crops, labels = synthetic_digits(count, seed=4)
    labels[:3] = (labels[:3] + 1) % 10
    np.savez(path, **({"x": 255 - crops, "y": labels} | arrays))
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["eval", *map(str, arguments)])


def test_json_has_every_file_of_the_released_bundle(digitedge: Run, released: Path) -> None:
    done = digitedge("eval", "--data", "synthetic", *FEW, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    value = json.loads(line)
    assert value["schema"] == "digitedge.eval/1"
    assert value["preferred_file"] == "model_int8.tflite"
    files = json.loads((released / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {*value["files"], *value["skipped"]} == set(files)
    assert (value["digits"]["name"], value["digits"]["images"], value["corrupted"]["images"]) == ("synthetic", 40, 4)
    assert value["non_digits"]["scenes"] == 1
    for name, one in value["files"].items():
        assert one["bytes"] == files[name]["bytes"]
        assert one["top1"] > 0.9
        assert [each["name"] for each in one["corruptions"]] == [corruption.name for corruption in CORRUPTIONS]
        unseen = [error for each in one["corruptions"] if each["unseen"] for error in each["errors"]]
        assert one["unseen_corruption_error"] == pytest.approx(np.mean(unseen), abs=1e-6)
        assert [digit["images"] for digit in one["by_digit"]] == [4] * 10
        confusion = np.array(one["confusion"])
        assert confusion.sum(axis=1).tolist() == [4] * 10
        assert one["precision_recall"]["points"][0]["recall"] == pytest.approx(confusion.trace() / 40, abs=1e-6)
        rates = [result["fpr_at_99_tpr"] for result in one["ood"].values()]
        assert one["mean_fpr_at_99_tpr"] == pytest.approx(np.mean(rates), abs=1e-6)
        assert 0 <= one["calibration_error"] < 0.2
    assert "model: " in done.stderr


def test_own_digits_are_evaluated_and_the_top_errors_drawn(digitedge: Run, released: Path, tmp_path: Path) -> None:
    save_digits(tmp_path / "digits.npz")
    model = released / "model_int8.tflite"
    done = digitedge(
        *("eval", model, "--dataset", "digits.npz", "--corrupted", "0", "--scenes", "0"),
        *("--top-errors", "out/errors.png", "--markdown", "report.md", "--plots", "plots"),
    )
    assert done.returncode == 0, done.stderr
    assert "60 digits, dark ink on light" in done.stderr
    found = re.search(r"top errors: out/errors.png \((\d+) of \1 wrong predictions", done.stderr)
    assert found, done.stderr
    wrong = int(found[1])
    assert 3 <= wrong < 8  # three labels are wrong, and the model may misclassify a few digits
    top1 = f"{100 * (60 - wrong) / 60:.2f} %"
    assert cv2.imread(str(tmp_path / "out" / "errors.png")).shape[0] > 112
    for name in PLOTS:
        assert cv2.imread(str(tmp_path / "plots" / name)).shape[1] > 112
    lines = done.stdout.splitlines()
    assert re.match(r"model_int8\.tflite: (best F1|no threshold)", lines[-1])
    assert lines[0] == f"{model} on digits.npz, 60 digits"
    assert lines[3].split()[0] == "model_int8.tflite"
    assert top1 in lines[3]
    assert lines[3].endswith("-")  # not measured
    assert "severity" not in done.stdout
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| model_int8.tflite |" in report
    assert f"| {top1} |" in report


def test_several_sets_are_evaluated_together_and_named_by_their_source(
    run: Run, released: Path, tmp_path: Path
) -> None:
    save_digits(tmp_path / "ada.npz", 20)
    (tmp_path / "ben").mkdir()
    save_digits(tmp_path / "ben" / "ada.npz", 30)
    sets = ("--dataset", "ada.npz", "--data", "ben/ada.npz")
    done = run(released / "model_int8.tflite", *sets, "--corrupted", "0", "--scenes", "0", "--json")
    assert done.exit_code == 0, done.stderr
    value = json.loads(done.stdout)
    assert value["digits"]["name"] == "ada.npz + ada.npz"
    assert value["digits"]["images"] == 50
    (file,) = value["files"].values()
    wrong = {error["name"] for error in file["top_errors"]}
    assert wrong >= {f"{source} #{index}" for source in ("ada.npz", "ben/ada.npz") for index in range(3)}


def test_markdown_can_be_printed(run: Run, released: Path, tmp_path: Path) -> None:
    save_digits(tmp_path / "digits.npz")
    done = run(released, "--dataset", "digits.npz", "--corrupted", "3", "--scenes", "1", "--markdown", "-")
    assert done.exit_code == 0, done.output
    tables = [block.splitlines() for block in done.stdout.split("\n\n") if block.startswith("|")]
    assert [table[0].split(" | ")[0].strip("| ") for table in tables] == [
        "file",
        "corruption",
        "corruption",
        "file",
        "file",
    ]
    for table in tables:
        assert len({line.count("|") for line in table}) == 1
    assert len(tables[1]) == 2 + len(CORRUPTIONS)
    assert "| motion blur (unseen) |" in done.stdout


def test_top_errors_of_a_folder_have_the_names_of_the_images(run: Run, released: Path, tmp_path: Path) -> None:
    crops, labels = synthetic_digits(20, seed=4)
    for place, (crop, label) in enumerate(zip(crops, labels, strict=True)):
        folder = tmp_path / "digits" / str(9 - label if place == 5 else label)
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{place}.png"), crop)
    arguments = (released / "model_int8.tflite", "--dataset", "digits", "--corrupted", "0", "--scenes", "0")
    (file,) = json.loads(run(*arguments, "--json").stdout)["files"].values()
    assert file["top_errors"][0]["name"] == f"{9 - labels[5]}/5.png"
    assert (file["seen_corruption_error"], file["mean_fpr_at_99_tpr"]) == (None, None)
    (tmp_path / "digits" / "x").mkdir()
    cv2.imwrite(str(tmp_path / "digits" / "x" / "cross.png"), crops[0])
    value = json.loads(run(*arguments, "--json").stdout)
    assert (value["digits"]["images"], value["non_digits"]["crops"]) == (20, {"own": 1})
    assert [*value["files"]["model_int8.tflite"]["ood"]] == ["own"]
    for option in (("--top-errors", "digits/errors.png"), ("--plots", "digits/7")):
        done = run(*arguments, *option)
        assert done.exit_code == 1
        assert "would lie among the digits" in done.stderr


def test_without_errors_no_image_is_written(run: Run, released: Path, tmp_path: Path) -> None:
    crops, labels = synthetic_digits(10, seed=4)
    save_digits(tmp_path / "digits.npz", x=crops, y=labels)
    done = run(released, "--dataset", "digits.npz", "--corrupted", "0", "--scenes", "0", "--top-errors", "errors.png")
    assert done.exit_code == 0
    assert "no errors" in done.stderr
    assert not (tmp_path / "errors.png").exists()


def test_commands_and_paths_are_told_apart(run: Run, released: Path, tmp_path: Path) -> None:
    assert "Evaluate every file" in run("export/cnn", "--help").stdout
    for name in ("--help", "-h"):
        listed = run(name).stdout
        assert all(command in listed for command in ("bundle", "photos", "scenes"))
    assert run("photos").exit_code == 2  # wants its folder
    shutil.copytree(released, tmp_path / "photos")
    save_digits(tmp_path / "digits.npz")
    options = ("--dataset", "digits.npz", "--images", "10", "--corrupted", "0", "--scenes", "0", "--json")
    for path in (("./photos",), ("bundle", "photos")):
        assert json.loads(run(*path, *options).stdout)["model"] == "photos"
    assert json.loads(run(*options).stdout)["model"] == str(released_bundle())  # the default


def mark_failed(bundle: Path) -> Path:
    """Change the manifest of a bundle to one that failed parity."""
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["passed"] = False
    for entry in manifest["files"].values():
        entry["passed"] = False
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return bundle


def test_a_bundle_that_failed_parity_needs_force(run: Run, released: Path, tmp_path: Path) -> None:
    bundle = mark_failed(Path(shutil.copytree(released, tmp_path / "poor")))
    save_digits(tmp_path / "digits.npz")
    options = (bundle, "--dataset", "digits.npz", "--corrupted", "0", "--scenes", "0")
    done = run(*options)
    assert done.exit_code == 1
    assert "--force" in done.stderr
    assert run(*options, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone"], 1, "nothing at gone"),
        (["--dataset", "gone"], 1, "nothing at gone"),
        (["--dataset", "odd.npz"], 1, "expected labels 0 to 9, got 77"),
        (["--data", "synthetic", "--data", "synthetic"], 1, "expected every set of digits once, got synthetic again"),
        (["--data", "gone"], 1, "expected mnist, synthetic, a folder or npz file with MNIST, or digits of your own"),
        (["--top-errors", "errors.txt"], 1, "expected a suffix"),
        (["--top-errors", "/proc/errors.png"], 1, "cannot write /proc/errors.png: "),
        (["--top-errors", "folder.png"], 1, "cannot write folder.png: expected the path of a file, got a folder"),
        (["--plots", "/proc/plots"], 1, "cannot write /proc/plots"),
        (["--plots", "odd.npz"], 1, "cannot write odd.npz"),
        (["--markdown", "/proc/report.md"], 1, "cannot write /proc/report.md: "),
        (["--markdown", "folder.png"], 1, "cannot write folder.png: expected the path of a file, got a folder"),
        (["--json", "--markdown", "-"], 2, "cannot print beside --json"),
        (["--images", "0"], 2, "--images"),
        (["one", "two"], 2, "unexpected extra argument"),
    ],
)
def test_impossible_options_are_refused_in_one_line(
    run: Run, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    save_digits(tmp_path / "odd.npz", y=np.full(60, 77))
    (tmp_path / "folder.png").mkdir()
    done = run(*arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("less", [("--images", "10"), ("--corrupted", "1"), ("--scenes", "1")])
def test_only_complete_evaluations_are_saved(run: Run, released: Path, less: tuple[str, str]) -> None:
    done = run(released, "--save", *less)
    assert done.exit_code == 2
    assert "leave out --images, --corrupted and --scenes" in done.stderr


def test_figures_are_saved_in_bundles_only(run: Run, released: Path) -> None:
    done = run(released / "model_int8.tflite", "--save")
    assert done.exit_code == 2
    assert "takes a bundle, got the file" in done.stderr


def test_a_bundle_that_is_not_writable_is_refused_before_evaluation(run: Run, released: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(released, tmp_path / "mine"))
    (bundle / "evaluation.json").unlink(missing_ok=True)
    (bundle / "evaluation.json").mkdir()
    done = run(bundle, "--data", "synthetic", "--save")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"cannot write {bundle}/evaluation.json: expected the path of a file, got a folder" in done.stderr


def test_tables_are_printed_before_files_are_written(
    run: Run, tmp_path: Path, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DigitEdgeError("cannot write report.md: No space left on device.")

    monkeypatch.setattr(digitedge.utils.files, "write_text", fail)
    save_digits(tmp_path / "digits.npz")
    done = run(released, "--dataset", "digits.npz", "--corrupted", "0", "--scenes", "0", "--markdown", "report.md")
    assert done.exit_code == 1
    assert f"{released} on digits.npz, 60 digits" in done.stdout


def test_figures_of_other_digits_than_the_verified_ones_are_not_saved(digitedge: Run, released: Path) -> None:
    done = digitedge("eval", released, "--data", "synthetic", "--save")
    assert done.returncode == 1
    assert "error: --save needs the digits that" in done.stderr
    assert "Traceback" not in done.stderr


def test_save_without_mnist_asks_for_the_digits_of_the_bundle(digitedge: Run, released: Path, tmp_path: Path) -> None:
    shutil.copytree(released, tmp_path / "mine")
    done = digitedge("eval", "mine", "--save")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: --save needs the digits that mine was verified on, and MNIST is not available.")
    assert "synthetic" not in line
