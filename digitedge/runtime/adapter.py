"""How crops become the input of somebody else's model, and how its scores become probabilities.

Third-party models take other pixels (0 to 1, black on white, ...) and other shapes ((784,), channels first, 32x32),
and give logits or other scores. What a model wants cannot be read from its file. `digitedge.runtime.adapter_search`
finds it by the accuracy on labelled digits; this file applies it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError, ModelError
from digitedge.runtime.contract import CLASSES, SUM_TOLERANCE, check_crops
from digitedge.runtime.image_shape import Fit, describe_shape, find_image_shape, fit_matrix

# Number of crops that are prepared at once.
BATCH = 256


class Pixels(StrEnum):
    """The pixel values that a model takes."""

    BYTE = "0-255"
    UNIT = "0-1"
    SIGNED = "-1..1"
    CENTRED = "-0.5..0.5"
    STANDARD = "mean-std"
    IMAGENET = "imagenet"


PAPER_AND_INK = {
    Pixels.BYTE: (0.0, 255.0),
    Pixels.UNIT: (0.0, 1.0),
    Pixels.SIGNED: (-1.0, 1.0),
    Pixels.CENTRED: (-0.5, 0.5),
    # Mean and standard deviation of the training images of MNIST in 0 to 1, as in the examples of PyTorch.
    Pixels.STANDARD: ((0 - 0.1307) / 0.3081, (1 - 0.1307) / 0.3081),
    # Mean and standard deviation of ImageNet in 0 to 1, red, green and blue, as in the models of torchvision.
    Pixels.IMAGENET: ((-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225), (0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225)),
}
"""What paper (crop value 0) and full ink (crop value 255) become; three values are those of the channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """What is done to a crop before a model gets it; its text is that of the option --preprocess.

    Attributes:
        pixels: values of paper and ink.
        inverted: ink dark on light paper.
        transposed: rows and columns exchanged.
        fit: how it gets another size; None for 28x28.

    Examples:
        >>> str(Preprocessing(pixels=Pixels.UNIT, inverted=True, fit=Fit.PAD))
        '0-1,inverted,pad'
    """

    pixels: Pixels = Pixels.BYTE
    inverted: bool = False
    transposed: bool = False
    fit: Fit | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the text of --preprocess.

        Raises:
            InputError: an unknown word, or no pixel values.

        Examples:
            >>> Preprocessing.parse("mean-std,transposed").transposed
            True
        """
        words = [word.strip() for word in text.split(",")]
        pixels = [word for word in words if word in list(Pixels)]
        fits = [word for word in words if word in list(Fit)]
        known = {*pixels, *fits, "inverted", "transposed"}
        if len(pixels) != 1 or len(fits) > 1 or set(words) - known or len(set(words)) < len(words):
            raise InputError(
                f"expected one of {', '.join(Pixels)}, and after it, with commas, inverted, transposed or one of "
                f"{', '.join(Fit)}, for example 0-1,inverted; got {text!r}."
            )
        return cls(
            pixels=Pixels(pixels[0]),
            inverted="inverted" in words,
            transposed="transposed" in words,
            fit=Fit(fits[0]) if fits else None,
        )

    def __str__(self) -> str:
        flags = [name for name in ("inverted", "transposed") if getattr(self, name)]
        return ",".join([self.pixels, *flags, *filter(None, [self.fit])])

    @property
    def scale_and_offset(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The values `a` and `b` with which a crop value x becomes a * x + b: float32 (), or (3,) for channels."""
        paper, ink = map(np.array, PAPER_AND_INK[self.pixels])
        if self.inverted:
            paper, ink = ink, paper
        return ((ink - paper) / 255).astype(np.float32), paper.astype(np.float32)


def run_in_batches(
    run: Callable[[NDArray[Any]], NDArray[np.float32]],
    inputs: NDArray[Any],
    batch: int | None,
    *,
    width: int = CLASSES,
) -> NDArray[np.float32]:
    """Run a model whose batch is fixed, or free (None), or missing (0), on any number of inputs: float32 (N, width).

    `run` takes a whole batch, or one input without a batch; the last batch is filled up with zeros.

    Raises:
        ModelError: it gives another number of scores than the file says.
    """
    if batch is None:
        return _rows(run(inputs), len(inputs), width)
    step = max(batch, 1)
    scores = np.empty((len(inputs), width), np.float32)
    for start in range(0, len(inputs), step):
        part = inputs[start : start + step]
        filled = np.concatenate([part, np.zeros((step - len(part), *part.shape[1:]), part.dtype)])
        scores[start : start + step] = _rows(run(filled if batch else filled[0]), step, width)[: len(part)]
    return scores


def _rows(scores: NDArray[np.float32], count: int, width: int) -> NDArray[np.float32]:
    if scores.size != count * width:
        raise ModelError(f"expected {width} scores for each of {count} inputs, got {scores.shape}. Export it again.")
    return scores.reshape(count, width)


