"""Own digits: labelled digits of the user's hands, split into those to train on and those to judge by.

Digits of one sheet look alike, so whole sheets or writers are held out where there are several. See
docs/decisions/own-hand.md.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.dataset import idx_bytes
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.runtime.contract import CLASSES

# From so many writers on, a fifth of them are held out; of fewer, a part of the digits of each.
MANY_WRITERS = 5
WRITERS_HELD_OUT = 5  # one in so many
DIGITS_HELD_OUT = 4  # one in so many of each digit, or of the sheets of a writer
SPLIT_SEED = 4


@dataclass(frozen=True, slots=True, eq=False)
class OwnDigits:
    """The user's digits.

    Attributes:
        training: to train on.
        held_out: to judge by; never trained on.
        split: how they were split, in a few words.
    """

    training: LabelledCrops
    held_out: LabelledCrops
    split: str

    @property
    def sha256(self) -> str:
        """Hash of all images and labels: hexadecimal."""
        digest = hashlib.sha256()
        for part in (self.training, self.held_out):
            digest.update(idx_bytes(part.crops) + idx_bytes(part.labels))
        return digest.hexdigest()

    @property
    def writers(self) -> tuple[str, ...]:
        """The ids of the writers that are known."""
        groups = [*self.training.groups, *self.held_out.groups]
        return tuple(sorted({writer for group in groups if (writer := group.partition("/")[0])}))

    @property
    def missing(self) -> tuple[int, ...]:
        """The digits of which there is nothing to train on."""
        return tuple(sorted(set(range(CLASSES)) - set(self.training.labels.tolist())))


def split_own_digits(digits: LabelledCrops) -> OwnDigits:
    """Split digits by writer, by sheet, or else by their order on the sheet; the same digits split equally each time.

    Examples:
        >>> labels = np.repeat(np.arange(10, dtype=np.uint8), 8)
        >>> one = LabelledCrops("a", np.zeros((80, 28, 28), np.uint8), labels, ("",) * 80)
        >>> own = split_own_digits(one)
        >>> len(own.training), len(own.held_out), own.split
        (60, 20, 'the last quarter of each digit is held out')
    """
    groups = np.array(digits.groups or [""] * len(digits), dtype=object)
    writers = np.array([group.partition("/")[0] for group in groups], dtype=object)
    known = sorted({writer for writer in writers.tolist() if writer})
    if len(known) >= MANY_WRITERS:
        chosen = _choose(known, max(1, len(known) // WRITERS_HELD_OUT))
        is_held_out = np.isin(writers, chosen)
        split = f"{len(chosen)} of {len(known)} writers are held out"
    else:
        is_held_out, split = _hold_out_sheets(digits, groups, writers)
    training, held_out = (digits.choose(np.flatnonzero(which)) for which in (~is_held_out, is_held_out))
    return OwnDigits(training, held_out, split)


def _hold_out_sheets(
    digits: LabelledCrops, groups: NDArray[np.object_], writers: NDArray[np.object_]
) -> tuple[NDArray[np.bool_], str]:
    """Hold out a quarter of the sheets of each writer; of a single sheet, the last quarter of each digit."""
    is_held_out = np.zeros(len(digits), bool)
    ways: dict[str, None] = {}
    for writer in sorted(set(writers.tolist())):
        theirs = writers == writer
        sheets = sorted({group for group in groups[theirs].tolist() if group})
        if len(sheets) > 1 and all(groups[theirs]):
            is_held_out |= np.isin(groups, _choose(sheets, max(1, len(sheets) // DIGITS_HELD_OUT)))
            ways["whole sheets are held out"] = None
        else:
            for label in range(CLASSES):
                same = np.flatnonzero(theirs & (digits.labels == label))
                is_held_out[same[len(same) - round(len(same) / DIGITS_HELD_OUT) :]] = True
            ways["the last quarter of each digit is held out"] = None
    return is_held_out, " and ".join(ways)


def _choose(names: Sequence[str], count: int) -> list[str]:
    """Choose names that depend on the names alone, not on how many digits each has."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"{SPLIT_SEED}{name}".encode()).digest())
    return order[:count]
