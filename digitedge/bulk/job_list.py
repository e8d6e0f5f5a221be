"""The list of a job: every document with its size and time, every shard and what came of it.

It is a database, so that a job of millions of documents takes no more memory than a small one, and a kill leaves the
last whole state.
"""

import json
import os
import re
import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from digitedge.bulk.least_sure import LeastSure, merge_least_sure, pack_least_sure, unpack_least_sure
from digitedge.bulk.shard import ShardPart, ShardResult
from digitedge.documents import may_hold_many
from digitedge.documents.listing import FoundDocument
from digitedge.documents.storage import is_address
from digitedge.errors import DigitEdgeError, ErrorKind, InputError

LEAST_SURE = 200
"""How many of the least sure digits of a job are shown."""
# Pages in a shard: so many that a job has SHARDS shards, but not fewer or more than these. What a shard costs besides
# its pages is some milliseconds; what an interruption costs is what was read of a shard.
SHARDS = 64
MIN_PAGES, MAX_PAGES = 4, 256
COUNTED_AT_ONCE = 32
"""Documents that one task counts."""
STAMP_BYTES = 4
"""Of a page; an unsigned number, as in `array("I")`."""
_BATCH = 10_000

_TABLES = """
CREATE TABLE IF NOT EXISTS documents(
    id INTEGER PRIMARY KEY, source BLOB UNIQUE, sort BLOB, size INTEGER, modified INTEGER, is_gone INTEGER DEFAULT 0,
    many INTEGER, pages INTEGER, stamps BLOB, has_shard INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS documents_without_shard ON documents(sort) WHERE has_shard = 0;
CREATE INDEX IF NOT EXISTS documents_without_count ON documents(id) WHERE pages IS NULL;
CREATE TABLE IF NOT EXISTS shards(
    id INTEGER PRIMARY KEY, state TEXT, pages INTEGER, digits INTEGER, without_digits INTEGER, errors TEXT,
    files TEXT, least_sure BLOB, note TEXT);
CREATE INDEX IF NOT EXISTS shards_by_state ON shards(state, id);
CREATE TABLE IF NOT EXISTS parts(
    shard INTEGER, place INTEGER, document INTEGER, start INTEGER, pages INTEGER, PRIMARY KEY(shard, place)
    ) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_of_document ON parts(document);
CREATE TEMP TABLE found(
    source BLOB PRIMARY KEY, sort BLOB, size INTEGER, modified INTEGER, many INTEGER) WITHOUT ROWID;
"""
_CHANGED = """
SELECT id FROM documents JOIN found USING (source)
WHERE (found.size != documents.size OR found.modified != documents.modified)
"""
_SHARDS_OF_GONE = "SELECT shard FROM parts JOIN documents AS gone ON document = gone.id WHERE gone.is_gone"
_TO_DO, _DONE, _ASIDE = "to do", "done", "set aside"


Files = Mapping[str, tuple[int, str]]
"""Size and sha256 of the files of a shard, by name."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a job has come to.

    Attributes:
        documents: number of documents.
        gone: how many of them were not found in this run; their results are kept.
        pages: of all shards; those of shards that are not done are expected.
        pages_done: of the shards that are done.
        digits, without_digits, errors: as in `ShardResult`, of all shards that are done.
        shards, shards_done: their numbers.
        set_aside: names of shards that were given up, and why.
    """

    documents: int
    gone: int
    pages: int
    pages_done: int
    digits: int
    without_digits: int
    errors: Mapping[str, int]
    shards: int
    shards_done: int
    set_aside: Mapping[str, str]


