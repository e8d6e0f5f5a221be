"""Train a digit classifier: from arrays to the test accuracy of the best weights."""

import shutil
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset, images_sha256
from digitedge.datasets.own_digits import OwnDigits
from digitedge.errors import DataError, InputError, ModelError
from digitedge.metrics.classification import confusion_matrix, top1
from digitedge.metrics.ood import NON_DIGIT, OodResult, measure_ood
from digitedge.training.accuracy import DigitAccuracy
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.batches import Batches
from digitedge.training.callbacks import EpochSeeding, OwnAccuracy, ProgressReport, RunRecorder
from digitedge.training.checkpoint import Checkpoint, load_checkpoint
from digitedge.training.config import TrainConfig
from digitedge.training.devices import describe_device
from digitedge.training.distillation import DistillationLoss, Teacher
from digitedge.training.keras_io import load_keras, model_input, predict_probabilities, save_keras
from digitedge.training.optimizers import OPTIMIZERS, Purpose
from digitedge.training.own_hand import Figures, before_and_after, describe_own, describe_parent, mix_weights
from digitedge.training.plots import plot_confusion, plot_curves
from digitedge.training.run_folder import (
    BEST,
    CONFUSION,
    CURVES,
    METRICS,
    START,
    TEACHER,
    EpochRow,
    RunFolder,
    find_best_epoch,
    lock_run_folder,
    write_args,
)
from digitedge.training.temperature import fit_temperature, fold_temperature
from digitedge.training.training_data import NO_CROPS, TrainingData, make_training_data, validation_weights
from digitedge.utils.files import atomic_file, write_json
from digitedge.utils.tables import percent
from digitedge.utils.version import __version__

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """The result of a training; accuracies are shares from 0 to 1.

    Attributes:
        folder: the run folder.
        best_epoch: from 1, the epoch whose weights are in model.keras; those of a fine-tuning are mixed with its start.
        validation_accuracy: of those weights, on the validation digits.
        initial_test_accuracy: on the test images, before training.
        test_accuracy: on the test images, with the best weights.
        temperature: by which the logits were divided, see `fit_temperature`.
        ood: validation digits against validation non-digits; None without non-digits.
        initial_ood: the same before training.
        own_accuracy: on the user's held-out digits; None without any.
        initial_own_accuracy: the same before training.
    """

    folder: Path
    best_epoch: int
    validation_accuracy: float
    initial_test_accuracy: float
    test_accuracy: float
    temperature: float
    ood: OodResult | None
    initial_ood: OodResult | None
    own_accuracy: float | None
    initial_own_accuracy: float | None


def train(
    config: TrainConfig,
    data: Dataset,
    *,
    data_name: str,
    folder: Path,
    data_sources: list[str] | None = None,
    own: OwnDigits | None = None,
    non_digits: NDArray[np.uint8] = NO_CROPS,
    writers: Collection[str] = (),
    log: Log = print,
) -> TrainResult:
    """Train a model, keep the run folder up to date after each epoch, and return the figures of the best weights.

    Operations become deterministic for the whole process, so that the same seed gives the same figures.

    Args:
        config: the settings.
        data: the test images are only measured on, before and after.
        data_name: name of the data set in args.json: "mnist" or "synthetic".
        data_sources: the data as the user named it, for `export`; None for MNIST where it usually is.
        folder: an empty run folder.
        own: digits of the user, which fill `config.own_share` of each batch; or None.
        non_digits: uint8 (K, 28, 28), the user's own, which are trained on among them.
        writers: ids of all writers whose digits the model learns from, also through the start and the teacher.
        log: gets the model summary and the figures, line by line.

    Raises:
        InputError: unknown architecture, or too few images to split.
        ModelError: the start or the teacher cannot be used, or another process is training in this folder.
    """
    _check(config, data, own)
    models = {name: one for name, one in ((START, config.start), (TEACHER, config.teacher)) if one is not None}
    for source in models.values():
        Teacher(Path(source))  # refuses a model that cannot be one, under the user's name for it
    _build(
        config, None if config.start is None else Path(config.start)
    )  # refuses weights that do not fit, before anything is written or rendered
    for name, source in models.items():
        with atomic_file(folder / name) as draft:  # so that the run can be resumed without the original
            shutil.copyfile(source, draft)
    teacher = _load_teacher(config, folder)
    training, validation = make_training_data(config, data, own, non_digits)
    args = {
        "digitedge": __version__,
        "device": describe_device(),
        "data": data_name,
        "data_sources": data_sources,
        "data_sha256": data.sha256,
        "training_sha256": images_sha256(training.images),
        "writers": sorted(writers),
        "config": asdict(config),
    }
    if config.start is not None:
        args["parent"] = describe_parent(config.start, folder / START)
    if own is not None:
        args["own"] = describe_own(own, non_digits)
        _report_own(own, log)
    return _run(write_args(folder, args), teacher, training, validation, own, data, log)


