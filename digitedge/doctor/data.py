"""Data and models: MNIST and the bundles."""

from collections.abc import Iterator
from pathlib import Path

from digitedge.doctor.finding import Finding, Status
from digitedge.errors import DataError, MissingExtraError, ModelError, ParityError


def check_mnist() -> Finding:
    """Look for MNIST where training would; nothing is downloaded. Needs a NumPy that works."""
    from digitedge.datasets.mnist import find_mnist

    try:
        place = find_mnist()
    except (DataError, OSError) as exc:
        mend = "let DIGITEDGE_DATA name a folder that has it, or: unset DIGITEDGE_DATA"
        return Finding("mnist", Status.PROBLEM, str(exc), mend)
    if place is None:
        return Finding("mnist", Status.NOTE, "not on this machine; only training needs it", "digitedge data get")
    return Finding("mnist", Status.OK, str(place))


def check_bundles(folder: Path) -> Iterator[Finding]:
    """Load the released bundle and those in `folder`: hashes, verdict, and whether the file that runs loads here."""
    from digitedge.bundle.bundle import MANIFEST, released_bundle

    checked: list[Path] = []
    try:
        released = released_bundle()
    except ModelError as exc:
        yield Finding("bundle", Status.PROBLEM, str(exc), "pip install --force-reinstall digitedge")
    else:
        checked.append(released.resolve())
        yield _loaded(released, unfit=Status.PROBLEM)
    for path in sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}")):
        if not path.name.startswith(".") and path.resolve() not in checked:  # hidden folders are drafts
            yield _loaded(path, unfit=Status.NOTE)  # a note: whoever names no model does not get it


def _loaded(path: Path, *, unfit: Status) -> Finding:
    from digitedge.bundle.bundle import load_model

    try:
        model = load_model(path)
    except ParityError as exc:
        return Finding("bundle", unfit, str(exc), "train longer or export again, and see: digitedge verify")
    except (ModelError, MissingExtraError, OSError) as exc:
        return Finding("bundle", Status.PROBLEM, str(exc), f"digitedge export, or delete {path}")
    return Finding("bundle", Status.OK, f"{path}: fit, its hashes hold, {model.path.name} loads")
