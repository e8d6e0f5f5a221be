"""What each transform of the augmentation is worth: trains `small` with all of them, and without each in turn.

Prints the error on clean digits and under seen and unseen corruptions, and the FPR at 99 % TPR on non-digits. Evaluates
on training images that are not trained on; the test images are not used. Takes about a quarter of an hour:
`make ablation`. Names of transforms on the command line restrict it to those. See docs/decisions/augmentation.md.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import number_crops
from digitedge.datasets.load import load_dataset
from digitedge.datasets.non_digits import make_non_digits
from digitedge.evaluation.classifier import evaluate_classifiers
from digitedge.runtime import load_classifier
from digitedge.runtime.adapter import CONTRACT
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.config import ALL_TRANSFORMS
from digitedge.training.run_folder import BEST
from digitedge.training.train import train

TRAINING_IMAGES = 20_000
EVALUATION_IMAGES = 5_000
CORRUPTED_IMAGES = 1_000
EPOCHS = 4
SCENES = 200
NON_DIGIT_SCENES = 50
HEADS = ("clean", "seen corruptions", "unseen corruptions", "FPR at 99 % TPR")


def main(names: Sequence[str]) -> None:
    """Print a table, a row as soon as a transform is done."""
    unknown = set(names) - set(ALL_TRANSFORMS)
    if unknown:
        sys.exit(f"error: expected transforms of {', '.join(ALL_TRANSFORMS)}, got {', '.join(unknown)}")
    _, data = load_dataset()
    x, y = data.x_train, data.y_train
    data = Dataset(x[:TRAINING_IMAGES], y[:TRAINING_IMAGES], x[-EVALUATION_IMAGES:], y[-EVALUATION_IMAGES:])
    print(f"small: {TRAINING_IMAGES} images, {SCENES} scenes, {EPOCHS} epochs; % of {EVALUATION_IMAGES} others\n")
    print(f"| without | {' | '.join(HEADS)} |\n| --- |{' ---: |' * len(HEADS)}")
    for without in ["(nothing)", *(names or ALL_TRANSFORMS)]:
        print(f"| {without} | {' | '.join(f'{100 * figure:.2f}' for figure in measure(without, data))} |", flush=True)


def measure(without: str, data: Dataset) -> list[float]:
    """Train without one transform, and evaluate: shares from 0 to 1, in the order of HEADS."""
    transforms = tuple(name for name in ALL_TRANSFORMS if name != without)
    config = replace(ARCHITECTURES["small"].defaults, epochs=EPOCHS, scenes=SCENES, augment=transforms)
    with tempfile.TemporaryDirectory() as folder:
        train(config, data, data_name="mnist", folder=Path(folder), log=lambda _: None)
        classifier = load_classifier(Path(folder) / BEST, adapter=CONTRACT)
    digits = number_crops("", data.x_test, data.y_test)
    evaluation = evaluate_classifiers(
        {"small": classifier},
        digits,
        corrupted=digits.subset(CORRUPTED_IMAGES),
        non_digits=make_non_digits(NON_DIGIT_SCENES),
    )["small"]
    return [
        1 - evaluation.top1,
        evaluation.seen_corruption_error or 0.0,
        evaluation.unseen_corruption_error or 0.0,
        evaluation.mean_fpr_at_99_tpr or 0.0,
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
