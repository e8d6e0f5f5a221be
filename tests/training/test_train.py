import csv
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.metrics.classification import top1
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.non_digits.samples import synthetic_non_digits
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.callbacks import TUNED_SHARE, RunRecorder
from digitedge.training.config import TrainConfig
from digitedge.training.keras_io import predict_probabilities
from digitedge.training.run_folder import (
    check_finished,
    find_newest_run,
    find_run_of,
    load_run,
    new_run_folder,
    report_interruption,
)
from digitedge.training.train import TrainResult, train

CONFIG = TrainConfig(architecture="mlp", optimizer="rmsprop", epochs=2, batch_size=64, validation_split=0.2, augment=())


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(1500, seed=1), *synthetic_digits(300, seed=2))


def test_a_run_folder_is_complete_and_the_test_accuracy_rises(data: Dataset, tmp_path: Path) -> None:
    lines: list[str] = []
    folder = tmp_path / "mlp-1"
    result = train(CONFIG, data, data_name="synthetic", folder=folder, log=lines.append)
    assert sorted(path.name for path in folder.iterdir()) == [
        "args.json", "confusion.png", "curves.png", "history.csv", "last.keras", "metrics.json", "model.keras"
    ]  # fmt: skip
    assert result.test_accuracy > 0.7 > 0.3 > result.initial_test_accuracy
    assert lines[-1] == f"Test accuracy: {100 * result.test_accuracy:.4f} %"
    assert lines[-2] == f"Temperature: {result.temperature:.3f}"
    assert lines[-3].startswith("Test accuracy before training: ")
    assert any("Total params: 669,706" in line for line in lines)
    history = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert max(float(row["val_accuracy"]) for row in history) == result.validation_accuracy
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == {key: value for key, value in asdict(result).items() if key != "folder"} | {
        "schema": "digitedge.metrics/1"
    }
    assert load_run(folder).config == CONFIG
    assert load_run(folder).args["data_sha256"] == data.sha256


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["mlp", "small"])
def test_the_seed_decides_the_figures(data: Dataset, tmp_path: Path, architecture: str) -> None:
    config = replace(ARCHITECTURES[architecture].defaults, epochs=1, batch_size=64, scenes=0)
    few = Dataset(data.x_train[:256], data.y_train[:256], data.x_test[:64], data.y_test[:64])
    histories = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        train(replace(config, seed=seed), few, data_name="synthetic", folder=folder, log=lambda _: None)
        histories.append((folder / "history.csv").read_text())
    assert histories[0] == histories[1] != histories[2]


class InterruptedRecorder(RunRecorder):
    """A recorder in whose epoch the user presses Ctrl-C."""

    epoch = 1

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("complete_epochs", [0, 1])
def test_an_interruption_keeps_the_best_complete_epoch(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complete_epochs: int
) -> None:
    monkeypatch.setattr(InterruptedRecorder, "epoch", complete_epochs)
    monkeypatch.setattr("digitedge.training.train.RunRecorder", InterruptedRecorder)
    lines: list[str] = []
    with (
        new_run_folder(tmp_path, "mlp") as folder,
        pytest.raises(KeyboardInterrupt),
        report_interruption(folder, lines.append),
    ):
        train(CONFIG, data, data_name="synthetic", folder=folder, log=lambda _: None)
    (line,) = lines
    if complete_epochs:
        assert "interrupted after 1 complete epochs" in line
        assert str(folder / "model.keras") in line
        assert find_newest_run(tmp_path).path == folder
        assert keras.saving.load_model(folder / "model.keras").count_params() == 669_706
    else:
        assert line == "interrupted before the first epoch ended: nothing to keep"
        assert not folder.exists()