def to_dtype(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values as a model takes them: for integers rounded, and clipped to their range."""
    if dtype.kind not in "iu":
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(values), limits.min, limits.max), dtype)


def choose_output(outputs: Sequence[tuple[str, Sequence[int | None]]], path: Path) -> int:
    """Choose the one output that has ten scores for each input.

    Args:
        outputs: name and shape, with the batch, of every output of numbers.
        path: for messages.

    Raises:
        ModelError: none or several have ten.
    """
    ten = [index for index, (_, shape) in enumerate(outputs) if _scores_of(shape) == CLASSES]
    if len(ten) == 1:
        return ten[0]
    found = ", ".join(f"{name} {describe_shape(shape)}" for name, shape in outputs) or "none"
    if not ten and len(outputs) == 1 and (count := _scores_of(outputs[0][1])):
        raise ModelError(
            f"{path}: expected 10 scores, one for each digit, got {count}. Train it again with a last layer of 10, or "
            "cut the others off in the framework that made it."
        )
    columns = " A classifier of scikit-learn is converted with zipmap=False." if len(outputs) >= CLASSES else ""
    raise ModelError(
        f"{path}: expected one output with 10 scores, got {found}. Save the model with that output alone.{columns}"
    )


def _scores_of(shape: Sequence[int | None]) -> int:
    """Number of scores for one input, where the first dimension is the batch unless there is no other; 0 if unknown."""
    sizes = [size for size in (shape[1:] if len(shape) > 1 else shape) if size != 1]
    return 0 if None in sizes else math.prod(filter(None, sizes)) if sizes else 1


def prepare(crops: NDArray[np.uint8], preprocessing: Preprocessing, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Make the input of a model.

    Args:
        crops: uint8 (N, 28, 28), ink bright on 0.
        preprocessing: what is done to them.
        shape: of one input, in which `find_image_shape` finds an image.

    Returns:
        float32 (N, *shape).

    Raises:
        InputError: no image in this shape, or a preprocessing for another one.
    """
    image = find_image_shape(shape)
    if image is None:
        raise InputError(f"expected the input of an image, got the shape {shape}.")
    if preprocessing.fit not in image.fits or (preprocessing.pixels is Pixels.IMAGENET and image.channels != 3):
        raise InputError(f"expected a preprocessing for the input {shape}, got {preprocessing}.")
    pixels = crops.astype(np.float32)
    if preprocessing.transposed:
        pixels = pixels.swapaxes(1, 2)
    if preprocessing.fit is not None:
        rows, columns = (fit_matrix(preprocessing.fit, size) for size in (image.height, image.width))
        pixels = np.asarray(rows @ pixels @ columns.T, np.float32)
    scale, offset = preprocessing.scale_and_offset
    if image.channels == 3:
        pixels = pixels[..., None] * np.broadcast_to(scale, 3) + np.broadcast_to(offset, 3)
        pixels = pixels.transpose(0, 3, 1, 2) if image.channels_first else pixels
    else:
        pixels = pixels * scale + offset
    return np.asarray(pixels, np.float32).reshape(-1, *shape)


class Network(Protocol):
    """A digit model as its author made it.

    Attributes:
        shape: of one input, without the batch.
    """

    shape: tuple[int, ...]

    def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score inputs, float32 (N, *shape) as the author would give them; returns float32 (N, 10) of any kind."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """How a foreign model is used.

    Attributes:
        preprocessing: of the crops.
        softmax_scale: probabilities are softmax(scale * scores), > 0; None where the scores are probabilities.
    """

    preprocessing: Preprocessing
    softmax_scale: float | None = None

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn scores into probabilities, float32 (N, 10) both."""
        return scores if self.softmax_scale is None else softmax(self.softmax_scale * scores)


CONTRACT = Adapter(preprocessing=Preprocessing())
"""The adapter that changes nothing: of a model that meets the model contract."""


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax of each row, float32 (N, 10)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def are_probabilities(scores: NDArray[np.float32]) -> bool:
    """Whether all rows of scores, float32 (N, 10), are probabilities, as exact as an int8 softmax gives them."""
    return bool(scores.min(initial=0) >= 0 and np.all(np.abs(scores.sum(axis=1) - 1) <= SUM_TOLERANCE))


class AdaptedClassifier:
    """A foreign model behind an adapter, as a `Classifier`."""

    def __init__(self, network: Network, adapter: Adapter) -> None:
        self.network = network
        self.adapter = adapter

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        check_crops(crops)
        scores = [np.empty((0, CLASSES), np.float32)]
        for start in range(0, len(crops), BATCH):
            inputs = prepare(crops[start : start + BATCH], self.adapter.preprocessing, self.network.shape)
            scores.append(self.network.scores(inputs))
        return self.adapter.probabilities(np.concatenate(scores))
