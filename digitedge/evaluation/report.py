"""The report of `digitedge eval`: the figures of every file of a bundle, as tables and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.model_card import SCHEMA, evaluation_table
from digitedge.datasets.dataset import images_sha256
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.non_digits import EVALUATION_SEED
from digitedge.evaluation.classifier import ClassifierEvaluation
from digitedge.evaluation.corruptions import SEVERITIES
from digitedge.evaluation.robustness import SEED, CorruptionErrors
from digitedge.evaluation.top_errors import draw_top_errors
from digitedge.runtime.contract import CLASSES
from digitedge.utils.tables import Table, percent


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationReport:
    """The evaluations of a bundle's files, with their conditions.

    Attributes:
        model: the bundle or file.
        sizes: file name -> its size in bytes.
        skipped: names of files that cannot run here.
        digits: the clean digits.
        corrupted: those that were corrupted; empty if robustness was not measured.
        non_digits: number of crops from each source.
        scenes: number of scenes that they are from.
        evaluations: file name -> its figures; the preferred file comes first.
    """

    model: Path
    sizes: Mapping[str, int]
    skipped: Sequence[str]
    digits: LabelledCrops
    corrupted: LabelledCrops
    non_digits: Mapping[str, int]
    scenes: int
    evaluations: Mapping[str, ClassifierEvaluation]

    @property
    def preferred_file(self) -> str:
        """The file that runs unless another one is chosen."""
        return next(iter(self.evaluations))

    @property
    def title(self) -> str:
        """The bundle and the digits."""
        return f"{self.model} on {self.digits.name}, {len(self.digits):,} digits"

    @property
    def title_of_preferred(self) -> str:
        """The preferred file and the digits, short enough for an image."""
        return f"{self.preferred_file} on {self.digits.name}, {len(self.digits):,} digits"

    def draw_top_errors(self) -> NDArray[np.uint8]:
        """Draw the top errors of the preferred file: uint8 (H, W, 3) BGR."""
        evaluation = self.evaluations[self.preferred_file]
        title = f"{self.preferred_file} on {self.digits.name}: {evaluation.shown_errors}"
        return draw_top_errors(evaluation.top_errors, self.digits.crops, self.digits.names, title=title)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: the conditions, and every figure of every file."""
        digits = self.digits
        return {
            "schema": SCHEMA,
            "model": str(self.model),
            "preferred_file": self.preferred_file,
            "digits": {"name": digits.name, "images": len(digits), "sha256": images_sha256(digits.crops)},
            "corrupted": {"images": len(self.corrupted), "seed": SEED},
            "non_digits": {"scenes": self.scenes, "seed": EVALUATION_SEED, "crops": dict(self.non_digits)},
            "skipped": list(self.skipped),
            "files": {
                name: {"bytes": self.sizes[name], **evaluation.to_dict(digits.names)}
                for name, evaluation in self.evaluations.items()
            },
        }

    def tables(self) -> Iterator[Table]:
        """Yield a summary of all files, then the details."""
        summary = evaluation_table(self.to_dict())
        lines = {name: [f"{self.sizes[name] / 1000:.1f}", *cells] for name, cells in summary.lines.items()}
        yield Table(summary.corner, ["kB", *summary.heads], lines)
        if len(self.corrupted):
            yield self._corruptions()
            yield self._severities()
        if any(evaluation.ood for evaluation in self.evaluations.values()):
            yield self._ood()
        yield self._errors_by_digit()

    def _corruptions(self) -> Table:
        """A line for each corruption, a column for each file."""
        by_corruption = zip(*(evaluation.corruptions for evaluation in self.evaluations.values()), strict=True)
        lines = {_name(same[0]): [percent(one.mean) for one in same] for same in by_corruption}
        title = f"Error on {len(self.corrupted):,} digits under each corruption, mean of the severities"
        return Table("corruption", [name.removeprefix("model_") for name in self.evaluations], lines, title)

    def _severities(self) -> Table:
        corruptions = self.evaluations[self.preferred_file].corruptions
        lines = {_name(one): [percent(error) for error in one.errors] for one in corruptions}
        title = f"The same by severity: {self.preferred_file}"
        return Table("corruption", [f"severity {severity}" for severity in SEVERITIES], lines, title)

    def _ood(self) -> Table:
        counts = ", ".join(f"{count:,} {source}" for source, count in self.non_digits.items())
        scenes = f" ({self.scenes:,} scenes)" if self.scenes else ""
        lines = {
            name: [
                f"{next(iter(evaluation.ood.values())).threshold_at_99_tpr:.3f}",
                *(percent(evaluation.ood[source].fpr_at_99_tpr) for source in self.non_digits),
                percent(evaluation.mean_fpr_at_99_tpr),
            ]
            for name, evaluation in self.evaluations.items()
            if evaluation.ood
        }
        title = f"Non-digits as confident as 99 % of the digits (FPR at 99 % TPR): {counts}{scenes}"
        return Table("file", ["threshold at 99 % TPR", *self.non_digits, "mean"], lines, title)

    def _errors_by_digit(self) -> Table:
        counts = {"(digits)": next(iter(self.evaluations.values())).images}
        counts |= {name: evaluation.errors for name, evaluation in self.evaluations.items()}
        lines = {name: [str(count) for count in row] for name, row in counts.items()}
        return Table("file", [str(digit) for digit in range(CLASSES)], lines, "Wrong predictions by digit")


def _name(corruption: CorruptionErrors) -> str:
    return f"{corruption.name} (unseen)" if corruption.unseen else corruption.name
