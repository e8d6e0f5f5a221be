"""Train a digit classifier: the textbook path from arrays to the test accuracy of the best weights."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitedge import __version__
from digitedge.data.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.files import write_json
from digitedge.metrics import confusion, top1
from digitedge.training.augment import AugmentedBatches
from digitedge.training.callbacks import ProgressReport, RunRecorder
from digitedge.training.models import ARCHITECTURES
from digitedge.training.plan import Plan
from digitedge.training.plots import plot_confusion, plot_curves
from digitedge.training.run import BEST, METRICS, write_args

# Peak and end of the cnn's learning rate, and AdamW's decay: usual values, kept because 4 epochs with them gave 99.49 %
# on MNIST.
PEAK_RATE = 3e-3
WEIGHT_DECAY = 1e-2
WARMUP_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run reached; accuracies are shares from 0 to 1."""

    folder: Path
    best_epoch: int
    validation_accuracy: float
    accuracy_before: float
    test_accuracy: float


def train(
    plan: Plan,
    data: Dataset,
    *,
    data_name: str,
    folder: Path,
    data_path: str | None = None,
    tell: Callable[[str], None] = print,
) -> Outcome:
    """Train one model; the run folder is kept up to date epoch by epoch, so an interruption keeps the best so far.

    Args:
        plan: what to train and how.
        data: uint8 digits; the test half is only measured on, before and after.
        data_name: how the data set is called in args.json; "mnist" or "synthetic".
        data_path: where the user said it is, so that `export` looks there again; None for the usual places.
        folder: an empty run folder.
        tell: gets the model summary and the figures as lines of text.

    Returns:
        What was reached, measured with the best weights.

    Operations are made deterministic for the whole process, so that the same seed gives the same figures.

    Raises:
        InputError: an unknown architecture, or too few images to split.
    """
    model = _compiled_model(plan, len(data.x_train))
    model.summary(print_fn=lambda text, **_: tell(text))
    before = top1(probabilities(model, data.x_test), data.y_test)
    tell(f"Test accuracy before training: {100 * before:.4f}%")
    origin = {"data": data_name, "data_path": data_path, "data_sha256": data.sha256}
    write_args(folder, {"digitedge": __version__, **origin, "plan": asdict(plan)})
    recorder = _fit(model, plan, data, folder)
    return _judge(recorder, data, folder, before, tell)


def probabilities(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score images with a Keras model that takes 0 to 255: uint8 (N, 28, 28) -> float32 (N, 10)."""
    return np.asarray(model.predict(images[..., None].astype(np.float32), batch_size=250, verbose=0))  # (N, 28, 28, 1)


def _compiled_model(plan: Plan, images: int) -> keras.Model:
    if plan.architecture not in ARCHITECTURES:
        raise InputError(f"expected an architecture of {', '.join(ARCHITECTURES)}, got {plan.architecture!r}")
    if not 1 <= _training_count(plan, images) < images:
        raise InputError(f"{images} training images are too few for a validation split of {plan.validation_split}")
    keras.utils.set_random_seed(plan.seed)
    tf.config.experimental.enable_op_determinism()
    model = ARCHITECTURES[plan.architecture](plan.dropout)
    steps = plan.epochs * -(-_training_count(plan, images) // plan.batch_size)
    model.compile(optimizer=_optimizer(plan, steps), loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def _optimizer(plan: Plan, steps: int) -> Any:
    """The textbook's rmsprop, or AdamW whose rate rises shortly and falls to nothing, which quantizes well."""
    if plan.architecture == "mlp":
        return "rmsprop"
    warmup = max(1, round(WARMUP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=PEAK_RATE, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)


def _training_count(plan: Plan, images: int) -> int:
    """How many images train; the rest, from the end as Keras splits, validates."""
    return int(images * (1 - plan.validation_split))


def _fit(model: keras.Model, plan: Plan, data: Dataset, folder: Path) -> RunRecorder:
    recorder, report = RunRecorder(folder), ProgressReport(plan.epochs)
    cut = _training_count(plan, len(data.x_train))
    images, targets = data.x_train, keras.utils.to_categorical(data.y_train, 10)
    settings = {
        "epochs": plan.epochs,
        "validation_data": (_model_input(images[cut:]), targets[cut:]),
        "callbacks": [recorder, report],
        "verbose": 0,
    }
    try:
        if plan.augment:
            model.fit(
                AugmentedBatches(images[:cut], targets[:cut], batch_size=plan.batch_size, seed=plan.seed), **settings
            )
        else:
            model.fit(_model_input(images[:cut]), targets[:cut], batch_size=plan.batch_size, **settings)
    finally:
        report.close()
    return recorder


def _model_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images[..., None].astype(np.float32)  # (N, 28, 28, 1)


def _judge(recorder: RunRecorder, data: Dataset, folder: Path, before: float, tell: Callable[[str], None]) -> Outcome:
    """Load the best weights, measure them on the test images, and draw the pictures."""
    if recorder.best_epoch is None:
        raise ModelError("training ended without a single epoch; nothing to measure")
    scores = probabilities(keras.saving.load_model(folder / BEST, compile=False), data.x_test)
    outcome = Outcome(
        folder=folder,
        best_epoch=recorder.best_epoch + 1,
        validation_accuracy=recorder.best_accuracy,
        accuracy_before=before,
        test_accuracy=top1(scores, data.y_test),
    )
    figures = {key: value for key, value in asdict(outcome).items() if key != "folder"}
    write_json(folder / METRICS, {"schema": "digitedge.metrics/1", **figures})
    plot_curves(recorder.history, folder / "curves.png")
    plot_confusion(confusion(scores, data.y_test), folder / "confusion.png", title=f"{folder.name} on the test images")
    tell(f"Test accuracy: {100 * outcome.test_accuracy:.4f}%")
    return outcome
