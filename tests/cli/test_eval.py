"""`digitedge eval photos` and `eval scenes` with the released model."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.datasets.splits import half_of
from digitedge.evaluation.plots import PLOTS
from digitedge.synthetic.scenes import DOCUMENT_TYPES, Difficulty, Scene, render_scene
from digitedge.utils.opencv import cv2

SCHEMA = "digitedge.eval-photos/1"


def annotate(name: str, scene: Scene, **changes: Any) -> dict[str, Any]:
    digits = [{"label": true.digit, "box": list(true.box)} for true in scene.digits]
    return {"file": name, "kind": "photo", "rows": list(scene.rows), "digits": digits} | changes


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Scene]:
    """A folder of four images: with right labels, with a wrong one, a negative, and one with scattered digits."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    scenes = [
        render_scene(seed=seed, difficulty=Difficulty.PLAIN, scene_type="plain-paper", clean=True) for seed in (4, 6)
    ]
    right = annotate("right.png", scenes[0], difficulty="easy", group="ada")
    wrong = annotate("wrong.png", scenes[1], difficulty="hard", group="bela")
    wrong["digits"][0]["label"] = (wrong["digits"][0]["label"] + 1) % 10
    negative = {"file": "cat.png", "kind": "negative", "rows": [], "digits": [], "negative_type": "objects"}
    scattered = annotate("far.png", scenes[0], layout="scattered", rows=["0"], group="bela")
    for item, scene in zip(
        [right, wrong, negative, scattered], [scenes[0], scenes[1], scenes[1], scenes[0]], strict=True
    ):
        cv2.imwrite(f"photos/{item['file']}", scene.frame)
    save([right, wrong, negative, scattered])
    return scenes


def save(items: list[dict[str, Any]]) -> None:
    with open("photos/labels.json", "w", encoding="utf-8") as file:
        json.dump(items, file)


def load() -> list[dict[str, Any]]:
    with open("photos/labels.json", encoding="utf-8") as file:
        return json.load(file)


def evaluate(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["eval", *arguments])


def test_json_is_one_object_with_the_figures(pages: list[Scene]) -> None:
    done = evaluate("photos", "photos", "--json")
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    value = json.loads(line)
    right, wrong = (len(scene.digits) for scene in pages)
    assert (value["schema"], value["images"], value["writers"], value["half"]) == (SCHEMA, 4, 3, None)
    easy, hard, total = (value["by_difficulty"][name] for name in ("easy", "hard", "all"))
    assert (easy["f1"], easy["rows_exact"]) == (1.0, 1.0)
    assert (hard["misclassified"], hard["box_recall"], hard["rows_exact"]) == (1, 1.0, 1.0)
    assert (total["images"], total["digits"], total["ordered_images"]) == (3, 2 * right + wrong, 2)
    assert total["f1"] == round((2 * right + wrong - 1) / (2 * right + wrong), 4)
    assert value["negatives"] == {
        name: {"images": 1, "false_positives": wrong, "false_positives_per_image": wrong} for name in ("objects", "all")
    }
    assert value["per_image"][0]["name"] == "cat.png"
    confusion = np.array(value["confusion"])
    assert confusion[:10].sum() == 2 * right + wrong
    assert (confusion.trace(), confusion[10].sum(), confusion[:, 10].sum()) == (2 * right + wrong - 1, wrong, 0)
    nothing_rejected = value["precision_recall"]["points"][0]
    assert nothing_rejected["recall"] == round((2 * right + wrong - 1) / (2 * right + wrong), 6)
    assert nothing_rejected["precision"] == round((2 * right + wrong - 1) / (2 * right + 2 * wrong), 6)
    assert value["model"]
    assert 0 < value["threshold"] < 1


def test_tables_are_aligned_and_followed_by_the_time(pages: list[Scene]) -> None:
    done = evaluate("photos", "photos", "--per-image")
    lines = done.stdout.splitlines()
    assert lines[0] == "photos: 4 images by 3 writers"
    assert [line.split()[: 5 if line.startswith("all") else 3] for line in lines[3:6]] == [
        ["easy", "1", str(len(pages[0].digits))],
        ["hard", "1", str(len(pages[1].digits))],
        ["all", "with", "digits", "3", str(2 * len(pages[0].digits) + len(pages[1].digits))],
    ]
    assert len({len(line) for line in lines[2:6]}) == 1
    names = [line.split()[0] for line in lines if ".png" in line]
    assert names == ["cat.png", "wrong.png", "far.png", "right.png"]
    assert "the F1" in lines[-2] or "best F1 at --threshold" in lines[-2]
    assert lines[-1].startswith("reading an image took ")
    assert "model:" in done.stderr
    assert "next: --plots" in done.stderr


def test_the_images_are_written_and_reported(pages: list[Scene]) -> None:
    done = evaluate("photos", "photos", "--sheet", "out/errors.png", "--plots", "plots")
    assert done.exit_code == 0
    errors = 1 + len(pages[1].digits)
    assert f"contact sheet: out/errors.png ({errors} of {errors} errors)" in done.stderr
    assert cv2.imread("out/errors.png").shape[1] > 1000
    assert "plots: plots" in done.stderr
    for name in PLOTS:
        assert cv2.imread(f"plots/{name}").shape[1] > 700


def test_without_errors_no_sheet_is_written(pages: list[Scene], tmp_path: Path) -> None:
    save(load()[:1])
    done = evaluate("photos", "photos", "--sheet", "errors.png")
    assert done.exit_code == 0
    assert "no errors" in done.stderr
    assert not (tmp_path / "errors.png").exists()


