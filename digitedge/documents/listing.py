"""Find documents by file, folder, pattern, address or list, without opening them."""

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, NamedTuple, TextIO

from digitedge.documents.kinds import SUFFIXES, has_known_suffix
from digitedge.documents.storage import ask_storage, find_storage, is_address
from digitedge.errors import CameraError, ErrorKind, InputError, PageError
from digitedge.utils.images import find_images, natural_key
from digitedge.utils.secrets import hide_secret

STDIN = "-"
"""The argument that stands for a list on standard input."""
MAX_PATH_BYTES = 1 << 16
_READ_BYTES = 1 << 16


class FoundDocument(NamedTuple):
    """A document that was found.

    Attributes:
        source: its path or address.
        size: in bytes; -1 if that is unknown, as of a listed path that does not exist and of a listed address.
        modified: when it was changed, in nanoseconds since 1970; of an object store, what it says; 0 if unknown.
    """

    source: str
    size: int
    modified: int


def walk_documents(arguments: Sequence[str], *, list_file: TextIO | None = None) -> Iterator[FoundDocument]:
    """Yield the documents that the arguments name, with those in all subfolders, as they are found: in no order.

    Of a folder, only files with a known suffix are found, and neither hidden ones nor folders behind links. No more
    than one folder is kept in memory.

    Args:
        arguments: files, folders, patterns, addresses, and "-" for the list.
        list_file: paths and addresses, one a line, or with a null byte after each; default: standard input. What is
            listed is yielded, also if it does not exist: reading it is an error then, which is one of many.

    Raises:
        CameraError: an argument does not exist, a pattern has no match, or an address cannot be listed.
        InputError: an empty path, or a list that is none.
    """
    for argument in arguments:
        if argument == STDIN:
            yield from map(_describe, read_list(list_file or sys.stdin))
        elif is_address(argument):
            yield from _walk_address(argument)
        elif os.path.isdir(argument):
            yield from _walk_folder(argument)
        elif os.path.lexists(argument) or not glob.has_magic(argument):
            yield from map(_describe, map(str, find_images([argument])))  # which checks it
        else:
            yield from _walk_pattern(argument)


def find_documents(arguments: Sequence[str], *, list_file: TextIO | None = None) -> list[str]:
    """Find documents as `find_images` finds images: folders without their subfolders, in natural order, each once.

    Args:
        arguments: files, folders, patterns, addresses, and "-" for the list.
        list_file: as in `walk_documents`.

    Raises:
        CameraError: a path does not exist, a pattern has no match, a folder has no document.
        InputError: an empty path, or a list that is none.
    """
    found: dict[str, None] = {}
    for argument in arguments:
        if argument == STDIN:
            found |= dict.fromkeys(read_list(list_file or sys.stdin))
        elif is_address(argument):
            found |= dict.fromkeys(document.source for document in _walk_address(argument, max_depth=1))
        else:
            found |= dict.fromkeys(map(str, find_images([argument], suffixes=SUFFIXES)))
    return list(found)


def read_list(file: TextIO) -> Iterator[str]:
    """Yield the paths of a list while it is read: one a line, or with a null byte after each.

    Raises:
        InputError: a path is too long to be one.
    """
    binary: BinaryIO | None = getattr(file, "buffer", None)
    read = partial(binary.read1, _READ_BYTES) if binary else lambda: os.fsencode(file.read(_READ_BYTES))  # type: ignore[attr-defined]
    separator, rest = b"", b""
    while piece := read():
        rest += piece
        separator = separator or next((one for one in (b"\0", b"\n") if one in rest), b"")
        if separator:
            *paths, rest = rest.split(separator)
            yield from _clean(paths, separator)
        if len(rest) > MAX_PATH_BYTES:
            raise InputError("expected a list of paths, one a line, got a line of more than 64 kB. Give a list.")
    yield from _clean([rest], separator)


def _clean(paths: Iterable[bytes], separator: bytes) -> Iterator[str]:
    for path in paths:
        plain = path if separator == b"\0" else path.removesuffix(b"\r")
        if plain:
            yield os.fsdecode(plain)


def _describe(source: str) -> FoundDocument:
    try:
        status = None if is_address(source) else os.stat(source)
    except (OSError, ValueError):
        status = None
    return FoundDocument(source, status.st_size, status.st_mtime_ns) if status else FoundDocument(source, -1, 0)


def _walk_folder(folder: str) -> Iterator[FoundDocument]:
    """Yield what is in a folder and its subfolders; one that cannot be listed is yielded itself, to become an error."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif has_known_suffix(entry.name) and not os.path.isdir(entry.path):
                        yield _describe(entry.path)
        except OSError:
            yield FoundDocument(current, -1, 0)


def _walk_pattern(pattern: str) -> Iterator[FoundDocument]:
    found = False
    for path in glob.iglob(pattern, recursive=True):
        if os.path.isfile(path):
            found = True
            yield _describe(path)
    if not found:
        raise CameraError(f"no file matches {pattern}. Give documents, folders or patterns such as 'scans/*.png'.")


def _walk_address(address: str, *, max_depth: int | None = None) -> Iterator[FoundDocument]:
    """Yield the object of an address, those below it, or those that match it, each with an address of its own."""
    storage, path = find_storage(address)
    plain = address.rstrip("/")
    before = plain.removesuffix(path.rstrip("/"))  # scheme, login and host, as far as the path has them not
    shown = hide_secret(address)
    if re.search(r"[*[]", path):  # a question mark begins the query of an address
        matches = ask_storage(lambda: storage.glob(path, detail=True), address)
        if not matches:
            raise CameraError(f"no file matches {shown}. Give an address or pattern that has some.")
        yield from (_of_storage(before, name, info) for name, info in matches.items() if info["type"] == "file")
        return
    info = ask_storage(lambda: storage.info(path), address)
    if info["type"] != "directory":
        yield FoundDocument(address, int(info.get("size") or -1), _modified(info))
        return
    found = False
    walk = storage.walk(path, maxdepth=max_depth, detail=True)
    while (folder := ask_storage(lambda: next(walk, None), address)) is not None:
        for name, info in sorted(folder[2].items(), key=lambda item: natural_key(item[0])):
            full = info["name"]
            if has_known_suffix(name) and "/." not in full.removeprefix(path):
                found = True
                yield _of_storage(before, full, info)
        storage.invalidate_cache(folder[0])  # else the listing of a large bucket stays in memory
    if not found:
        raise PageError(f"no documents at {shown} ({', '.join(SUFFIXES)}).", ErrorKind.MISSING)


def _of_storage(before: str, name: str, info: dict[str, Any]) -> FoundDocument:
    size = info.get("size")
    return FoundDocument(before + name, -1 if size is None else int(size), _modified(info))


def _modified(info: dict[str, Any]) -> int:
    keys = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")
    time = next((info[key] for key in keys if info.get(key) is not None), 0)
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return 0
    seconds = time.timestamp() if isinstance(time, datetime) else time
    return int(seconds * 10**9)
