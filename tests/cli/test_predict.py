"""`digitedge predict` on images written here, with the released model."""

import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_documents import tiff_directories
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.images import read_image
from digitedge.utils.opencv import cv2, encode_image


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with two clean scenes, 2.png and 10.png, and their true rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans").mkdir()
    rows = {}
    for seed, name in enumerate(["scans/2.png", "scans/10.png"]):
        scene = render_scene(seed=seed, difficulty=Difficulty.PLAIN, scene_type="plain-paper", clean=True)
        cv2.imwrite(name, scene.frame)
        rows[name] = list(scene.rows)
    return rows


def predict(*arguments):
    return CliRunner().invoke(app, ["predict", *arguments])


def test_a_line_per_image_with_its_rows(folder):
    done = predict("scans")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"{name}: {' '.join(rows)}" for name, rows in folder.items()]
    assert "model:" in done.stderr


def test_json_is_one_reading_per_line_and_nothing_else(folder):
    done = predict("scans/*.png", "--json")
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reading["schema"] for reading in readings] == ["digitedge.reading/1"] * 2
    assert {reading["source"]: reading["rows"] for reading in readings} == folder


def test_a_blank_image_says_so(folder):
    cv2.imwrite("blank.png", np.full((100, 100), 255, np.uint8))
    assert predict("blank.png").stdout == "blank.png: no digits\n"


def test_an_unreadable_image_does_not_stop_the_others(folder):
    with open("scans/5.png", "wb") as damaged:
        damaged.write(b"\x89PNG\r\n\x1a\n")
    done = predict("scans", "--json")
    assert done.exit_code == 1
    assert [json.loads(line)["source"] for line in done.stdout.splitlines()] == list(folder)
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "scans/5.png" in error


def test_a_missing_image_is_one_line_and_exit_code_1(folder):
    done = predict("none.png")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no file or folder at none.png")


def test_a_high_threshold_drops_digits(folder):
    sure = json.loads(predict("scans/2.png", "--json", "--threshold", "1").stdout)
    assert all(digit["confidence"] == 1 for digit in sure["digits"])


@pytest.mark.parametrize(
    "arguments", [[], [""], ["scans", ""], ["scans", "--threshold", "1.5"], ["scans", "--nonsense"]], ids=str
)
def test_wrong_usage_is_exit_code_2(folder, arguments):
    assert predict(*arguments).exit_code == 2


def test_a_missing_model_is_exit_code_1(folder):
    done = predict("scans", "--model", "none.tflite")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "none.tflite" in done.stderr


def test_annotated_copies_show_the_reading_and_keep_the_originals(folder):
    before = cv2.imread("scans/2.png")
    assert predict("scans", "--annotate", "out").exit_code == 0
    copy = cv2.imread("out/2.png")
    assert copy.shape[0] > before.shape[0]  # by a strip with the rows
    assert (copy[: len(before)] != before).any()
    assert (cv2.imread("scans/2.png") == before).all()


