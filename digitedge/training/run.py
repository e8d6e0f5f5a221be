"""The run folder: what a training run leaves behind, written epoch by epoch.

args.json      the plan and the data set      history.csv    loss and accuracy of each epoch
model.keras    best validation accuracy       last.keras     the last epoch, with the optimizer
metrics.json   figures on the test images     curves.png, confusion.png
"""

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.files import write_json
from digitedge.parse import read_json

ARGS = "args.json"
BEST = "model.keras"
LAST = "last.keras"
HISTORY = "history.csv"
METRICS = "metrics.json"
SCHEMA = "digitedge.run/1"


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder with a model in it."""

    path: Path
    args: dict[str, Any]

    @property
    def model(self) -> Path:
        """The weights of the best validation accuracy."""
        return self.path / BEST


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


def write_args(folder: Path, args: dict[str, Any]) -> None:
    """Write args.json, which makes the folder a run."""
    write_json(folder / ARGS, {"schema": SCHEMA, **args})


def load_run(path: Path) -> Run:
    """Open a run folder.

    Raises:
        ModelError: no run there, or one that was interrupted before its first epoch ended.
        DataError: args.json is damaged.
    """
    if not (path / ARGS).is_file() or not (path / BEST).is_file():
        raise ModelError(f"{path}: expected a run folder with {ARGS} and {BEST}. Train one: digitedge train")
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
def telling_what_is_kept(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """When Ctrl-C or SIGTERM ends the block, say what the run folder keeps."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        tell(what_is_kept(folder))
        raise


def what_is_kept(folder: Path) -> str:
    """Say what an interrupted training leaves in its run folder; one with nothing in it is removed."""
    if not (folder / HISTORY).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return "interrupted before the first epoch ended: nothing to keep"
    with (folder / HISTORY).open(newline="") as file:
        accuracies = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    return (
        f"interrupted after {len(accuracies)} whole epochs: the best weights so far "
        f"({max(accuracies):.2%} of the validation images right) are in {folder / BEST}"
    )
