"""What a worker process does: an upload in, the bytes of an answer out, whatever is wrong with the upload."""

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from digitedge.documents import count_pages, read_pages
from digitedge.documents.kinds import find_kind
from digitedge.errors import ErrorKind, ModelError, PageError
from digitedge.reader.page_result import PageFailure, PageResult, read_page
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader import Reader
from digitedge.reader.reader_spec import ReaderSpec
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.memory_limit import MEMORY_VARIABLE, limit_process, memory_limit, without_variable
from digitedge.web.serve.limits import ServeLimits

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
NAMELESS = "the file"
"""What messages call an upload without a name."""
_STATUS = {ErrorKind.TOO_LARGE: 413, ErrorKind.UNKNOWN_FORMAT: 415, ErrorKind.EXTRA_MISSING: 415}
_UNREADABLE = 422
PROCESS_BYTES = 500_000_000
"""Of a worker without an upload: Python, OpenCV and the runtime reserve this at most, and use 120 MB."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent.

    Attributes:
        content: its bytes.
        name: its name without folders, or "".
        rotate: degrees clockwise, or "auto"; None for what the server was started with.
        threshold: least confidence of a digit, 0 to 1; None for what the server was started with.
    """

    content: bytes
    name: str = ""
    rotate: str | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an upload: an HTTP status, its body and media type, and how much was read."""

    status: int
    content: bytes
    media_type: str = JSON
    pages: int = 0
    digits: int = 0

    @classmethod
    def refusal(cls, kind: ErrorKind, message: str) -> "Answer":
        """The answer if nothing could be read."""
        return cls(_STATUS.get(kind, _UNREADABLE), _to_json({"error": message}))


@dataclass(frozen=True, slots=True)
class UploadReader:
    """How uploads are read: with which model, which options, and within which limits.

    It goes to the worker processes, and is called there with one upload after the other.
    """

    spec: ReaderSpec
    options: ReadOptions = ReadOptions()  # noqa: RUF009 - frozen
    limits: ServeLimits = ServeLimits()  # noqa: RUF009 - frozen

    def prepare_process(self) -> None:
        """Limit a new process: one thread, and so much memory that at worst it ends alone."""
        from digitedge.utils.opencv import cv2

        cv2.setNumThreads(1)
        os.environ.setdefault(MEMORY_VARIABLE, str(self.limits.memory_mb))
        # Four times what decoding may take: while it is read, an image is there in several forms.
        limit_process(PROCESS_BYTES + 4 * memory_limit())

    def __call__(self, upload: Upload | None) -> Answer:
        """Read an upload; that it cannot be read is an answer, too. None only loads the model.

        Raises:
            ModelError: see `ReaderSpec.make`.
        """
        reader = _make_reader(self.spec)
        if upload is None:
            return Answer(200, b"")
        try:
            path = _write(upload)
        except OSError as exc:  # a full disk
            return Answer(503, _to_json({"error": f"The server cannot store the file: {exc.strerror or exc}."}))
        try:
            results = self._read_pages(reader, upload, path)
        except ModelError:
            raise
        except Exception as exc:  # whatever is wrong with this one, the next one is read
            failure = PageFailure.of(exc, name=str(path))
            results = [_rename(PageResult(str(path), None, error=failure), upload, path)]
        finally:
            path.unlink(missing_ok=True)
        return _answer(results)

    def _read_pages(self, reader: Reader, upload: Upload, path: Path) -> list[PageResult]:
        if find_kind(BytesIO(upload.content)).is_archive:
            message = f"{path}: expected an image or a document, got an archive. Send its files one by one."
            raise PageError(message, ErrorKind.UNKNOWN_FORMAT)
        if (pages := count_pages(str(path))) > self.limits.pages:
            message = f"{path}: expected at most {self.limits.pages} pages, got {pages:,}. Send it in parts."
            raise PageError(message, ErrorKind.TOO_LARGE)
        reader.threshold = self.spec.threshold if upload.threshold is None else upload.threshold
        options = self._options(upload)
        return [_rename(read_page(page, reader, options), upload, path) for page in read_pages(str(path))]

    def _options(self, upload: Upload) -> ReadOptions:
        if upload.rotate is None:
            return self.options
        is_auto = upload.rotate == "auto"
        transform = replace(self.options.transform, rotate=0 if is_auto else int(upload.rotate))
        return replace(self.options, transform=transform, find_upright=is_auto)


@cache
def _make_reader(spec: ReaderSpec) -> Reader:
    return spec.make()


@cache
def _folder() -> Path:
    """A private folder of this process, which is swept by a later one."""
    return _open_folders.enter_context(temporary_folder())


_open_folders = ExitStack()


def _write(upload: Upload) -> Path:
    """Write an upload to a file: documents are read from files."""
    path = _folder() / "upload"
    path.write_bytes(upload.content)
    return path


def _rename(result: PageResult, upload: Upload, path: Path) -> PageResult:
    """A result with the name that the client has given, without a path of this machine; and without its trace."""
    reading, error = result.reading, result.error
    if reading is not None:
        reading = replace(reading, source=upload.name, trace=None)
    if error is not None:
        message = without_variable(error.message).replace(str(path), upload.name or NAMELESS)
        error = replace(error, message=message)
    return PageResult(upload.name, result.page, reading, error)


def _answer(results: list[PageResult]) -> Answer:
    """Answer with a JSON object for each page; an error, if no page could be read."""
    failures = [result.error for result in results if result.error]
    if len(failures) == len(results):
        return Answer.refusal(failures[0].kind, failures[0].message)
    readings = [result.reading for result in results if result.reading]
    content = b"".join(_to_json((result.reading or result).to_dict()) for result in results)
    digits = sum(len(reading.digits) for reading in readings)
    return Answer(200, content, JSON if len(results) == 1 else JSON_LINES, len(readings), digits)


def _to_json(value: dict[str, Any]) -> bytes:
    """One line, as `print_json` of the command line writes it."""
    return json.dumps(value, allow_nan=False).encode() + b"\n"
