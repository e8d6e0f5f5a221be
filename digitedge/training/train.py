"""Train a digit classifier: the textbook path from arrays to the test accuracy of the best weights."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitedge import __version__
from digitedge.datasets.dataset import Dataset, images_sha256
from digitedge.errors import DataError, InputError, ModelError
from digitedge.metrics.classification import confusion, top1
from digitedge.metrics.ood import NOTHING, Separation, separate
from digitedge.training.accuracy import DigitAccuracy
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.batches import Batches
from digitedge.training.callbacks import EpochStart, ProgressReport, RunRecorder
from digitedge.training.checkpoint import Progress, pick_up
from digitedge.training.config import Plan
from digitedge.training.distillation import DistillationLoss, Teacher
from digitedge.training.keras_io import save_keras
from digitedge.training.plots import plot_confusion, plot_curves
from digitedge.training.run_folder import BEST, METRICS, TEACHER, Run, held, remove_drafts, write_args
from digitedge.training.temperature import fit_temperature, fold_temperature
from digitedge.training.training_data import Material, divide
from digitedge.utils.files import atomic_file, write_json

# Peak of the learning rate: a net of 13 thousand parameters, 5 epochs on 50,000 images, failed on 3.5 % of damaged
# held-out training images at 3e-3 and on 3.1 % at 6e-3, and did as well on clean ones. (One seed; the first saw 65 %
# of the digits spoiled, the second 50 %, so not all of it is the rate's.) The decay is a usual value.
PEAK_RATE = 6e-3
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
    log: Callable[[str], None] = print,
) -> Outcome:
    """Train one model; the run folder is kept up to date epoch by epoch, so an interruption keeps the best so far.

    Args:
        plan: what to train and how.
        data: uint8 digits; the test half is only measured on, before and after.
        data_name: how the data set is called in args.json; "mnist" or "synthetic".
        data_path: where the user said it is, so that `export` looks there again; None for the usual places.
        folder: an empty run folder.
        log: gets the model summary and the figures as lines of text.

    Returns:
        What was reached, measured with the best weights.

    Operations are made deterministic for the whole process, so that the same seed gives the same figures.

    Raises:
        InputError: an unknown architecture, or too few images to split.
        ModelError: a teacher that cannot be one, or another training in this folder.
    """
    _check(plan, len(data.x_train))
    if plan.teacher is not None:
        Teacher(Path(plan.teacher))
        with atomic_file(folder / TEACHER) as draft:  # the run stays whole when the teacher is gone
            shutil.copyfile(plan.teacher, draft)
    training, validation = divide(plan, data)
    origin = {"data": data_name, "data_path": data_path, "data_sha256": data.sha256}
    trained_on = {"training_sha256": images_sha256(training.images)}
    run = write_args(folder, {"digitedge": __version__, **origin, **trained_on, "plan": asdict(plan)})
    return _carry_out(run, training, validation, data, log)


def resume(run: Run, data: Dataset, *, log: Callable[[str], None] = print) -> Outcome:
    """Go on with a training that was interrupted at any moment, from its last whole epoch to the end of its plan.

    On the machine that began it, everything comes out bit for bit as without the interruption: `last.keras` holds the
    weights and the optimizer with its place in the schedule; what is in a batch and what is dropped depend on seed,
    epoch and step alone. Another machine, or another version of TensorFlow, rounds otherwise.

    Args:
        run: from `interrupted_run`.
        data: the data set that it began with.
        log: as in `train`.

    Raises:
        DataError: another data set, or scenes that this version renders otherwise; or a damaged history.csv.
        ModelError: a damaged last.keras, or another process that is training in this folder.
    """
    plan = run.plan
    _check(plan, len(data.x_train))
    _check_hash(run, "data_sha256", data.sha256, "Give the data set that it began with: --data")
    training, validation = divide(plan, data)
    _check_hash(
        run, "training_sha256", images_sha256(training.images), "Scenes are rendered otherwise now; train anew."
    )
    return _carry_out(run, training, validation, data, log)


def probabilities(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score images with a Keras model that takes 0 to 255: uint8 (N, 28, 28) -> float32 (N, 10)."""
    return np.asarray(model.predict(images[..., None].astype(np.float32), batch_size=250, verbose=0))  # (N, 28, 28, 1)


def _check(plan: Plan, images: int) -> None:
    if plan.architecture not in ARCHITECTURES:
        raise InputError(f"expected an architecture of {', '.join(ARCHITECTURES)}, got {plan.architecture!r}")
    if not 1 <= plan.training_count(images) < images:
        raise InputError(f"{images} training images are too few for a validation split of {plan.validation_split}")


