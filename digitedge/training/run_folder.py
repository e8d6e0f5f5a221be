"""The run folder: what a training run leaves behind, written epoch by epoch.

args.json      the plan and the data set      history.csv    loss and accuracy of each epoch
model.keras    best validation accuracy       last.keras     the last epoch, with the optimizer
metrics.json   figures on the test images     curves.png, confusion.png
teacher.keras  what was learned from, if anything

metrics.json is written last: a run without it was interrupted, and can go on.
"""

import csv
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitedge.datasets.load import SYNTHETIC
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.training.config import Plan
from digitedge.utils.files import atomic_file, write_json
from digitedge.utils.loading import read_json

ARGS = "args.json"
BEST = "model.keras"
LAST = "last.keras"
HISTORY = "history.csv"
METRICS = "metrics.json"
TEACHER = "teacher.keras"
SCHEMA = "digitedge.run/1"

Row = dict[str, float]
"""An epoch in history.csv: its number from 1, and its figures by name."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder."""

    path: Path
    args: dict[str, Any]

    @property
    def model(self) -> Path:
        """The weights of the best validation accuracy."""
        return self.path / BEST

    @property
    def plan(self) -> Plan:
        """What is trained and how; DataError where args.json says something else."""
        return Plan.from_json(self.args["plan"])

    @property
    def data_source(self) -> str | None:
        """What `load_dataset` takes to find the data set again."""
        return SYNTHETIC if self.args.get("data") == SYNTHETIC else self.args.get("data_path")

    @property
    def finished(self) -> bool:
        """Whether the plan was carried out to its end."""
        return (self.path / METRICS).is_file()


def new_run_folder(runs: Path, name: str) -> Path:
    """Make `runs/NAME-K` with the smallest K that is above all others of that name.

    Raises:
        DigitEdgeError: the folder cannot be made.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        taken = [p.name.removeprefix(f"{name}-") for p in runs.iterdir() if p.name.startswith(f"{name}-")]
        k = max((int(t) for t in taken if t.isascii() and t.isdecimal()), default=0)
        while True:
            k += 1
            folder = runs / f"{name}-{k}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue  # another training took it a moment ago
            return folder
    except OSError as exc:
        raise DigitEdgeError(
            f"cannot make a run folder in {runs}: {exc.strerror}. Work in a folder that is writable."
        ) from exc


def write_args(folder: Path, args: dict[str, Any]) -> Run:
    """Write args.json, which makes the folder a run."""
    write_json(folder / ARGS, {"schema": SCHEMA, **args})
    return Run(folder, args)


def write_history(folder: Path, history: Sequence[Row]) -> None:
    """Write history.csv, a row for each epoch."""
    with atomic_file(folder / HISTORY) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(folder: Path) -> list[Row]:
    """Read history.csv; without one, no epoch has ended.

    Raises:
        DataError: it is damaged.
    """
    path = folder / HISTORY
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        if [(row["epoch"], "val_accuracy" in row) for row in rows] != [(i + 1, True) for i in range(len(rows))]:
            raise ValueError("epochs are missing")
    except (ValueError, TypeError, KeyError, csv.Error) as exc:
        raise DataError(f"{path}: expected a row of figures for each epoch, got: {exc}. Train again.") from exc
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def load_run(path: Path) -> Run:
    """Open a run folder.

    Raises:
        ModelError: no run there, or one that was interrupted before its first epoch ended.
        DataError: args.json is damaged.
    """
    if not (path / ARGS).is_file() or not (path / BEST).is_file():
        raise ModelError(f"{path}: expected a run folder with {ARGS} and {BEST}. Train one: digitedge train")
    return _open(path)


def interrupted_run(path: Path) -> Run:
    """Open a run that can go on.

    Args:
        path: a run folder; or a folder of run folders, which stands for the newest of them that is not finished.

    Raises:
        ModelError: there is none, or it is being trained.
        DataError: args.json is damaged.
    """
    if (path / ARGS).is_file():
        if Run(path, {}).finished:
            raise ModelError(f"{path}: the run is finished, nothing to resume. Train anew: digitedge train")
        return _open_free(path)
    args = [found for found in path.glob(f"*/{ARGS}") if not Run(found.parent, {}).finished]
    if not args:
        raise ModelError(f"no interrupted run in {path}. Give the folder of one, or train: digitedge train")
    return _open_free(max((found.parent for found in args), key=_last_written))


def _open_free(path: Path) -> Run:
    with held(path):  # refused before the data set is loaded
        return _open(path)


def _last_written(folder: Path) -> float:
    return max((folder / name).stat().st_mtime for name in (ARGS, HISTORY) if (folder / name).is_file())


def _open(path: Path) -> Run:
    advice = f"Train again, or export {path / BEST} by its path."
    args = read_json(path / ARGS, error=DataError, advice=advice)
    if not isinstance(args, dict) or args.get("schema") != SCHEMA or not isinstance(args.get("plan"), dict):
        raise DataError(f"{path / ARGS}: expected schema {SCHEMA!r} with a plan. {advice}")
    return Run(path, args)


def newest_run(runs: Path) -> Run:
    """The run under `runs` whose model was written last.

    Raises:
        ModelError: there is none.
    """
    models = [path for path in runs.glob(f"*/{BEST}") if (path.parent / ARGS).is_file()]
    if not models:
        raise ModelError(f"no trained run in {runs}. Train one: digitedge train; or give the path of a .keras file.")
    return load_run(max(models, key=lambda path: path.stat().st_mtime).parent)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Refuse a second training in the same folder; the lock goes with the process, however that ends.

    Raises:
        ModelError: another process holds it.
    """
    if sys.platform == "win32":  # has no flock
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise ModelError(f"{folder}: another process is training there. Wait until it ends.") from exc
        yield
    finally:
        os.close(handle)


def remove_drafts(folder: Path) -> None:
    """Remove the half-written files that a kill leaves, see `digitedge.utils.files.atomic_file`."""
    for name in (ARGS, BEST, LAST, HISTORY, METRICS, TEACHER, "curves.png", "confusion.png"):
        for draft in folder.glob(f".{Path(name).stem}-*{Path(name).suffix}"):
            draft.unlink(missing_ok=True)


@contextmanager
def telling_what_is_kept(folder: Path, log: Callable[[str], None]) -> Iterator[None]:
    """When Ctrl-C or SIGTERM ends the block, say what the run folder keeps; an empty one is never left."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        log(what_is_kept(folder))
        raise
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def what_is_kept(folder: Path) -> str:
    """Say what an interrupted training leaves in its run folder; one with nothing in it is removed."""
    if not (folder / HISTORY).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return "interrupted before the first epoch ended: nothing to keep"
    accuracies = [row["val_accuracy"] for row in read_history(folder)]
    return (
        f"interrupted after {len(accuracies)} whole epochs: the best weights so far "
        f"({max(accuracies):.2%} of the validation images right) are in {folder / BEST}; "
        f"go on with: digitedge train --resume {folder}"
    )
