"""labels.json: what it may say, and one line for everything else."""

import json

import pytest

from digitedge.datasets.annotations import load_labels
from digitedge.datasets.splits import Half, half_of
from digitedge.errors import DataError
from digitedge.synthetic.scenes.ground_truth import TrueDigit

PHOTO = {
    "file": "a.png",
    "kind": "photo",
    "rows": ["7"],
    "digits": [{"label": 7, "box": [3, 4, 10, 20]}],
}
NEGATIVE = {"file": "b.png", "kind": "negative", "rows": [], "digits": []}


def write(folder, items, *, images=("a.png", "b.png")):
    for name in images:
        (folder / name).touch()
    text = items if isinstance(items, str) else json.dumps(items)
    (folder / "labels.json").write_text(text, encoding="utf-8")
    return folder


def test_the_shortest_labels_get_the_defaults(tmp_path):
    photo, negative = load_labels(write(tmp_path, [PHOTO, NEGATIVE]))
    assert (photo.path, photo.name) == (tmp_path / "a.png", "a.png")
    assert (photo.digits, photo.rows) == ((TrueDigit(7, (3, 4, 10, 20)),), ("7",))
    assert (photo.ignore, photo.ordered, photo.difficulty, photo.group) == ((), True, "", "a.png")
    assert (negative.digits, negative.rows, negative.negative_type) == ((), (), "")


def test_all_fields_arrive_and_foreign_ones_are_left_out(tmp_path):
    full = PHOTO | {
        "ignore": [[0, 0, 5, 5]],
        "layout": "scattered",
        "difficulty": "hard",
        "group": "ada",
        "notes": "written on a train",
        "camera": {"maker": 3},
    }
    negative = NEGATIVE | {"layout": "none", "negative_type": "letters", "difficulty": None}
    photo, letters = load_labels(write(tmp_path, [full, negative]))
    assert (photo.ignore, photo.ordered, photo.difficulty, photo.group) == (((0, 0, 5, 5),), False, "hard", "ada")
    assert (letters.negative_type, letters.ordered, letters.difficulty) == ("letters", True, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": None}, r"image 1: file: expected a file name, got nothing"),
        ({"file": 5}, r"image 1: file: expected a file name, got 5"),
        ({"kind": "drawing"}, r"image 1: kind: expected one of photo, scan, negative, got 'drawing'"),
        ({"kind": None}, r"kind: expected one of photo, scan, negative, got nothing"),
        ({"kind": ["photo"]}, r"kind: expected one of"),
        ({"rows": "7"}, r"rows: expected a list of strings of digits, got '7'"),
        ({"rows": ["7a"]}, r"rows: expected a list of strings of digits, got \['7a'\]"),
        ({"rows": [7]}, r"rows: expected"),
        ({"digits": {}}, r"digits: expected a list of digits, got \{\}"),
        ({"digits": []}, r"\(a.png\): expected digits in a photo or scan and none in a negative, got 0 in a photo"),
        ({"kind": "negative"}, r"none in a negative, got 1 in a negative"),
        ({"digits": [3]}, r"\(a.png\): digit 1: expected an object with label, box, got 3"),
        ({"digits": [{"label": 10, "box": [1, 1, 1, 1]}]}, r"label: expected a whole number from 0 to 9, got 10"),
        ({"digits": [{"label": True, "box": [1, 1, 1, 1]}]}, r"label: .* got True"),
        ({"digits": [{"label": 1}]}, r"digit 1: box: expected \[x, y, width, height\] .* got nothing"),
        ({"digits": [{"label": 1, "box": [1, 1, 0, 1]}]}, r"at least 1 wide and high, got \[1, 1, 0, 1\]"),
        ({"digits": [{"label": 1, "box": [1, 1, 5]}]}, r"box: expected"),
        ({"digits": [{"label": 1, "box": [1, 1, 5.5, 2]}]}, r"in whole pixels"),
        ({"ignore": [[1, 2, 3]]}, r"\(a.png\): ignore: expected \[x, y, width, height\]"),
        ({"ignore": 3}, r"ignore: expected a list of boxes, got 3"),
        ({"layout": "spiral"}, r"layout: expected one of rows, scattered, none, got 'spiral'"),
        ({"difficulty": 3}, r"difficulty: expected one of easy, medium, hard, got 3"),
        ({"group": ""}, r"group: expected a name, got ''"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_value_is_one_line_that_says_where(tmp_path, change, message):
    with pytest.raises(DataError, match=message) as caught:
        load_labels(write(tmp_path, [PHOTO | change]))
    assert str(caught.value).startswith(f"{tmp_path / 'labels.json'}: image 1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON, got a file that cannot be read"),
        ("[{", "expected JSON"),
        ("{}", "expected a list of labelled images, got {}"),
        ("[]", r"expected a list of labelled images, got \[\]"),
        ("[5]", "image 1: expected an object with file, kind"),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        load_labels(write(tmp_path, text))


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"labels\.json: .*No such file.* Give a folder of images with their labels"):
        load_labels(tmp_path)


def test_a_image_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"expected 2 images, but 1 of them are not there, first .*b\.png"):
        load_labels(write(tmp_path, [PHOTO, NEGATIVE], images=["a.png"]))


def test_a_image_counts_once(tmp_path):
    with pytest.raises(DataError, match=r"every image once, got a\.png again"):
        load_labels(write(tmp_path, [PHOTO, NEGATIVE, PHOTO]))


def test_halves_are_of_like_size_and_stay_what_they_are():
    halves = [half_of(f"writer {number}") for number in range(1000)]
    assert 450 < halves.count(Half.FIRST) < 550
    assert [half_of(writer) for writer in ("ada", "bela")] == [Half.SECOND, Half.FIRST]
