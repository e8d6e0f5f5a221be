"""Digits to examine a model with: crops, what they are, and what each is called."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class DigitSet:
    """Labelled crops.

    Attributes:
        name: of the set.
        crops: uint8 (N, 28, 28), the model's input.
        labels: uint8 (N,), 0 to 9.
        names: of each crop, N of them: its file, or "#" and its place.
    """

    name: str
    crops: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, count: int, *, seed: int = 0) -> "DigitSet":
        """Choose some, of every digit equally many as far as there are so many, in their order.

        Args:
            count: how many, >= 0; all where there are no more.
            seed: the same seed chooses the same ones.
        """
        chosen = balanced(self.labels, count, seed=seed)
        return DigitSet(self.name, self.crops[chosen], self.labels[chosen], tuple(self.names[i] for i in chosen))


def numbered(name: str, crops: NDArray[np.uint8], labels: NDArray[np.uint8]) -> DigitSet:
    """A set whose crops are called by their place."""
    return DigitSet(name, crops, labels, tuple(f"#{place}" for place in range(len(labels))))


def balanced(labels: NDArray[np.uint8], count: int, *, seed: int) -> NDArray[np.intp]:
    """Choose indices so that every label comes equally often, give or take one, while it lasts.

    Args:
        labels: uint8 (N,).
        count: how many indices; N at most.
        seed: of the choice.

    Returns:
        Indices in rising order, each once.

    Examples:
        >>> labels = np.uint8([1] * 50 + [2] * 50 + [3])
        >>> np.bincount(labels[balanced(labels, 9, seed=0)]).tolist()
        [0, 4, 4, 1]
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), np.intp)  # the how-manieth of its label each is
    for label in np.unique(labels):
        same = np.flatnonzero(labels[shuffled] == label)
        turn[same] = np.arange(len(same))
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:count]])
