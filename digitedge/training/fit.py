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
from digitedge.data.cuttings import NOTHING
from digitedge.data.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.files import write_json
from digitedge.metrics import confusion, top1
from digitedge.separation import Separation, separate
from digitedge.training.accuracy import DigitAccuracy
from digitedge.training.augment import AugmentedBatches
from digitedge.training.callbacks import ProgressReport, RunRecorder, save_keras
from digitedge.training.material import Material, divide
from digitedge.training.models import ARCHITECTURES
from digitedge.training.plan import Plan
from digitedge.training.plots import plot_confusion, plot_curves
from digitedge.training.run import BEST, METRICS, write_args
from digitedge.training.temperature import fit_temperature, fold_temperature

# Peak and end of the cnn's learning rate, and AdamW's decay: usual values, kept because 4 epochs with them gave 99.49 %
# on MNIST.
PEAK_RATE = 3e-3
WEIGHT_DECAY = 1e-2
WARMUP_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run reached; accuracies are shares from 0 to 1.

    Attributes:
        folder: the run folder.
        best_epoch: from 1, the one whose weights are kept.
        validation_accuracy: share of the validation digits that those weights read rightly.
        accuracy_before: on the test images, before training.
        test_accuracy: on the test images, with the kept weights.
        temperature: that the logits were divided by, so that confidence is honest; see `fit_temperature`.
        separation: of validation digits from what else is in the scenes that validate; None for a plan without scenes.
    """

    folder: Path
    best_epoch: int
    validation_accuracy: float
    accuracy_before: float
    test_accuracy: float
    temperature: float
    separation: Separation | None


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
    model = _seeded_model(plan, len(data.x_train))
    model.summary(print_fn=lambda text, **_: tell(text))
    before = top1(probabilities(model, data.x_test), data.y_test)
    tell(f"Test accuracy before training: {100 * before:.4f}%")
    origin = {"data": data_name, "data_path": data_path, "data_sha256": data.sha256}
    write_args(folder, {"digitedge": __version__, **origin, "plan": asdict(plan)})
    training, validation = divide(plan, data)
    recorder = _fit(model, plan, training, validation, folder)
    return _judge(recorder, validation, data, folder, before, tell)


def probabilities(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score images with a Keras model that takes 0 to 255: uint8 (N, 28, 28) -> float32 (N, 10)."""
    return np.asarray(model.predict(images[..., None].astype(np.float32), batch_size=250, verbose=0))  # (N, 28, 28, 1)


def _seeded_model(plan: Plan, images: int) -> keras.Model:
    if plan.architecture not in ARCHITECTURES:
        raise InputError(f"expected an architecture of {', '.join(ARCHITECTURES)}, got {plan.architecture!r}")
    if not 1 <= plan.training_count(images) < images:
        raise InputError(f"{images} training images are too few for a validation split of {plan.validation_split}")
    keras.utils.set_random_seed(plan.seed)
    tf.config.experimental.enable_op_determinism()
    return ARCHITECTURES[plan.architecture](plan.dropout)


def _optimizer(plan: Plan, steps: int) -> Any:
    """The textbook's rmsprop, or AdamW whose rate rises shortly and falls to nothing, which quantizes well."""
    if plan.architecture == "mlp":
        return "rmsprop"
    warmup = max(1, round(WARMUP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=PEAK_RATE, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)


def _fit(model: keras.Model, plan: Plan, training: Material, validation: Material, folder: Path) -> RunRecorder:
    recorder, report = RunRecorder(folder), ProgressReport(plan.epochs)
    steps = plan.epochs * -(-len(training.images) // plan.batch_size)
    metric = DigitAccuracy() if plan.scenes else "accuracy"
    model.compile(optimizer=_optimizer(plan, steps), loss="categorical_crossentropy", metrics=[metric])
    settings = {
        "epochs": plan.epochs,
        "validation_data": (_model_input(validation.images), validation.targets, validation.weights),
        "callbacks": [recorder, report],
        "verbose": 0,
    }
    try:
        if plan.augment:
            model.fit(AugmentedBatches(training, batch_size=plan.batch_size, seed=plan.seed), **settings)
        else:
            images, settings["sample_weight"] = _model_input(training.images), training.weights
            model.fit(images, training.targets, batch_size=plan.batch_size, **settings)
    finally:
        report.close()
    return recorder


def _model_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images[..., None].astype(np.float32)  # (N, 28, 28, 1)


def _judge(
    recorder: RunRecorder,
    validation: Material,
    data: Dataset,
    folder: Path,
    before: float,
    tell: Callable[[str], None],
) -> Outcome:
    """Load the best weights, measure them on the test images, and draw the pictures."""
    if recorder.best_epoch is None:
        raise ModelError("training ended without a single epoch; nothing to measure")
    best = keras.saving.load_model(folder / BEST, compile=False)
    temperature = _make_honest(best, validation)
    save_keras(best, folder / BEST)
    scores = probabilities(best, data.x_test)
    outcome = Outcome(
        folder=folder,
        best_epoch=recorder.best_epoch + 1,
        validation_accuracy=recorder.best_accuracy,
        accuracy_before=before,
        test_accuracy=top1(scores, data.y_test),
        temperature=temperature,
        separation=separate(probabilities(best, validation.images), validation.digits),
    )
    figures = {key: value for key, value in asdict(outcome).items() if key != "folder"}
    write_json(folder / METRICS, {"schema": "digitedge.metrics/1", **figures})
    plot_curves(recorder.history, folder / "curves.png")
    plot_confusion(confusion(scores, data.y_test), folder / "confusion.png", title=f"{folder.name} on the test images")
    if outcome.separation is not None:
        tell(
            f"Validation: 99 of 100 digits reach a confidence of {outcome.separation.threshold:.2f}, and so do "
            f"{outcome.separation.accepted:.2%} of {outcome.separation.others} marks that are none"
        )
    tell(f"Temperature: {temperature:.3f}")
    tell(f"Test accuracy: {100 * outcome.test_accuracy:.4f}%")
    return outcome


def _make_honest(model: keras.Model, validation: Material) -> float:
    """Fold the temperature of the digits that validate into a model, and return it."""
    digits = validation.digits
    there = digits != NOTHING
    temperature = fit_temperature(probabilities(model, validation.images[there]), digits[there])
    fold_temperature(model, temperature)
    return temperature
