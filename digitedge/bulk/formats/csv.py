"""CSV for spreadsheets: a line for each row of digits, with the cells of `predict --csv`, the page and its result."""

import csv
import io
from collections.abc import Iterator, Sequence

from digitedge.reader.page_result import PageResult
from digitedge.reader.tables import csv_lines
from digitedge.utils.text import printable

LEADING = ("source", "page", "line", "result")
READ = "read"
# Spreadsheets take a cell that starts so for a formula, and some evaluate it at once (OWASP, "CSV Injection").
_FORMULA_STARTS = tuple("=+-@＝＋－＠")  # noqa: RUF001 - the wide ones count, too


def encode_csv(results: Sequence[PageResult]) -> bytes:
    r"""Return a header and at least one line a page, all with the same number of cells: UTF-8 with a mark for Excel.

    After the columns source, page, line (from 1) and result come the cells of a table, else the numbers of a row, as
    many columns as the longest line has. `result` is "read", "no digits", "no matching rows", or "error: " with the
    kind and the message.

    Examples:
        >>> from digitedge.reader.reading import Digit, Reading
        >>> reading = Reading((Digit(7, 0.99, (4, 5, 20, 30)),), ("7",), 640, 480, 3.1, numbers=(("7",),))
        >>> print(encode_csv([PageResult("scan.tif", 2, reading), PageResult("=1.png", None)]).decode("utf-8-sig"))
        "source","page","line","result","cell 1"
        "scan.tif","2","1","read","7"
        "./=1.png","","","no digits",""
        <BLANKLINE>
    """
    lines = [line for result in results for line in _lines(result)]
    cells = max([1, *(len(line) - len(LEADING) for line in lines)])
    text = io.StringIO()
    # All is quoted: where ";" separates cells, a name such as "a;=1.png" is still one cell.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([*LEADING, *(f"cell {number}" for number in range(1, cells + 1))])
    writer.writerows(line + [""] * (len(LEADING) + cells - len(line)) for line in lines)
    return text.getvalue().encode("utf-8-sig")


def _lines(result: PageResult) -> Iterator[list[str]]:
    place = [_safe_path(result.source), "" if result.page is None else str(result.page)]
    lines = csv_lines(result.reading) if result.reading else []
    for number, cells in enumerate(lines, 1):
        yield [*place, str(number), READ, *cells]
    if not lines:
        yield [*place, "", _outcome(result)]


def _outcome(result: PageResult) -> str:
    """Say in one line why a page has no lines. It starts with a letter, so it is no formula."""
    if result.error is not None:
        return printable(f"error: {result.error.kind}: {result.error.message}")
    return result.reading.text if result.reading else "no digits"


def _safe_path(source: str) -> str:
    """Return a path that is no formula, and still that of the same file."""
    return printable(f"./{source}" if source.startswith(_FORMULA_STARTS) else source)
