"""The search that chose `cnn` and `small`: accuracy, robustness, size, MACs and latency of networks; `make search`.

Trains every candidate for a few epochs on a part of MNIST's training images, and evaluates its int8 file on others of
them, clean and under the seen corruptions; the test images are not used. Names of candidates on the command line
restrict it to those. See docs/decisions/architectures.md.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from digitedge.bundle.recipe import RECIPES
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import number_crops
from digitedge.datasets.load import load_dataset
from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.evaluation.robustness import mean_error, measure_robustness
from digitedge.exporting.calibration import calibration_indices
from digitedge.exporting.tflite import convert_tflite
from digitedge.metrics.classification import top1
from digitedge.runtime import load_classifier
from digitedge.training.architectures import (
    ARCHITECTURES,
    CNN_BLOCKS,
    SMALL_BLOCKS,
    Architecture,
    Block,
    build_convolutional,
    count_macs,
)
from digitedge.training.keras_io import load_keras
from digitedge.training.run_folder import BEST
from digitedge.training.train import train

TRAINING_IMAGES = 20_000
EVALUATION_IMAGES = 5_000
CORRUPTED_IMAGES = 1_000
EPOCHS = 5
SCENES = 200

B = Block
CANDIDATES: dict[str, Sequence[Block]] = {
    # at most 80 kB in int8
    "pairs": (B(16), B(16), B(32, pooled=True), B(32), B(48, pooled=True), B(48)),
    "stride": (B(32, 5, 2), B(32), B(48, stride=2), B(48), B(48)),
    "wide": (B(24), B(24, pooled=True), B(24), B(48, pooled=True), B(48), B(48)),
    "cnn": CNN_BLOCKS,
    # at most 24 kB in int8 and 1.3 million MACs
    "stride, small": (B(16, 5, 2), B(16), B(32, stride=2), B(32)),
    "pooled, small": (B(8), B(16, pooled=True), B(24, pooled=True), B(32)),
    "stride and separable, small": (
        B(16, 5, 2),
        B(16),
        B(32, stride=2),
        B(32, 5, separable=True),
        B(64, 5, separable=True),
    ),
    "separable, small": (
        B(16, 5, 2),
        B(24, 5, separable=True),
        B(32, 5, separable=True),
        B(48, 5, 2, separable=True),
        B(48, 5, separable=True),
        B(64, 5, separable=True),
    ),
    "small": SMALL_BLOCKS,
}


def main(names: Sequence[str]) -> None:
    """Print a table, a row as soon as a candidate is done."""
    unknown = set(names) - set(CANDIDATES)
    if unknown:
        sys.exit(f"error: expected candidates of {', '.join(CANDIDATES)}, got {', '.join(unknown)}")
    _, data = load_dataset()
    data = held_out(data)
    print(f"{TRAINING_IMAGES} training images, {SCENES} scenes, {EPOCHS} epochs; int8 on {EVALUATION_IMAGES} others\n")
    print("| network | kB | thousand parameters | million MACs | us an image | top-1 | top-1 corrupted |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in names or CANDIDATES:
        print(f"| {name} | {' | '.join(measure(name, CANDIDATES[name], data))} |", flush=True)


def held_out(data: Dataset) -> Dataset:
    """Return training images only: the last of them replace the test images."""
    x, y = data.x_train, data.y_train
    return Dataset(x[:TRAINING_IMAGES], y[:TRAINING_IMAGES], x[-EVALUATION_IMAGES:], y[-EVALUATION_IMAGES:])


def measure(name: str, blocks: Sequence[Block], data: Dataset) -> list[str]:
    """Train and convert one candidate, and return its row of the table."""
    config = replace(ARCHITECTURES["cnn"].defaults, architecture="candidate", epochs=EPOCHS, scenes=SCENES)
    ARCHITECTURES["candidate"] = Architecture(partial(build_convolutional, "candidate", blocks), config)
    with tempfile.TemporaryDirectory() as folder:
        train(config, data, data_name="mnist", folder=Path(folder), log=lambda _: None)
        model = load_keras(Path(folder) / BEST)
        file = Path(folder) / "model_int8.tflite"
        calibration = data.x_train[calibration_indices(data.y_train)]
        file.write_bytes(convert_tflite(model, RECIPES["int8"], calibration))
        classifier, size = load_classifier(file), file.stat().st_size
    chosen = number_crops("", data.x_test, data.y_test).subset(CORRUPTED_IMAGES)
    seen = [kind for kind in CORRUPTIONS if not kind.unseen]
    errors = measure_robustness({name: classifier}, chosen, corruptions=seen)[name]
    latencies = []
    for index in range(2000):
        started = time.perf_counter()
        classifier.probabilities(data.x_test[index : index + 1])
        latencies.append(time.perf_counter() - started)
    return [
        f"{size / 1000:.1f}",
        f"{model.count_params() / 1000:.1f}",
        f"{count_macs(model) / 1e6:.2f}",
        f"{1e6 * float(np.median(latencies)):.0f}",
        f"{top1(classifier.probabilities(data.x_test), data.y_test):.2%}",
        f"{1 - (mean_error(errors, unseen=False) or 0):.2%}",
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
