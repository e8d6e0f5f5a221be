"""The search that chose `cnn` and `small`: accuracy, robustness, size, MACs and latency of networks; `make search`.

Trains every candidate for a few epochs on a part of MNIST's training images, and evaluates its int8 file on others of
them, clean and under the seen corruptions; the test images are not used. Names of candidates on the command line
restrict it to those. See docs/decisions/architectures.md.

Candidates that were measured with these settings, by the same source and TensorFlow, are kept in runs/search. With
`--scheduler` others are trained on a Dask cluster whose workers share this folder; see docs/guide/cluster.md.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import digitedge
from digitedge.bundle.recipe import RECIPES
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import number_crops
from digitedge.datasets.load import load_dataset
from digitedge.engines.scripts import Script, run_scripts
from digitedge.errors import DigitEdgeError
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
from digitedge.training.config import TrainConfig
from digitedge.training.keras_io import load_keras
from digitedge.training.run_folder import BEST
from digitedge.training.train import train
from digitedge.utils.files import write_json
from digitedge.utils.version import __version__

TRAINING_IMAGES = 20_000
EVALUATION_IMAGES = 5_000
CORRUPTED_IMAGES = 1_000
EPOCHS = 5
SCENES = 200
FOLDER = Path("runs/search")
PACKAGE = Path(digitedge.__file__).parent
INT8 = "model_int8.tflite"
FIGURES = "figures.json"

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


def main() -> None:
    """Print a row as soon as a candidate is done, and in the end the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"candidates, of {', '.join(CANDIDATES)}; default: all")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="train on the workers of a Dask cluster")
    parser.add_argument("--measure", metavar="NAME", help="train one candidate, here, and write its files")
    options = parser.parse_args()
    if unknown := {*options.names, *filter(None, [options.measure])} - set(CANDIDATES):
        parser.error(f"expected candidates of {', '.join(CANDIDATES)}, got {', '.join(unknown)}")
    _, data = load_dataset()
    data = held_out(data)
    if options.measure is not None:
        measure(options.measure, data)
        return
    failures = train_all(options.names or list(CANDIDATES), data, options.scheduler)
    print(f"{TRAINING_IMAGES} training images, {SCENES} scenes, {EPOCHS} epochs; int8 on {EVALUATION_IMAGES} others\n")
    print("| network | kB | thousand parameters | million MACs | us an image | top-1 | top-1 corrupted |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in options.names or CANDIDATES:
        figures = read_figures(name, data)
        print(f"| {name} | {failures.get(name, 'not measured') if figures is None else row(name, figures, data)} |")
    if failures:
        sys.exit(f"error: {len(failures)} candidates failed: {', '.join(failures)}")


def train_all(names: Sequence[str], data: Dataset, scheduler: str | None) -> dict[str, str]:
    """Train and measure the candidates that have no files of these settings; returns why some could not be."""
    failures: dict[str, str] = {}

    def report(script: Script, failure: str | None) -> None:
        figures = None if failure else read_figures(script.name, data)
        if figures is None:
            failures[script.name] = failure or "its worker has another digitedge or TensorFlow"
        print(f"{script.name}: {failures.get(script.name) or figures}", file=sys.stderr, flush=True)

    todo = []
    for name in names:
        if read_figures(name, data) is None:
            log = folder_of(name).with_suffix(".log")
            todo.append(Script(name, ("tests/experiments/architectures.py", "--measure", name), log))
        else:
            print(f"{name}: as measured before; to measure again, remove {folder_of(name)}", file=sys.stderr)
    run_scripts(todo, scheduler=scheduler, log=partial(print, file=sys.stderr, flush=True), on_done=report)
    return failures


def folder_of(name: str) -> Path:
    """Folder with the int8 file and the figures of a candidate."""
    return FOLDER / name.replace(",", "").replace(" ", "-")


def settings(name: str, data: Dataset) -> dict[str, Any]:
    """What the figures of a candidate depend on."""
    return {
        "blocks": [asdict(block) for block in CANDIDATES[name]],
        "config": asdict(config_of()),
        "corrupted": CORRUPTED_IMAGES,
        "data": data.sha256,
        "source": source_sha256(),
        "versions": [__version__, version("tensorflow")],
    }


def source_sha256() -> str:
    """Hash the code of digitedge: an edit of the augmentation, say, makes other networks."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def config_of() -> TrainConfig:
    """The train config of all candidates."""
    return replace(ARCHITECTURES["cnn"].defaults, architecture="candidate", epochs=EPOCHS, scenes=SCENES)


def read_figures(name: str, data: Dataset) -> dict[str, float] | None:
    """Figures of a candidate that was measured with these settings, or None."""
    path = folder_of(name) / FIGURES
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    figures: dict[str, float] = content["figures"]
    return figures if content["settings"] == json.loads(json.dumps(settings(name, data))) else None


def held_out(data: Dataset) -> Dataset:
    """Return training images only: the last of them replace the test images."""
    x, y = data.x_train, data.y_train
    return Dataset(x[:TRAINING_IMAGES], y[:TRAINING_IMAGES], x[-EVALUATION_IMAGES:], y[-EVALUATION_IMAGES:])


def measure(name: str, data: Dataset) -> None:
    """Train and convert one candidate, and write its int8 file and the figures."""
    ARCHITECTURES["candidate"] = Architecture(partial(build_convolutional, "candidate", CANDIDATES[name]), config_of())
    target = folder_of(name)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        train(config_of(), data, data_name="mnist", folder=Path(folder), log=print)
        model = load_keras(Path(folder) / BEST)
    calibration = data.x_train[calibration_indices(data.y_train)]
    (target / INT8).write_bytes(convert_tflite(model, RECIPES["int8"], calibration))
    classifier = load_classifier(target / INT8)
    chosen = number_crops("", data.x_test, data.y_test).subset(CORRUPTED_IMAGES)
    seen = [kind for kind in CORRUPTIONS if not kind.unseen]
    errors = measure_robustness({name: classifier}, chosen, corruptions=seen)[name]
    figures = {
        "bytes": (target / INT8).stat().st_size,
        "parameters": model.count_params(),
        "macs": count_macs(model),
        "top1": top1(classifier.probabilities(data.x_test), data.y_test),
        "top1_corrupted": 1 - (mean_error(errors, unseen=False) or 0),
    }
    write_json(target / FIGURES, {"settings": settings(name, data), "figures": figures})


def row(name: str, figures: dict[str, float], data: Dataset) -> str:
    """Cells of the table; the latency is measured here, for all candidates on one machine that does nothing else."""
    classifier = load_classifier(folder_of(name) / INT8)
    latencies = []
    for index in range(2000):
        started = time.perf_counter()
        classifier.probabilities(data.x_test[index : index + 1])
        latencies.append(time.perf_counter() - started)
    cells = [
        f"{figures['bytes'] / 1000:.1f}",
        f"{figures['parameters'] / 1000:.1f}",
        f"{figures['macs'] / 1e6:.2f}",
        f"{1e6 * float(np.median(latencies)):.0f}",
        f"{figures['top1']:.2%}",
        f"{figures['top1_corrupted']:.2%}",
    ]
    return " | ".join(cells)


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
    except KeyboardInterrupt:
        sys.exit(130)
