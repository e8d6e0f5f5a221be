"""The Keras original, adapted to the model contract: 0 to 255 in, (28, 28, 1), ten probabilities out.

Models of `digitedge train` meet the contract. A foreign model gets what it lacks: a reshape, the division by 255, a
softmax. Whether it expects 0-1 or 0-255 cannot be read from the file, so the loss on labelled training images decides;
see docs/decisions/contract-check.md.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.recipe import InputRange
from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.exporting.calibration import calibration_indices
from digitedge.runtime.contract import CLASSES, INPUT_NAME, OUTPUT_NAME, check_crops
from digitedge.training.keras_io import load_keras
from digitedge.training.train import predict_probabilities
from digitedge.utils.crop_format import CROP_SIZE

# A range whose loss is this many times that of the other is the wrong one; scale-invariant models stay below it.
RANGE_MARGIN = 1.2


class KerasClassifier:
    """A Keras model that meets the contract, as a `Classifier`."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        check_crops(crops)
        return predict_probabilities(self.model, crops) if len(crops) else np.empty((0, CLASSES), np.float32)


def load_reference(
    path: Path, data: Dataset, *, input_range: InputRange | None = None, log: Callable[[str], None] = print
) -> KerasClassifier:
    """Load a Keras file and adapt it to the contract, after measuring on training images which input range it expects.

    `input_range` is the user's choice, None for 0-255. Logs a line for each addition.

    Raises:
        ModelError: it cannot be read, or is not a digit classifier.
        InputError: its loss is lower under the other input range.
    """
    model = load_keras(path)
    chosen = calibration_indices(data.y_train)
    wanted = choose_input_range(model, input_range, data.x_train[chosen], data.y_train[chosen], path=path)
    return KerasClassifier(adapt_to_contract(model, wanted, path=path, log=log))


def adapt_to_contract(
    model: keras.Model, input_range: InputRange, *, path: Path, log: Callable[[str], None] = print
) -> keras.Model:
    """Add what a model lacks: reshape, division by 255, softmax. A model that lacks nothing is returned unchanged.

    Logs a line for each addition. `path` is for messages.

    Raises:
        ModelError: ten scores that are neither probabilities nor logits.
    """
    wants_flat = len(model.inputs[0].shape) == 3
    add_softmax = _gives_logits(model, input_range, path)
    if not (wants_flat or add_softmax or input_range is InputRange.UNIT):
        return model
    image = keras.Input((CROP_SIZE, CROP_SIZE, 1), name=INPUT_NAME)
    x = keras.layers.Reshape((CROP_SIZE, CROP_SIZE))(image) if wants_flat else image
    if input_range is InputRange.UNIT:
        x = keras.layers.Rescaling(1 / 255)(x)
        log(f"{path.name}: expects pixels from 0 to 1; adding a division by 255")
    x = model(x)
    if add_softmax:
        x = keras.layers.Softmax(name=OUTPUT_NAME)(x)
        log(f"{path.name}: gives logits; adding a softmax")
    return keras.Model(image, x, name=model.name)


def choose_input_range(
    model: keras.Model, asked: InputRange | None, images: NDArray[np.uint8], labels: NDArray[np.uint8], *, path: Path
) -> InputRange:
    """Check the user's choice of the input range, None for 0-255, by the loss on training images, uint8 (N, 28, 28).

    Raises:
        InputError: the loss is lower under the other range.
        ModelError: the model gives NaN.
    """
    scores = {r: _raw_scores(model, images, r) for r in InputRange}
    if not all(np.isfinite(s).all() for s in scores.values()):
        raise ModelError(f"{path}: its outputs are not finite; the model is broken. Train it again.")
    loss = {r: _loss(scores[r], labels) for r in InputRange}
    chosen = asked or InputRange.BYTE
    other = next(r for r in InputRange if r is not chosen)
    if not loss[chosen] <= RANGE_MARGIN * loss[other]:
        option = f"--input-range {chosen}" if asked else "no --input-range, which means 0-255,"
        raise InputError(
            f"{path}: {option} but the model's loss on {len(images)} training images is {loss[other]:.2f} with pixels "
            f"{other} and {loss[chosen]:.2f} with {chosen}. Add --input-range {other}"
        )
    return chosen


def _loss(scores: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean cross-entropy of probabilities or logits, float32 (N, 10)."""
    probabilities = scores if _are_probabilities(scores) else np.asarray(keras.ops.softmax(scores))
    return float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1)).mean())


def _are_probabilities(scores: NDArray[np.float32]) -> bool:
    return bool(scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3))


def _raw_scores(model: keras.Model, images: NDArray[np.uint8], input_range: InputRange) -> NDArray[np.float32]:
    """Outputs for images scaled to a range; float32 (N, 10), probabilities or logits."""
    scaled = images.astype(np.float32) / (255 if input_range is InputRange.UNIT else 1)
    scores = model.predict(scaled.reshape(-1, *model.inputs[0].shape[1:]), batch_size=250, verbose=0)
    return np.asarray(scores, np.float32)


def _gives_logits(model: keras.Model, input_range: InputRange, path: Path) -> bool:
    """Whether the outputs for a few noise images are logits, not probabilities."""
    noise = np.random.default_rng(0).integers(0, 256, (16, CROP_SIZE, CROP_SIZE), np.uint8)
    scores = _raw_scores(model, noise, input_range)
    if _are_probabilities(scores):
        return False
    if scores.min() >= 0 and scores.max() <= 1:
        raise ModelError(
            f"{path}: expected ten probabilities or logits, got ten separate scores from 0 to 1 (sigmoids?). "
            "Give the model a softmax and train it with categorical cross-entropy."
        )
    return True