def resume(
    run: RunFolder,
    data: Dataset,
    *,
    own: OwnDigits | None = None,
    non_digits: NDArray[np.uint8] = NO_CROPS,
    log: Log = print,
) -> TrainResult:
    """Resume an interrupted training after its last complete epoch.

    On the machine that began it, the result is bit-equal to that of an uninterrupted training: `last.keras` holds
    weights, optimizer and schedule; batches and dropout depend on seed, epoch and step alone. Another machine or
    version of TensorFlow rounds differently.

    Raises:
        DataError: another data set, other own digits, scenes that this version renders differently, or a damaged
            history.csv.
        ModelError: a damaged last.keras, or another process is training in this folder.
    """
    config = run.config
    began, device = run.args.get("device"), describe_device()
    if began not in (None, device):
        log(f"note: it began on {began}, now it is {device}: figures may differ from those without an interruption")
    _check(config, data, own)
    _check_hash(run, "data_sha256", data.sha256, "Give that data set: --data")
    if own is not None:
        _check_hash(run, "own", own.sha256, "The digits have changed since. Train again.")
    training, validation = make_training_data(config, data, own, non_digits)
    training_sha256 = images_sha256(training.images)
    _check_hash(run, "training_sha256", training_sha256, "This version renders scenes differently. Train again.")
    return _run(run, _load_teacher(config, run.path), training, validation, own, data, log)


def _check(config: TrainConfig, data: Dataset, own: OwnDigits | None) -> None:
    if config.architecture not in ARCHITECTURES:
        raise InputError(f"expected an architecture of {', '.join(ARCHITECTURES)}, got {config.architecture!r}")
    images = len(data.x_train)
    if not 1 <= config.training_count(images) < images:
        raise InputError(f"{images} training images are too few for a validation split of {config.validation_split}")
    if (own is not None) != (config.own_share > 0):
        got = f"{'no ' if own is None else ''}own digits and a share of {config.own_share}"
        raise InputError(f"expected own digits and a share of each batch above 0, or neither, got {got}")
    if own is not None and not len(own.training):
        raise InputError("expected own digits to train on, got none. Collect some.")


def _report_own(own: OwnDigits, log: Log) -> None:
    """Say how many own digits there are, how they are split, and of which digits there is none."""
    log(f"Own digits: {len(own.training)} to train on, {len(own.held_out)} held out; {own.split}")
    if own.missing:
        log(f"Own digits: none to train on of {', '.join(map(str, own.missing))}; these stay as the model knows them")


def _check_hash(run: RunFolder, name: str, found: str, advice: str) -> None:
    expected = run.args.get(name)
    if isinstance(expected, dict):
        expected = expected.get("sha256")
    if expected not in (None, found):
        raise DataError(
            f"{run.path}: expected the images that it began with, {name} {expected:.8}, got {found:.8}. {advice}"
        )


def _run(
    run: RunFolder,
    teacher: Teacher | None,
    training: TrainingData,
    validation: TrainingData,
    own: OwnDigits | None,
    data: Dataset,
    log: Log,
) -> TrainResult:
    """Train from the checkpoint of the run folder to the last epoch, and evaluate the best weights."""
    config = run.config
    with lock_run_folder(run.path):
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        model = _build(config, None if config.start is None else run.path / START)
        summary: list[str] = []
        model.summary(print_fn=lambda text, **_: summary.extend(text.splitlines()))
        for line in summary:
            log(line)
        initial = _measure(model, data, validation, own)
        log(f"Test accuracy before training: {percent(initial.test_accuracy, decimals=4)}")
        batches = Batches(training, config, teacher=teacher)
        checkpoint = load_checkpoint(run.path, config.epochs, len(batches))
        if checkpoint is None:
            _compile(model, config, len(batches))
            checkpoint = Checkpoint(model, [])
        else:
            log(f"Resuming after epoch {checkpoint.epoch} of {config.epochs}")
        history = _train_epochs(checkpoint, run.path, batches, validation, own, config)
        return _evaluate(history, validation, own, data, run, initial, log)


def _load_teacher(config: TrainConfig, folder: Path) -> Teacher | None:
    """Load the copy of the teacher in a run folder; a model that is fine-tuned without a teacher is its own."""
    if config.teacher is not None:
        return Teacher(folder / TEACHER)
    return None if config.start is None else Teacher(folder / START)


def _build(config: TrainConfig, start: Path | None) -> keras.Model:
    """Build the model with new weights, or with those of the .keras file `start`.

    Raises:
        ModelError: that one has other layers.
    """
    model = ARCHITECTURES[config.architecture].build(config.dropout)
    if start is not None:
        weights = load_keras(start).get_weights()
        if [one.shape for one in weights] != [one.shape for one in model.get_weights()]:
            raise ModelError(
                f"{config.start}: expected the layers of {config.architecture}, got others. Give its own architecture."
            )
        model.set_weights(weights)
    return model


