"""What came of a page: a reading, or the error that it could not be read for."""

from dataclasses import dataclass, replace
from typing import Any

from digitedge.errors import ErrorKind
from digitedge.reader.reading import Reading


@dataclass(frozen=True, slots=True)
class PageFailure:
    """Why a page could not be read: the kind, and the message of one line."""

    kind: ErrorKind
    message: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """What came of a page.

    Attributes:
        source: path or address of the document.
        page: number of the page in it, from 1; None for a file of one image.
        reading: what was read, without its trace; None if there was an error.
        error: None if it was read.
    """

    source: str
    page: int | None
    reading: Reading | None = None
    error: PageFailure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: what `predict --json` prints, and "error", an object with kind and message, or null.

        "ms" is null: the same page gives the same bytes, on every machine and after every interruption.
        """
        reading = self.reading or Reading((), (), 0, 0, 0.0, source=self.source, page=self.page)
        error = self.error and {"kind": str(self.error.kind), "message": self.error.message}
        return replace(reading, trace=None).to_dict() | {"ms": None, "error": error}
