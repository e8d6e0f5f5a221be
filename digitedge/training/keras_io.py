"""Reading, writing and running .keras files."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError, first_line
from digitedge.runtime.contract import CLASSES
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.files import atomic_file


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model as a .keras file, whole or not at all."""
    with atomic_file(path) as draft:
        model.save(draft)


def without_optimizer(model: keras.Model) -> keras.Model:
    """Copy a model without its optimizer, so that its file holds the weights alone."""
    copy = type(model).from_config(model.get_config())  # clone_model would compile the copy too
    copy.set_weights(model.get_weights())
    return copy


def load_keras(path: Path, *, compile: bool = False, advice: str = "Save it again.") -> keras.Model:
    """Load a .keras file that takes one digit and gives ten scores; with `compile`, optimizer, loss and metrics too.

    Raises:
        ModelError: no such file, not a Keras file, or other inputs and outputs.
    """
    if not path.is_file():
        raise ModelError(f"no Keras file at {path}. Train one: digitedge train")
    try:
        model = keras.saving.load_model(path, compile=compile)
    except Exception as exc:  # Keras names no base for what it raises: ValueError, KeyError, BadZipFile ...
        raise ModelError(
            f"{path}: expected a model saved by Keras 3 with built-in layers, got: {first_line(exc)} {advice}"
        ) from exc
    shapes = _shapes(model)
    if shapes not in [[(CROP_SIZE, CROP_SIZE), (CLASSES,)], [(CROP_SIZE, CROP_SIZE, 1), (CLASSES,)]]:
        raise ModelError(
            f"{path}: expected one input (28, 28) or (28, 28, 1) and one output (10,), got {shapes}. "
            "Train such a model."
        )
    return model


def predict_probabilities(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score images with a Keras model that takes 0 to 255: uint8 (N, 28, 28) -> float32 (N, 10)."""
    return np.asarray(model.predict(model_input(images), batch_size=250, verbose=0))


def model_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops as a Keras model takes them: uint8 (N, 28, 28) -> float32 (N, 28, 28, 1), 0 to 255."""
    return images[..., None].astype(np.float32)


def _shapes(model: keras.Model) -> list[Any]:
    """Return the shapes of the inputs and outputs without the batch, or one phrase for a model of another form."""
    try:
        shapes = [tuple(tensor.shape[1:]) for tensor in (*model.inputs, *model.outputs)]
    except (AttributeError, ValueError, TypeError):
        return ["a model that is not built"]
    if len(shapes) == 2 and isinstance(model(np.zeros((1, *shapes[0]), np.float32)), dict):
        return ["outputs by name"]
    return shapes
