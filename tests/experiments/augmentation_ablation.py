"""What each transform of the augmentation is worth: the `small` net trained with all of them, and without each in turn.

Judged on training images that were not trained on; the test images are not looked at. Prints error on clean digits and
under the kinds of damage that training knows relatives of, those that it does not, and what of non-digits is accepted.
Takes about a quarter of an hour; `make ablation`. Names of transforms on the command line measure only those.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import numbered
from digitedge.datasets.load import load_dataset
from digitedge.datasets.non_digits import non_digits
from digitedge.evaluation.classifier import examine
from digitedge.exporting.keras_reference import KerasClassifier
from digitedge.training.config import CAMERA, DEFAULT_PLANS
from digitedge.training.keras_io import load_keras
from digitedge.training.run_folder import BEST
from digitedge.training.train import train

TRAINED_ON, JUDGED_ON, DAMAGED = 20_000, 5_000, 1_000
EPOCHS, SCENES, NON_DIGIT_SCENES = 4, 200, 50
HEADS = ("clean", "damage with relatives", "unseen damage", "non-digits accepted")


def main(names: Sequence[str]) -> None:
    """Print a table, a line when a transform is done."""
    unknown = set(names) - set(CAMERA)
    if unknown:
        sys.exit(f"error: expected transforms of {', '.join(CAMERA)}, got {', '.join(unknown)}")
    _, data = load_dataset(None)
    x, y = data.x_train, data.y_train
    data = Dataset(x[:TRAINED_ON], y[:TRAINED_ON], x[-JUDGED_ON:], y[-JUDGED_ON:])
    print(f"small, {EPOCHS} epochs on {TRAINED_ON} training images and {SCENES} scenes; in % of {JUDGED_ON} others\n")
    print(f"| without | {' | '.join(HEADS)} |\n| --- |{' ---: |' * len(HEADS)}")
    for without in ["(nothing)", *(names or CAMERA)]:
        print(f"| {without} | {' | '.join(f'{100 * figure:.2f}' for figure in measure(without, data))} |", flush=True)


def measure(without: str, data: Dataset) -> list[float]:
    """Train without one transform, and examine what came out: shares from 0 to 1, in the order of HEADS."""
    transforms = tuple(name for name in CAMERA if name != without)
    plan = replace(DEFAULT_PLANS["small"], epochs=EPOCHS, scenes=SCENES, augment=transforms)
    with tempfile.TemporaryDirectory() as folder:
        train(plan, data, data_name="mnist", folder=Path(folder), log=lambda _: None)
        classifier = KerasClassifier(load_keras(Path(folder) / BEST), Path(folder) / BEST)
    digits = numbered("", data.x_test, data.y_test)
    one = examine({"": classifier}, digits, damaged=digits.subset(DAMAGED), non_digits=non_digits(NON_DIGIT_SCENES))[""]
    return [1 - one.top1, one.seen_error or 0.0, one.unseen_error or 0.0, one.accepted or 0.0]


if __name__ == "__main__":
    main(sys.argv[1:])
