"""What each transform of the augmentation is worth: the `small` net trained with all of them, and without each in turn.

Judged on training images that were not trained on; the test images are not looked at. Prints error on clean digits and
under the kinds of damage that training knows relatives of, those that it does not, and what of non-digits is accepted.
A run takes about two minutes, and two seeds are trained of each; `make ablation`.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitedge.data.dataset import Dataset
from digitedge.data.digit_set import numbered
from digitedge.data.load import load_dataset
from digitedge.data.non_digits import non_digits
from digitedge.examination import examine
from digitedge.exporting.reference import KerasClassifier
from digitedge.training.fit import train
from digitedge.training.keras_file import load_keras
from digitedge.training.plan import CAMERA, DEFAULT_PLANS
from digitedge.training.run import BEST

TRAINED_ON, JUDGED_ON, DAMAGED, SCENES = 30_000, 5_000, 1_000, 50
EPOCHS = 8
SEEDS = (0, 1)
HEADS = ("clean", "damage with relatives", "unseen damage", "non-digits accepted")


def main(names: Sequence[str]) -> None:
    """Print a table, a line when a transform is done; names on the command line measure only those."""
    _, data = load_dataset(None)
    x, y = data.x_train, data.y_train
    data = Dataset(x[:TRAINED_ON], y[:TRAINED_ON], x[-JUDGED_ON:], y[-JUDGED_ON:])
    print(f"small, {EPOCHS} epochs on {TRAINED_ON} training images and {DEFAULT_PLANS['small'].scenes} scenes;")
    print(f"errors in % on {JUDGED_ON} others, mean of seeds {', '.join(map(str, SEEDS))}\n")
    print(f"| without | {' | '.join(HEADS)} |\n| --- |{' ---: |' * len(HEADS)}")
    for without in ["(nothing)", *(names or CAMERA)]:
        figures = np.mean([measure(without, data, seed) for seed in SEEDS], axis=0)
        print(f"| {without} | {' | '.join(f'{100 * figure:.2f}' for figure in figures)} |", flush=True)


def measure(without: str, data: Dataset, seed: int) -> list[float]:
    """Train without one transform, and examine what came out: shares from 0 to 1, in the order of HEADS."""
    transforms = tuple(name for name in CAMERA if name != without)
    plan = replace(DEFAULT_PLANS["small"], epochs=EPOCHS, augment=transforms, seed=seed, dropout=0)
    with tempfile.TemporaryDirectory() as folder:
        train(plan, data, data_name="mnist", folder=Path(folder), tell=lambda _: None)
        classifier = KerasClassifier(load_keras(Path(folder) / BEST), Path(folder) / BEST)
    digits = numbered("", data.x_test, data.y_test)
    one = examine({"": classifier}, digits, damaged=digits.subset(DAMAGED), non_digits=non_digits(SCENES))[""]
    return [1 - one.top1, one.seen_error or 0.0, one.unseen_error or 0.0, one.accepted or 0.0]


if __name__ == "__main__":
    main(sys.argv[1:])
