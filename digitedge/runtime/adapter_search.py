"""Find by accuracy on labelled digits how a foreign model wants its input. See docs/decisions/foreign-models.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError, ModelError
from digitedge.runtime.adapter import (
    BATCH,
    Adapter,
    Network,
    Pixels,
    Preprocessing,
    are_probabilities,
    prepare,
    softmax,
)
from digitedge.runtime.contract import CLASSES
from digitedge.runtime.image_shape import find_image_shape
from digitedge.utils.tables import percent

MIN_ACCURACY = 0.8
"""A model that reads fewer digits right under every preprocessing is refused unless the user lowers the limit."""

# Digits for a first look at every candidate; those within FIRST_MARGIN of the best are scored on all digits.
FIRST_DIGITS = 100
FIRST_MARGIN = 0.15
# Candidates whose accuracy is this close to the best are told apart by their loss: a net with ReLU keeps most of its
# predictions under a wrong scale, but not its confidence.
CLOSE_ACCURACY = 0.01
FEW_DIGITS = 1000
FEW_CLOSE_ACCURACY = 0.025
# A model that was trained briefly has a lower loss on pixels that are somewhat too large. So the most frequent range
# wins unless its loss is clearly higher.
MOST_FREQUENT = Pixels.UNIT
FREQUENT_BONUS = 1.25
# Scores that never exceed this are not logits (sigmoid, tanh, or a regression to 0 and 1): their softmax is scaled.
MAX_BOUNDED_SCORE = 2.0
SCALES = np.geomspace(0.5, 64, 64)
# Images that a model must score equally twice.
REPEATED_DIGITS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessingTrial:
    """A preprocessing that was tried.

    Attributes:
        adapter: how the model was used.
        accuracy: share of the digits that it read right, 0 to 1.
        loss: mean cross-entropy of its probabilities.
        digits: number of digits.
        order: the digit of each score, where the model reads well but has its classes in another order; else None.
    """

    adapter: Adapter
    accuracy: float
    loss: float
    digits: int
    order: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return f"{self.adapter.preprocessing} reads {percent(self.accuracy)} of {self.digits} digits"


def find_adapter(
    network: Network,
    crops: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    asked: Preprocessing | None = None,
    path: Path,
) -> list[PreprocessingTrial]:
    """Try every preprocessing, or the one that the user asked for.

    Args:
        network: the model.
        crops: digits, uint8 (N, 28, 28), in any order; never test images.
        labels: uint8 (N,).
        asked: the user's choice; where it leaves the fit open, all fits are tried.
        path: for messages.

    Returns:
        Trials, the best one first; those that were tried on a few digits alone last.

    Raises:
        ModelError: the scores are not finite, or differ when the same digits are scored again.
        InputError: the user's choice does not fit the input.
    """
    looks = [_try(network, one, crops[:FIRST_DIGITS], labels[:FIRST_DIGITS]) for one in _candidates(network, asked)]
    if not any(np.isfinite(look.loss) for look in looks):
        raise ModelError(f"{path}: its outputs are not finite; the model is broken. Train it again.")
    best = max(look.accuracy for look in looks)
    promising = [look for look in looks if look.accuracy >= best - FIRST_MARGIN]
    trials = [_try(network, look.adapter.preprocessing, crops, labels) for look in promising]
    _check_repeats(network, trials[0].adapter.preprocessing, crops[:REPEATED_DIGITS], path)
    chosen = _choose(trials)
    rest = [trial for trial in trials if trial is not chosen]
    return [chosen, *sorted(rest, key=_rank), *sorted((look for look in looks if look not in promising), key=_rank)]


def _choose(trials: Sequence[PreprocessingTrial]) -> PreprocessingTrial:
    """The trial with the lowest loss of those that are about as accurate as the best."""
    margin = FEW_CLOSE_ACCURACY if trials[0].digits < FEW_DIGITS else CLOSE_ACCURACY
    best = max(trial.accuracy for trial in trials)
    close = [trial for trial in trials if trial.accuracy >= best - margin]
    good = [trial for trial in close if trial.accuracy >= MIN_ACCURACY]
    return min(good or close, key=_weighted_loss)


def _rank(trial: PreprocessingTrial) -> tuple[float, float]:
    return -trial.accuracy, trial.loss


def _weighted_loss(trial: PreprocessingTrial) -> float:
    return trial.loss / (FREQUENT_BONUS if trial.adapter.preprocessing.pixels is MOST_FREQUENT else 1)


def check_accuracy(trials: Sequence[PreprocessingTrial], minimum: float, path: Path, *, advice: str) -> None:
    """Refuse a model that reads too few digits right under the best preprocessing; `advice` says what can be done.

    Raises:
        ModelError: it says what was tried.
    """
    if trials[0].accuracy >= minimum:
        return
    ordered = next((trial.order for trial in trials if trial.order), None)
    if ordered:
        raise ModelError(
            f"{path}: expected the scores of the digits 0 to 9 in this order, got them in the order "
            f"{' '.join(map(str, ordered))}. Put them in order where the model is made, as in its last layer."
        )
    tried = "; ".join(map(str, trials[:3]))
    more = f" and {len(trials) - 3} more" if len(trials) > 3 else ""
    raise ModelError(
        f"{path}: expected a model that reads at least {percent(minimum)} of the digits right, got: {tried}{more}. "
        f"{advice}"
    )


def _candidates(network: Network, asked: Preprocessing | None) -> list[Preprocessing]:
    image = find_image_shape(network.shape)
    fits = image.fits if image else []
    if asked is not None:
        if asked.fit is not None and asked.fit not in fits:
            offered = " or ".join(fit for fit in fits if fit) or "none of pad, crop and resize"
            raise InputError(f"expected {offered} for the input {network.shape}, got {asked}.")
        return [replace(asked, fit=fit) for fit in ([asked.fit] if asked.fit else fits)]
    return [
        Preprocessing(pixels=pixels, inverted=inverted, transposed=transposed, fit=fit)
        for fit in fits
        for transposed in (False, True)
        for inverted in (False, True)
        for pixels in Pixels
        if pixels is not Pixels.IMAGENET or (image and image.channels == 3)
    ]


def _try(
    network: Network, one: Preprocessing, crops: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> PreprocessingTrial:
    scores = _scores(network, one, crops)
    if not np.isfinite(scores).all():
        return PreprocessingTrial(adapter=Adapter(preprocessing=one), accuracy=0.0, loss=np.inf, digits=len(labels))
    adapter = Adapter(preprocessing=one, softmax_scale=_softmax_scale(scores, labels))
    loss = _loss(adapter.probabilities(scores), labels)
    accuracy = float(np.mean(scores.argmax(axis=1) == labels))
    order = _class_order(scores, labels) if accuracy < MIN_ACCURACY else None
    return PreprocessingTrial(adapter=adapter, accuracy=accuracy, loss=loss, digits=len(labels), order=order)


def _class_order(scores: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[int, ...] | None:
    """The digit that each score stands for, if with this order MIN_ACCURACY of the digits are right; else None."""
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(counts, (scores.argmax(axis=1), labels), 1)
    order = counts.argmax(axis=1)
    right = counts.max(axis=1).sum() / max(len(labels), 1)
    is_order = len(set(order.tolist())) == CLASSES and right >= MIN_ACCURACY
    return tuple(int(digit) for digit in order) if is_order else None


def _scores(network: Network, one: Preprocessing, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    batches = (crops[start : start + BATCH] for start in range(0, len(crops), BATCH))
    return np.concatenate([network.scores(prepare(batch, one, network.shape)) for batch in batches])


def _softmax_scale(scores: NDArray[np.float32], labels: NDArray[np.uint8]) -> float | None:
    """None for probabilities, 1 for logits, and for bounded scores the scale with the lowest loss."""
    if are_probabilities(scores):
        return None
    if np.abs(scores).max() > MAX_BOUNDED_SCORE:
        return 1.0
    return float(min(SCALES, key=lambda scale: _loss(softmax(np.float32(scale) * scores), labels)))


def _loss(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    return float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1)).mean())


def _check_repeats(network: Network, one: Preprocessing, crops: NDArray[np.uint8], path: Path) -> None:
    first, second = (_scores(network, one, crops) for _ in range(2))
    if not np.allclose(first, second, atol=1e-4, equal_nan=True):
        raise ModelError(
            f"{path}: expected the same scores for the same digits, got others the second time: a layer is random in "
            "use, as a dropout with training=True. Save the model without it."
        )