class JobList:
    """The database of one job, with the documents, the shards and their parts."""

    def __init__(self, path: Path, *, on_dissolve: Callable[[int], object]) -> None:
        """Open the database, or make one that only this user may read.

        Args:
            path: of its file. Addresses in it may have passwords.
            on_dissolve: called with the number of a shard that will be deleted.

        Raises:
            DigitEdgeError: it is damaged, or the disk is full.
        """
        self._path = path
        self._on_dissolve = on_dissolve
        with self._explained():
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path)
            self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def update_documents(
        self, found: Iterable[FoundDocument], *, retry_errors: bool = False, forget_missing: bool = False
    ) -> int:
        """Take the list of documents: new ones are to be read, and changed ones again.

        What is not found any more keeps its results: a disk that is not mounted must not cost them.

        Args:
            found: in any order; the first of the same name counts.
            retry_errors: read again what has errors. Where a disk or server was to blame, this is done anyway.
            forget_missing: drop the results of documents that are not found any more.

        Returns:
            Number of changed documents that are not read again, because their results stand in one file with those of
            documents that are not found.

        Raises:
            InputError: nothing is found.
            DigitEdgeError: the disk is full.
        """
        with self._changes() as database:
            database.execute("DELETE FROM found")
            database.executemany("INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?, ?)", map(_found_row, found))
            if not database.execute("SELECT count(*) FROM found").fetchone()[0]:
                raise InputError("expected documents, got none: images, PDF, TIFF, zip and tar files are read.")
            database.execute("UPDATE documents SET is_gone = source NOT IN (SELECT source FROM found)")
            if forget_missing:
                self._forget("SELECT id FROM documents WHERE is_gone")
            errors = "errors != '{}'" if retry_errors else f"errors LIKE '%{ErrorKind.UNREACHABLE}%'"
            for (shard,) in database.execute(
                f"SELECT id FROM shards WHERE {errors} AND id NOT IN ({_SHARDS_OF_GONE})"
            ).fetchall():
                self._dissolve(shard)
            self._forget(f"{_CHANGED} AND id NOT IN (SELECT document FROM parts WHERE shard IN ({_SHARDS_OF_GONE}))")
            (waiting,) = database.execute(f"SELECT count(*) FROM ({_CHANGED})").fetchone()
            database.execute(
                "INSERT INTO documents(source, sort, size, modified, many, pages) "
                "SELECT source, sort, size, modified, many, iif(many, NULL, 1) FROM found WHERE true "
                "ON CONFLICT(source) DO NOTHING"
            )
            database.execute("DELETE FROM found")
        return int(waiting)

    def _forget(self, query: str) -> None:
        """Remove documents and their shards; the other documents in these come into new ones."""
        database = self._database
        while documents := database.execute(f"{query} LIMIT {_BATCH}").fetchall():
            for (document,) in documents:
                for (shard,) in self._shards_of(document):
                    self._dissolve(shard)
            database.executemany("DELETE FROM documents WHERE id = ?", documents)

    def _shards_of(self, document: int) -> list[tuple[int]]:
        return self._database.execute("SELECT DISTINCT shard FROM parts WHERE document = ?", (document,)).fetchall()

    def _dissolve(self, shard: int) -> None:
        """Delete a shard; its documents are counted again and come into new ones.

        So are all other shards of the same documents: those are documents with shards of their own.
        """
        database = self._database
        documents = database.execute("SELECT document FROM parts WHERE shard = ?", (shard,)).fetchall()
        shards = {(shard,)}.union(*(self._shards_of(document) for (document,) in documents))
        for (one,) in shards:
            self._on_dissolve(one)
        again = "UPDATE documents SET has_shard = 0, pages = iif(many, NULL, 1), stamps = NULL WHERE id = ?"
        database.executemany(again, documents)
        database.executemany("DELETE FROM parts WHERE shard = ?", shards)
        database.executemany("DELETE FROM shards WHERE id = ?", shards)

    def documents_to_count(self) -> Iterator[dict[int, str]]:
        """Yield documents that may have several pages and are not counted, in batches: their sources by id."""
        last = 0
        query = "SELECT id, source FROM documents WHERE pages IS NULL AND id > ? ORDER BY id LIMIT ?"
        while rows := self._database.execute(query, (last, COUNTED_AT_ONCE)).fetchall():
            last = rows[-1][0]
            yield {number: os.fsdecode(source) for number, source in rows}

    def set_counts(self, stamps: Mapping[int, bytes]) -> None:
        """Note the pages of documents, by id: their stamps, see `digitedge.bulk.shard.page_stamp`."""
        with self._changes() as database:
            database.executemany(
                "UPDATE documents SET pages = ?, stamps = ? WHERE id = ?",
                [(len(found) // STAMP_BYTES, found, number) for number, found in stamps.items()],
            )

    def give_up_counting(self, document: int) -> None:
        """Have all pages of a document read at once, as of one image; the error shows then."""
        with self._changes() as database:
            database.execute("UPDATE documents SET pages = 1, stamps = NULL WHERE id = ?", (document,))

    def cut_shards(self) -> None:
        """Put the documents that are in no shard into new ones, in natural order.

        A document with more pages than a shard has shards of its own, so that only they are read again if it changes.
        """
        with self._changes() as database:
            size = self._pages_per_shard()
            rows = database.execute("SELECT id, pages FROM documents WHERE has_shard = 0 AND pages > 0 ORDER BY sort")
            (shard,) = database.execute("SELECT coalesce(max(id), 0) FROM shards").fetchone()
            parts: list[tuple[int, int, int]] = []
            room = size
            for document, pages in rows:
                if pages > size:
                    for start in range(0, pages, size):
                        shard = self._add_shard(shard + 1, [(document, start, min(size, pages - start))])
                    continue
                if pages > room:
                    shard = self._add_shard(shard + 1, parts)
                    parts, room = [], size
                parts.append((document, 0, pages))
                room -= pages
            if parts:
                self._add_shard(shard + 1, parts)
            database.execute("UPDATE documents SET has_shard = 1 WHERE has_shard = 0")

    def _add_shard(self, shard: int, parts: Sequence[tuple[int, int, int]]) -> int:
        pages = sum(part[2] for part in parts)
        self._database.execute("INSERT INTO shards(id, pages, state) VALUES (?, ?, ?)", (shard, pages, _TO_DO))
        rows = [(shard, place, *part) for place, part in enumerate(parts)]
        self._database.executemany("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", rows)
        return shard

    def _pages_per_shard(self) -> int:
        """The size of a shard, chosen once for a job: what was cut stays as it is when documents are added."""
        (size,) = self._database.execute("PRAGMA user_version").fetchone()  # a number that is free for the application
        if not size:
            (pages,) = self._database.execute("SELECT coalesce(sum(pages), 0) FROM documents").fetchone()
            size = min(max(pages // SHARDS, MIN_PAGES), MAX_PAGES)
            self._database.execute(f"PRAGMA user_version = {size}")
        return int(size)

    def shards_to_do(self) -> Iterator[tuple[int, tuple[ShardPart, ...]]]:
        """Yield the shards that are to be read: their numbers and parts."""
        last = 0
        query = "SELECT id FROM shards WHERE state = ? AND id > ? ORDER BY id LIMIT 1"
        while row := self._database.execute(query, (_TO_DO, last)).fetchone():
            last = row[0]
            rows = self._database.execute(
                "SELECT source, start, parts.pages, documents.pages, stamps, size FROM parts "
                "JOIN documents ON document = id WHERE shard = ? ORDER BY place",
                (last,),
            )
            yield last, tuple(_build_part(*row) for row in rows)

    def note_done(self, shard: int, result: ShardResult, files: Files) -> None:
        """Note that a shard is done, and its files are written."""
        figures = (result.pages, result.digits, result.without_digits, json.dumps(result.errors, sort_keys=True))
        with self._changes() as database:
            database.execute(
                f"UPDATE shards SET state = '{_DONE}', files = ?, pages = ?, digits = ?, without_digits = ?, "
                "errors = ?, least_sure = ? WHERE id = ?",
                (json.dumps(files), *figures, pack_least_sure(result.least_sure), shard),
            )

    def set_aside(self, shard: int, reason: str) -> None:
        """Give a shard up, until the job is run again."""
        with self._changes() as database:
            database.execute(f"UPDATE shards SET state = '{_ASIDE}', note = ? WHERE id = ?", (reason, shard))

    def read_again(self, is_whole: Callable[[Files], bool]) -> None:
        """Have shards read again that were set aside, and those whose files are not as they were written."""
        with self._changes() as database:
            rows = database.execute("SELECT id, state, files FROM shards WHERE state != ?", (_TO_DO,))
            again = [(number,) for number, state, files in rows if state == _ASIDE or not is_whole(json.loads(files))]
            database.executemany(f"UPDATE shards SET state = '{_TO_DO}', note = NULL WHERE id = ?", again)

    def totals(self) -> Totals:
        """Add up what came of all shards."""
        query = self._database.execute
        documents, gone = query("SELECT count(*), coalesce(sum(is_gone), 0) FROM documents").fetchone()
        shards, pages = query("SELECT count(*), coalesce(sum(pages), 0) FROM shards").fetchone()
        done = query(
            "SELECT count(*), coalesce(sum(pages), 0), coalesce(sum(digits), 0), coalesce(sum(without_digits), 0) "
            "FROM shards WHERE state = ?",
            (_DONE,),
        ).fetchone()
        errors = Counter[str]()
        for (counts,) in query("SELECT errors FROM shards WHERE state = ? AND errors != '{}'", (_DONE,)):
            errors.update(json.loads(counts))
        aside = query("SELECT id, note FROM shards WHERE state = ? ORDER BY id", (_ASIDE,))
        return Totals(
            documents=documents,
            gone=gone,
            pages=pages,
            pages_done=done[1],
            digits=done[2],
            without_digits=done[3],
            errors=dict(errors.most_common()),
            shards=shards,
            shards_done=done[0],
            set_aside={shard_name(number): note for number, note in aside},
        )

    def least_sure(self) -> tuple[LeastSure, ...]:
        """The least sure digits of all shards, the least sure one first."""
        least: tuple[LeastSure, ...] = ()
        for (blob,) in self._database.execute("SELECT least_sure FROM shards WHERE state = ?", (_DONE,)):
            least = merge_least_sure(least, unpack_least_sure(blob), limit=LEAST_SURE)
        return least

    @contextmanager
    def _changes(self) -> Iterator[sqlite3.Connection]:
        """Make all changes of a block, or none."""
        with self._explained(), self._database as database:
            yield database

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an error of the database into one line."""
        try:
            yield
        except sqlite3.OperationalError as exc:
            advice = "Is the disk full, or the file open elsewhere? Then give the same command again."
            raise DigitEdgeError(f"cannot write {self._path}: {exc}. {advice}") from exc
        except sqlite3.DatabaseError as exc:
            raise DigitEdgeError(f"{self._path}: {exc}. The job must be begun again in another folder.") from exc


def shard_name(shard: int) -> str:
    """The name of a shard, by its number.

    Examples:
        >>> shard_name(12)
        'shard-000012'
    """
    return f"shard-{shard:06d}"


def _build_part(source: bytes, start: int, pages: int, whole: int, stamps: bytes | None, size: int) -> ShardPart:
    ends = None
    if stamps is not None:
        found = array("I", stamps)
        ends = found[start], found[start + pages - 1]
    return ShardPart(os.fsdecode(source), start, pages, ends, is_last=start + pages == whole, was_found=size >= 0)


def _found_row(found: FoundDocument) -> tuple[bytes, bytes, int, int, bool]:
    source = found.source if is_address(found.source) else str(PurePath(found.source))  # ./a.png is a.png
    return os.fsencode(source), _sort_key(source), found.size, found.modified, may_hold_many(source)


def _sort_key(source: str) -> bytes:
    """Natural order as one text: numbers are as wide as each other, and capitals do not count.

    Examples:
        >>> sorted(["b2.png", "b10.png", "B1.png"], key=_sort_key)
        ['B1.png', 'b2.png', 'b10.png']
    """
    return (
        os.fsencode(re.sub(r"\d+", lambda digits: digits[0].zfill(20), source.casefold())) + b"\0" + os.fsencode(source)
    )
