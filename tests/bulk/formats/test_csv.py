"""CSV: what a spreadsheet shows."""

import csv
import io

import pytest
from page_results import EMPTY, RESULTS, ROWS

from digitedge.bulk.formats.csv import encode_csv
from digitedge.reader.page_result import PageResult


def lines(*results: PageResult) -> list[list[str]]:
    return list(csv.reader(io.StringIO(encode_csv(results).decode("utf-8-sig"))))


def test_each_row_is_a_line_and_each_page_has_one() -> None:
    assert lines(*RESULTS) == [
        ["source", "page", "line", "result", "cell 1", "cell 2"],
        ["scans/desk.jpg", "", "1", "read", "20", "7"],
        ["scans/desk.jpg", "", "2", "read", "5", ""],
        ["book.pdf", "1", "1", "read", "9", ""],
        ["book.pdf", "1", "2", "read", "12", ""],
        ["book.pdf", "1", "3", "read", "8", ""],
        ["book.pdf", "1", "4", "read", "3", ""],
        ["book.pdf", "12", "1", "read", "4", ""],
        ["./=1+1.png", "", "", "no digits", "", ""],
        ["/data/../é\\udcff\\n.png", "", "", "no matching rows", "", ""],
        ["./=1.png", "", "", "error: damaged: =1.png: expected an image, got 3 bytes. Save it again.", "", ""],
        ["box.zip/lost.pdf", "", "", "error: crashed: it ended its process 3 times", "", ""],
    ]


@pytest.mark.parametrize("name", ["=1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1"])  # noqa: RUF001
def test_no_name_becomes_a_formula(name: str) -> None:
    (line,) = lines(PageResult(name, None, EMPTY))[1:]
    assert line[0].startswith(("./", "\\"))


def test_a_name_stays_one_cell_where_semicolons_separate_them() -> None:
    text = encode_csv([PageResult('a;=1,"b".png', None, ROWS)]).decode("utf-8-sig")
    first = next(csv.reader(io.StringIO(text.splitlines()[1]), delimiter=";"))[0]
    assert first.startswith('a;=1,"b".png')


def test_accents_are_read_by_excel() -> None:
    assert encode_csv(RESULTS).startswith(b"\xef\xbb\xbf")