def test_halves_are_split_by_writer(pages: list[Scene]) -> None:
    names = {}
    for half in ("first", "second"):
        value = json.loads(evaluate("photos", "photos", "--half", half, "--json").stdout)
        names[half] = {one["name"] for one in value["per_image"]}
        assert value["half"] == half
    assert names["first"] | names["second"] == {"right.png", "wrong.png", "cat.png", "far.png"}
    assert not names["first"] & names["second"]
    assert names[half_of("bela")] >= {"wrong.png", "far.png"}
    save(load()[1:2])
    done = evaluate("photos", "photos", "--half", "second")
    assert (done.exit_code, half_of("bela")) == (1, "first")
    assert "none in the second half" in done.stderr


def break_json(items: list[dict[str, Any]]) -> None:
    with open("photos/labels.json", "w", encoding="utf-8") as file:
        file.write(json.dumps(items)[:-5])


def bad_box(items: list[dict[str, Any]]) -> None:
    items[0]["digits"][0]["box"] = [1, 2, 3]
    save(items)


def box_outside(items: list[dict[str, Any]]) -> None:
    items[0]["digits"][0]["box"] = [5000, 10, 20, 30]
    save(items)


def missing_file(items: list[dict[str, Any]]) -> None:
    items[2]["file"] = "gone.png"
    save(items)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_json, "labels.json: expected JSON"),
        (bad_box, "labels.json: [0].digits[0].box: expected array of length 4, got [1, 2, 3]"),
        (box_outside, "right.png: expected boxes in the image of 640x480"),
        (missing_file, "gone.png"),
    ],
)
def test_damaged_annotations_are_one_line_and_exit_code_1(
    pages: list[Scene], damage: Callable[[list[dict[str, Any]]], None], message: str
) -> None:
    damage(load())
    done = evaluate("photos", "photos", "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert message in error


def test_a_sheet_never_replaces_an_image(pages: list[Scene], tmp_path: Path) -> None:
    before = (tmp_path / "photos/cat.png").read_bytes()
    done = evaluate("photos", "photos", "--sheet", "photos/cat.png")
    assert done.exit_code == 1
    assert "would overwrite" in done.stderr
    assert (tmp_path / "photos/cat.png").read_bytes() == before


def test_plots_never_replace_an_image(pages: list[Scene], tmp_path: Path) -> None:
    items = load()
    (tmp_path / "photos" / "right.png").rename(tmp_path / "photos" / "confusion.png")
    save([items[0] | {"file": "confusion.png"}, *items[1:]])
    done = evaluate("photos", "photos", "--plots", "photos")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--plots photos/confusion.png would overwrite that image" in done.stderr


def test_a_sheet_with_an_unknown_suffix_is_refused(pages: list[Scene]) -> None:
    done = evaluate("photos", "photos", "--sheet", "errors.html")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "expected a suffix such as .png or .jpg, got '.html'" in done.stderr


@pytest.mark.parametrize(
    ("sheet", "message"),
    [("/proc/errors.png", "cannot write /proc/errors.png: "), ("sheet.png", "expected the path of a file, got a fold")],
)
def test_a_sheet_that_cannot_be_written_is_refused_before_reading(
    pages: list[Scene], tmp_path: Path, sheet: str, message: str
) -> None:
    (tmp_path / "sheet.png").mkdir()
    for command in (["photos", "photos"], ["scenes", "--images", "1"]):
        done = evaluate(*command, "--sheet", sheet)
        assert (done.exit_code, done.stdout) == (1, "")
        assert message in done.stderr
        assert "model:" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["photos"], ["photos", "photos", "--half", "third"], ["scenes", "--images", "0"]], ids=" ".join
)
def test_wrong_usage_is_exit_code_2(pages: list[Scene], arguments: list[str]) -> None:
    assert evaluate(*arguments).exit_code == 2


def test_scenes_give_the_same_figures() -> None:
    done = evaluate("scenes", "--images", "3", "--seed", "5", "--json")
    value = json.loads(done.stdout)
    assert (value["schema"], value["images"], value["seed"]) == ("digitedge.eval-scenes/1", 3, 5)
    assert len(value["per_image"]) == 3
    assert {"f1", "mean_f1", "reading_order_f1", "rows_exact"} <= value["by_difficulty"]["all"].keys()
    assert evaluate("scenes", "--images", "1").stdout.startswith("rendered scenes, seeds 0 to 0: 1 images\n")


def test_documents_are_scored_by_type() -> None:
    done = evaluate("scenes", "--documents", "--images", "2", "--json")
    value = json.loads(done.stdout)
    names = [one["scene_type"] for one in value["per_image"]]
    assert value["documents"] is True and set(names) <= DOCUMENT_TYPES.keys()
    assert evaluate("scenes", "--documents", "--images", "1").stdout.startswith("rendered documents, seeds 0 to 0: 1")


def test_a_high_threshold_lowers_recall(pages: list[Scene]) -> None:
    value = json.loads(evaluate("photos", "photos", "--json", "--threshold", "1").stdout)
    assert value["threshold"] == 1
    assert value["by_difficulty"]["all"]["recall"] < 1


def test_a_real_process_has_the_exit_codes_and_streams(pages: list[Scene]) -> None:
    command = [sys.executable, "-m", "digitedge", "eval", "photos"]
    done = subprocess.run([*command, "photos", "--json"], capture_output=True, text=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["schema"] == SCHEMA
    missing = subprocess.run([*command, "nowhere"], capture_output=True, text=True)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert len(missing.stderr.splitlines()) == 1
