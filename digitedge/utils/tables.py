"""Tables for a terminal and for Markdown, and the places in a page that they are put into."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digitedge.errors import DataError


@dataclass(frozen=True, slots=True)
class Table:
    """Names to the left, cells to the right.

    Attributes:
        corner: what the names are.
        heads: of the columns.
        lines: name -> one cell for each head.
        title: a line above, or "".
    """

    corner: str
    heads: Sequence[str]
    lines: Mapping[str, Sequence[str]]
    title: str = ""

    def text(self) -> str:
        """For a terminal: cells to the right, each column as wide as it must be; ends with an empty line.

        Examples:
            >>> print(Table("file", ["right"], {"a.onnx": ["99 %"], "b.onnx": ["8 %"]}, title="MNIST").text())
            MNIST
            file    right
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
        """For a README: the title as a paragraph, then a table; ends with an empty line.

        Examples:
            >>> print(Table("file", ["right"], {"model_int8.onnx": ["99 %"]}).markdown())
            | file | right |
            | --- | ---: |
            | model_int8.onnx | 99 % |
            <BLANKLINE>
        """
        rows = [self.title, ""] if self.title else []
        lines = [[self.corner, *self.heads], ["---"] + ["---:"] * len(self.heads)]
        lines += [[name, *cells] for name, cells in self.lines.items()]
        return "\n".join([*rows, *(f"| {' | '.join(cells)} |" for cells in lines), ""])


def percent(share: float | None) -> str:
    """A share from 0 to 1 with two digits after the point; a dash for None.

    Examples:
        >>> percent(0.9962), percent(None)
        ('99.62 %', '-')
    """
    return "-" if share is None else f"{100 * share:.2f} %"


def put_into(page: str, name: str, text: str) -> str:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        DataError: the page has no such place, or has it twice.
    """
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", re.DOTALL)
    found, count = place.subn(lambda match: f"{match[1]}{text}{match[2]}", page)
    if count != 1:
        raise DataError(f"expected one place <!-- {name} --> in the page, got {count}. Mend the page.")
    return found