def test_images_of_one_name_get_copies_of_their_own(folder, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/2.png").write_bytes((tmp_path / "scans/2.png").read_bytes())
    predict("scans/2.png", "more/2.png", "--annotate", "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["2-2.png", "2.png"]


def test_a_real_process_keeps_exit_code_and_streams_apart(folder):
    done = subprocess.run(
        [sys.executable, "-m", "digitedge", "predict", "--json", "scans/2.png", "scans/10.png"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert [json.loads(line)["rows"] for line in done.stdout.splitlines()] == list(folder.values())
    missing = subprocess.run([sys.executable, "-m", "digitedge", "predict", "none.png"], capture_output=True, text=True)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert len(missing.stderr.splitlines()) == 1


def test_warnings_of_libraries_are_not_printed(folder, capfd):
    jpeg = bytearray(encode_image(np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8), ".jpg"))
    jpeg[4000:4200] = bytes([0x55]) * 200
    Path("a.jpg").write_bytes(jpeg)
    read_image("a.jpg")
    assert "Corrupt JPEG data" in capfd.readouterr().err  # libjpeg, of a JPEG that it reads all the same
    assert predict("a.jpg").exit_code == 0
    assert "JPEG" not in capfd.readouterr().err


def test_a_copy_never_replaces_a_image_that_was_given(folder, tmp_path):
    before = (tmp_path / "scans/2.png").read_bytes()
    done = predict("scans", "--annotate", "scans")
    assert done.exit_code == 1
    assert (tmp_path / "scans/2.png").read_bytes() == before


def test_a_numbered_copy_keeps_off_a_name_that_is_taken(folder, tmp_path):
    for place in ("a/x.png", "b/x.png", "c/x-2.png"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_bytes((tmp_path / "scans/2.png").read_bytes())
    predict("a", "b", "c", "--annotate", "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x-2-2.png", "x-2.png", "x.png"]


def test_stages_are_one_slide_per_image(folder):
    done = predict("scans", "--stages", "slides")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"{name}: {' '.join(rows)}" for name, rows in folder.items()]
    slides = {path.name: cv2.imread(str(path)) for path in Path("slides").iterdir()}
    assert {name: slide.shape for name, slide in slides.items()} == dict.fromkeys(
        ["10-stages.png", "2-stages.png"], (1080, 1920, 3)
    )
    assert (slides["2-stages.png"] != slides["10-stages.png"]).any()


def test_stages_and_copies_may_share_a_folder_but_not_the_images_own(folder, tmp_path):
    assert predict("scans/2.png", "--stages", "out", "--annotate", "out").exit_code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["2-stages.png", "2.png"]
    (tmp_path / "scans/2-stages.png").write_bytes((tmp_path / "scans/2.png").read_bytes())
    done = predict("scans", "--stages", "scans")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--stages scans would overwrite the image scans/2-stages.png" in done.stderr


def test_copies_and_slides_in_one_folder_never_replace_each_other(folder):
    Path("a.jpg").write_bytes(cv2.imencode(".jpg", cv2.imread("scans/2.png"))[1].tobytes())
    cv2.imwrite("a-stages.bmp", cv2.imread("scans/2.png"))
    assert predict("a.jpg", "a-stages.bmp", "--annotate", "out", "--stages", "./out").exit_code == 0
    names = ["a-stages-2.png", "a-stages-stages.png", "a-stages.png", "a.jpg"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    assert cv2.imread("out/a-stages-2.png").shape[1] == cv2.imread("a-stages.bmp").shape[1]


@pytest.mark.parametrize("option", ["--annotate", "--stages"])
@pytest.mark.parametrize("place", ["/proc/out", "file"])
def test_a_folder_that_cannot_be_written_to_is_known_before_any_reading(folder, option, place):
    Path("file").touch()
    done = predict("scans", option, place)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"error: cannot write {place}: " in done.stderr


def test_a_named_pipe_does_not_stop_the_others(folder):
    os.mkfifo("pipe.png")
    done = predict("pipe.png", "scans/2.png")
    assert done.exit_code == 1
    assert done.stdout.startswith("scans/2.png: ")
    assert "error: cannot read pipe.png: expected a regular file, got a device or pipe" in done.stderr


ROWS = ["123", "40", "56"]


@pytest.fixture
def page(folder):
    """A page.png of 640x480 with ROWS, 150 pixels apart, in OpenCV's font."""
    image = np.full((480, 640, 3), 230, np.uint8)
    for number, row in enumerate(ROWS):
        cv2.putText(image, row, (100, 120 + 150 * number), cv2.FONT_HERSHEY_SIMPLEX, 3, (40, 40, 40), 6, cv2.LINE_AA)
    cv2.imwrite("page.png", image)
    return image


def read_json(*arguments):
    return json.loads(predict("page.png", "--json", *arguments).stdout)


def test_only_the_region_is_read_and_boxes_count_in_the_image(page):
    whole, part = read_json(), read_json("--roi", "50,180,590,150")
    assert (whole["rows"], part["rows"]) == (ROWS, ["40"])
    assert [part["width"], part["height"]] == [640, 480]
    expected = [digit["box"] for digit in whole["digits"][3:5]]
    np.testing.assert_allclose([digit["box"] for digit in part["digits"]], expected, atol=3)


def test_a_turned_and_mirrored_image_is_read_as_camera_reads_it(page):
    cv2.imwrite("page.png", cv2.rotate(cv2.flip(page, 1), cv2.ROTATE_90_CLOCKWISE))
    reading = read_json("--rotate", "270", "--flip", "horizontal")
    assert (reading["rows"], reading["rotated"]) == (ROWS, 270)
    assert [reading["width"], reading["height"]] == [480, 640]


def test_other_rows_are_left_out_and_counted(page):
    assert predict("page.png", "--expect-length", "3").stdout == "page.png: 123   (2 rows left out)\n"
    assert predict("page.png", "--pattern", "[45].").stdout == "page.png: 40 56   (1 row left out)\n"
    reading = read_json("--pattern", "9")
    assert (reading["rows"], reading["digits"], reading["left_out"]) == ([], [], 3)


def test_a_region_outside_of_one_image_does_not_stop_the_others(page):
    cv2.imwrite("small.png", page[:100, :100])
    done = predict("small.png", "page.png", "--roi", "50,180,590,150")
    assert (done.exit_code, done.stdout) == (1, "page.png: 40\n")
    assert "error: small.png: the region 50,180,590,150 lies outside" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rotate", "45"],
        ["--flip", "both"],
        ["--roi", "1,2,3"],
        ["--roi", "0,0,0,5"],
        ["--pattern", "("],
        ["--expect-length", "0"],
        ["--csv", "--json"],
        ["--csv", "--verbose"],
    ],
    ids=str,
)
def test_a_wrong_selection_is_exit_code_2(page, arguments):
    done = predict("page.png", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert arguments[0] in done.stderr


def test_csv_has_a_line_per_row_with_its_numbers(page):
    cv2.putText(page, "78", (450, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, (40, 40, 40), 6, cv2.LINE_AA)
    cv2.imwrite("page.png", page)
    assert predict("page.png", "--csv").stdout == "123,78\n40\n56\n"
    cv2.imwrite("b,c.png", page[:200])
    rows = list(csv.reader(predict("b,c.png", "page.png", "--csv").stdout.splitlines()))
    assert rows == [["b,c.png", "123", "78"], ["page.png", "123", "78"], ["page.png", "40"], ["page.png", "56"]]


def test_csv_has_the_cells_of_tables_and_the_rows_beside_them(folder):
    page = np.full((480, 640, 3), 235, np.uint8)
    for y in range(180, 421, 80):
        cv2.line(page, (60, y), (540, y), (60, 60, 60), 2)
    for x in range(60, 541, 160):
        cv2.line(page, (x, 180), (x, 420), (60, 60, 60), 2)
    for text, x, y in (("26", 90, 110), ("12", 90, 240), ("7", 440, 240), ("5", 270, 320), ("84", 410, 400)):
        cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (40, 40, 40), 3, cv2.LINE_AA)
    cv2.imwrite("page.png", page)
    assert predict("page.png", "--csv").stdout == "26\n12,,7\n,5,\n,,84\n"


def test_what_was_not_read_is_told(page):
    page[:] = 230
    for number, word in enumerate(("MEASURE", "EVERY", "HOUSE")):
        place = (40, 120 + 150 * number)
        cv2.putText(page, word, place, cv2.FONT_HERSHEY_SIMPLEX, 2.5, (40, 40, 40), 6, cv2.LINE_AA)
    cv2.imwrite("page.png", page)
    done = predict("page.png", "--csv")
    assert done.stdout == ""
    assert re.search(
        r"^page.png: no digits, but what looks like writing   \(\d+ rejected\)$", done.stderr, re.MULTILINE
    )
    assert read_json()["rejected"] > 0


def test_white_ink_on_a_transparent_image_is_read(page):
    ink = 255 - cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    drawing = np.full((480, 640, 4), 255, np.uint8)
    drawing[..., 3] = np.where(ink > 100, 255, 0)
    cv2.imwrite("page.png", drawing)
    assert read_json()["rows"] == ROWS


@pytest.fixture
def documents(folder):
    """A three.tif whose second page is damaged, and a box.zip with 2.png and three.tif; the rows of a page."""
    images = [cv2.imread(f"scans/{name}.png") for name in (2, 2, 10)]
    assert cv2.imwritemulti("three.tif", images)
    content = bytearray(Path("three.tif").read_bytes())
    second = tiff_directories(content)[1]
    assert content[second + 14 : second + 16] == b"\0\1"  # tag 256, the width
    content[second + 14 : second + 16] = b"\xff\xff"
    Path("three.tif").write_bytes(content)
    with zipfile.ZipFile("box.zip", "w") as archive:
        archive.write("scans/2.png", "2.png")
        archive.write("three.tif", "in/three.tif")
    return [" ".join(rows) for rows in folder.values()]


def test_every_page_of_a_document_is_read_and_a_damaged_one_is_told(documents):
    first, last = documents
    done = predict("three.tif", "box.zip")
    pages = [("three.tif page 1", first), ("three.tif page 3", last), ("box.zip/2.png", first)]
    pages += [("box.zip/in/three.tif page 1", first), ("box.zip/in/three.tif page 3", last)]
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [f"{name}: {rows}" for name, rows in pages]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [error.split(":")[1] for error in errors] == [" three.tif page 2", " box.zip/in/three.tif page 2"]
    found = [json.loads(line) for line in predict("three.tif", "--json").stdout.splitlines()]
    assert [(one["source"], one["page"]) for one in found] == [("three.tif", 1), ("three.tif", 3)]
    table = list(csv.reader(predict("three.tif", "--csv").stdout.splitlines()))
    assert [line[0] for line in table][:1] == ["three.tif page 1"]


@pytest.mark.skipif(os.name == "nt", reason="pipes of a shell")
def test_csv_has_a_name_column_if_there_is_more_than_one_page(documents):
    cv2.imwrite("one.tif", cv2.imread("scans/2.png"))
    assert predict("one.tif", "--csv").stdout.splitlines() == documents[0].split()
    Path("three.tif").rename("three")
    assert predict("three", "--csv").stdout.startswith("three page 1,")
    command = [sys.executable, "-m", "digitedge", "predict", "/dev/stdin", "--csv", "--model", "released"]
    done = subprocess.run(command, input=Path("one.tif").read_bytes(), capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == documents[0].split()


def test_copies_and_slides_of_pages_have_their_numbers(documents):
    predict("three.tif", "box.zip", "--annotate", "out", "--stages", "slides")
    names = ["2.png", "three-1-2.png", "three-1.png", "three-3-2.png", "three-3.png"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    slides = sorted(path.name for path in Path("slides").iterdir())
    assert slides == [
        "2-stages.png", "three-1-2-stages.png", "three-1-stages.png", "three-3-2-stages.png", "three-3-stages.png"
    ]  # fmt: skip


def test_a_copy_of_a_page_never_replaces_a_document(documents):
    Path("three-1.png").write_bytes(Path("scans/2.png").read_bytes())
    before = Path("three-1.png").read_bytes()
    assert predict("three-1.png", "three.tif", "--annotate", "out").exit_code == 1
    assert predict("three.tif", "three-1.png", "--annotate", ".").stdout == ""
    assert predict("three.tif", "--annotate", ".").exit_code == 1
    assert cv2.imread("three-1.png").shape[0] > cv2.imread("scans/2.png").shape[0]  # it was not given
    Path("three-1.png").write_bytes(before)


def test_a_list_on_standard_input_is_read(folder):
    command = [sys.executable, "-m", "digitedge", "predict", "-"]
    listed = "\0".join([*folder, "none.png"])
    done = subprocess.run(command, input=listed, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"{name}: {' '.join(rows)}" for name, rows in folder.items()]
    assert "error: cannot read none.png" in done.stderr
