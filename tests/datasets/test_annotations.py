"""labels.json: the valid content, and the error for everything else."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from digitedge.datasets.annotations import AnnotatedImage, check_boxes, load_annotations
from digitedge.datasets.splits import Half, half_of
from digitedge.errors import DataError
from digitedge.synthetic.scenes import TrueDigit

PHOTO: dict[str, Any] = {
    "file": "a.png",
    "kind": "photo",
    "rows": ["7"],
    "digits": [{"label": 7, "box": [3, 4, 10, 20]}],
}
NEGATIVE: dict[str, Any] = {"file": "b.png", "kind": "negative", "rows": [], "digits": []}


def write(folder: Path, items: object, *, images: Sequence[str] = ("a.png", "b.png")) -> Path:
    for name in images:
        (folder / name).touch()
    text = items if isinstance(items, str) else json.dumps(items)
    (folder / "labels.json").write_text(text, encoding="utf-8")
    return folder


def test_optional_keys_have_defaults(tmp_path: Path) -> None:
    photo, negative = load_annotations(write(tmp_path, [PHOTO, NEGATIVE]))
    assert (photo.path, photo.name) == (tmp_path / "a.png", "a.png")
    assert (photo.digits, photo.rows) == ((TrueDigit(7, (3, 4, 10, 20)),), ("7",))
    assert (photo.ignore, photo.ordered, photo.difficulty, photo.group) == ((), True, "", "a.png")
    assert (negative.digits, negative.rows, negative.negative_type) == ((), (), "")
    assert photo.page is None


def test_pages_of_one_document_have_names_of_their_own(tmp_path: Path) -> None:
    pages = [PHOTO | {"file": "a.pdf", "page": number} for number in (1, 3)]
    images = load_annotations(write(tmp_path, pages, images=["a.pdf"]))
    assert [(image.path.name, image.name, image.page) for image in images] == [
        ("a.pdf", "a.pdf page 1", 1),
        ("a.pdf", "a.pdf page 3", 3),
    ]
    assert {image.group for image in images} == {"a.pdf"}
    with pytest.raises(DataError, match=r"every image once, got a\.pdf page 1 again"):
        load_annotations(write(tmp_path, [pages[0], pages[0]]))
    with pytest.raises(DataError, match=r"\[0\]\.page"):
        load_annotations(write(tmp_path, [pages[0] | {"page": 0}]))


def test_all_keys_are_read_and_others_ignored(tmp_path: Path) -> None:
    full = PHOTO | {
        "ignore": [[0, 0, 5, 5]],
        "layout": "scattered",
        "difficulty": "hard",
        "group": "ada",
        "notes": "written on a train",
        "camera": {"maker": 3},
    }
    negative = NEGATIVE | {"layout": "none", "negative_type": "letters", "difficulty": None}
    photo, letters = load_annotations(write(tmp_path, [full, negative]))
    assert (photo.ignore, photo.ordered, photo.difficulty, photo.group) == (((0, 0, 5, 5),), False, "hard", "ada")
    assert (letters.negative_type, letters.ordered, letters.difficulty) == ("letters", True, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": None}, r"\[0\]\.file: expected str, got None"),
        ({"file": 5}, r"\[0\]\.file: expected str, got 5"),
        ({"kind": "drawing"}, r"\[0\]\.kind: expected negative or photo or scan, got 'drawing'"),
        ({"kind": None}, r"\.kind: expected str, got None"),
        ({"kind": ["photo"]}, r"\.kind: expected str, got \['photo'\]"),
        ({"rows": "7"}, r"\.rows: expected array, got '7'"),
        ({"rows": ["7a"]}, r"\.rows\[0\]: expected str matching .*, got '7a'"),
        ({"rows": [7]}, r"\.rows\[0\]: expected str, got 7"),
        ({"digits": {}}, r"\.digits: expected array, got \{\}"),
        ({"digits": []}, r"\[0\]: expected digits in a photo or scan and none in a negative, got 0 in a photo"),
        ({"kind": "negative"}, r"\[0\]: expected .* none in a negative, got 1 in a negative"),
        ({"digits": [3]}, r"\.digits\[0\]: expected object, got 3"),
        ({"digits": [{"label": 10, "box": [1, 1, 1, 1]}]}, r"\.digits\[0\]\.label: expected int <= 9, got 10"),
        ({"digits": [{"label": True, "box": [1, 1, 1, 1]}]}, r"\.label: expected int, got True"),
        ({"digits": [{"label": 1}]}, r"\.digits\[0\]: missing key 'box'"),
        ({"digits": [{"label": 1, "box": [1, 1, 0, 1]}]}, r"\.box\[2\]: expected int >= 1, got 0"),
        ({"digits": [{"label": 1, "box": [1, 1, 5]}]}, r"\.box: expected array of length 4, got \[1, 1, 5\]"),
        ({"digits": [{"label": 1, "box": [1, 1, 5.5, 2]}]}, r"\.box\[2\]: expected int, got 5\.5"),
        ({"ignore": [[1, 2, 3]]}, r"\.ignore\[0\]: expected array of length 4, got \[1, 2, 3\]"),
        ({"ignore": 3}, r"\.ignore: expected array .*, got 3"),
        ({"layout": "spiral"}, r"\.layout: expected none or rows or scattered, got 'spiral'"),
        ({"difficulty": "extreme"}, r"\.difficulty: expected easy or hard or medium, got 'extreme'"),
        ({"difficulty": 3}, r"\.difficulty: expected str .*, got 3"),
        ({"group": ""}, r"\.group: expected str of length >= 1, got ''"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_invalid_value_is_a_one_line_error_that_says_where(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_annotations(write(tmp_path, [PHOTO | change]))
    assert str(caught.value).startswith(f"{tmp_path / 'labels.json'}: [0]")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON, got a file that cannot be read"),
        ("[{", "expected JSON"),
        ("{}", "expected array, got {}"),
        ("[]", r"expected array of length >= 1, got \[\]"),
        ("[5]", r"\[0\]: expected object, got 5"),
    ],
)
def test_a_file_without_annotations_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_annotations(write(tmp_path, text))


def test_a_folder_without_labels_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*labels\.json\. Give a folder of images with their labels"):
        load_annotations(tmp_path)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected 2 images, but 1 are missing, first .*b\.png"):
        load_annotations(write(tmp_path, [PHOTO, NEGATIVE], images=["a.png"]))


def test_an_image_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"every image once, got a\.png again"):
        load_annotations(write(tmp_path, [PHOTO, NEGATIVE, PHOTO]))


def test_boxes_outside_the_image_are_refused() -> None:
    image = AnnotatedImage(Path("a.png"), "a.png", (TrueDigit(7, (90, 10, 20, 20)),), ("7",))
    check_boxes(image, width=100, height=40)  # half of it is inside
    with pytest.raises(DataError, match=r"expected boxes in the image of 99x40 pixels, got \[90, 10, 20, 20\]"):
        check_boxes(image, width=99, height=40)


def test_halves_are_of_similar_size_and_never_change() -> None:
    halves = [half_of(f"writer {number}") for number in range(1000)]
    assert 450 < halves.count(Half.FIRST) < 550
    assert [half_of(writer) for writer in ("ada", "bela")] == [Half.SECOND, Half.FIRST]
