"""Tables as text and as Markdown, and the marked places of a page that they replace."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digitedge.errors import DataError


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a name to the left of each line.

    Attributes:
        corner: heading of the names.
        heads: headings of the other columns.
        lines: name -> one cell for each head.
        title: a line above the table, or "".
    """

    corner: str
    heads: Sequence[str]
    lines: Mapping[str, Sequence[str]]
    title: str = ""

    def text(self) -> str:
        """Return the table as aligned text, never wrapped or cut; ends with an empty line.

        Examples:
            >>> print(Table("file", ["top-1"], {"a.onnx": ["99 %"], "b.onnx": ["8 %"]}, title="MNIST").text())
            MNIST
            file    top-1
            a.onnx   99 %
            b.onnx    8 %
            <BLANKLINE>
        """
        names = max(map(len, [self.corner, *self.lines]))
        widths = [max(map(len, column)) for column in zip(self.heads, *self.lines.values(), strict=True)]
        rows = [self.title] if self.title else []
        for name, cells in [(self.corner, self.heads), *self.lines.items()]:
            aligned = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
            rows.append("  ".join([name.ljust(names), *aligned]))
        return "\n".join([*rows, ""])

    def markdown(self) -> str:
        """Return the title as a paragraph and the table as Markdown; ends with an empty line.

        Examples:
            >>> print(Table("file", ["top-1"], {"model_int8.onnx": ["99 %"]}).markdown())
            | file | top-1 |
            | --- | ---: |
            | model_int8.onnx | 99 % |
            <BLANKLINE>
        """
        rows = [self.title, ""] if self.title else []
        lines = [[self.corner, *self.heads], ["---"] + ["---:"] * len(self.heads)]
        lines += [[name, *cells] for name, cells in self.lines.items()]
        return "\n".join([*rows, *(f"| {' | '.join(cells)} |" for cells in lines), ""])


def percent(share: float | None, *, decimals: int = 2) -> str:
    """Format a share from 0 to 1 as percent; a dash for None.

    Examples:
        >>> percent(0.9962), percent(None)
        ('99.62 %', '-')
    """
    return "-" if share is None else f"{100 * share:.{decimals}f} %"


def put_into(page: str, name: str, text: str) -> str:
    """Replace the text between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        DataError: the page does not have these markers exactly once.
    """
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", re.DOTALL)
    found, count = place.subn(lambda match: f"{match[1]}{text}{match[2]}", page)
    if count != 1:
        raise DataError(f"expected one place <!-- {name} --> in the page, got {count}. Correct the page.")
    return found
