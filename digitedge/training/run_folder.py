"""The run folder: the files of one training.

args.json      train config and data set      history.csv    loss and accuracy of each epoch
model.keras    best validation accuracy       last.keras     last epoch, with the optimizer
metrics.json   figures on the test images     curves.png, confusion.png
start.keras    copy of the model that is fine-tuned, if any
teacher.keras  copy of the teacher, if any

metrics.json is written last: a run without it was interrupted and can be resumed. `export` refuses it unless told so.
"""

import csv
import io
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.own_digits import OwnDigits, split_as_before
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.training.config import TrainConfig
from digitedge.training.optimizers import Purpose
from digitedge.utils.drafts import draft_folder, sweep_drafts
from digitedge.utils.files import atomic_file, read_regular_file, write_json
from digitedge.utils.folder_lock import lock_folder
from digitedge.utils.loading import build_dataclass, read_json
from digitedge.utils.tables import percent

ARGS = "args.json"
BEST = "model.keras"
LAST = "last.keras"
HISTORY = "history.csv"
METRICS = "metrics.json"
START = "start.keras"
TEACHER = "teacher.keras"
CURVES = "curves.png"
CONFUSION = "confusion.png"
SCHEMA = "digitedge.run/1"
MAX_HISTORY_BYTES = 16 << 20
"""Of history.csv; an epoch has 200 bytes."""

WORSE = 1.25
"""A validation loss on own digits is worse if it is so many times the smallest one."""
EpochRow = dict[str, float]
"""An epoch in history.csv: its number from 1, and its figures by name."""


@dataclass(frozen=True, slots=True)
class ParentArgs:
    """What args.json says of the model that is fine-tuned.

    Attributes:
        name: of its run, bundle or file.
        sha256: of its .keras file.
        own_sha256: hash of the own digits on which it was fine-tuned itself, or None.
    """

    name: str
    sha256: str
    own_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class OwnArgs:
    """What args.json says of own digits; see `digitedge.training.own_hand.describe_own`."""

    sha256: str
    split: str
    held_out_ids: tuple[str, ...]
    training_ids: tuple[str, ...] = ()


class FineTuning(NamedTuple):
    """The parent and the digits of a fine-tuning."""

    parent: ParentArgs
    own: OwnArgs


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder and the content of its args.json."""

    path: Path
    args: dict[str, Any]

    @property
    def model(self) -> Path:
        """The model file with the best validation accuracy."""
        return self.path / BEST

    @property
    def config(self) -> TrainConfig:
        """The train config; DataError if args.json has none that is valid."""
        where = f"{self.path / ARGS}: config"
        return build_dataclass(TrainConfig, self.args["config"], where=where, error=DataError, advice="Train again.")

    @property
    def fine_tuning(self) -> "FineTuning | None":
        """What args.json says of a fine-tuning on own digits; None of another training.

        Raises:
            DataError: args.json is damaged.
        """
        if not self.config.own_share:
            return None
        build = partial(build_dataclass, error=DataError, advice="Train again.", unknown_keys=True)
        parent = build(ParentArgs, self.args.get("parent"), where=f"{self.path / ARGS}: parent")
        own = build(OwnArgs, self.args.get("own"), where=f"{self.path / ARGS}: own")
        return FineTuning(parent, own)

    def split_again(self, digits: LabelledCrops) -> OwnDigits:
        """Split own digits as they were split when the training began.

        Raises:
            DataError: they are not the digits that it began with, or args.json is damaged.
        """
        fine_tuning = self.fine_tuning
        if fine_tuning is None:
            raise DataError(f"{self.path}: expected a fine-tuning on own digits. Leave them out of --data.")
        stated = fine_tuning.own
        own = split_as_before(digits, stated.held_out_ids, stated.split)
        if own.sha256 != stated.sha256:
            raise DataError(
                f"{self.path} was trained on own digits with content {stated.sha256[:12]}..., got "
                f"{own.sha256[:12]}...: they were corrected, added to or removed since. Train again, so that held-out "
                "digits stay held out."
            )
        return own

    @property
    def writers(self) -> frozenset[str]:
        """Ids of the writers whose digits were trained on, also through the start and the teacher.

        Raises:
            DataError: args.json is damaged.
        """
        where = f"{self.path / ARGS}: writers"
        ids = self.args.get("writers", [])
        return frozenset(build_dataclass(list[str], ids, where=where, error=DataError, advice="Train again."))

    @property
    def data_sources(self) -> list[str] | None:
        """The argument with which `load_training_digits` finds the data again; None for MNIST where it usually is.

        Raises:
            DataError: args.json has something else.
        """
        sources = self.args.get("data_sources")
        where, advice = f"{self.path / ARGS}: data_sources", "Give the data with --data."
        return build_dataclass(list[str] | None, sources, where=where, error=DataError, advice=advice)  # type: ignore


@contextmanager
def new_run_folder(runs: Path, name: str) -> Iterator[Path]:
    """Make `runs/NAME-K` with a K above all others of that name; remove it again if nothing is written into it.

    Raises:
        DigitEdgeError: the folder cannot be made.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        _sweep_runs(runs)
        taken = [p.name.removeprefix(f"{name}-") for p in runs.iterdir() if p.name.startswith(f"{name}-")]
        k = max((int(t) for t in taken if t.isascii() and t.isdecimal()), default=0)
        folder, living = _reserve(runs, name, k + 1)
    except OSError as exc:
        raise DigitEdgeError(
            f"cannot make a run folder in {runs}: {exc.strerror}. Work in a folder that is writable."
        ) from exc
    try:
        with living:
            yield folder
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def _reserve(runs: Path, name: str, k: int) -> tuple[Path, ExitStack]:
    """Make the first free folder from NAME-k, with a draft folder in it that shows that this process lives."""
    while True:
        folder = runs / f"{name}-{k}"
        k += 1
        with suppress(FileExistsError), ExitStack() as stack:  # another training took it a moment ago
            folder.mkdir()
            made = folder.stat()
            stack.enter_context(draft_folder(folder))
            if os.path.samestat(made, folder.stat()):  # it was not swept before the draft folder was in it
                return folder, stack.pop_all()


