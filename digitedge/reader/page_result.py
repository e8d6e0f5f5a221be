"""The result of a page of a document: a reading, or an error of one line with its kind."""

from dataclasses import dataclass, replace
from typing import Any

from digitedge.documents import Page
from digitedge.errors import DigitEdgeError, ErrorKind, MissingExtraError, ModelError, PageError, first_line
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader import Reader
from digitedge.reader.reading import Reading


@dataclass(frozen=True, slots=True)
class PageFailure:
    """Why a page could not be read: the kind, and the message of one line."""

    kind: ErrorKind
    message: str

    @classmethod
    def of(cls, exc: Exception, *, name: str) -> "PageFailure":
        """Describe an error; `name` is that of the page, for messages that do not name it.

        Examples:
            >>> PageFailure.of(PermissionError(13, "Permission denied"), name="desk.png")
            PageFailure(kind=<ErrorKind.UNREACHABLE: 'unreachable'>, message='desk.png: Permission denied')
        """
        if isinstance(exc, PageError):
            return cls(exc.kind, str(exc))
        if isinstance(exc, MissingExtraError):
            return cls(ErrorKind.EXTRA_MISSING, f"{name}: {exc}")
        if isinstance(exc, DigitEdgeError):
            return cls(ErrorKind.OTHER, str(exc))
        if isinstance(exc, MemoryError):
            return cls(ErrorKind.TOO_LARGE, f"{name}: it takes more memory than a process may have. Make it smaller.")
        if isinstance(exc, OSError):
            return cls(ErrorKind.UNREACHABLE, f"{name}: {exc.strerror or exc}")
        return cls(ErrorKind.OTHER, f"{name}: unexpected {type(exc).__name__}: {first_line(exc)}")


@dataclass(frozen=True, slots=True)
class PageResult:
    """What came of a page.

    Attributes:
        source: path or address of the document.
        page: number of the page in it, from 1; None for a file of one image.
        reading: what was read; None if there was an error.
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
        reading = self.reading or Reading((), (), 0, 0, 0.0)
        named = replace(reading, source=self.source, page=self.page)
        error = self.error and {"kind": str(self.error.kind), "message": self.error.message}
        return named.to_dict() | {"ms": None, "error": error}


def read_page(page: Page, reader: Reader, options: ReadOptions) -> PageResult:
    """Read a page; whatever is wrong with it is in the result.

    Raises:
        ModelError: the model cannot be used: it fails for every page.
    """
    try:
        reading = options.read(reader, page.load(), source=page.source, page=page.number)
    except ModelError:
        raise
    except Exception as exc:
        return PageResult(page.source, page.number, error=PageFailure.of(exc, name=page.name))
    return PageResult(page.source, page.number, reading)
