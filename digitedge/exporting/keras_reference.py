"""The Keras original, brought under the model contract: 0 to 255 in, (28, 28, 1), ten probabilities out.

Our own runs meet it as they are. A model from elsewhere gets what it lacks: a reshape, the division by 255, a softmax;
each addition is told. Whether it wants 0-1 or 0-255 cannot be seen in a file, so it is measured on labelled training
images, and a range whose loss is higher than the other's is refused. (Rejected: assuming one, which is how a converted
model comes to answer confidently and wrongly; and comparing accuracies, because a dense net with relu keeps most of its
answers under the wrong scale and only its confidence goes wild.)
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
from digitedge.training.train import probabilities
from digitedge.utils.crop_format import CROP_SIZE

# A range whose loss is this many times that of the other is the wrong one; a net that minds no scale stays under it.
RANGE_MARGIN = 1.2


class KerasClassifier:
    """A Keras model under the contract, with the same face as an exported file."""

    def __init__(self, model: keras.Model, path: Path) -> None:
        self.model, self.path = model, path

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        check_crops(crops)
        return probabilities(self.model, crops) if len(crops) else np.empty((0, CLASSES), np.float32)


def load_original(
    path: Path,
    data: Dataset,
    *,
    input_range: InputRange | None = None,
    log: Callable[[str], None] = print,
) -> "KerasClassifier":
    """Load a Keras file and bring it under the contract, after measuring which pixel values it wants.

    Args:
        path: a .keras file, ours or from elsewhere.
        data: its training half tells the input ranges apart.
        input_range: what the user says; None for 0-255.
        log: gets a line for each thing that the model lacked.

    Raises:
        ModelError: it cannot be read, or is no digit classifier.
        InputError: it reads better under the other input range.
    """
    model = load_keras(path)
    chosen = calibration_indices(data.y_train)
    wanted = choose_range(model, input_range, data.x_train[chosen], data.y_train[chosen], path=path)
    return KerasClassifier(bring_under_contract(model, wanted, path=path, log=log), path)


def bring_under_contract(
    model: keras.Model, input_range: InputRange, *, path: Path, log: Callable[[str], None] = print
) -> keras.Model:
    """Add what a model lacks: reshape, division by 255, softmax. One that lacks nothing comes back as it is.

    Args:
        model: from `load_keras`.
        input_range: what the model wants.
        path: of the file, for messages.
        log: gets a line for each addition.

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
        log(f"{path.name}: takes pixels from 0 to 1; the division by 255 goes inside")
    x = model(x)
    if add_softmax:
        x = keras.layers.Softmax(name=OUTPUT_NAME)(x)
        log(f"{path.name}: gives logits; a softmax goes inside")
    return keras.Model(image, x, name=model.name)


def choose_range(
    model: keras.Model, asked: InputRange | None, images: NDArray[np.uint8], labels: NDArray[np.uint8], *, path: Path
) -> InputRange:
    """Say which input range a model wants, and refuse the one under which it reads worse.

    Args:
        model: from `load_keras`.
        asked: what the user says, or None for 0-255.
        images: uint8 (N, 28, 28) labelled training images, a few hundred.
        labels: uint8 (N,).
        path: of the file, for messages.

    Raises:
        InputError: the model reads better under the other range.
        ModelError: it answers NaN.
    """
    scores = {r: _raw_scores(model, images, r) for r in InputRange}
    if not all(np.isfinite(s).all() for s in scores.values()):
        raise ModelError(f"{path}: answers with values that are not finite; the model is broken. Train it again.")
    loss = {r: _loss(scores[r], labels) for r in InputRange}
    chosen = asked or InputRange.BYTE
    other = next(r for r in InputRange if r is not chosen)
    if not loss[chosen] <= RANGE_MARGIN * loss[other]:
        said = f"--input-range {chosen}" if asked else "no --input-range, which means 0-255,"
        raise InputError(
            f"{path}: {said} but the model's loss on {len(images)} training images is {loss[other]:.2f} when fed "
            f"{other} and {loss[chosen]:.2f} when fed {chosen}. Add --input-range {other}"
        )
    return chosen


def _loss(scores: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean cross-entropy of probabilities or logits, float32 (N, 10)."""
    probabilities = scores if _are_probabilities(scores) else np.asarray(keras.ops.softmax(scores))
    return float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1)).mean())


def _are_probabilities(scores: NDArray[np.float32]) -> bool:
    return bool(scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3))


def _raw_scores(model: keras.Model, images: NDArray[np.uint8], input_range: InputRange) -> NDArray[np.float32]:
    """What the model gives for images scaled to a range; float32 (N, 10), probabilities or logits."""
    fed = images.astype(np.float32) / (255 if input_range is InputRange.UNIT else 1)
    scores = model.predict(fed.reshape(-1, *model.inputs[0].shape[1:]), batch_size=250, verbose=0)
    return np.asarray(scores, np.float32)


def _gives_logits(model: keras.Model, input_range: InputRange, path: Path) -> bool:
    """Tell by a few noise images whether ten scores are probabilities or logits."""
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
