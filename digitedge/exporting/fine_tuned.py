"""What a fine-tuning is compared with: its parent, and the digits of the fine-tunings before it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.load import load_training_digits
from digitedge.datasets.own_digits import OwnDigits, split_as_before
from digitedge.errors import CameraError, DataError
from digitedge.exporting.export import ModelSource
from digitedge.exporting.parent_check import ParentModel
from digitedge.training.run_folder import START, FineTuning, RunFolder, find_lineage


def add_parent(
    source: ModelSource,
    run: RunFolder,
    fine_tuning: FineTuning,
    own: OwnDigits | None,
    runs: Path,
    *,
    log: Callable[[str], object],
) -> ModelSource:
    """Add to what is exported the digits that it was fine-tuned on, and its parent.

    Args:
        source: the fine-tuned model.
        run: its run folder.
        fine_tuning: what its args.json says of parent and digits.
        own: the digits; None if they were not named.
        runs: the folder of all runs, among which the earlier fine-tunings are found.
        log: gets a line for each of them whose digits cannot be loaded any more.

    Raises:
        DataError: the digits were not named.
    """
    if own is None:
        raise DataError(f"{run.path} was trained on own digits. Name them with --data, to evaluate it on them.")
    parent = fine_tuning.parent
    not_compared: list[str] = []
    earlier = dict(_load_earlier(parent.own_sha256, runs, not_compared.append))
    for line in not_compared:
        log(f"not compared: {line}")
    model = ParentModel(
        name=parent.name,
        file=run.path / START,
        sha256=parent.sha256,
        earlier=earlier,
        not_compared=not_compared,
    )
    return replace(source, own=own, parent=model)


def _load_earlier(
    own_sha256: str | None, runs: Path, log: Callable[[str], object]
) -> Iterator[tuple[str, LabelledCrops]]:
    """Load the held-out digits of the fine-tunings from which a model came, the latest first.

    Args:
        own_sha256: hash of the digits of the latest one; None if there is none.
        runs: folder of the run folders, which say where the digits are.
        log: gets a line for each of them whose digits cannot be loaded any more.
    """
    for run, fine_tuning in find_lineage(own_sha256, runs, log=log):
        try:
            digits = load_training_digits(run.data_sources)
        except (DataError, CameraError) as exc:
            log(f"the digits of {run.path.name}: {exc}")
        else:
            ids = fine_tuning.own.held_out_ids
            if digits.own is not None and len(held_out := split_as_before(digits.own, ids, "").held_out):
                yield f"held-out digits of {run.path.name}", held_out
