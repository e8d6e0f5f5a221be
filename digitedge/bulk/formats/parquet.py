"""Parquet: a row a page, with the names and the nesting of the JSON; one schema for every file."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from digitedge.errors import require
from digitedge.reader.page_result import PageResult
from digitedge.reader.reading import SCHEMA

COMPRESSION = "zstd"


def encode_parquet(results: Sequence[PageResult]) -> bytes:
    """Return a file with one row for each page.

    The columns are the fields of the JSON without those that are the same for every page: schema, frame, time, ms. A
    source whose name is not valid Unicode has escapes in it, because Parquet has no other text than UTF-8.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")
    table = pyarrow.Table.from_pylist([_make_valid(result.to_dict()) for result in results], schema=page_schema())
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink, compression=COMPRESSION)
    return bytes(sink.getvalue())


@cache
def page_schema() -> Any:
    """Return the pyarrow schema of every file, also of one without digits.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = require("pyarrow", extra="parquet")
    text, number = pa.string(), pa.int32()

    def many(kind: Any) -> Any:
        return pa.list_(pa.field("element", kind))  # the name that it has in the file

    box = ("box", many(number))  # x, y, width, height in pixels of the image
    digit = pa.struct([("digit", pa.int8()), ("confidence", pa.float64()), box])
    cell = pa.struct([("text", text), box])
    table = pa.struct([box, ("rows", many(many(cell)))])
    return pa.schema(
        [
            pa.field("source", text, nullable=False),
            ("page", number),  # null for a file of one image
            pa.field("width", number, nullable=False),
            pa.field("height", number, nullable=False),
            ("digits", many(digit)),
            ("rows", many(text)),
            ("numbers", many(many(text))),
            ("tables", many(table)),
            ("rejected", number),
            ("left_out", number),
            ("rotated", number),
            ("error", pa.struct([("kind", text), ("message", text)])),  # null for a page that was read
        ],
        metadata={"schema": SCHEMA},
    )


def _make_valid(page: dict[str, Any]) -> dict[str, Any]:
    error = page["error"] and {name: _as_utf8(text) for name, text in page["error"].items()}
    return page | {"source": _as_utf8(page["source"]), "error": error}


def _as_utf8(text: str) -> str:
    """Write bytes of a file name that are not UTF-8, which Python keeps as surrogates, as escapes."""
    return text.encode(errors="backslashreplace").decode()
