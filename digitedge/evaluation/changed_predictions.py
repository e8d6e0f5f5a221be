"""What another model changed: the digits whose prediction differs, as an image."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.digit_tiles import DigitTile, draw_digit_tiles
from digitedge.metrics.classification import is_correct
from digitedge.utils.drawing import SKY_BLUE, VERMILION, YELLOW, Colour

LIMIT = 60
"""Largest number of digits that are shown of each kind."""


class _Kind(NamedTuple):
    """One kind of change, and the digits (M,) that changed so."""

    name: str
    colour: Colour
    indices: NDArray[np.intp]


def draw_changed(
    crops: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    title: str,
    *,
    names: Sequence[str] = (),
    limit: int = LIMIT,
) -> NDArray[np.uint8]:
    """Draw the digits whose prediction changed: uint8 (H, W, 3) BGR; only the title if none did.

    Those that became wrong come first, then those that became right, then those that were and are wrong; of each kind
    the most confident first. The title gets their numbers.

    Args:
        crops: uint8 (N, 28, 28), N >= 1.
        labels: uint8 (N,), 0 to 9.
        before: float32 (N, 10), probabilities of the first model. A row with NaN counts as wrong.
        after: float32 (N, 10), those of the second model.
        title: for the top line.
        names: of the crops; their numbers if empty.
        limit: largest number of digits of each kind.

    Raises:
        InputError: no samples, or lengths that differ.
    """
    kinds = _find_changed(labels, before, after)
    counts = ", ".join(f"{len(kind.indices)} {kind.name}" for kind in kinds)
    tiles = [
        DigitTile(
            crops[index],
            f"{labels[index]}: was {before[index].argmax()}, now {after[index].argmax()}",
            kind.colour,
            names[index] if names else f"#{index}",
        )
        for kind in kinds
        for index in kind.indices[:limit]
    ]
    return draw_digit_tiles(tiles, title=f"{title}: {counts}")


def _find_changed(labels: NDArray[np.uint8], before: NDArray[np.float32], after: NDArray[np.float32]) -> list[_Kind]:
    was_right, is_right = is_correct(before, labels), is_correct(after, labels)
    other_error = ~was_right & ~is_right & (before.argmax(axis=1) != after.argmax(axis=1))
    by_confidence = np.argsort(-after.max(axis=1), kind="stable")
    kinds = (
        ("became wrong", VERMILION, was_right & ~is_right),
        ("became right", SKY_BLUE, ~was_right & is_right),
        ("wrong in another way", YELLOW, other_error),
    )
    return [_Kind(name, colour, by_confidence[mask[by_confidence]]) for name, colour, mask in kinds]
