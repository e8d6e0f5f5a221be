"""`digitedge collect` on photographs of rendered sheets, with the released model."""

import json
import subprocess
import sys

import numpy as np
import pytest
from filled_sheet import CROSSED_OUT, FILLED, PEN, filled_page, photo_of
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.collecting import Cell
from digitedge.collecting.example import page_box
from digitedge.datasets.collection import list_images, open_collection
from digitedge.synthetic.sheets import Shot, photograph, sample_digit_hand, write_in_box
from digitedge.utils.images import read_image
from digitedge.utils.opencv import cv2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the photograph of a filled sheet, photo.png."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("photo.png", photo_of())
    return tmp_path


def collect(*arguments):
    return CliRunner().invoke(app, ["collect", *arguments])


def test_the_default_sheet_is_a_pdf_for_a4(folder):
    done = collect("sheet")
    assert done.exit_code == 0 and done.stdout == "sheet: digit-sheet-a4.pdf (120 cells, A4)\n"
    assert (folder / "digit-sheet-a4.pdf").read_bytes().startswith(b"%PDF-1.4\n")


def test_a_letter_sheet_as_png_with_a_name(folder):
    done = collect("sheet", "--paper", "letter", "--output", "sheets/ada.png", "--writer", "Ada")
    assert done.exit_code == 0 and read_image("sheets/ada.png").shape == (3300, 2550, 3)


@pytest.mark.parametrize("arguments", [["--output", "sheet.txt"], ["--output", "sheet"], ["--writer", "雨"]])
def test_wrong_usage_of_sheet(folder, arguments):
    done = collect("sheet", *arguments)
    assert done.exit_code == 2 and {path.name for path in folder.iterdir()} == {"photo.png"}


def test_a_photograph_becomes_labelled_images_and_the_same_one_adds_nothing(folder):
    done = collect("read", "photo.png", "--into", "digits", "--writer", "../x")
    assert done.exit_code == 0
    images = list_images("digits")
    assert {cell for cell in FILLED | CROSSED_OUT if any(i.record.cell == cell.name for i in images)} >= FILLED
    summary = done.stdout.splitlines()[0]
    assert summary.startswith(f"photo.png: 110 of 120 cells filled, {len(images)} saved, {110 - len(images)} crossed")
    assert list(open_collection("digits").writers.values()) == ["../x"]
    assert {path.name for path in folder.iterdir()} == {"photo.png", "digits"}  # nothing outside of the folder
    again = collect("read", "photo.png", "--into", "digits", "--writer", "../x")
    assert again.exit_code == 0 and f"0 saved, {len(images)} were there already" in again.stdout
    assert len(list_images("digits")) == len(images)


def test_a_writer_may_be_named_later_but_not_changed(folder):
    collect("read", "photo.png", "--into", "digits")
    count = len(list_images("digits"))
    done = collect("read", "photo.png", "--into", "digits", "--writer", "Ada")
    assert done.stdout.splitlines()[-1] == f"photo.png: {count} digits that had no writer are Ada's now"
    again = collect("read", "photo.png", "--into", "digits", "--writer", "Eve")
    assert len(again.stdout.splitlines()) == 1
    ada = open_collection("digits").writer_id("Ada")
    assert {image.record.writer for image in list_images("digits")} == {ada}


def test_a_damaged_image_in_the_folder_does_not_stop_the_next_sheet(folder):
    collect("read", "photo.png", "--into", "digits")
    list_images("digits")[0].path.write_bytes(b"")
    done = collect("read", "photo.png", "--into", "digits")
    assert done.exit_code == 0 and "1 saved" in done.stdout


