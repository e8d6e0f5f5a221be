"""Write README's figures of the released bundles, or check that they are there: `make check` does.

Between `<!-- NAME -->` and `<!-- end -->` README.md has a table, made of the bundles' manifests and of what
`digitedge eval --keep` measured.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from digitedge.bundle import Bundle, load_bundle
from digitedge.card import evaluation_table, read_evaluation
from digitedge.tables import Table, percent

README = Path("README.md")
BUNDLES = ("cnn", "small")


def parity() -> str:
    """Size, accuracy and agreement of every released file."""
    heads = ["kB", "right", "same answer as Keras"]
    lines = {
        f"`{name}/{file}`": [f"{one.bytes / 1000:.0f}", percent(one.top1), percent(one.agreement)]
        for name, bundle in bundles().items()
        for file, one in bundle.manifest.files.items()
    }
    return Table("file", heads, lines).markdown()


def robustness() -> str:
    """What was examined of every released file."""
    tables = {name: evaluation_table(evaluation_of(bundle)) for name, bundle in bundles().items()}
    lines = {f"`{name}/{file[1:]}": cells for name, table in tables.items() for file, cells in table.lines.items()}
    return Table("file", tables["cnn"].heads, lines).markdown()


TABLES: dict[str, Callable[[], str]] = {"parity": parity, "robustness": robustness}
"""Name in README.md -> what makes the table."""


def bundles() -> dict[str, Bundle]:
    """The released bundles by name."""
    return {name: load_bundle(Path("export") / name) for name in BUNDLES}


def evaluation_of(bundle: Bundle) -> dict[str, object]:
    """What was kept of a bundle's examination."""
    evaluation = read_evaluation(bundle)
    if evaluation is None:
        sys.exit(f"error: {bundle.path} was not examined. Run: digitedge eval {bundle.path} --keep")
    return evaluation


def with_tables(text: str) -> str:
    """Put every table into its place."""
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        table = f"\n{make()}\n"
        text, count = pattern.subn(lambda found, table=table: found[1] + table + found[2], text)
        if count != 1:
            sys.exit(f"error: expected one <!-- {name} --> ... <!-- end --> in {README}, got {count}")
    return text


def main() -> None:
    """Write the tables, or with --check fail where they are not those of the bundles."""
    old = README.read_text(encoding="utf-8")
    new = with_tables(old)
    if "--check" not in sys.argv[1:]:
        README.write_text(new, encoding="utf-8")
    elif new != old:
        sys.exit("error: README.md has other figures than the released bundles. Run: python export/figures.py")


if __name__ == "__main__":
    main()
