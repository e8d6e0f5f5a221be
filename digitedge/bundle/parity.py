"""Parity: how close a converted model is to its original, and whether that is within its tolerance.

Every check states what must hold (`difference <= limit`), so that NaN fails it; an empty set or a missing row is an
error. The comparison is paired, image by image: two models with the same top-1 may disagree on many images.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.recipe import Tolerance
from digitedge.errors import InputError
from digitedge.metrics.classification import agreement, is_correct, mcnemar_p
from digitedge.runtime.contract import CLASSES
from digitedge.utils.tables import percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How a candidate compares with its reference on the same images.

    Attributes:
        samples: images compared.
        reference_top1: of the original, 0 to 1.
        candidate_top1: of the converted model, 0 to 1.
        agreement: share of equal predictions, 0 to 1.
        max_abs_diff: largest difference of any probability, 0 to 1; NaN if the candidate gave NaN.
        mcnemar_p: exact two-sided p of the discordant pairs.
        flipped: indices of the images with different predictions.
    """

    samples: int
    reference_top1: float
    candidate_top1: float
    agreement: float
    max_abs_diff: float
    mcnemar_p: float
    flipped: tuple[int, ...]

    @property
    def top1_drop(self) -> float:
        """Loss of top-1 against the reference; negative when the candidate is better."""
        return self.reference_top1 - self.candidate_top1

    def violations(self, limit: Tolerance) -> list[str]:
        """Say what is out of tolerance, one line each; empty if parity holds."""
        shares = [percent(share, decimals=4) for share in (self.agreement, limit.agreement)]
        checks = {
            f"compared {self.samples} images, need at least 1": self.samples > 0,
            f"agreement {shares[0]}, limit {shares[1]}": self.agreement >= limit.agreement,
            f"largest difference {self.max_abs_diff:.2g} is not a number": bool(np.isfinite(self.max_abs_diff)),
        }
        if limit.top1_drop is not None:
            drop_holds = self.top1_drop <= limit.top1_drop + 1e-12  # shares such as 0.001 are not exact in binary
            checks[f"top-1 drop {100 * self.top1_drop:.3f} pp, limit {100 * limit.top1_drop:.3f} pp"] = drop_holds
        if limit.max_abs_diff is not None:
            difference_holds = self.max_abs_diff <= limit.max_abs_diff
            checks[f"largest difference {self.max_abs_diff:.2g}, limit {limit.max_abs_diff:.2g}"] = difference_holds
        return [message for message, holds in checks.items() if not holds]

    def to_dict(self) -> dict[str, Any]:
        """Every figure as plain JSON; a difference that is not a number becomes null."""
        figures = asdict(self)
        figures["max_abs_diff"] = self.max_abs_diff if np.isfinite(self.max_abs_diff) else None
        figures["flipped"] = list(self.flipped)
        return figures


def compare_outputs(
    reference: NDArray[np.float32], candidate: NDArray[np.float32], labels: NDArray[np.uint8]
) -> Parity:
    """Compare two models' probabilities on the same images, row by row.

    Args:
        reference: float32 (N, 10) of the original, N >= 1, all finite.
        candidate: float32 (N, 10) of the converted model.
        labels: uint8 (N,) true digits.

    Raises:
        InputError: no images, shapes that differ, or a reference that is not finite.
    """
    if not len(labels) or not reference.shape == candidate.shape == (len(labels), CLASSES):
        raise InputError(
            f"expected two sets of (N, 10) probabilities and N labels, N >= 1, got {reference.shape}, "
            f"{candidate.shape} and {len(labels)} labels"
        )
    if not np.isfinite(reference).all():
        raise InputError("the reference's probabilities are not finite; the original model is broken. Train it again.")
    first, second = is_correct(reference, labels), is_correct(candidate, labels)
    finite = np.isfinite(candidate).all(axis=1)
    flipped = np.flatnonzero((reference.argmax(axis=1) != candidate.argmax(axis=1)) | ~finite)
    return Parity(
        samples=len(labels),
        reference_top1=float(first.mean()),
        candidate_top1=float(second.mean()),
        agreement=agreement(reference, candidate),
        max_abs_diff=float(np.abs(reference - candidate).max()),
        mcnemar_p=mcnemar_p(int(np.sum(first & ~second)), int(np.sum(second & ~first))),
        flipped=tuple(int(i) for i in flipped),
    )