def test_a_digit_in_the_wrong_row_is_listed_and_drawn(folder):
    page = filled_page().copy()
    x, y, width, height = page_box(Cell(1, 0))
    page[y : y + height, x : x + width] = 255
    rng = np.random.default_rng(0)
    hand = sample_digit_hand(0, PEN, unusual=False)
    write_in_box(page, hand.write(3, rng, height=80), (x, y, width, height), PEN, rng)
    cv2.imwrite("photo.png", photograph(page, rng, Shot(tilt=15)))
    done = collect("read", "photo.png", "--into", "digits")
    assert "note: --writer NAME says whose digits these are" in done.stderr
    assert "1 doubtful" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1].startswith("photo.png: r1c00: asked for 1, looks like 3 (")
    assert done.stderr.endswith("doubtful cells: digits/_doubtful.png\n")
    assert read_image("digits/_doubtful.png").shape[2] == 3
    (wrong,) = (image for image in list_images("digits") if image.record.cell == "r1c00")
    assert wrong.label == 1 and wrong.record.predicted == 3 and not wrong.record.checked


def test_a_bad_photograph_is_a_line_and_the_others_are_read(folder):
    (folder / "notes.png").write_text("no image")
    cv2.imwrite("desk.png", np.full((300, 200), 200, np.uint8))
    cv2.imwrite("two.png", np.hstack([photo_of(), photo_of()]))
    done = collect("read", "notes.png", "desk.png", "two.png", "photo.png", "--into", "digits")
    assert done.exit_code == 1 and len(list_images("digits")) >= len(FILLED)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 3 and "Traceback" not in done.stderr
    for name, error in zip(["notes.png", "desk.png", "two.png"], errors, strict=True):
        assert error.startswith(f"error: {name}: ")


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_read(folder):
    (folder / "digits").write_text("a file")
    done = collect("read", "photo.png", "--into", "digits")
    assert done.exit_code == 1 and done.stdout == "" and "cannot write digits" in done.stderr
    assert (folder / "digits").read_text() == "a file"


def test_a_damaged_collection_is_said_before_anything_is_read(folder):
    (folder / "digits").mkdir()
    (folder / "digits/collection.json").write_text("{")
    done = collect("read", "photo.png", "--into", "digits")
    assert done.exit_code == 1 and done.stdout == "" and "collection.json" in done.stderr
    assert [path.name for path in (folder / "digits").iterdir()] == ["collection.json"]


def test_a_writer_is_forgotten_and_the_models_are_named(folder):
    collect("read", "photo.png", "--into", "digits", "--writer", "Ada")
    count = len(list_images("digits"))
    (writer,) = open_collection("digits").writers
    for path, value in {
        "runs/train/ours-1/args.json": {"writers": [writer, "00000000"]},
        "runs/train/others-1/args.json": {"writers": ["00000000"]},
        "runs/train/plain-1/args.json": {"own": None},
        "runs/train/odd-1/args.json": [1],
        "export/ours/manifest.json": {"writers": [writer]},
        "export/cnn/manifest.json": {"name": "cnn"},
    }.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(json.dumps(value))
    (folder / "export/damaged").mkdir()
    (folder / "export/damaged/manifest.json").write_text("{")
    done = collect("forget", "Ada", "--from", "digits")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"digits: {count} images of Ada removed",
        "trained on them: runs/train/ours-1",
        "trained on them: export/ours",
    ]
    assert "cannot forget" in done.stderr
    assert not list_images("digits") and not (folder / "digits/_doubtful.png").exists()
    assert "Ada" not in (folder / "digits/collection.json").read_text()


def test_a_writer_that_is_not_known_is_said(folder):
    collect("read", "photo.png", "--into", "digits", "--writer", "Ada")
    before = sorted(folder.rglob("*"))
    done = collect("forget", "Eve", "--from", "digits")
    assert done.exit_code == 1 and "expected the name of a writer, 'Ada', got 'Eve'" in done.stderr
    assert sorted(folder.rglob("*")) == before


def test_a_real_process_exits_with_1(folder):
    cv2.imwrite("desk.png", np.full((300, 200), 200, np.uint8))
    command = [sys.executable, "-m", "digitedge", "collect", "read", "desk.png", "--into", "digits"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: desk.png: expected a digit sheet, found none of its markers")
