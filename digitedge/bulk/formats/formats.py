"""The table of formats in which results are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digitedge.bulk.formats.alto import encode_alto
from digitedge.bulk.formats.csv import encode_csv
from digitedge.bulk.formats.jsonl import encode_jsonl
from digitedge.bulk.formats.parquet import encode_parquet
from digitedge.errors import require
from digitedge.reader.page_result import PageResult


@dataclass(frozen=True, slots=True)
class Format:
    """How results are written.

    Attributes:
        name: as on the command line.
        suffix: of its files.
        encode: makes the content of one file from the results of its pages. Raises MissingExtraError.
        package: that it needs; None for none.
        extra: which installs the package.
    """

    name: str
    suffix: str
    encode: Callable[[Sequence[PageResult]], bytes]
    package: str | None = None
    extra: str = ""

    def check_installed(self) -> None:
        """Check that the format can be written here.

        Raises:
            MissingExtraError: its package is not installed.
        """
        if self.package is not None:
            require(self.package, extra=self.extra)


FORMATS = {
    one.name: one
    for one in (
        Format("jsonl", ".jsonl", encode_jsonl),
        Format("parquet", ".parquet", encode_parquet, package="pyarrow", extra="parquet"),
        Format("csv", ".csv", encode_csv),
        Format("alto", ".alto.zip", encode_alto),
    )
}
"""Name -> format; the first one is the default."""
