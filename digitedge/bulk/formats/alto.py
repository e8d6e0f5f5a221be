"""ALTO 4, the XML of libraries and archives for text with its place: a file a page, in a zip archive a shard.

Only elements that every version from 4.1 on has are used. Schema: https://www.loc.gov/standards/alto/
"""

import io
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from itertools import chain, count
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from digitedge.errors import ErrorKind
from digitedge.reader.page_result import PageFailure, PageResult
from digitedge.reader.reading import Cell, Digit, Reading, Table
from digitedge.utils.boxes import Box, is_centre_in, union
from digitedge.utils.text import printable
from digitedge.utils.version import __version__

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
VERSION = "4.4"
_SCHEMA_LOCATION = f"{NAMESPACE} http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
_QUALITY = {ErrorKind.MISSING: "Missing", ErrorKind.DAMAGED: "Damaged"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can state
_UNIX = 3
_UNSAFE = str.maketrans(dict.fromkeys('<>:"|?*\\', "_"))  # in names of files under Windows
_MAX_NAME_BYTES = 200  # file systems take 255


def encode_alto(results: Sequence[PageResult]) -> bytes:
    """Return a zip archive with an ALTO file for each page, named after the source and the page.

    A page that could not be read is there, too: without content, and with the error as its QUALITY_DETAIL.
    """
    archive = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(archive, "w") as files:
        for result in results:
            name = _free_name(result, taken)
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system, entry.external_attr = _UNIX, 0o644 << 16
            files.writestr(entry, alto_page(result), zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def alto_page(result: PageResult) -> bytes:
    """Return the ALTO file of a page, UTF-8.

    A row is a TextBlock with one TextLine, a number is a String, a digit is a Glyph; a table is a ComposedBlock of
    rows of cells. WC, the confidence of a number, is that of its least sure digit. Positions count in the image as it
    was given; where it was turned to be read, ROTATION is by how much the text lies turned in it, counterclockwise.

    Examples:
        >>> reading = Reading((Digit(7, 0.99, (4, 5, 20, 30)),), ("7",), 640, 480, 3.1, numbers=(("7",),))
        >>> b'<String HPOS="4" VPOS="5" WIDTH="20" HEIGHT="30" CONTENT="7" WC="0.99">' in alto_page(
        ...     PageResult("desk.jpg", None, reading)
        ... )
        True
    """
    root = Element("alto", {"xmlns": NAMESPACE, "SCHEMAVERSION": VERSION})
    root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    root.set("xsi:schemaLocation", _SCHEMA_LOCATION)
    _describe(root, result.source)
    # A file of one image is the first page of itself: ALTO wants a number.
    page = SubElement(SubElement(root, "Layout"), "Page", {"ID": "page", "PHYSICAL_IMG_NR": str(result.page or 1)})
    if result.error is not None:
        _add_error(page, result.error)
    elif result.reading is not None:
        _add_content(page, result.reading)
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _describe(root: Element, source: str) -> None:
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    SubElement(SubElement(description, "sourceImageInformation"), "fileName").text = printable(source)
    processing = SubElement(description, "Processing", {"ID": "reading"})
    SubElement(processing, "processingCategory").text = "contentGeneration"
    software = SubElement(processing, "processingSoftware")
    SubElement(software, "softwareName").text = "digitedge"
    SubElement(software, "softwareVersion").text = __version__


def _add_error(page: Element, error: PageFailure) -> None:
    if error.kind in _QUALITY:
        page.set("QUALITY", _QUALITY[error.kind])
    page.set("QUALITY_DETAIL", printable(f"{error.kind}: {error.message}"))


def _add_content(page: Element, reading: Reading) -> None:
    """Add the rows and tables from top to bottom. A digit in a cell of a table is in the table only."""
    page.attrib |= {"WIDTH": str(reading.width), "HEIGHT": str(reading.height)}
    space = SubElement(page, "PrintSpace", _place((0, 0, reading.width, reading.height)))
    tables = {number: table for number, table in enumerate(reading.tables, 1)}
    left, digits = dict(tables), iter(reading.digits)
    for row_number, row in enumerate(reading.numbers, 1):
        beside: list[list[Digit]] = []
        for text in row:
            number: list[Digit] = []
            for digit in [next(digits) for _ in text]:
                around = next((one for one, table in tables.items() if _is_in_cell(digit, table)), None)
                if around is None:
                    number.append(digit)
                elif around in left:
                    _add_table(space, left.pop(around), reading.digits, f"table{around}")
            beside += [number] if number else []
        if beside:
            _add_row(space, beside, f"row{row_number}")
    for table_number, table in left.items():
        _add_table(space, table, reading.digits, f"table{table_number}")
    if reading.transform.rotate:
        for block in space:
            block.set("ROTATION", str(reading.transform.rotate))


def _is_in_cell(digit: Digit, table: Table) -> bool:
    return is_centre_in(digit.box, [cell.box for row in table.rows for cell in row])


def _add_row(parent: Element, numbers: Sequence[Sequence[Digit]], name: str) -> None:
    """Add a row of numbers as a block with one line."""
    place = _place(union([digit.box for number in numbers for digit in number]))
    block = SubElement(parent, "TextBlock", {"ID": name} | place)
    line = SubElement(block, "TextLine", place)
    for position, number in enumerate(numbers):
        if position:
            SubElement(line, "SP")
        _add_number(line, "".join(str(digit.digit) for digit in number), number, place)


def _add_table(parent: Element, table: Table, digits: Sequence[Digit], name: str) -> None:
    """Add a table: blocks of rows, and in them a block for each cell; a merged cell is there once."""
    block = SubElement(parent, "ComposedBlock", {"ID": name} | _place(table.box) | {"TYPE": "table"})
    seen: set[Box] = set()
    for row_number, row in enumerate(table.rows, 1):
        row_name = f"{name}_row{row_number}"
        row_place = _place(union([cell.box for cell in row]))
        row_block = SubElement(block, "ComposedBlock", {"ID": row_name} | row_place | {"TYPE": "row"})
        for cell_number, cell in enumerate(row, 1):
            if cell.box not in seen:
                _add_cell(row_block, cell, digits, f"{row_name}_cell{cell_number}")
            seen.add(cell.box)


def _add_cell(parent: Element, cell: Cell, digits: Sequence[Digit], name: str) -> None:
    block = SubElement(parent, "TextBlock", {"ID": name} | _place(cell.box))
    if cell.text:
        inside = [digit for digit in digits if is_centre_in(digit.box, [cell.box])]
        _add_number(SubElement(block, "TextLine", _place(cell.box)), cell.text, inside, _place(cell.box))


def _add_number(line: Element, text: str, digits: Sequence[Digit], place: dict[str, str]) -> None:
    """Add a number with its digits; with `place` only, where a row filter left out the digits of a cell."""
    if "".join(str(digit.digit) for digit in digits) != text:
        SubElement(line, "String", place | {"CONTENT": text})
        return
    confidence = min(digit.confidence for digit in digits)
    place = _place(union([digit.box for digit in digits]))
    string = SubElement(line, "String", place | {"CONTENT": text, "WC": str(confidence)})
    for digit in digits:
        SubElement(string, "Glyph", _place(digit.box) | {"CONTENT": str(digit.digit), "GC": str(digit.confidence)})


def _place(box: Box) -> dict[str, str]:
    return dict(zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), map(str, box), strict=True))


def _free_name(result: PageResult, taken: set[str]) -> str:
    """Return a name inside of the archive: the path of the source without what leads out of it, and the page.

    A name that is taken, perhaps in other letters, has part of a hash of the source in it, and a number if that is
    taken, too. `taken` is extended.
    """
    parts = [part for part in _printed_parts(result.source) if part not in ("", ".", "..")] or ["page"]
    folder = "".join(f"{_shorten(part)}/" for part in parts[:-1])
    name = _shorten(parts[-1]) + ("" if result.page is None else f"-{result.page:04}")
    marked = f"{name}-{sha256(result.source.encode(errors='surrogatepass')).hexdigest()[:12]}"
    names = chain([name, marked], map(f"{marked}-{{}}".format, count(2)))
    path = next(path for one in names if (path := f"{folder}{one}").casefold() not in taken)
    taken.add(path.casefold())
    return f"{path}.xml"


def _printed_parts(source: str) -> list[str]:
    return printable(source).replace("://", "/").translate(_UNSAFE).split("/")


def _shorten(part: str) -> str:
    return part.encode()[:_MAX_NAME_BYTES].decode(errors="ignore").rstrip(". ") or "_"
