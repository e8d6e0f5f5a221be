"""The folder of a job: its manifest, its list and the files of results.

job.json                  the manifest: model, options, version; a job is resumed only with the same ones
job.sqlite                the list of documents and shards, see `digitedge.bulk.job_list`
shard-000001.jsonl, ...   the results; each appears complete or not at all
summary.json, least-sure.png
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from digitedge.bulk.formats import FORMATS
from digitedge.bulk.job_list import Files, JobList, shard_name
from digitedge.bulk.shard import ShardResult
from digitedge.documents.listing import FoundDocument
from digitedge.documents.storage import is_address
from digitedge.errors import DigitEdgeError, InputError
from digitedge.utils.files import atomic_file, hash_regular_file, write_json
from digitedge.utils.folder_lock import lock_folder
from digitedge.utils.loading import read_json

MANIFEST = "job.json"
DATABASE = "job.sqlite"
SCHEMA = "digitedge.bulk-job/1"


class JobFolder:
    """The folder of one job. A context: one program at a time works on it.

    Attributes:
        path: of the folder.
        list: of its documents and shards; in the `with` block.
    """

    list: JobList

    def __init__(self, path: Path, manifest: Mapping[str, Any]) -> None:
        """Describe a job; the folder is made on entering the `with` block.

        Args:
            path: of the folder.
            manifest: what the job is, and must be the same when it is resumed; without secrets.
        """
        self.path = path
        self._manifest = json.loads(json.dumps({"schema": SCHEMA, **manifest}))  # as it is read again
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Make the folder, or open that of the same job.

        Raises:
            InputError: it is the folder of another job, or of something else, or another program works on it.
            DigitEdgeError: it cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._stack.enter_context(lock_folder(self.path, wait=False))
        except BlockingIOError as exc:
            raise InputError(
                f"{self.path}: another job works here. Wait for its end, or choose another folder."
            ) from exc
        except OSError as exc:
            raise InputError(f"cannot write {self.path}: {exc.strerror or exc}. Choose another folder.") from exc
        try:
            self._check_manifest()
            self.list = JobList(self.path / DATABASE, on_dissolve=self._remove_results)
            self._stack.callback(self.list.close)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let other programs work on the folder; one of a job without documents is removed."""
        if not (self.path / MANIFEST).exists():
            self._remove_database()
            with suppress(OSError):  # it holds something else
                self.path.rmdir()
        self._stack.close()

    def _remove_database(self) -> None:
        """Remove the database with its journal, which SQLite would apply to the next one of that name."""
        for file in self.path.glob(f"{DATABASE}*"):
            file.unlink(missing_ok=True)

    def _check_manifest(self) -> None:
        path, names = self.path / MANIFEST, set(os.listdir(self.path))
        if not path.exists():
            if any(name[0] != "." and not name.startswith(DATABASE) for name in names):
                raise InputError(f"{self.path}: expected a new or empty folder, or that of a job, got other files.")
            self._remove_database()  # of a job that was killed before it had documents
            return
        if DATABASE not in names:
            raise InputError(f"{self.path}: expected the list of its job, got no {DATABASE}. Choose another folder.")
        found = read_json(path, error=InputError, advice="Choose another folder.")
        if found != self._manifest:
            keys = {*found, *self._manifest} if isinstance(found, dict) else set()
            different = [key for key in sorted(keys) if found.get(key) != self._manifest.get(key)]
            what = "; ".join(f"{key}: {found.get(key)!r}, now {self._manifest.get(key)!r}" for key in different)
            raise InputError(
                f"{self.path} is the folder of another job ({what or 'a damaged manifest'}). Choose another folder, or "
                "give the same options."
            )

    def update_documents(
        self, found: Iterable[FoundDocument], *, retry_errors: bool = False, forget_missing: bool = False
    ) -> int:
        """Take the list of documents, without results of this job; see `JobList.update_documents`.

        The manifest is written when there is a document.
        """
        others = (one for one in found if not self._has_written(one.source))
        waiting = self.list.update_documents(others, retry_errors=retry_errors, forget_missing=forget_missing)
        if not (self.path / MANIFEST).exists():
            write_json(self.path / MANIFEST, self._manifest)
        return waiting

    def _has_written(self, source: str) -> bool:
        """Whether a document is a result of this job: its folder may lie in one that is read."""
        own = _real_path(str(self.path))
        return not is_address(source) and f"{_real_path(os.path.dirname(source))}/".startswith(f"{own}/")

    def check_results(self) -> None:
        """Have shards read again that were set aside, and those whose files are missing or changed."""
        self.list.read_again(self._has)

    def _has(self, files: Files) -> bool:
        """Whether the files of a shard are as they were written."""
        for name, (size, sha256) in files.items():
            try:
                found = hash_regular_file(self.path / name, max_bytes=size, error=DigitEdgeError)
            except DigitEdgeError:
                return False
            if found != (sha256, size):
                return False
        return True

    def finish(self, shard: int, result: ShardResult) -> None:
        """Write the files of a shard, then note that it is done: what is noted is whole.

        Raises:
            DigitEdgeError: the folder cannot be written to, or the disk is full.
        """
        files = {}
        for name, content in result.files.items():
            path = self.path / shard_file(shard, name)
            with atomic_file(path) as draft:
                draft.write_bytes(content)
            files[path.name] = (len(content), hashlib.sha256(content).hexdigest())
        self.list.note_done(shard, result, files)

    def _remove_results(self, shard: int) -> None:
        for name in FORMATS:
            (self.path / shard_file(shard, name)).unlink(missing_ok=True)


def shard_file(shard: int, format_name: str) -> str:
    """The name of the file of a shard in a format."""
    return shard_name(shard) + FORMATS[format_name].suffix


_real_path = lru_cache(maxsize=1024)(os.path.realpath)
"""Thousands of documents lie in one folder."""
