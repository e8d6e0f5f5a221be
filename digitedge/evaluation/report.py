"""What was examined of a bundle's files, as tables and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitedge.utils.tables import Table, percent

if TYPE_CHECKING:
    from digitedge.datasets.labelled_crops import DigitSet
    from digitedge.evaluation.classifier import Examination
    from digitedge.evaluation.robustness import DamageErrors


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Everything that is printed.

    Attributes:
        model: the bundle or file.
        bytes: size of each file that was examined; the first is the one that runs by default.
        passed_over: files that cannot run here.
        digits: clean ones.
        damaged: those that were damaged; empty where robustness was left out.
        non_digits: how many crops of each source.
        scenes: how many scenes gave them.
        examined: file name -> what was measured.
    """

    model: Path
    bytes: Mapping[str, int]
    passed_over: tuple[str, ...]
    digits: "DigitSet"
    damaged: "DigitSet"
    non_digits: Mapping[str, int]
    scenes: int
    examined: "Mapping[str, Examination]"

    @property
    def preferred(self) -> str:
        """The file that runs by default."""
        return next(iter(self.examined))

    @property
    def title(self) -> str:
        """The bundle and the digits."""
        return f"{self.model} on {self.digits.name}, {len(self.digits):,} digits"

    def to_json(self) -> dict[str, Any]:
        """One object, with the conditions and every figure of every file."""
        from digitedge.bundle.model_card import SCHEMA
        from digitedge.datasets.dataset import images_sha256
        from digitedge.datasets.non_digits import EXAMINATION_SEED

        return {
            "schema": SCHEMA,
            "model": str(self.model),
            "preferred": self.preferred,
            "digits": {
                "name": self.digits.name,
                "images": len(self.digits),
                "sha256": images_sha256(self.digits.crops),
            },
            "damaged": {"images": len(self.damaged), "seed": 0},
            "non_digits": {"scenes": self.scenes, "seed": EXAMINATION_SEED, "crops": dict(self.non_digits)},
            "passed_over": list(self.passed_over),
            "files": {
                name: {"bytes": self.bytes[name], **one.to_json(self.digits.names)}
                for name, one in self.examined.items()
            },
        }

    def tables(self) -> Iterator[Table]:
        """The figures of all files, then where they come from."""
        yield self._summary()
        if len(self.damaged):
            yield self._damages()
            yield self._levels()
        if any(one.separations for one in self.examined.values()):
            yield self._non_digits()
        yield self._by_digit()

    def _summary(self) -> Table:
        from digitedge.bundle.model_card import evaluation_table

        table = evaluation_table(self.to_json())
        lines = {name: [f"{self.bytes[name] / 1000:.1f}", *cells] for name, cells in table.lines.items()}
        return Table(table.corner, ["kB", *table.heads], lines)

    def _damages(self) -> Table:
        """Rows are kinds, columns files."""
        by_kind = zip(*(one.damages for one in self.examined.values()), strict=True)
        lines = {_kind(same[0]): [percent(one.mean) for one in same] for same in by_kind}
        title = f"Error on {len(self.damaged):,} damaged digits (the same of each), mean of three levels"
        return Table("damage", [name.removeprefix("model_") for name in self.examined], lines, title)

    def _levels(self) -> Table:
        damages = self.examined[self.preferred].damages
        lines = {_kind(one): [percent(error) for error in one.errors] for one in damages}
        heads = [f"level {level}" for level in range(1, len(damages[0].errors) + 1)]
        return Table("damage", heads, lines, f"The same level by level: {self.preferred}")

    def _non_digits(self) -> Table:
        counts = ", ".join(f"{count:,} {source}" for source, count in self.non_digits.items())
        lines = {
            name: [
                f"{next(iter(one.separations.values())).threshold:.3f}",
                *(percent(one.separations[source].accepted) for source in self.non_digits),
                percent(one.accepted),
            ]
            for name, one in self.examined.items()
            if one.separations
        }
        title = f"Non-digits as sure as 99 of 100 digits: {counts}; cuttings of {self.scenes:,} rendered scenes"
        return Table("file", ["threshold", *self.non_digits, "mean"], lines, title)

    def _by_digit(self) -> Table:
        counts = {"(digits)": next(iter(self.examined.values())).images}
        counts |= {name: one.errors for name, one in self.examined.items()}
        lines = {name: [str(count) for count in row] for name, row in counts.items()}
        return Table("file", [str(digit) for digit in range(10)], lines, "Wrong answers by digit")


def _kind(damage: "DamageErrors") -> str:
    return f"{damage.kind} (unseen)" if damage.unseen else damage.kind
