"""What happens while Keras fits: the run folder is kept up to date, and somebody is told how far it is."""

import csv
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from digitedge.files import whole_file
from digitedge.training.run import BEST, HISTORY, LAST


class RunRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Writes history.csv, last.keras and, whenever the validation accuracy is the best so far, model.keras.

    Each file appears whole. Keras's own ModelCheckpoint writes in place, so that Ctrl-C at the wrong moment leaves half
    a model.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.history: list[dict[str, float]] = []
        self.best_epoch: int | None = None
        self._folder = folder

    @property
    def best_accuracy(self) -> float:
        """Best validation accuracy so far, 0 to 1; 0 before the first epoch ends."""
        return 0.0 if self.best_epoch is None else self.history[self.best_epoch]["val_accuracy"]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the epoch."""
        row = {"epoch": float(epoch + 1), **{key: float(value) for key, value in (logs or {}).items()}}
        is_best = self.best_epoch is None or row["val_accuracy"] > self.best_accuracy
        if is_best:
            save_keras(without_optimizer(self.model), self._folder / BEST)
        self.history.append(row)
        if is_best:
            self.best_epoch = len(self.history) - 1
        save_keras(self.model, self._folder / LAST)
        with whole_file(self._folder / HISTORY) as draft, draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerows({**r, "epoch": int(r["epoch"])} for r in self.history)


class ProgressReport(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """A bar with the time left on a terminal, one plain line an epoch everywhere; both on stderr."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs
        self._console = Console(stderr=True, highlight=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(
            *columns, console=self._console, disable=not self._console.is_terminal, refresh_per_second=4
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the bar over all steps of all epochs."""
        self._task = self._bar.add_task("training", total=self._epochs * self.params["steps"])
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Name the epoch."""
        self._bar.update(self._task, description=f"epoch {epoch + 1}/{self._epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance the bar."""
        self._bar.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the epoch's figures."""
        figures = logs or {}
        self._console.print(
            f"epoch {epoch + 1}/{self._epochs}  loss {figures['loss']:.4f}  accuracy {figures['accuracy']:.2%}  "
            f"validation loss {figures['val_loss']:.4f}  validation accuracy {figures['val_accuracy']:.2%}",
            soft_wrap=True,
        )

    def close(self) -> None:
        """Take the bar from the terminal; also after an interruption, when Keras calls no end."""
        self._bar.stop()


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model as a whole .keras file."""
    with whole_file(path) as draft:
        model.save(draft)


def without_optimizer(model: keras.Model) -> keras.Model:
    """A copy with the same weights that was never compiled, so that its file holds the weights alone."""
    copy = type(model).from_config(model.get_config())  # clone_model would compile the copy too
    copy.set_weights(model.get_weights())
    return copy
