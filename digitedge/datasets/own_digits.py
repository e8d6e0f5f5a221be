"""Own digits: labelled digits of the user's hands, split into those to train on and those to evaluate on.

Digits of one sheet look alike, so whole sheets or writers are held out where there are several. See
docs/decisions/own-hand.md.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.runtime.contract import CLASSES

# From so many writers on, whole writers are held out; of fewer, a part of the digits of each.
MANY_WRITERS = 5
# One in so many is held out: of the writers, of the sheets of a writer, or of the digits of a sheet.
HELD_OUT = 5
SPLIT_SEED = 4


@dataclass(frozen=True, slots=True, eq=False)
class OwnDigits:
    """The user's digits.

    Attributes:
        training: to train on.
        held_out: to evaluate on; neither trained on nor used to choose anything.
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


class KnownSplit(NamedTuple):
    """`digit_ids` of digits that a model was trained on, or that were held out."""

    training: frozenset[str] = frozenset()
    held_out: frozenset[str] = frozenset()


NOTHING_KNOWN = KnownSplit()


def split_own_digits(
    digits: LabelledCrops, *, misread: NDArray[np.bool_] | None = None, known: KnownSplit = NOTHING_KNOWN
) -> OwnDigits:
    """Split digits by writer or by sheet; of a single sheet, one digit in five is held out.

    Args:
        digits: of the user.
        known: digits that the model that is fine-tuned was trained on stay so, and those that were held out stay held
            out; only the others are split.
        misread: bool (N,), which of them the model that is fine-tuned misreads. Among the digits of a single sheet, as
            large a share of these is held out as of the others, so that some of them can be evaluated; None if that
            is not known.

    Examples:
        >>> crops = np.arange(100, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
        >>> one = LabelledCrops("a", crops, np.repeat(np.arange(10, dtype=np.uint8), 10), ("",) * 100)
        >>> own = split_own_digits(one)
        >>> len(own.training), len(own.held_out), own.split
        (80, 20, 'one digit in five is held out')
    """
    if not any(known):
        return _split(digits, *_choose_held_out(digits, misread))
    ids = digit_ids(digits)
    is_held_out = np.isin(ids, list(known.held_out))
    new = np.flatnonzero(~is_held_out & ~np.isin(ids, list(known.training)))
    split = "digits that are known from before stay as they were"
    if len(new):
        chosen, how = _choose_held_out(digits.choose(new), None if misread is None else misread[new])
        is_held_out[new] = chosen
        split = f"{split}; of {len(new)} new ones, {how}"
    return _split(digits, is_held_out, split)


def _choose_held_out(digits: LabelledCrops, misread: NDArray[np.bool_] | None) -> tuple[NDArray[np.bool_], str]:
    """Choose which digits are held out: bool (N,), and how they were chosen."""
    groups = np.array(digits.groups or [""] * len(digits), dtype=object)
    writers = np.array([group.partition("/")[0] for group in groups], dtype=object)
    names = sorted(digits.writers)
    if len(names) >= MANY_WRITERS:
        chosen = _choose(names, max(1, len(names) // HELD_OUT))
        return np.isin(writers, chosen), f"{len(chosen)} of {len(names)} writers are held out"
    is_held_out = np.zeros(len(digits), bool)
    ways: dict[str, None] = {}
    for writer in sorted(set(writers.tolist())):
        theirs = writers == writer
        sheets = sorted({group for group in groups[theirs].tolist() if group})
        alone = theirs
        if len(sheets) > 1:
            is_held_out |= np.isin(groups, _choose(sheets, max(1, len(sheets) // HELD_OUT)))
            ways["whole sheets are held out"] = None
            alone = theirs & (groups == "")  # of no sheet
        if alone.any():
            is_held_out |= _one_in_five(digits.labels, alone, misread)
            ways["one digit in five is held out"] = None
    return is_held_out, " and ".join(ways)


def split_as_before(digits: LabelledCrops, held_out: Collection[str], split: str) -> OwnDigits:
    """Split digits again as they were split when a model was trained on them.

    Args:
        digits: of the user.
        held_out: `digit_ids` of the digits that were held out.
        split: how, in a few words.
    """
    return _split(digits, np.isin(digit_ids(digits), list(held_out)), split)


def _split(digits: LabelledCrops, is_held_out: NDArray[np.bool_], split: str) -> OwnDigits:
    """Split digits; what is there twice is trained on if one of the two is."""
    ids = np.array(digit_ids(digits), dtype=str)
    is_held_out = is_held_out & ~np.isin(ids, ids[~is_held_out])
    training, held_out = (digits.choose(np.flatnonzero(which)) for which in (~is_held_out, is_held_out))
    return OwnDigits(training, held_out, split)


def _one_in_five(
    labels: NDArray[np.uint8], theirs: NDArray[np.bool_], misread: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Choose every fifth digit in the order of the labels, apart for misread ones; never the only one of its kind."""
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