def _check_hash(run: Run, name: str, found: str, advice: str) -> None:
    """Refuse images that are not those a run began with."""
    if run.args.get(name) not in (None, found):
        raise DataError(f"{run.path}: began with other images ({name} {run.args[name]:.8}, now {found:.8}). {advice}")


def _carry_out(
    run: Run, training: Material, validation: Material, data: Dataset, log: Callable[[str], None]
) -> Outcome:
    """Train from where the run folder stands to the end of the plan, and measure what came out."""
    plan = run.plan
    with held(run.path):
        remove_drafts(run.path)
        keras.utils.set_random_seed(plan.seed)
        tf.config.experimental.enable_op_determinism()
        model = ARCHITECTURES[plan.architecture](plan.dropout)
        model.summary(print_fn=lambda text, **_: log(text))
        before = top1(probabilities(model, data.x_test), data.y_test)
        log(f"Test accuracy before training: {100 * before:.4f}%")
        steps = -(-len(training.images) // plan.batch_size)
        progress = pick_up(run.path, plan.epochs, steps)
        if progress is None:
            _compile(model, plan, steps)
            progress = Progress(model, [])
        else:
            log(f"Going on after epoch {progress.epoch} of {plan.epochs}")
        recorder = _fit(progress, run, training, validation)
        return _judge(recorder, validation, data, run.path, before, log)


def _compile(model: keras.Model, plan: Plan, steps: int) -> None:
    """Give a model its optimizer, loss and metric; `steps` are those of an epoch."""
    loss: Any = "categorical_crossentropy"
    if plan.teacher is not None:
        loss = DistillationLoss(plan.teacher_share, plan.teacher_temperature)
    model.compile(optimizer=_optimizer(plan, plan.epochs * steps), loss=loss, metrics=[DigitAccuracy()])
    model.optimizer.build(model.trainable_variables)  # else TensorFlow traces the first step twice


def _optimizer(plan: Plan, steps: int) -> Any:
    """The textbook's rmsprop, or AdamW whose rate rises shortly and falls to nothing, which quantizes well."""
    if plan.architecture == "mlp":
        return "rmsprop"
    warmup = max(1, round(WARMUP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=PEAK_RATE, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)


def _fit(progress: Progress, run: Run, training: Material, validation: Material) -> RunRecorder:
    """Train the epochs that are left."""
    plan = run.plan
    teacher = None if plan.teacher is None else Teacher(run.path / TEACHER)
    batches = Batches(training, plan, teacher=teacher)
    recorder, report = RunRecorder(run.path, progress.history), ProgressReport(plan.epochs, progress.epoch)
    try:
        progress.model.fit(
            batches,
            shuffle=False,  # or Keras draws the order of the batches from Python's global state
            initial_epoch=progress.epoch,
            epochs=plan.epochs,
            validation_data=(_model_input(validation.images), validation.targets, validation.weights),
            callbacks=[EpochStart(batches, seed=plan.seed), recorder, report],
            verbose=0,
        )
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
    log: Callable[[str], None],
) -> Outcome:
    """Load the best weights, measure them on the test images, and draw the images."""
    if recorder.best_epoch is None:
        raise ModelError("training ended without a single epoch; nothing to measure")
    best = keras.saving.load_model(folder / BEST, compile=False)
    temperature = _make_honest(best, validation)
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
    plot_curves(recorder.history, folder / "curves.png")
    plot_confusion(confusion(scores, data.y_test), folder / "confusion.png", title=f"{folder.name} on the test images")
    save_keras(best, folder / BEST)
    figures = {key: value for key, value in asdict(outcome).items() if key != "folder"}
    write_json(folder / METRICS, {"schema": "digitedge.metrics/1", **figures})  # last: the run is finished
    if outcome.separation is not None:
        log(
            f"Validation: 99 of 100 digits reach a confidence of {outcome.separation.threshold:.2f}, and so do "
            f"{outcome.separation.accepted:.2%} of {outcome.separation.others} marks that are none"
        )
    log(f"Temperature: {temperature:.3f}")
    log(f"Test accuracy: {100 * outcome.test_accuracy:.4f}%")
    return outcome


def _make_honest(model: keras.Model, validation: Material) -> float:
    """Fold the temperature of the digits that validate into a model, and return it."""
    digits = validation.digits
    there = digits != NOTHING
    temperature = fit_temperature(probabilities(model, validation.images[there]), digits[there])
    fold_temperature(model, temperature)
    return temperature
