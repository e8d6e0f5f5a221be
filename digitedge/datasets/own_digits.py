"""Own digits: labelled digits of the user's hands, split into those to train on and those to judge by.

Digits of one sheet look alike, so whole sheets or writers are held out where there are several. See
docs/decisions/own-hand.md.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.runtime.contract import CLASSES

# From so many writers on, a fifth of them are held out; of fewer, a part of the digits of each.
MANY_WRITERS = 5
WRITERS_HELD_OUT = 5  # one in so many
HELD_OUT = 4  # one in so many of the digits, or of the sheets of a writer
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
        """Hash of all digits and labels, see `digits_sha256`."""
        return digits_sha256(self.training, self.held_out)

    @property
    def writers(self) -> tuple[str, ...]:
        """The ids of the writers that are known."""
        return tuple(sorted(self.training.writers | self.held_out.writers))

    @property
    def missing(self) -> tuple[int, ...]:
        """The digits of which there is nothing to train on."""
        return tuple(sorted(set(range(CLASSES)) - set(self.training.labels.tolist())))


def digit_ids(digits: LabelledCrops) -> list[str]:
    """Identify each digit by its pixels and its label: 16 hexadecimal characters."""
    pairs = zip(digits.crops, digits.labels.tolist(), strict=True)
    return [hashlib.sha256(bytes([label]) + crop.tobytes()).hexdigest()[:16] for crop, label in pairs]


def digits_sha256(*parts: LabelledCrops) -> str:
    """Hash digits and labels, however they are ordered and split: hexadecimal."""
    ids = sorted(one for part in parts for one in digit_ids(part))
    return hashlib.sha256("".join(ids).encode()).hexdigest()


def split_own_digits(digits: LabelledCrops, *, misread: NDArray[np.bool_] | None = None) -> OwnDigits:
    """Split digits by writer or by sheet; of a single sheet, one digit in four is held out.

    Args:
        digits: of the user.
        misread: bool (N,), which of them the model that is fine-tuned misreads. Among the digits of a single sheet, as
            large a share of these is held out as of the others, so that a few of them can be judged by; None if that
            is not known.

    Examples:
        >>> labels = np.repeat(np.arange(10, dtype=np.uint8), 8)
        >>> one = LabelledCrops("a", np.zeros((80, 28, 28), np.uint8), labels, ("",) * 80)
        >>> own = split_own_digits(one)
        >>> len(own.training), len(own.held_out), own.split
        (60, 20, 'one digit in four is held out')
    """
    groups = np.array(digits.groups or [""] * len(digits), dtype=object)
    writers = np.array([group.partition("/")[0] for group in groups], dtype=object)
    known = sorted(digits.writers)
    if len(known) >= MANY_WRITERS:
        chosen = _choose(known, max(1, len(known) // WRITERS_HELD_OUT))
        return _split(digits, np.isin(writers, chosen), f"{len(chosen)} of {len(known)} writers are held out")
    is_held_out = np.zeros(len(digits), bool)
    ways: dict[str, None] = {}
    for writer in sorted(set(writers.tolist())):
        theirs = writers == writer
        sheets = sorted({group for group in groups[theirs].tolist() if group})
        if len(sheets) > 1 and all(groups[theirs]):
            is_held_out |= np.isin(groups, _choose(sheets, max(1, len(sheets) // HELD_OUT)))
            ways["whole sheets are held out"] = None
        else:
            is_held_out |= _one_in_four(digits.labels, theirs, misread)
            ways["one digit in four is held out"] = None
    return _split(digits, is_held_out, " and ".join(ways))


def split_as_before(digits: LabelledCrops, held_out: Collection[str], split: str) -> OwnDigits:
    """Split digits again as they were split when a model was trained on them.

    Args:
        digits: of the user.
        held_out: `digit_ids` of the digits that were held out.
        split: how, in a few words.
    """
    return _split(digits, np.isin(digit_ids(digits), list(held_out)), split)


def _split(digits: LabelledCrops, is_held_out: NDArray[np.bool_], split: str) -> OwnDigits:
    training, held_out = (digits.choose(np.flatnonzero(which)) for which in (~is_held_out, is_held_out))
    return OwnDigits(training, held_out, split)


def _one_in_four(
    labels: NDArray[np.uint8], theirs: NDArray[np.bool_], misread: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Choose every fourth digit in the order of the labels, apart for misread ones; never the only one of its kind."""
    is_chosen = np.zeros(len(labels), bool)
    is_wrong = np.zeros(len(labels), bool) if misread is None else misread
    counts = np.bincount(labels[theirs], minlength=CLASSES)
    for group in (theirs & is_wrong, theirs & ~is_wrong):
        indices = np.flatnonzero(group & (counts[labels] > 1))
        in_order = indices[np.argsort(labels[indices], kind="stable")]
        is_chosen[in_order[HELD_OUT // 2 :: HELD_OUT]] = True
    return is_chosen


def _choose(names: Sequence[str], count: int) -> list[str]:
    """Choose names that depend on the names alone, not on how many digits each has."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"{SPLIT_SEED}{name}".encode()).digest())
    return order[:count]