def _sweep_runs(runs: Path) -> None:
    """Sweep the run folders, and remove those of trainings that were killed before they wrote args.json."""
    for folder in runs.glob("*-[0-9]*"):
        sweep_drafts(folder)  # one of a living process stays, and with it the folder
        with suppress(OSError):
            left = list(folder.iterdir())
            if {path.name for path in left} <= {START, TEACHER}:
                for path in left:
                    path.unlink()
                folder.rmdir()


def write_args(folder: Path, args: dict[str, Any]) -> RunFolder:
    """Write args.json, which makes the folder a run folder."""
    write_json(folder / ARGS, {"schema": SCHEMA, **args})
    return RunFolder(folder, args)


def write_history(folder: Path, history: Sequence[EpochRow]) -> None:
    """Write history.csv, one row per epoch."""
    with atomic_file(folder / HISTORY) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(folder: Path) -> list[EpochRow]:
    """Read history.csv; [] if there is none yet.

    Raises:
        DataError: it is damaged.
    """
    path = folder / HISTORY
    if not path.is_file():
        return []
    try:
        content = read_regular_file(path, max_bytes=MAX_HISTORY_BYTES, error=DataError)
        lines = io.StringIO(content.decode("utf-8"), newline="")
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]
        if [(row["epoch"], "val_accuracy" in row) for row in rows] != [(i + 1, True) for i in range(len(rows))]:
            raise ValueError("epochs are missing")
    except (ValueError, TypeError, KeyError, csv.Error) as exc:
        raise DataError(f"{path}: expected a row of figures for each epoch, got: {exc}. Train again.") from exc
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def find_best_epoch(history: Sequence[EpochRow], purpose: Purpose) -> EpochRow:
    """Find the first epoch with the largest validation accuracy; for own digits, the last one that is not worse.

    Own digits weigh half of the validation loss, and one of them that is misread moves it. So of epochs whose loss is
    about the smallest the last one is taken: its learning rate is the smallest.

    Raises:
        ModelError: a loss is no number.

    Examples:
        >>> history = [{"epoch": 1, "val_loss": 0.2}, {"epoch": 2, "val_loss": 0.21}, {"epoch": 3, "val_loss": 0.4}]
        >>> find_best_epoch(history, Purpose.OWN_DIGITS)["epoch"]
        2
    """
    if purpose is Purpose.OWN_DIGITS:
        if not all(math.isfinite(row["val_loss"]) for row in history):
            raise ModelError("the validation loss is no number: the training diverged. Start from another model.")
        limit = WORSE * min(row["val_loss"] for row in history)
        return next(row for row in reversed(history) if row["val_loss"] <= limit)
    return max(history, key=itemgetter("val_accuracy"))


def load_run(path: Path) -> RunFolder:
    """Open a run folder.

    Raises:
        ModelError: no run folder, or one of a training that was interrupted in its first epoch.
        DataError: args.json is damaged.
    """
    if not (path / ARGS).is_file() or not (path / BEST).is_file():
        raise ModelError(f"{path}: expected a run folder with {ARGS} and {BEST}. Train one: digitedge train")
    return _read_args(path)


def list_runs(runs: Path) -> list[RunFolder]:
    """Open the run folders in `runs` that have a model, by name; damaged ones are left out."""
    found = []
    for path in sorted(runs.glob(f"*/{BEST}")):
        with suppress(DataError, ModelError):
            found.append(load_run(path.parent))
    return found


