"""Where an interrupted training stands: model, optimizer and history, as the last whole epoch left them.

Of an epoch's files last.keras is written last, so it alone says how far a training is. A kill just before that leaves a
row in history.csv, and maybe a model.keras, of an epoch that is done again: with the same result, so both still hold.
"""

from dataclasses import dataclass
from pathlib import Path

import keras

from digitedge.errors import DataError, ModelError
from digitedge.training.keras_io import load_keras
from digitedge.training.run_folder import BEST, LAST, Row, read_history


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """How far a training is.

    Attributes:
        model: compiled, with the state of its optimizer.
        history: the rows of the epochs that are done.
    """

    model: keras.Model
    history: list[Row]

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)


def pick_up(folder: Path, epochs: int, steps: int) -> Progress | None:
    """Load where a run folder stands.

    Args:
        folder: of the run.
        epochs: of the plan.
        steps: of an epoch.

    Returns:
        None where no epoch has ended.

    Raises:
        ModelError: last.keras is damaged, or of another training.
        DataError: history.csv is damaged, or lacks epochs that last.keras has.
    """
    last, history = folder / LAST, read_history(folder)
    if not last.is_file():
        return None
    advice = f"Train again, or export the best weights so far by their path: digitedge export {folder / BEST}"
    model = load_keras(last, compile=True, advice=advice)
    done, rest = divmod(int(model.optimizer.iterations) if model.compiled else 0, steps)
    if rest or not 1 <= done <= epochs:
        raise ModelError(f"{last}: expected whole epochs of {steps} steps, got {done} and {rest} steps. {advice}")
    if len(history) < done:
        raise DataError(f"{folder}: history.csv has {len(history)} epochs, but {LAST} has {done}. {advice}")
    return Progress(model, history[:done])
