"""Fine-tuning on the user's own digits: its settings, what args.json says of it, and the table at its end.

See docs/decisions/own-hand.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import MANIFEST, read_manifest, sha256_of
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.own_digits import KnownSplit, OwnDigits, digit_ids, split_own_digits
from digitedge.metrics.ood import OodResult
from digitedge.training.config import TrainConfig
from digitedge.training.distillation import Teacher
from digitedge.training.keras_io import predict_probabilities
from digitedge.training.run_folder import ARGS, BEST, find_lineage, load_run
from digitedge.utils.tables import Table, percent

# Shares of the new weights that are tried, and the part of what they learned that is kept.
SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
LEARNED = 0.97
LEAST_PROBABILITY = 1e-7  # so that no loss is infinite; Keras has the same
# Digits that are classified at once.
BATCH = 250
# Share of own digits in a batch, batches of an epoch, and epochs.
OWN_SHARE = 0.25
STEPS = 50
EPOCHS = 6
# Scenes that a net for a camera rehearses; they are rendered in ten seconds on two cores.
SCENES = 100
# Weight of the teacher in the loss: images of the data set have its answers as their only targets.
TEACHER_WEIGHT = 1.0


def for_own_digits(config: TrainConfig, *, epochs: int | None = None, scenes: int | None = None) -> TrainConfig:
    """Change the settings of a training to those of a fine-tuning on own digits.

    Examples:
        >>> from digitedge.training.architectures import ARCHITECTURES
        >>> config = replace(ARCHITECTURES["cnn"].defaults, start="export/cnn/model.keras")
        >>> for_own_digits(config, epochs=3).epochs
        3
    """
    usual = SCENES if config.scenes else 0  # those of the textbook see no scenes
    return replace(
        config,
        epochs=epochs or EPOCHS,
        steps=STEPS,
        scenes=usual if scenes is None else scenes,
        own_share=OWN_SHARE,
        teacher_weight=TEACHER_WEIGHT,
    )


def split_for(start: Path, digits: LabelledCrops, *, runs: Path, log: Callable[[str], object]) -> OwnDigits:
    """Split own digits for the fine-tuning of a model; see `split_own_digits`.

    Args:
        start: the .keras file of the model.
        digits: of the user.
        runs: folder of the runs, which know the digits of earlier fine-tunings from which the model came.
        log: gets a line if that is not known of one of them.

    Raises:
        ModelError: the file cannot be read, or has other inputs or outputs.
    """
    earlier = [one.own for _, one in find_lineage(find_own_sha256(start.absolute().parent), runs, log=log)]
    known = KnownSplit(
        frozenset(chain.from_iterable(one.training_ids for one in earlier)),
        frozenset(chain.from_iterable(one.held_out_ids for one in earlier)),
    )
    teacher = Teacher(start)
    batches = np.array_split(digits.crops, 1 + len(digits) // BATCH)
    predictions = np.concatenate([teacher.probabilities(batch).argmax(axis=1) for batch in batches])
    return split_own_digits(digits, misread=predictions != digits.labels, known=known)


def mix_weights(model: keras.Model, start: Sequence[NDArray[np.float32]], digits: LabelledCrops) -> float:
    """Move the weights of a fine-tuned model back towards those it started from, as far as the hand allows.

    What is not needed for the hand only forgets others: some hands are learned with half of the change.

    Args:
        model: gets the mean of its weights and those of `start`.
        start: the weights before.
        digits: own digits that were trained on.

    Returns:
        The share of the new weights: the smallest of SHARES with which the loss on the digits falls by LEARNED of what
        it falls with all of them.

    Source:
        Wortsman et al. 2022, arXiv:2109.01903, section 3.
    """
    tuned = model.get_weights()

    def loss(share: float) -> float:
        model.set_weights([share * new + (1 - share) * old for new, old in zip(tuned, start, strict=True)])
        right = predict_probabilities(model, digits.crops)[np.arange(len(digits)), digits.labels]
        return float(-np.log(np.maximum(right, LEAST_PROBABILITY)).mean())

    before, after = loss(0), loss(1)
    for share in SHARES:
        if loss(share) <= before - LEARNED * (before - after):
            break
    return share


def describe_parent(start: str, copy: Path) -> dict[str, Any]:
    """Describe the model that is fine-tuned: the name of its run, bundle or file, and the hash of the .keras file.

    If it was fine-tuned itself, the hash of the own digits of that time finds them again.

    Args:
        start: the path that the user gave.
        copy: of that file, in the run folder.
    """
    path = Path(start).absolute()
    parent = {"name": path.parent.name if path.name == BEST else path.stem, "sha256": sha256_of(copy)}
    return {**parent, "own_sha256": find_own_sha256(path.parent)}


def find_writers(model: Path) -> frozenset[str]:
    """The ids of the writers whose digits a model learned from, by its .keras file in a run folder or bundle."""
    folder = model.absolute().parent
    if (folder / ARGS).is_file():
        return load_run(folder).writers
    return frozenset(read_manifest(folder).writers) if (folder / MANIFEST).is_file() else frozenset()


def find_own_sha256(folder: Path) -> str | None:
    """The hash of the own digits on which the model of a run folder or bundle was fine-tuned, or None."""
    if (folder / ARGS).is_file():
        own = load_run(folder).args.get("own")
        return own["sha256"] if isinstance(own, dict) else None
    if (folder / MANIFEST).is_file():
        described = read_manifest(folder).own
        return None if described is None else described.sha256
    return None


def describe_own(own: OwnDigits, non_digits: NDArray[np.uint8]) -> dict[str, Any]:
    """Describe own digits by hash, numbers and the ids of their writers; no names, no images."""
    return {
        "sha256": own.sha256,
        "training_ids": digit_ids(own.training),
        "held_out_ids": digit_ids(own.held_out),
        "training": len(own.training),
        "held_out": len(own.held_out),
        "non_digits": len(non_digits),
        "split": own.split,
        "missing": list(own.missing),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What a model achieves.

    Attributes:
        test_counts: confusion matrix on the test images of the data set, int64 (10, 10).
        own_accuracy: on held-out own digits, 0 to 1; None without any.
        ood: validation digits against validation non-digits; None without non-digits.
    """

    test_counts: NDArray[np.int64]
    own_accuracy: float | None
    ood: OodResult | None

    @property
    def test_accuracy(self) -> float:
        """On the test images, 0 to 1."""
        return float(self.test_counts.trace() / self.test_counts.sum())


def before_and_after(before: Figures, after: Figures, *, held_out: int) -> Table:
    """Make the table of a fine-tuning on own digits, of which so many are held out."""

    def row(name: str, first: float | None, second: float | None) -> dict[str, list[str]]:
        return {} if first is None or second is None else {name: [percent(first), percent(second)]}

    return Table(
        "",
        ["before", "after"],
        {
            **row(f"own digits, {held_out} held out", before.own_accuracy, after.own_accuracy),
            **row(f"test images, {before.test_counts.sum()}", before.test_accuracy, after.test_accuracy),
            **row(
                "non-digits as confident as 99 % of the digits",
                None if before.ood is None else before.ood.fpr_at_99_tpr,
                None if after.ood is None else after.ood.fpr_at_99_tpr,
            ),
        },
    )
