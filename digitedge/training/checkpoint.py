"""The checkpoint of an interrupted training: model, optimizer and history after its last complete epoch.

last.keras is written last in each epoch, so it alone says how many epochs are complete. A kill just before that leaves
a row in history.csv, and perhaps a model.keras, of an epoch that is then repeated with the same result.
"""

from dataclasses import dataclass
from pathlib import Path

import keras

from digitedge.errors import DataError, ModelError
from digitedge.training.keras_io import load_keras
from digitedge.training.run_folder import LAST, EpochRow, read_history


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The compiled model with the state of its optimizer, and a row of history for each complete epoch."""

    model: keras.Model
    history: list[EpochRow]

    @property
    def epoch(self) -> int:
        """Number of complete epochs."""
        return len(self.history)


def load_checkpoint(folder: Path, epochs: int, steps: int) -> Checkpoint | None:
    """Load the checkpoint of a run folder with `steps` per epoch; None if no epoch is complete.

    Raises:
        ModelError: last.keras is damaged or belongs to another training.
        DataError: history.csv is damaged or has fewer epochs than last.keras.
    """
    last, history = folder / LAST, read_history(folder)
    if not last.is_file():
        return None
    advice = f"Train again, or export the best weights so far: digitedge export {folder} --unfinished"
    model = load_keras(last, compile=True, advice=advice)
    done, rest = divmod(int(model.optimizer.iterations) if model.compiled else 0, steps)
    if rest or not 1 <= done <= epochs:
        raise ModelError(f"{last}: expected complete epochs of {steps} steps, got {done} and {rest} steps. {advice}")
    if len(history) < done:
        raise DataError(f"{folder}: history.csv has {len(history)} epochs, but {LAST} has {done}. {advice}")
    return Checkpoint(model, history[:done])
