"""What happens while Keras fits: the run folder is kept up to date, and somebody is told how far it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from digitedge.training.batches import Batches
from digitedge.training.keras_io import save_keras, without_optimizer
from digitedge.training.run_folder import BEST, LAST, Row, write_history


class RunRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Writes model.keras whenever the validation accuracy is the best so far, then history.csv, then last.keras.

    Each file appears whole. Keras's own ModelCheckpoint writes in place, so that Ctrl-C at the wrong moment leaves half
    a model. last.keras is written last, because a training goes on from there: an epoch without it is done again.
    """

    def __init__(self, folder: Path, history: Sequence[Row] = ()) -> None:
        """Take the run folder, and the rows of the epochs that are done already."""
        super().__init__()
        self.history = list(history)
        self._folder = folder

    @property
    def best_epoch(self) -> int | None:
        """Index of the first epoch with the best validation accuracy so far; None before the first epoch ends."""
        return max(range(len(self.history)), key=lambda i: self.history[i]["val_accuracy"], default=None)

    @property
    def best_accuracy(self) -> float:
        """Best validation accuracy so far, 0 to 1; 0 before the first epoch ends."""
        return 0.0 if self.best_epoch is None else self.history[self.best_epoch]["val_accuracy"]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the epoch."""
        self.history.append({"epoch": epoch + 1, **{key: float(value) for key, value in (logs or {}).items()}})
        if self.best_epoch == epoch:
            save_keras(without_optimizer(self.model), self._folder / BEST)
        write_history(self._folder, self.history)
        save_keras(self.model, self._folder / LAST)


class EpochStart(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Makes what is shown and what is dropped depend on the seed, the epoch and the step alone.

    Keras 3.15 tells its data no epoch, and leaves the state of dropout out of .keras files, so a training that goes on
    would else see other images and drop other units.
    """

    def __init__(self, batches: Batches, *, seed: int) -> None:
        super().__init__()
        self._batches, self._seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shuffle the batches, and set the generators of all layers."""
        self._batches.start(epoch)
        rng = np.random.default_rng((self._seed, epoch))
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign([rng.integers(2**31), 0])


class ProgressReport(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """A bar with the time left on a terminal, one plain line an epoch everywhere; both on stderr."""

    def __init__(self, epochs: int, done: int = 0) -> None:
        """Take how many epochs there are, and how many of them are done already."""
        super().__init__()
        self._epochs, self._done = epochs, done
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
        """Start the bar over all steps of the epochs that are left."""
        self._task = self._bar.add_task("training", total=(self._epochs - self._done) * self.params["steps"])
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
