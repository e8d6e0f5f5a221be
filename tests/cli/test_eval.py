"""`digitedge eval` on images written here, with the released model."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.datasets.splits import half_of
from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene
from digitedge.utils.opencv import cv2

SCHEMA = "digitedge.eval-photos/1"


def labelled(name, scene, **changes):
    digits = [{"label": true.digit, "box": list(true.box)} for true in scene.digits]
    return {"file": name, "kind": "photo", "rows": list(scene.rows), "digits": digits} | changes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four clean scenes: one labelled as it is, one with a label changed, one twice as a negative and as scattered."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    scenes = [render_scene(seed=seed, medium=Medium.PAPER, clean=True) for seed in (4, 6)]
    right = labelled("right.png", scenes[0], difficulty="easy", group="ada")
    wrong = labelled("wrong.png", scenes[1], difficulty="hard", group="bela")
    wrong["digits"][0]["label"] = (wrong["digits"][0]["label"] + 1) % 10
    negative = {"file": "cat.png", "kind": "negative", "rows": [], "digits": [], "negative_type": "objects"}
    scattered = labelled("far.png", scenes[0], layout="scattered", rows=["0"], group="bela")
    for item, scene in zip(
        [right, wrong, negative, scattered], [scenes[0], scenes[1], scenes[1], scenes[0]], strict=True
    ):
        cv2.imwrite(f"photos/{item['file']}", scene.frame)
    save([right, wrong, negative, scattered])
    return scenes


def save(items):
    with open("photos/labels.json", "w", encoding="utf-8") as file:
        json.dump(items, file)


def load():
    with open("photos/labels.json", encoding="utf-8") as file:
        return json.load(file)


def evaluate(*arguments):
    return CliRunner().invoke(app, ["eval", *arguments])


def test_json_is_one_object_with_the_figures(folder):
    done = evaluate("photos", "photos", "--json")
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    value = json.loads(line)
    right, wrong = (len(scene.digits) for scene in folder)
    assert (value["schema"], value["images"], value["writers"], value["half"]) == (SCHEMA, 4, 3, None)
    easy, hard, total = (value["by_difficulty"][name] for name in ("easy", "hard", "all"))
    assert (easy["f1"], easy["rows_exact"]) == (1.0, 1.0)
    assert (hard["wrong"], hard["box_recall"], hard["rows_exact"]) == (1, 1.0, 1.0)
    assert (total["frames"], total["digits"], total["ordered"]) == (3, 2 * right + wrong, 2)
    assert total["f1"] == round((2 * right + wrong - 1) / (2 * right + wrong), 4)
    assert value["negatives"] == {
        kind: {"frames": 1, "false_digits": wrong, "false_per_frame": wrong} for kind in ("objects", "all")
    }
    assert value["cases"][0]["name"] == "cat.png"
    assert value["model"]
    assert 0 < value["threshold"] < 1


def test_tables_are_aligned_and_end_with_the_time(folder):
    done = evaluate("photos", "photos", "--per-image")
    lines = done.stdout.splitlines()
    assert lines[0] == "photos: 4 images by 3 writers"
    assert [line.split()[:3] for line in lines[3:6]] == [
        ["easy", "1", str(len(folder[0].digits))],
        ["hard", "1", str(len(folder[1].digits))],
        ["all", "3", str(2 * len(folder[0].digits) + len(folder[1].digits))],
    ]
    assert len({len(line) for line in lines[2:6]}) == 1
    names = [line.split()[0] for line in lines if ".png" in line]
    assert names == ["cat.png", "wrong.png", "far.png", "right.png"]
    assert lines[-1].startswith("reading an image took ")
    assert "model:" in done.stderr
    assert "next: --sheet" in done.stderr


def test_the_sheet_is_written_and_told(folder):
    done = evaluate("photos", "photos", "--sheet", "out/errors.png")
    assert done.exit_code == 0
    errors = 1 + len(folder[1].digits)
    assert f"contact sheet: out/errors.png ({errors} of {errors} errors)" in done.stderr
    assert cv2.imread("out/errors.png").shape[1] > 1000


def test_without_errors_there_is_no_sheet(folder, tmp_path):
    save(load()[:1])
    done = evaluate("photos", "photos", "--sheet", "errors.png")
    assert done.exit_code == 0
    assert "no errors" in done.stderr
    assert not (tmp_path / "errors.png").exists()


def test_halves_are_parted_by_writer(folder):
    names = {}
    for half in ("first", "second"):
        value = json.loads(evaluate("photos", "photos", "--half", half, "--json").stdout)
        names[half] = {case["name"] for case in value["cases"]}
        assert value["half"] == half
    assert names["first"] | names["second"] == {"right.png", "wrong.png", "cat.png", "far.png"}
    assert not names["first"] & names["second"]
    assert names[half_of("bela")] >= {"wrong.png", "far.png"}
    save(load()[1:2])
    done = evaluate("photos", "photos", "--half", "second")
    assert (done.exit_code, half_of("bela")) == (1, "first")
    assert "none in the second half" in done.stderr


def break_json(items):
    with open("photos/labels.json", "w", encoding="utf-8") as file:
        file.write(json.dumps(items)[:-5])


def bad_box(items):
    items[0]["digits"][0]["box"] = [1, 2, 3]
    save(items)


def foreign_box(items):
    items[0]["digits"][0]["box"] = [5000, 10, 20, 30]
    save(items)


def missing_file(items):
    items[2]["file"] = "gone.png"
    save(items)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_json, "labels.json: expected JSON"),
        (bad_box, "image 1 (right.png): digit 1: box: expected [x, y, width, height]"),
        (foreign_box, "right.png: expected boxes in the image of 640x480"),
        (missing_file, "gone.png"),
    ],
)
def test_damaged_labels_are_one_line_and_exit_code_1(folder, damage, message):
    damage(load())
    done = evaluate("photos", "photos", "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert message in error


def test_a_sheet_never_replaces_a_image(folder, tmp_path):
    before = (tmp_path / "photos/cat.png").read_bytes()
    done = evaluate("photos", "photos", "--sheet", "photos/cat.png")
    assert done.exit_code == 1
    assert "would overwrite" in done.stderr
    assert (tmp_path / "photos/cat.png").read_bytes() == before


def test_a_sheet_that_cannot_be_written_is_known_at_once(folder):
    done = evaluate("photos", "photos", "--sheet", "errors.html")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "expected a suffix such as .png or .jpg, got '.html'" in done.stderr


@pytest.mark.parametrize(
    ("sheet", "message"),
    [("/proc/errors.png", "cannot write /proc/errors.png: "), ("sheet.png", "expected the path of a file, got a fold")],
)
def test_a_sheet_without_a_place_is_known_before_any_reading(folder, tmp_path, sheet, message):
    (tmp_path / "sheet.png").mkdir()
    for command in (["photos", "photos"], ["scenes", "--count", "1"]):
        done = evaluate(*command, "--sheet", sheet)
        assert (done.exit_code, done.stdout) == (1, "")
        assert message in done.stderr
        assert "model:" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["photos"], ["photos", "photos", "--half", "third"], ["scenes", "--count", "0"]], ids=" ".join
)
def test_wrong_usage_is_exit_code_2(folder, arguments):
    assert evaluate(*arguments).exit_code == 2


def test_scenes_give_the_same_figures():
    done = evaluate("scenes", "--count", "3", "--seed", "5", "--json")
    value = json.loads(done.stdout)
    assert (value["schema"], value["images"], value["seed"]) == ("digitedge.eval-scenes/1", 3, 5)
    assert len(value["cases"]) == 3
    assert {"f1", "mean_f1", "f1_in_order", "rows_exact"} <= value["by_difficulty"]["all"].keys()
    assert evaluate("scenes", "--count", "1").stdout.startswith("rendered scenes, seeds 0 to 0: 1 images\n")


def test_a_high_threshold_drops_digits(folder):
    value = json.loads(evaluate("photos", "photos", "--json", "--threshold", "1").stdout)
    assert value["threshold"] == 1
    assert value["by_difficulty"]["all"]["recall"] < 1


def test_a_real_process_keeps_exit_code_and_streams_apart(folder):
    command = [sys.executable, "-m", "digitedge", "eval", "photos"]
    done = subprocess.run([*command, "photos", "--json"], capture_output=True, text=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["schema"] == SCHEMA
    missing = subprocess.run([*command, "nowhere"], capture_output=True, text=True)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert len(missing.stderr.splitlines()) == 1