def _compile(model: keras.Model, config: TrainConfig, steps: int) -> None:
    loss: Any = "categorical_crossentropy"
    if config.start or config.teacher:
        loss = DistillationLoss(config.teacher_weight, config.teacher_temperature)
    optimizer = OPTIMIZERS[config.optimizer](config.epochs * steps, config.purpose)
    model.compile(optimizer=optimizer, loss=loss, metrics=[DigitAccuracy()])
    model.optimizer.build(model.trainable_variables)  # else TensorFlow traces the first step twice


def _train_epochs(
    checkpoint: Checkpoint,
    folder: Path,
    batches: Batches,
    validation: TrainingData,
    own: OwnDigits | None,
    config: TrainConfig,
) -> list[EpochRow]:
    """Train the remaining epochs, and return the history of all."""
    start = None if config.start is None else load_keras(folder / START).get_weights()
    recorder = RunRecorder(folder, checkpoint.history, start=start, purpose=config.purpose)
    if recorder.is_exhausted():  # it was interrupted after it had stopped early
        return recorder.history
    report = ProgressReport(config.epochs, checkpoint.epoch)
    own_accuracy = [OwnAccuracy(model_input(own.held_out.crops), own.held_out.labels)] if own and own.held_out else []
    try:
        checkpoint.model.fit(
            batches,
            shuffle=False,  # or Keras draws the order of the batches from Python's global state
            initial_epoch=checkpoint.epoch,
            epochs=config.epochs,
            validation_data=(model_input(validation.images), validation.targets, validation_weights(validation)),
            callbacks=[EpochSeeding(batches, seed=config.seed), *own_accuracy, recorder, report],
            verbose=0,
        )
    finally:
        report.close()
    return recorder.history


def _measure(model: keras.Model, data: Dataset, validation: TrainingData, own: OwnDigits | None) -> Figures:
    """Measure a model on the test images, held-out own digits and validation non-digits."""
    others, held_out = validation.without_own(), own.held_out if own else None
    return Figures(
        test_counts=confusion_matrix(predict_probabilities(model, data.x_test), data.y_test),
        own_accuracy=top1(predict_probabilities(model, held_out.crops), held_out.labels) if held_out else None,
        ood=measure_ood(predict_probabilities(model, others.images), others.labels),
    )


def _evaluate(
    history: list[EpochRow],
    validation: TrainingData,
    own: OwnDigits | None,
    data: Dataset,
    run: RunFolder,
    initial: Figures,
    log: Log,
) -> TrainResult:
    """Calibrate the best weights, evaluate them, and write model.keras, the plots and metrics.json."""
    folder = run.path
    best = find_best_epoch(history, run.config.purpose)
    model = keras.saving.load_model(folder / BEST, compile=False)
    if own is not None:
        share = mix_weights(model, load_keras(folder / START).get_weights(), own.training)
        log(f"Mean of {share:.0%} new and {1 - share:.0%} old weights: so much the hand needs")
    others = validation.without_own()
    digits = others.labels != NON_DIGIT
    uncalibrated = predict_probabilities(model, others.images[digits])
    temperature = fit_temperature(uncalibrated, others.labels[digits])
    fold_temperature(model, temperature)
    final = _measure(model, data, validation, own)
    result = TrainResult(
        folder=folder,
        best_epoch=int(best["epoch"]),
        validation_accuracy=top1(uncalibrated, others.labels[digits]) if run.config.start else best["val_accuracy"],
        initial_test_accuracy=initial.test_accuracy,
        test_accuracy=final.test_accuracy,
        temperature=temperature,
        ood=final.ood,
        initial_ood=initial.ood,
        own_accuracy=final.own_accuracy,
        initial_own_accuracy=initial.own_accuracy,
    )
    plot_curves(history, folder / CURVES)
    plot_confusion(final.test_counts, folder / CONFUSION, title=f"{folder.name} on the test images")
    save_keras(model, folder / BEST)
    figures = {key: value for key, value in asdict(result).items() if key != "folder"}
    write_json(folder / METRICS, {"schema": "digitedge.metrics/1", **figures})  # last: the run is finished
    if run.config.purpose is Purpose.OWN_DIGITS:
        table = before_and_after(initial, final, held_out=len(own.held_out) if own else 0)
        for line in table.text().splitlines():
            log(line)
    if result.ood is not None:
        log(
            f"Validation: 99 % of the digits reach a confidence of {result.ood.threshold_at_99_tpr:.2f}, and so do "
            f"{percent(result.ood.fpr_at_99_tpr)} of {result.ood.non_digits} non-digits"
        )
    log(f"Temperature: {temperature:.3f}")
    log(f"Test accuracy: {percent(result.test_accuracy, decimals=4)}")
    return result
