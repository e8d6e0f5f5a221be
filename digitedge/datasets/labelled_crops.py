"""Labelled crops: digits to evaluate a model on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCrops:
    """A set of labelled crops.

    Attributes:
        crops: uint8 (N, 28, 28), the model's input.
        labels: uint8 (N,), 0 to 9.
        names: of the N crops: file names, or "#" and the index.
        groups: of the N crops: "WRITER/SHEET", "" where neither is known; () if that holds for all.
    """

    name: str
    crops: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    names: tuple[str, ...]
    groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def writers(self) -> frozenset[str]:
        """The ids of the writers that are known."""
        return frozenset(writer for group in self.groups if (writer := group.partition("/")[0]))

    def subset(self, count: int, *, seed: int = 0) -> "LabelledCrops":
        """Choose a balanced subset of `count` crops, or of all if there are fewer, in the order of the set."""
        return self.choose(balanced_indices(self.labels, count, seed=seed))

    def choose(self, indices: NDArray[np.intp]) -> "LabelledCrops":
        """Choose crops by their indices, intp (K,)."""
        names, groups = (tuple(one[i] for i in indices) if one else () for one in (self.names, self.groups))
        return LabelledCrops(self.name, self.crops[indices], self.labels[indices], names, groups)


def number_crops(name: str, crops: NDArray[np.uint8], labels: NDArray[np.uint8]) -> LabelledCrops:
    """Make a set whose crops are named by their index: "#0", "#1" ..."""
    return LabelledCrops(name, crops, labels, tuple(f"#{index}" for index in range(len(labels))))


def join_crops(sets: Mapping[str, LabelledCrops]) -> LabelledCrops:
    """Join sets into one, in their order; the crops of several are named by the key of their set and their name.

    Args:
        sets: at least one; the keys say where each is from, such as its path.

    Examples:
        >>> blank = np.zeros((1, 28, 28), np.uint8)
        >>> ada, ben = number_crops("7.npz", blank, np.uint8([7])), number_crops("7.npz", blank, np.uint8([1]))
        >>> both = join_crops({"ada/7.npz": ada, "ben/7.npz": ben})
        >>> both.name, both.names, both.labels.tolist()
        ('7.npz + 7.npz', ('ada/7.npz #0', 'ben/7.npz #0'), [7, 1])
    """
    if len(sets) == 1:
        return next(iter(sets.values()))
    return LabelledCrops(
        " + ".join(one.name for one in sets.values()),
        np.concatenate([one.crops for one in sets.values()]),
        np.concatenate([one.labels for one in sets.values()]),
        tuple(f"{source}{' ' if name[0] == '#' else '/'}{name}" for source, one in sets.items() for name in one.names),
        tuple(group for one in sets.values() for group in one.groups or ("",) * len(one)),
    )


def balanced_indices(labels: NDArray[np.uint8], count: int, *, seed: int) -> NDArray[np.intp]:
    """Choose indices so that all labels are equally frequent (plus or minus one) as long as there are enough of each.

    Returns:
        intp (count,), or (N,) if there are only N labels: different indices in rising order.

    Examples:
        >>> labels = np.uint8([1] * 50 + [2] * 50 + [3])
        >>> np.bincount(labels[balanced_indices(labels, 9, seed=0)]).tolist()
        [0, 4, 4, 1]
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    rank = np.empty(len(labels), np.intp)  # among those of the same label
    for label in np.unique(labels):
        same = np.flatnonzero(labels[shuffled] == label)
        rank[same] = np.arange(len(same))
    return np.sort(shuffled[np.argsort(rank, kind="stable")[:count]])