def find_lineage(
    own_sha256: str | None, runs: Path, *, log: Callable[[str], object]
) -> Iterator[tuple[RunFolder, FineTuning]]:
    """Find the fine-tunings on own digits from which a model came, the latest first.

    Args:
        own_sha256: hash of the own digits of the latest one; None if there is none.
        runs: folder of the run folders.
        log: gets a line if one of them is not there any more.
    """
    fine_tuned: dict[str, tuple[RunFolder, FineTuning]] = {}
    for run in list_runs(runs):
        with suppress(DataError):  # a damaged args.json names no digits
            if one := run.fine_tuning:
                fine_tuned.setdefault(one.own.sha256, (run, one))  # of several rounds on the same digits, the first
    while own_sha256 is not None:
        if own_sha256 not in fine_tuned:
            log(f"earlier own digits of the parent are not known: none of the runs in {runs} was trained on them")
            return
        found = fine_tuned.pop(own_sha256)
        yield found
        own_sha256 = found[1].parent.own_sha256


def find_newest_run(runs: Path) -> RunFolder:
    """Open the run folder in `runs` whose model was written last.

    Raises:
        ModelError: there is none.
    """
    _sweep_runs(runs)
    models = [path for path in runs.glob(f"*/{BEST}") if (path.parent / ARGS).is_file()]
    if not models:
        raise ModelError(f"no trained run in {runs}. Train one: digitedge train; or give the path of a .keras file.")
    return load_run(max(models, key=lambda path: path.stat().st_mtime).parent)


def find_run_of(model: Path) -> Path | None:
    """The run folder in which a training wrote a model file, or None."""
    folder = model.resolve().parent
    return folder if model.resolve().name in (BEST, LAST) and (folder / ARGS).is_file() else None


def check_finished(run: Path, *, allow_unfinished: bool) -> bool:
    """Return whether the training of a run folder came to its end.

    Raises:
        ModelError: it did not, and that is not allowed.
    """
    finished = (run / METRICS).is_file()
    if not finished and not allow_unfinished:
        raise ModelError(
            f"{run}: expected a finished training, got one that runs or was interrupted: there is no {METRICS}. Resume "
            f"it: digitedge train --resume {run}; or export its best weights so far with --unfinished."
        )
    return finished


def find_interrupted_run(path: Path) -> RunFolder:
    """Open the run folder at `path`, or the newest unfinished one in it, to resume.

    Raises:
        ModelError: there is none, or another process is training in it.
        DataError: args.json is damaged.
    """
    if (path / ARGS).is_file():
        if (path / METRICS).is_file():
            raise ModelError(f"{path}: the run is finished, nothing to resume. Train again: digitedge train")
        folder = path
    else:
        _sweep_runs(path)
        unfinished = [args.parent for args in path.glob(f"*/{ARGS}") if not (args.parent / METRICS).is_file()]
        if not unfinished:
            raise ModelError(f"no interrupted run in {path}. Give the folder of one, or train: digitedge train")
        written = [folder / name for folder in unfinished for name in (ARGS, HISTORY) if (folder / name).is_file()]
        folder = max(written, key=lambda file: file.stat().st_mtime).parent
    with lock_run_folder(folder):  # refuse it before the data set is loaded
        return _read_args(folder)


def _read_args(folder: Path) -> RunFolder:
    sweep_drafts(folder)
    advice = f"Train again, or export {folder / BEST} by its path."
    args = read_json(folder / ARGS, error=DataError, advice=advice)
    if not isinstance(args, dict) or args.get("schema") != SCHEMA or not isinstance(args.get("config"), dict):
        raise DataError(f"{folder / ARGS}: expected schema {SCHEMA!r} with a config. {advice}")
    return RunFolder(folder, args)


@contextmanager
def lock_run_folder(folder: Path) -> Iterator[None]:
    """Lock a run folder against a second training; the lock ends with the process.

    Raises:
        ModelError: another process holds the lock.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_folder(folder, wait=False))
        except BlockingIOError as exc:
            raise ModelError(f"{folder}: another process is training there. Wait until it ends.") from exc
        yield


@contextmanager
def report_interruption(folder: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Say what the run folder keeps if Ctrl-C or SIGTERM ends the block; remove a folder without a complete epoch."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        accuracies = [row["val_accuracy"] for row in read_history(folder)]
        if accuracies:
            log(
                f"interrupted after {len(accuracies)} complete epochs: the best weights so far "
                f"({percent(max(accuracies))} of the validation images correct) are in {folder / BEST}; "
                f"resume with: digitedge train --resume {folder}"
            )
        else:
            shutil.rmtree(folder, ignore_errors=True)
            log("interrupted before the first epoch ended: nothing to keep")
        raise
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()
