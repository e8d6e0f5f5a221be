"""Write the tables of the released bundles into README.md and docs/guide/, or check them: `make check` does.

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`. The figures come from the bundles' manifests, from what
`digitedge eval --save` measured, and from `digitedge eval scenes` (export/scenes.json).
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitedge.bundle.bundle import Bundle, load_bundle
from digitedge.bundle.model_card import evaluation_table, read_evaluation
from digitedge.errors import DataError, DigitEdgeError
from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.evaluation.reader import ALL, WITH_DIGITS
from digitedge.utils.loading import read_json
from digitedge.utils.tables import Table, percent, put_into

README = Path("README.md")
GUIDE = Path("docs/guide")
EXPORT = Path("export")
BUNDLES = ("cnn", "small")
INT8 = "model_int8.tflite"


def summary() -> str:
    """The figures of both int8 TFLite files that a reader of README.md wants first."""
    both = bundles()
    files = [bundle.manifest.files[INT8] for bundle in both.values()]
    evaluations = [evaluation_of(bundle)["files"][INT8] for bundle in both.values()]
    lines = {
        "size of the int8 TFLite file": [f"{file.bytes / 1000:.1f} kB" for file in files],
        "MNIST test digits read correctly": [percent(file.top1) for file in files],
        "same answer as the Keras original": [percent(file.agreement) for file in files],
        "mean error under corruptions that no training uses": [
            percent(one["unseen_corruption_error"]) for one in evaluations
        ],
        "multiply-accumulates an image": [f"{bundle.manifest.macs / 1e6:.1f} million" for bundle in both.values()],
    }
    table = Table("", [f"`{name}`" for name in both], lines)
    scenes = read_scenes()["by_difficulty"][ALL]
    images, f1 = scenes["images"], percent(scenes["f1"])
    reading = f"On {images} rendered photographs with digits, easy to hard, `cnn` reads with an F1 of {f1}."
    return f"{table.markdown()}\n{reading}\n"


def parity() -> str:
    """Size, accuracy and agreement of every released file."""
    heads = ["kB", "top-1", "agreement with Keras"]
    lines = {
        f"`{name}/{file}`": [f"{one.bytes / 1000:.1f}", percent(one.top1), percent(one.agreement)]
        for name, bundle in bundles().items()
        for file, one in bundle.manifest.files.items()
    }
    return Table("file", heads, lines).markdown()


def robustness() -> str:
    """The evaluation of every released file."""
    tables = {name: evaluation_table(evaluation_of(bundle)) for name, bundle in bundles().items()}
    lines = {f"`{name}/{file}`": cells for name, table in tables.items() for file, cells in table.lines.items()}
    return Table("file", tables["cnn"].heads, lines).markdown()


def scenes() -> str:
    """How well rendered scenes are read by `cnn`."""
    read = read_scenes()
    lines = {
        WITH_DIGITS if name == ALL else name: [
            str(score["images"]),
            percent(score["f1"]),
            percent(score["mean_f1"]),
            percent(score["rows_exact"]),
        ]
        for name, score in read["by_difficulty"].items()
    }
    table = Table("scenes", ["images", "F1 by boxes", "mean F1 of an image", "rows exact"], lines)
    empty = read["negatives"][ALL]
    negatives = f"In {empty['images']} scenes without a digit there are {empty['false_positives']} false positives."
    return f"{table.markdown()}\n{negatives}\n"


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "summary": (README, summary),
    "parity": (GUIDE / "export-and-verify.md", parity),
    "robustness": (GUIDE / "evaluate.md", robustness),
    "scenes": (GUIDE / "evaluate.md", scenes),
}
"""Name -> the page that has the table, and what makes it."""


def read_scenes() -> dict[str, Any]:
    """The figures of `digitedge eval scenes`."""
    return read_json(EXPORT / "scenes.json", error=DataError, advice="Run: make release")


def bundles() -> dict[str, Bundle]:
    """The released bundles by name."""
    return {name: load_bundle(EXPORT / name) for name in BUNDLES}


def evaluation_of(bundle: Bundle) -> dict[str, Any]:
    """The evaluation of a released bundle; refused if it was measured with other corruptions."""
    evaluation = read_evaluation(bundle)
    if evaluation is None:
        raise DataError(f"{bundle.path} was not evaluated. Run: digitedge eval {bundle.path} --save")
    expected = [(corruption.name, corruption.unseen) for corruption in CORRUPTIONS]
    for name, file in evaluation["files"].items():
        if [(one["name"], one["unseen"]) for one in file["corruptions"]] != expected:
            raise DataError(
                f"{bundle.path}: {name} was evaluated with other corruptions than there are now. "
                f"Run: digitedge eval {bundle.path} --save"
            )
    return evaluation


def main() -> None:
    """Write the tables, or with --check fail where they are not those of the bundles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page has other figures")
    check = parser.parse_args().check
    for name, (page, make) in TABLES.items():
        old = page.read_text(encoding="utf-8")
        new = put_into(old, name, f"\n{make()}\n")
        if not check:
            page.write_text(new, encoding="utf-8")
        elif new != old:
            sys.exit(f"error: {page} has other figures than the released bundles. Run: python export/figures.py")


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
