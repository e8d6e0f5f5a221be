"""Keras callbacks: keep the run folder up to date, seed each epoch, report progress."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from digitedge.metrics.classification import top1
from digitedge.training.batches import Batches
from digitedge.training.keras_io import save_keras, without_optimizer
from digitedge.training.optimizers import Purpose
from digitedge.training.run_folder import BEST, LAST, EpochRow, find_best_epoch, write_history
from digitedge.utils.tables import percent

# Share of the fine-tuned weights in the result of a fine-tuning without own digits. See
# docs/decisions/train-settings.md.
TUNED_SHARE = 0.7
# A fine-tuning on own digits ends after so many epochs that are worse than the best.
PATIENCE = 2


class OwnAccuracy(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Adds the accuracy on held-out own digits to the figures of each epoch; among all digits it would not show."""

    def __init__(self, inputs: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
        """Keep the digits: float32 (N, 28, 28, 1), pixel values from 0 to 255, and uint8 (N,)."""
        super().__init__()
        self._inputs, self._labels = inputs, labels

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure; the callbacks that follow see the figure."""
        if logs is not None:
            logs["val_own_accuracy"] = top1(np.asarray(self.model.predict_on_batch(self._inputs)), self._labels)


class RunRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """After each epoch, writes model.keras if it is the best so far, history.csv and last.keras.

    A fine-tuning on own digits stops as soon as PATIENCE epochs are worse than the best.

    Each file appears whole or not at all; Keras's ModelCheckpoint writes in place, so Ctrl-C can leave half a model.
    last.keras is written last, because a resumed training continues from there and repeats an epoch without it.

    With `start`, the weights in model.keras are moved back towards these, from which a fine-tuning started: so it keeps
    more of what they knew.

    Source:
        Wortsman et al. 2022, arXiv:2109.01903, section 3.
    """

    def __init__(
        self,
        folder: Path,
        history: Sequence[EpochRow] = (),
        *,
        start: Sequence[NDArray[np.float32]] | None = None,
        purpose: Purpose = Purpose.NEW,
    ) -> None:
        super().__init__()
        self._purpose = purpose
        self._start = start
        self.history = list(history)  # of the epochs that are complete already
        self._folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the files."""
        row = {"epoch": epoch + 1, **{key: float(value) for key, value in (logs or {}).items()}}
        if find_best_epoch([*self.history, row], self._purpose) is row:
            save_keras(self._result(), self._folder / BEST)
        self.history.append(row)
        write_history(self._folder, self.history)
        save_keras(self.model, self._folder / LAST)
        if self.is_exhausted():
            self.model.stop_training = True

    def is_exhausted(self) -> bool:
        """Whether the last PATIENCE epochs of a fine-tuning on own digits are worse than the best."""
        if self._purpose is not Purpose.OWN_DIGITS or not self.history:
            return False
        return len(self.history) - find_best_epoch(self.history, self._purpose)["epoch"] >= PATIENCE

    def _result(self) -> keras.Model:
        model = without_optimizer(self.model)
        if self._start is not None and self._purpose is Purpose.FINE_TUNING:
            pairs = zip(model.get_weights(), self._start, strict=True)
            model.set_weights([TUNED_SHARE * tuned + (1 - TUNED_SHARE) * initial for tuned, initial in pairs])
        return model


class EpochSeeding(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Makes batches and dropout depend on seed, epoch and step alone, so that a resumed training repeats them.

    Keras 3.15 does not tell a PyDataset the epoch, and .keras files do not hold the state of dropout.
    """

    def __init__(self, batches: Batches, *, seed: int) -> None:
        super().__init__()
        self._batches, self._seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shuffle the batches and seed the random generators of all layers."""
        self._batches.start_epoch(epoch)
        rng = np.random.default_rng((self._seed, epoch))
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign([rng.integers(2**31), 0])


class ProgressReport(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """On stderr: a progress bar with the remaining time on a terminal, and a line per epoch everywhere."""

    def __init__(self, epochs: int, done: int = 0) -> None:
        super().__init__()
        self._epochs, self._done = epochs, done
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            refresh_per_second=4,
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the bar over all remaining steps."""
        self._task = self._bar.add_task("training", total=(self._epochs - self._done) * self.params["steps"])
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Name the epoch."""
        self._bar.update(self._task, description=f"epoch {epoch + 1}/{self._epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance the bar."""
        self._bar.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the figures of the epoch."""
        figures = logs or {}
        own = figures.get("val_own_accuracy")
        self._console.print(
            f"epoch {epoch + 1}/{self._epochs}  loss {figures['loss']:.4f}  accuracy {percent(figures['accuracy'])}  "
            f"validation loss {figures['val_loss']:.4f}  validation accuracy {percent(figures['val_accuracy'])}"
            + ("" if own is None else f"  own digits {percent(own)}"),
            soft_wrap=True,
        )

    def close(self) -> None:
        """Remove the bar; Keras calls no `on_train_end` after an interruption."""
        self._bar.stop()
