"""ALTO: valid files with every digit once, under names that can be unpacked."""

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from alto_schema import NAMESPACE, find_violations
from page_results import EMPTY, RESULTS, ROWS, TABLE, TURNED

from digitedge.bulk.formats.alto import alto_page, encode_alto
from digitedge.reader.page_result import PageResult
from digitedge.reader.reading import Reading
from digitedge.reader.row_filter import RowFilter


def page(reading: Reading) -> Element:
    return ElementTree.fromstring(alto_page(PageResult("a.png", None, reading)))


def contents(root: Element, name: str = "String") -> list[str]:
    return [element.attrib["CONTENT"] for element in root.iter(NAMESPACE + name)]


def names(*sources: str) -> list[str]:
    content = encode_alto([PageResult(source, None, EMPTY) for source in sources])
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: ascii(result.source))
def test_every_page_is_valid(result: PageResult) -> None:
    assert find_violations(ElementTree.fromstring(alto_page(result))) == []


def test_the_check_finds_what_is_not_valid() -> None:
    root = page(TABLE)
    for element in root.iter(NAMESPACE + "TextLine"):
        element.clear()
    next(root.iter(NAMESPACE + "TextBlock")).set("ID", "table1")
    next(root.iter(NAMESPACE + "Page")).attrib.pop("PHYSICAL_IMG_NR")
    next(root.iter(NAMESPACE + "PrintSpace")).set("HPOS", "-1")
    found = " ".join(find_violations(root))
    assert all(text in found for text in ("TextLine with the children", "not unique", "PHYSICAL_IMG_NR", "HPOS=-1"))


def test_rows_numbers_and_digits_have_their_places() -> None:
    root = page(ROWS)
    blocks = [element.attrib for element in root.iter(NAMESPACE + "TextBlock")]
    assert blocks[0] == {"ID": "row1", "HPOS": "10", "VPOS": "10", "WIDTH": "310", "HEIGHT": "32"}
    assert contents(root) == ["20", "7", "5"]
    string = next(root.iter(NAMESPACE + "String"))
    assert (string.attrib["WC"], string.attrib["WIDTH"]) == ("0.5", "45")
    assert [glyph.attrib["GC"] for glyph in string] == ["0.99", "0.5"]


def test_digits_of_a_table_are_in_its_cells_and_nowhere_else() -> None:
    root = page(TABLE)
    assert contents(root) == ["9", "12", "8", "3"]
    assert "".join(contents(root, "Glyph")) == "91283"
    cells = [one.attrib["ID"] for one in root.iter(NAMESPACE + "TextBlock") if "cell" in one.attrib["ID"]]
    assert cells == ["table1_row1_cell1", "table1_row1_cell2", "table1_row2_cell1"]


def test_cells_keep_their_text_without_the_digits_that_a_filter_left_out() -> None:
    root = page(RowFilter(length=1).apply(TABLE))
    assert contents(root) == ["9", "12", "8"]
    assert contents(root, "Glyph") == ["9", "8"]
    assert find_violations(root) == []


def test_a_turned_page_says_how_its_text_lies() -> None:
    (block,) = page(TURNED).iter(NAMESPACE + "TextBlock")
    assert (block.attrib["ROTATION"], block.attrib["HPOS"]) == ("90", "50")


def test_a_page_that_was_not_read_says_why() -> None:
    (damaged,) = ElementTree.fromstring(alto_page(RESULTS[5])).iter(NAMESPACE + "Page")
    assert damaged.attrib["QUALITY"] == "Damaged"
    assert damaged.attrib["QUALITY_DETAIL"].startswith("damaged: =1.png")
    (crashed,) = ElementTree.fromstring(alto_page(RESULTS[6])).iter(NAMESPACE + "Page")
    assert "QUALITY" not in crashed.attrib


def test_files_are_named_after_source_and_page() -> None:
    assert zipfile.ZipFile(io.BytesIO(encode_alto(RESULTS[:3]))).namelist() == [
        "scans/desk.jpg.xml",
        "book.pdf-0001.xml",
        "book.pdf-0012.xml",
    ]


def test_a_source_that_is_there_three_times_has_three_names() -> None:
    found = names("a.png", "a.png", "a.png", "A.png", "a.png")
    assert len({name.casefold() for name in found}) == 5
    assert (found[0], found[2]) == ("a.png.xml", found[1].replace(".xml", "-2.xml"))


def test_names_do_not_lead_out_of_the_folder_or_clash(tmp_path: Path) -> None:
    odd = ["../../a.png", "/a.png", "a.png", "A.png", "s3://bucket/a.png", "C:\\a.png", "..", "", "a\n/b", "x" * 300]
    found = names(*odd)
    assert len({name.casefold() for name in found}) == len(odd)
    assert found[0] == "a.png.xml"
    assert found[4:6] == ["s3/bucket/a.png.xml", "C__a.png.xml"]
    with zipfile.ZipFile(io.BytesIO(encode_alto([PageResult(name, None, EMPTY) for name in odd]))) as archive:
        archive.extractall(tmp_path)
    unpacked = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.xml")}
    assert unpacked == set(found)
