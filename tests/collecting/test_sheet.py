"""The sheet: its markers and cells, and the printed page as PDF and PNG."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from digitedge.collecting import CELLS, SHEET_VERSION, Paper, write_sheet
from digitedge.collecting.page import PRIVACY, draw_image, draw_pdf
from digitedge.collecting.pose import find_markers
from digitedge.collecting.sheet import BLOCK_MM, MARKER_MM, MARKERS, MAX_VERSION, marker_corners_mm, marker_id
from digitedge.errors import InputError
from digitedge.utils.image_header import png_chunks
from digitedge.utils.images import read_image
from digitedge.utils.opencv import to_grey


def test_each_row_of_twelve_cells_asks_for_one_digit():
    assert [cell.row for cell in CELLS] == sorted(12 * list(range(10)))
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_cells_and_markers_do_not_touch_and_lie_in_the_block():
    boxes = [cell.box_mm for cell in CELLS]
    boxes += [(*corners[0], MARKER_MM, MARKER_MM) for corners in marker_corners_mm().tolist()]
    for number, (x, y, width, height) in enumerate(boxes):
        assert x >= 0 and y >= 0 and x + width <= BLOCK_MM[0] + 1e-9 and y + height <= BLOCK_MM[1] + 1e-9
        for other in boxes[:number]:
            apart = x - other[0] - other[2] > 1 or other[0] - x - width > 1
            assert apart or y - other[1] - other[3] > 1 or other[1] - y - height > 1


def test_every_version_has_markers_of_its_own():
    ids = [marker_id(number, version) for version in range(MAX_VERSION + 1) for number in range(MARKERS)]
    assert len(set(ids)) == len(ids) and max(ids) < 250


@pytest.mark.parametrize("paper", Paper)
def test_all_markers_are_found_where_the_image_has_them(paper):
    image = to_grey(draw_image(paper=paper, dpi=150))
    found = find_markers(image)
    places = dict(found.of_version(SHEET_VERSION))
    assert sorted(places) == list(range(MARKERS))
    corner = (np.array(paper.size_mm) - BLOCK_MM) / 2
    for number, corners in places.items():
        expected = (corner + marker_corners_mm()[number]) * 150 / 25.4 - 0.5
        assert np.abs(corners - expected).max() < 1.5, number


def test_the_png_states_its_true_size(tmp_path):
    write_sheet(tmp_path / "sheet.png")
    content = (tmp_path / "sheet.png").read_bytes()
    (start,) = (start for name, start, _ in png_chunks(content) if name == b"pHYs")
    dots_per_metre = int.from_bytes(content[start : start + 4], "big")
    height, width = read_image(tmp_path / "sheet.png").shape[:2]
    assert width / dots_per_metre == pytest.approx(0.210, abs=1e-4)
    assert height / dots_per_metre == pytest.approx(0.297, abs=1e-4)


def test_the_offsets_of_the_pdf_are_those_of_its_objects():
    content = draw_pdf()
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", content)[1])
    assert content[table:].startswith(b"xref\n0 7\n")
    for number, offset in enumerate(re.findall(rb"(\d{10}) 00000 n \n", content[table:]), start=1):
        assert content[int(offset) :].startswith(b"%d 0 obj\n" % number)
    length = int(re.search(rb"/Length (\d+)", content)[1])
    start = content.index(b"stream\n") + len(b"stream\n")
    assert content[start + length :].startswith(b"\nendstream")


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="wants poppler-utils")
@pytest.mark.parametrize("paper", Paper)
def test_a_pdf_reader_shows_the_same_page_as_the_png(tmp_path, paper):
    write_sheet(tmp_path / "sheet.pdf", paper=paper, writer="Zoë (a)\\")
    subprocess.run(["pdftoppm", "-r", "100", "-png", "sheet.pdf", "page"], cwd=tmp_path, check=True)
    (page,) = tmp_path.glob("page*.png")
    shown, drawn = to_grey(read_image(page)), to_grey(draw_image(paper=paper, writer="Zoë (a)\\", dpi=100))
    assert np.abs(np.array(shown.shape) - drawn.shape).max() <= 1
    seen, expected = (dict(find_markers(image).of_version(SHEET_VERSION)) for image in (shown, drawn))
    assert sorted(seen) == sorted(expected) == list(range(MARKERS))
    assert max(np.abs(seen[number] - expected[number]).max() for number in seen) < 1.5
    text = subprocess.run(["pdftotext", "sheet.pdf", "-"], cwd=tmp_path, check=True, capture_output=True).stdout
    assert "Zoë (a)\\" in text.decode() and PRIVACY in text.decode()


@pytest.mark.parametrize("name", ["雨", "a\nb", 40 * "x"])
def test_a_name_that_cannot_be_printed_is_said_and_nothing_is_written(tmp_path, name):
    with pytest.raises(InputError, match="write it by hand"):
        write_sheet(tmp_path / "sheet.pdf", writer=name)
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a suffix \.pdf or \.png, got '\.txt'"):
        write_sheet(tmp_path / "sheet.txt")
