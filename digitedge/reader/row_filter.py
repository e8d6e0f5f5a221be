"""Row filter: which rows count, by their length or a pattern."""

import re
from dataclasses import dataclass, replace

from digitedge.errors import InputError
from digitedge.reader.reading import Reading


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows count.

    Attributes:
        length: number of digits; None for any.
        pattern: a regular expression that the whole row must match; None for any.

    Raises:
        InputError: a length under 1, or an invalid regular expression.

    Examples:
        >>> row_filter = RowFilter(pattern="20[0-9]{2}")
        >>> row_filter.accepts("2026"), row_filter.accepts("20261")
        (True, False)
    """

    length: int | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        if self.length is not None and self.length < 1:
            raise InputError(f"expected rows of 1 digit or more, got {self.length}")
        try:
            re.compile(self.pattern or "")
        except (re.error, OverflowError, RecursionError) as exc:
            raise InputError(
                f"expected a regular expression, such as 20[0-9]{{2}}, got {self.pattern!r}: {exc}"
            ) from exc

    def accepts(self, text: str) -> bool:
        """Tell whether a row counts."""
        return self.length in (None, len(text)) and bool(re.fullmatch(self.pattern or ".*", text))

    def apply(self, reading: Reading) -> Reading:
        """Return a reading with only the rows that count, and their digits; its tables and trace stay whole."""
        if all(map(self.accepts, reading.rows)):
            return reading
        kept = [number for number, row in enumerate(reading.rows) if self.accepts(row)]
        digits = iter(reading.digits)
        rows = [[next(digits) for _ in row] for row in reading.rows]
        return replace(
            reading,
            digits=tuple(digit for number in kept for digit in rows[number]),
            rows=tuple(reading.rows[number] for number in kept),
            numbers=tuple(reading.numbers[number] for number in kept),
            left_out=len(rows) - len(kept),
        )
