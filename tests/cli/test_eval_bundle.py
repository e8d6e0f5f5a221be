"""`digitedge eval [BUNDLE]` in real processes, on few images."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import digitedge.utils.files
from digitedge.cli.app import app
from digitedge.errors import DigitEdgeError
from digitedge.evaluation.corruptions import DEGRADATIONS
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.utils.opencv import cv2

FEW = ("--images", "40", "--damaged", "4", "--scenes", "1")


def save_digits(path: Path, count: int = 60, **arrays) -> Path:
    """Rendered digits, dark on light; the labels of the first three are wrong."""
    crops, labels = synthetic_digits(count, seed=4)
    labels[:3] = (labels[:3] + 1) % 10
    np.savez(path, **({"x": 255 - crops, "y": labels} | arrays))
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run it in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["eval", *map(str, arguments)])


def test_json_examines_every_file_of_the_released_bundle(digitedge, released) -> None:
    done = digitedge("eval", "--data", "synthetic", *FEW, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    value = json.loads(line)
    assert value["schema"] == "digitedge.eval/1"
    assert value["preferred"] == "model_int8.tflite"
    files = json.loads((released / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {*value["files"], *value["passed_over"]} == set(files)
    assert (value["digits"]["name"], value["digits"]["images"], value["damaged"]["images"]) == ("synthetic", 40, 4)
    assert value["non_digits"]["scenes"] == 1
    for name, one in value["files"].items():
        assert one["bytes"] == files[name]["bytes"]
        assert one["top1"] > 0.9
        assert [kind["kind"] for kind in one["damages"]] == [kind.name for kind in DEGRADATIONS]
        unseen = [error for kind in one["damages"] if kind["unseen"] for error in kind["errors"]]
        assert one["unseen_error"] == pytest.approx(np.mean(unseen), abs=1e-6)
        assert [digit["images"] for digit in one["digits"]] == [4] * 10
        accepted = [source["accepted"] for source in one["non_digits"].values()]
        assert one["non_digits_accepted"] == pytest.approx(np.mean(accepted), abs=1e-6)
        assert 0 <= one["calibration_error"] < 0.2
    assert "model: " in done.stderr


def test_anyones_digits_are_read_and_the_worst_drawn(digitedge, released, tmp_path) -> None:
    save_digits(tmp_path / "digits.npz")
    model = released / "model_int8.tflite"
    done = digitedge(
        *("eval", model, "--dataset", "digits.npz", "--damaged", "0", "--scenes", "0"),
        *("--worst", "out/worst.png", "--markdown", "report.md"),
    )
    assert done.returncode == 0, done.stderr
    assert "60 digits, dark ink on light" in done.stderr
    told = re.search(r"worst: out/worst.png \((\d+) of \1 wrong answers", done.stderr)
    assert told, done.stderr
    wrong = int(told[1])
    assert 3 <= wrong < 8  # three labels are wrong, and the released net may misread a few digits
    right = f"{100 * (60 - wrong) / 60:.2f} %"
    assert cv2.imread(str(tmp_path / "out" / "worst.png")).shape[0] > 112
    lines = done.stdout.splitlines()
    assert lines[0] == f"{model} on digits.npz, 60 digits"
    assert lines[3].split()[0] == "model_int8.tflite"
    assert right in lines[3]
    assert lines[3].endswith("-")  # not measured
    assert "damaged" not in done.stdout
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| model_int8.tflite |" in report
    assert f"| {right} |" in report


def test_markdown_can_be_printed(run, released, tmp_path) -> None:
    save_digits(tmp_path / "digits.npz")
    done = run(released, "--dataset", "digits.npz", "--damaged", "3", "--scenes", "1", "--markdown", "-")
    assert done.exit_code == 0, done.output
    tables = [block.splitlines() for block in done.stdout.split("\n\n") if block.startswith("|")]
    assert [table[0].split(" | ")[0].strip("| ") for table in tables] == ["file", "damage", "damage", "file", "file"]
    for table in tables:
        assert len({line.count("|") for line in table}) == 1
    assert len(tables[1]) == 2 + len(DEGRADATIONS)
    assert "| motion blur (unseen) |" in done.stdout


def test_a_folder_of_images_names_its_worst(run, released, tmp_path) -> None:
    crops, labels = synthetic_digits(20, seed=4)
    for place, (crop, label) in enumerate(zip(crops, labels, strict=True)):
        folder = tmp_path / "digits" / str(9 - label if place == 5 else label)
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{place}.png"), crop)
    arguments = (released / "model_int8.tflite", "--dataset", "digits", "--damaged", "0", "--scenes", "0")
    (file,) = json.loads(run(*arguments, "--json").stdout)["files"].values()
    assert file["worst"][0]["name"] == f"{9 - labels[5]}/5.png"
    assert (file["seen_error"], file["non_digits_accepted"]) == (None, None)
    done = run(*arguments, "--worst", "digits/worst.png")
    assert done.exit_code == 1
    assert "would lie among the digits" in done.stderr


def test_without_mistakes_there_is_no_image(run, released, tmp_path) -> None:
    crops, labels = synthetic_digits(10, seed=4)
    save_digits(tmp_path / "digits.npz", x=crops, y=labels)
    done = run(released, "--dataset", "digits.npz", "--damaged", "0", "--scenes", "0", "--worst", "worst.png")
    assert done.exit_code == 0
    assert "no mistake" in done.stderr
    assert not (tmp_path / "worst.png").exists()


def test_the_words_of_other_commands_are_theirs_and_paths_are_not(run, released, tmp_path) -> None:
    assert "Examine every file" in run("export/cnn", "--help").stdout
    for name in ("--help", "-h"):
        listed = run(name).stdout
        assert all(command in listed for command in ("bundle", "photos", "scenes"))
    assert run("photos").exit_code == 2  # wants its folder
    shutil.copytree(released, tmp_path / "photos")
    save_digits(tmp_path / "digits.npz")
    options = ("--dataset", "digits.npz", "--images", "10", "--damaged", "0", "--scenes", "0", "--json")
    for path in (("./photos",), ("bundle", "photos")):
        assert json.loads(run(*path, *options).stdout)["model"] == "photos"
    assert json.loads(run(*options).stdout)["model"] == str(released)  # the default


def unfit(bundle: Path) -> Path:
    """Say that a copy of a bundle failed parity."""
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["fit"] = False
    for entry in manifest["files"].values():
        entry["fit"] = False
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return bundle


def test_a_bundle_that_failed_parity_is_examined_by_force_only(run, released, tmp_path) -> None:
    bundle = unfit(Path(shutil.copytree(released, tmp_path / "poor")))
    save_digits(tmp_path / "digits.npz")
    options = (bundle, "--dataset", "digits.npz", "--damaged", "0", "--scenes", "0")
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
        (["--dataset", "odd.npz", "--data", "synthetic"], 2, "give one of them"),
        (["--data", "gone"], 1, "no MNIST at gone"),
        (["--worst", "worst.txt"], 1, "expected a suffix"),
        (["--worst", "/proc/worst.png"], 1, "cannot write /proc/worst.png: "),
        (["--worst", "folder.png"], 1, "cannot write folder.png: expected the path of a file, got a folder"),
        (["--markdown", "/proc/report.md"], 1, "cannot write /proc/report.md: "),
        (["--markdown", "folder.png"], 1, "cannot write folder.png: expected the path of a file, got a folder"),
        (["--json", "--markdown", "-"], 2, "cannot print beside --json"),
        (["--images", "0"], 2, "--images"),
        (["one", "two"], 2, "unexpected extra argument"),
    ],
)
def test_wrong_wishes_are_refused_in_a_line(run, tmp_path, arguments, code, message) -> None:
    save_digits(tmp_path / "odd.npz", y=np.full(60, 77))
    (tmp_path / "folder.png").mkdir()
    done = run(*arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("less", [("--images", "10"), ("--damaged", "1"), ("--scenes", "1"), ("--dataset", "x.npz")])
def test_only_whole_examinations_are_kept(run, released, less) -> None:
    done = run(released, "--keep", *less)
    assert done.exit_code == 2
    assert "leave out --dataset, --images, --damaged and" in done.stderr


def test_figures_are_kept_in_bundles_only(run, released) -> None:
    done = run(released / "model_int8.tflite", "--keep")
    assert done.exit_code == 2
    assert "takes a bundle, got the file" in done.stderr


def test_a_bundle_that_cannot_keep_its_figures_is_known_before_any_reading(run, released, tmp_path) -> None:
    bundle = Path(shutil.copytree(released, tmp_path / "mine"))
    (bundle / "evaluation.json").unlink(missing_ok=True)
    (bundle / "evaluation.json").mkdir()
    done = run(bundle, "--data", "synthetic", "--keep")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"cannot write {bundle}/evaluation.json: expected the path of a file, got a folder" in done.stderr


def test_tables_are_printed_before_files_are_written(run, tmp_path, released, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise DigitEdgeError("cannot write report.md: No space left on device.")

    monkeypatch.setattr(digitedge.utils.files, "write_text", fail)
    save_digits(tmp_path / "digits.npz")
    done = run(released, "--dataset", "digits.npz", "--damaged", "0", "--scenes", "0", "--markdown", "report.md")
    assert done.exit_code == 1
    assert f"{released} on digits.npz, 60 digits" in done.stdout


def test_figures_of_other_digits_than_the_bundle_was_judged_on_are_not_kept(digitedge, released) -> None:
    done = digitedge("eval", released, "--data", "synthetic", "--keep")
    assert done.returncode == 1
    assert "error: --keep wants the digits that" in done.stderr
    assert "Traceback" not in done.stderr
