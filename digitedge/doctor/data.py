"""MNIST and the bundles."""

from collections.abc import Iterator
from pathlib import Path

from digitedge.doctor.finding import Finding, Status
from digitedge.errors import DataError, MissingExtraError, ModelError, ParityError


def check_mnist() -> Finding:
    """Look for MNIST where training does, without a download. Needs a working NumPy."""
    from digitedge.datasets.mnist import find_mnist

    try:
        folder = find_mnist()
    except (DataError, OSError) as exc:
        fix = "set DIGITEDGE_DATA to the folder of MNIST, or: unset DIGITEDGE_DATA"
        return Finding("mnist", Status.PROBLEM, str(exc), fix)
    if folder is None:
        return Finding("mnist", Status.NOTE, "not on this machine; only training needs it", "digitedge data get")
    return Finding("mnist", Status.OK, str(folder))


def check_bundles(folder: Path) -> Iterator[Finding]:
    """Load the released bundle and those in `folder` that were exported here: hashes, parity, whether the file loads.

    Others are named and not loaded: a model is a program.
    """
    from digitedge.bundle.bundle import MANIFEST, read_manifest_bytes, released_bundle
    from digitedge.bundle.made_here import is_made_here
    from digitedge.utils.drafts import sweep_drafts
    from digitedge.utils.text import printable

    checked: list[Path] = []
    try:
        released = released_bundle()
    except ModelError as exc:
        yield Finding("bundle", Status.PROBLEM, str(exc), "pip install --force-reinstall digitedge")
    else:
        checked.append(released.resolve())
        yield _check_bundle(released, if_parity_failed=Status.PROBLEM)
    sweep_drafts(folder)
    for path in sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}")):
        if path.name.startswith(".") or path.resolve() in checked:  # hidden folders are unfinished exports
            continue
        try:
            is_ours = is_made_here(path, read_manifest_bytes(path))
        except ModelError:
            is_ours = False
        if is_ours:
            yield _check_bundle(path, if_parity_failed=Status.NOTE)  # a note: it is never used by default
        else:
            name = printable(str(path))
            found = f"{name}: not exported here, or changed since; it runs only if you name it"
            fix = f"to see what it states, without running it: digitedge info {name}"
            yield Finding("bundle", Status.NOTE, found, fix)


def _check_bundle(path: Path, *, if_parity_failed: Status) -> Finding:
    from digitedge.bundle.bundle import load_model

    try:
        model = load_model(path)
    except ParityError as exc:
        return Finding("bundle", if_parity_failed, str(exc), "train longer or export again, and see: digitedge verify")
    except (ModelError, MissingExtraError, OSError) as exc:
        return Finding("bundle", Status.PROBLEM, str(exc), f"digitedge export, or delete {path}")
    return Finding("bundle", Status.OK, f"{path}: passed, hashes match, {model.path.name} loads")
