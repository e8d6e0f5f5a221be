"""The body of a request, raw or multipart, becomes an upload."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Mapping

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from digitedge.web.serve.read_upload import Upload

MULTIPART = "multipart/form-data"
MAX_FIELDS = 10
MAX_FIELD_BYTES = 1000
MAX_NAME_CHARACTERS = 255
ROTATIONS = ("auto", "0", "90", "180", "270")
# A body must arrive at this rate on average, after a moment to start, and without a longer pause. So one that stands
# still ends soon, and even the largest has a limit of time.
PAUSE_S = 1.5
MIN_BYTES_PER_S = 20_000
logging.getLogger("python_multipart").addHandler(logging.NullHandler())  # the client gets its errors


def declared_size(request: Request, limit: int) -> int:
    """Most bytes that a body may have, known before it is read.

    Raises:
        HTTPException: 413, it is longer than the limit; 400, its encoding is not decoded here.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "Expected a body without Content-Encoding. Send the file as it is.")
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() else limit
    if size > limit:
        raise _too_long(limit)
    return size


async def receive_upload(request: Request, limit: int) -> Upload:
    """Read the body of a request.

    Raises:
        HTTPException: 413, it is too long; 408, it comes too slowly; 400, it is empty or no multipart; 422, an option
            is wrong.
    """
    stream = _stream(request, limit)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MULTIPART:
        content = b"".join([part async for part in stream])
        return _make_upload(content, request.query_params.get("name", ""), request.query_params)
    parser = MultiPartParser(request.headers, stream, max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    parser.spool_max_size = limit + 1  # in memory, whose size is limited
    try:
        return _from_form(await parser.parse(), request.query_params)
    except MultiPartException as exc:
        raise HTTPException(400, f"Expected multipart/form-data with one file: {exc.message}") from exc
    finally:
        for file in parser._files_to_close_on_error:  # of a form that is cut short, the file is in no result
            file.close()


def _from_form(form: FormData, query: Mapping[str, str]) -> Upload:
    files = [value for value in form.values() if isinstance(value, UploadFile)]
    if len(files) != 1:
        raise HTTPException(400, f"Expected multipart/form-data with one file, got {len(files)}.")
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    return _make_upload(files[0].file.read(), files[0].filename or "", {**query, **fields})


def _make_upload(content: bytes, name: str, options: Mapping[str, str]) -> Upload:
    if not content:
        raise HTTPException(400, "Expected an image or a document, got an empty body.")
    rotate = options.get("rotate") or None
    if rotate is not None and rotate not in ROTATIONS:
        raise HTTPException(422, f"rotate: expected one of {', '.join(ROTATIONS)}.")
    name = re.split(r"[/\\]", name)[-1][:MAX_NAME_CHARACTERS]
    return Upload(content, name, rotate, _parse_threshold(options.get("threshold") or None))


def _parse_threshold(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:  # also true for NaN
        raise HTTPException(422, "threshold: expected a number from 0 to 1.")
    return threshold


async def _stream(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the parts of a body."""
    parts = request.stream()
    size, started = 0, time.monotonic()
    while True:
        ahead = size / MIN_BYTES_PER_S - (time.monotonic() - started)
        try:
            async with asyncio.timeout(PAUSE_S + min(ahead, 0)):
                part = await anext(parts, None)
        except TimeoutError as exc:
            expected = f"{MIN_BYTES_PER_S:,} bytes a second or more, without a pause of {PAUSE_S} s"
            raise HTTPException(408, f"Expected a body at {expected}.") from exc
        if part is None:
            return
        size += len(part)
        if size > limit:
            raise _too_long(limit)
        yield part


def _too_long(limit: int) -> HTTPException:
    return HTTPException(413, f"Expected at most {limit:,} bytes.")
