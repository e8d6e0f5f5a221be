"""Write README's figures of the released bundles, or check that they are there: `make check` does.

Between `<!-- NAME -->` and `<!-- /NAME -->` README.md has a table: of the bundles' manifests, of what `digitedge eval
--keep` measured, and of how well rendered scenes are read by `digitedge eval scenes`.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitedge.bundle.bundle import Bundle, load_bundle
from digitedge.bundle.model_card import evaluation_table, read_evaluation
from digitedge.errors import DataError, DigitEdgeError
from digitedge.evaluation.reader import ALL
from digitedge.utils.loading import read_json
from digitedge.utils.tables import Table, percent, put_into

README = Path("README.md")
EXPORT = Path("export")
BUNDLES = ("cnn", "small")


def parity() -> str:
    """Size, accuracy and agreement of every released file."""
    heads = ["kB", "right", "same answer as Keras"]
    lines = {
        f"`{name}/{file}`": [f"{one.bytes / 1000:.1f}", percent(one.top1), percent(one.agreement)]
        for name, bundle in bundles().items()
        for file, one in bundle.manifest.files.items()
    }
    return Table("file", heads, lines).markdown()


def robustness() -> str:
    """What was examined of every released file."""
    tables = {name: evaluation_table(evaluation_of(bundle)) for name, bundle in bundles().items()}
    lines = {f"`{name}/{file}`": cells for name, table in tables.items() for file, cells in table.lines.items()}
    return Table("file", tables["cnn"].heads, lines).markdown()


def scenes() -> str:
    """How well rendered scenes are read by `cnn`."""
    read = read_json(EXPORT / "scenes.json", error=DataError, advice="Run: make release")
    lines = {
        name: [str(score["frames"]), percent(score["f1"]), percent(score["mean_f1"]), percent(score["rows_exact"])]
        for name, score in read["by_difficulty"].items()
    }
    table = Table("scenes", ["images", "F1 by boxes", "mean F1 of an image", "rows all right"], lines)
    empty = read["negatives"][ALL]
    return f"{table.markdown()}\nIn {empty['frames']} scenes without a digit it invents {empty['false_digits']}.\n"


TABLES: dict[str, Callable[[], str]] = {"parity": parity, "robustness": robustness, "scenes": scenes}
"""Name in README.md -> what makes the table."""


def bundles() -> dict[str, Bundle]:
    """The released bundles by name."""
    return {name: load_bundle(EXPORT / name) for name in BUNDLES}


def evaluation_of(bundle: Bundle) -> dict[str, Any]:
    """What was kept of a bundle's examination."""
    evaluation = read_evaluation(bundle)
    if evaluation is None:
        raise DataError(f"{bundle.path} was not examined. Run: digitedge eval {bundle.path} --keep")
    return evaluation


def main() -> None:
    """Write the tables, or with --check fail where they are not those of the bundles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where README.md has other figures")
    check = parser.parse_args().check
    old = new = README.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        new = put_into(new, name, f"\n{make()}\n")
    if not check:
        README.write_text(new, encoding="utf-8")
    elif new != old:
        sys.exit("error: README.md has other figures than the released bundles. Run: python export/figures.py")


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