def test_only_the_last_weights_are_saved_with_the_optimizer(data: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "mlp-1"
    train(replace(CONFIG, epochs=1), data, data_name="synthetic", folder=folder, log=lambda _: None)
    assert not keras.saving.load_model(folder / "model.keras").compiled
    assert keras.saving.load_model(folder / "last.keras").optimizer.iterations > 0


@pytest.mark.slow
def test_training_on_scenes_lowers_the_confidence_about_non_digits(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitedge.training.crop_cache.cache_folder", lambda: tmp_path / "crops")
    lines: list[str] = []

    def train_on(scenes: int) -> TrainResult:
        config = replace(CONFIG, epochs=4, scenes=scenes)
        folder = tmp_path / f"mlp-{scenes}"
        return train(config, data, data_name="synthetic", folder=folder, log=lines.append)

    with_scenes, without = train_on(30), train_on(0)
    metrics = json.loads((with_scenes.folder / "metrics.json").read_text())
    assert with_scenes.ood is not None
    assert metrics["ood"] == asdict(with_scenes.ood)
    assert metrics["validation_accuracy"] == with_scenes.validation_accuracy > 0.8
    assert any(line.startswith("Validation: 99 % of the digits reach a confidence of 0.") for line in lines)
    assert keras.saving.load_model(with_scenes.folder / "last.keras").optimizer.iterations > 0
    assert without.ood is None
    non_digits = synthetic_non_digits(300, seed=9)
    confidences = [
        predict_probabilities(keras.saving.load_model(result.folder / "model.keras"), non_digits).max(axis=1).mean()
        for result in (with_scenes, without)
    ]
    assert confidences[0] < confidences[1] - 0.2, confidences


def test_run_folders_are_numbered(tmp_path: Path) -> None:
    with ExitStack() as stack:
        names = [stack.enter_context(new_run_folder(tmp_path, "cnn")).name for _ in range(3)]
        assert names == ["cnn-1", "cnn-2", "cnn-3"]
        (tmp_path / "cnn-9").mkdir()
        (tmp_path / "cnn-9" / "notes.txt").touch()
        assert stack.enter_context(new_run_folder(tmp_path, "cnn")).name == "cnn-10"
        assert stack.enter_context(new_run_folder(tmp_path, "mlp")).name == "mlp-1"
    assert os.listdir(tmp_path) == ["cnn-9"]  # a folder of which nothing is made is removed


def test_a_model_of_a_run_without_metrics_is_unfinished(tmp_path: Path) -> None:
    model = tmp_path / "cnn-1" / "model.keras"
    assert find_run_of(model) is None
    model.parent.mkdir()
    (model.parent / "args.json").touch()
    assert find_run_of(model) == model.parent
    assert find_run_of(model.with_name("mine.keras")) is None
    with pytest.raises(ModelError, match="expected a finished training"):
        check_finished(model.parent, allow_unfinished=False)
    assert not check_finished(model.parent, allow_unfinished=True)
    (model.parent / "metrics.json").touch()
    assert check_finished(model.parent, allow_unfinished=False)


KILLED = """
import os, signal, sys
from pathlib import Path
from digitedge.training.run_folder import new_run_folder
with new_run_folder(Path(sys.argv[1]), "cnn") as folder:
    for name in sys.argv[2:]:
        (folder / name).touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("files", "remains"), [([], False), (["start.keras"], False), (["args.json"], True)], ids=str)
def test_a_training_that_was_killed_before_it_began_leaves_no_run_folder(
    tmp_path: Path, files: list[str], remains: bool
) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), *files])
    assert child.returncode == -signal.SIGKILL
    assert len(os.listdir(tmp_path / "cnn-1")) == 1 + len(files)
    with new_run_folder(tmp_path, "mlp") as folder:
        (folder / "args.json").touch()
    assert sorted(os.listdir(tmp_path)) == [*(["cnn-1"] if remains else []), "mlp-1"]
    if remains:
        assert os.listdir(tmp_path / "cnn-1") == files


def test_the_run_folder_of_a_living_training_stays(tmp_path: Path) -> None:
    with new_run_folder(tmp_path, "cnn") as first, new_run_folder(tmp_path, "cnn"):
        assert first.is_dir()
        with pytest.raises(ModelError):
            find_newest_run(tmp_path)
        assert first.is_dir()


@pytest.fixture(scope="module")
def trained(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(CONFIG, data, data_name="synthetic", folder=folder, log=lambda _: None)
    return folder / "model.keras"


def test_fine_tuning_starts_from_the_weights_and_moves_back_towards_them(
    data: Dataset, trained: Path, tmp_path: Path
) -> None:
    config = replace(CONFIG, epochs=1, start=str(trained))
    result = train(config, data, data_name="synthetic", folder=tmp_path, log=lambda _: None)
    start, tuned, mixed = (
        keras.saving.load_model(path).get_weights()[0]
        for path in (trained, tmp_path / "last.keras", result.folder / "model.keras")
    )
    assert not np.allclose(start, tuned, atol=1e-4)
    np.testing.assert_allclose(mixed, TUNED_SHARE * tuned + (1 - TUNED_SHARE) * start, atol=1e-6)
    initial = keras.saving.load_model(trained)
    assert result.initial_test_accuracy == top1(predict_probabilities(initial, data.x_test), data.y_test) > 0.7
    assert result.test_accuracy >= result.initial_test_accuracy - 0.02


@pytest.mark.slow
def test_fine_tuning_on_other_digits_keeps_more_of_the_data_set_than_training_on_them(
    data: Dataset, trained: Path, tmp_path: Path
) -> None:
    """Wrong labels in a quarter of the data set: the model's own answers weigh more than these."""
    wrong = data._replace(y_train=np.where(np.arange(len(data.y_train)) % 4 == 0, 9 - data.y_train, data.y_train))
    accuracies = []
    for name, start in (("tuned", str(trained)), ("new", None)):
        (tmp_path / name).mkdir()
        config = replace(CONFIG, epochs=4, start=start)
        result = train(config, wrong, data_name="synthetic", folder=tmp_path / name, log=lambda _: None)
        accuracies.append(result.test_accuracy)
    assert accuracies[0] > accuracies[1]


def test_weights_of_another_architecture_are_refused_and_leave_no_folder(
    data: Dataset, released: Path, tmp_path: Path
) -> None:
    config = replace(CONFIG, start=str(released / "model.keras"))
    with (
        new_run_folder(tmp_path, "mlp") as folder,
        pytest.raises(ModelError, match=r"expected the layers of mlp, got others\. Give its own architecture"),
        report_interruption(folder, print),
    ):
        train(config, data, data_name="synthetic", folder=folder)
    assert not folder.exists()


def test_a_training_that_cannot_start_leaves_no_folder(data: Dataset, tmp_path: Path) -> None:
    config = replace(CONFIG, teacher=str(tmp_path / "none.keras"))
    with (
        new_run_folder(tmp_path, "mlp") as folder,
        pytest.raises(ModelError, match="no Keras file at"),
        report_interruption(folder, print),
    ):
        train(config, data, data_name="synthetic", folder=folder)
    assert not folder.exists()


def test_without_a_run_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no trained run in .* digitedge train"):
        find_newest_run(tmp_path)
    with pytest.raises(ModelError, match=r"expected a run folder with args\.json and model.keras"):
        load_run(tmp_path)


def test_too_few_images_are_refused(data: Dataset, tmp_path: Path) -> None:
    one = Dataset(data.x_train[:1], data.y_train[:1], data.x_test, data.y_test)
    with pytest.raises(InputError, match="1 training images are too few"):
        train(CONFIG, one, data_name="synthetic", folder=tmp_path)


def test_an_unknown_architecture_is_refused(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected an architecture of cnn, small, mlp, got 'rnn'"):
        train(replace(CONFIG, architecture="rnn"), data, data_name="synthetic", folder=tmp_path)
