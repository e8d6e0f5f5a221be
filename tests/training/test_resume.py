"""A training that is killed and resumed gives the same result as an uninterrupted one."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from processes import start
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training import callbacks
from digitedge.training.architectures import ARCHITECTURES, Architecture
from digitedge.training.config import ALL_TRANSFORMS, TrainConfig
from digitedge.training.run_folder import RunFolder, find_interrupted_run, lock_run_folder
from digitedge.training.train import TrainResult, resume, train

# Augmentation, dropout, batch normalization and a schedule: all that could differ after resuming.
CNN = TrainConfig(
    architecture="cnn",
    optimizer="adamw",
    epochs=3,
    batch_size=32,
    dropout=0.4,
    validation_split=0.2,
    augment=ALL_TRANSFORMS,
)
MLP = replace(CNN, architecture="mlp", optimizer="rmsprop", augment=())


class Killed(Exception):
    """Stands for a kill at some line."""


def build_tiny(dropout: float) -> keras.Model:
    """Build a fast network with every kind of layer that has a state."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 5, strides=4, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(10, "softmax"),
        ]
    )


@pytest.fixture(scope="module", autouse=True)
def _tiny() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "cnn", Architecture(build_tiny, CNN))
        yield


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(160, seed=1), *synthetic_digits(50, seed=2))


def train_in(folder: Path, config: TrainConfig, data: Dataset) -> TrainResult:
    folder.mkdir()
    return train(config, data, data_name="synthetic", folder=folder, log=lambda _: None)


def resume_in(folder: Path, data: Dataset) -> TrainResult:
    return resume(find_interrupted_run(folder), data, log=lambda _: None)


def kill_in_call(
    function: str, number: int, config: TrainConfig, data: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train until the `number`th call of a function that writes files for the recorder."""
    real: Callable[..., None] = getattr(callbacks, function)
    calls = iter(range(1, 100))

    def deadly(*arguments: object) -> None:
        if next(calls) == number:
            raise Killed
        real(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(callbacks, function, deadly)
        train_in(folder, config, data)


def weights(path: Path) -> list[NDArray[np.float32]]:
    return [np.asarray(w) for w in keras.saving.load_model(path, compile=False).get_weights()]


@pytest.fixture(scope="module")
def uninterrupted(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train_in(tmp_path_factory.mktemp("runs") / "uninterrupted", CNN, data)


def assert_equal(resumed: TrainResult, uninterrupted: TrainResult) -> None:
    assert replace(resumed, folder=uninterrupted.folder) == uninterrupted
    names = sorted(path.name for path in uninterrupted.folder.iterdir())
    assert sorted(path.name for path in resumed.folder.iterdir()) == names
    for name in ("history.csv", "metrics.json"):
        assert (resumed.folder / name).read_text() == (uninterrupted.folder / name).read_text()
    for name in ("model.keras", "last.keras"):
        for ours, theirs in zip(weights(resumed.folder / name), weights(uninterrupted.folder / name), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("function", "number"),
    [("write_history", 2), ("save_keras", 4)],
    ids=["between model.keras and history.csv", "between history.csv and last.keras"],
)
def test_a_resumed_training_is_bit_equal(
    function: str,
    number: int,
    uninterrupted: TrainResult,
    data: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kill_in_call(function, number, CNN, data, tmp_path / "killed", monkeypatch)
    assert_equal(resume_in(tmp_path / "killed", data), uninterrupted)


TRAIN_IN_PROCESS = """
import json, sys
from pathlib import Path
from digitedge.datasets.dataset import Dataset
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.run_folder import RunFolder
from digitedge.training.train import train
data = Dataset(*synthetic_digits(160, seed=1), *synthetic_digits(50, seed=2))
folder = Path(sys.argv[2])
config = RunFolder(folder, {"config": json.loads(sys.argv[1])}).config
train(config, data, data_name="synthetic", folder=folder)
"""


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["teacher", "start"])
def test_a_killed_distillation_is_resumed_bit_equal(
    setting: str, data: Dataset, tmp_path: Path, released: Path
) -> None:
    if setting == "teacher":
        shutil.copy(released.with_name("small") / "model.keras", tmp_path / "teacher.keras")
    else:
        shutil.copy(
            train_in(tmp_path / "start", replace(MLP, epochs=1), data).folder / "model.keras",
            tmp_path / "teacher.keras",
        )
    config = replace(MLP, epochs=6, **{setting: str(tmp_path / "teacher.keras")})
    uninterrupted = train_in(tmp_path / "uninterrupted", config, data)
    killed = tmp_path / "killed"
    killed.mkdir()
    command = [sys.executable, "-c", TRAIN_IN_PROCESS, json.dumps(asdict(config)), killed]
    with start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("epoch 2/"))
        process.kill()
        process.communicate(timeout=60)
    (tmp_path / "teacher.keras").unlink()  # the run folder has a copy
    assert_equal(resume_in(killed, data), uninterrupted)
    assert json.loads((killed / "args.json").read_text())["config"] == asdict(config) | {
        "augment": list(config.augment)
    }


def test_a_kill_during_the_evaluation_repeats_no_epoch(
    uninterrupted: TrainResult, data: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "evaluated"
    shutil.copytree(uninterrupted.folder, folder)
    for name in ("metrics.json", "curves.png", "confusion.png"):
        (folder / name).unlink()
    before = (folder / "last.keras").read_bytes()
    resumed = resume_in(folder, data)
    assert (folder / "last.keras").read_bytes() == before
    assert resumed.test_accuracy == uninterrupted.test_accuracy
    assert (folder / "metrics.json").is_file()


def test_the_best_weights_are_never_replaced_by_worse(
    uninterrupted: TrainResult, data: Dataset, tmp_path: Path
) -> None:
    folder = copy_unfinished(uninterrupted, tmp_path)
    rows = read_rows(folder)
    rows[0]["val_accuracy"] = "2.0"  # better than anything to come
    write_rows(folder, rows)
    (folder / "model.keras").write_bytes((uninterrupted.folder / "model.keras").read_bytes())
    best = weights(folder / "model.keras")
    resumed = resume_in(folder, data)
    assert resumed.best_epoch == 1
    pairs = list(zip(weights(folder / "model.keras"), best, strict=True))
    for after, before in pairs[:-2]:  # the last layer gets a temperature
        np.testing.assert_array_equal(after, before)


def copy_unfinished(uninterrupted: TrainResult, tmp_path: Path) -> Path:
    """Copy a finished run as it was before the evaluation."""
    folder = tmp_path / "unfinished"
    shutil.copytree(uninterrupted.folder, folder)
    (folder / "metrics.json").unlink()
    return folder


def read_rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def write_rows(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "history.csv").open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def truncate_last(folder: Path) -> None:
    with (folder / "last.keras").open("r+b") as file:
        file.truncate(1000)


def replace_last_by_best(folder: Path) -> None:
    shutil.copy(folder / "model.keras", folder / "last.keras")


def delete_two_rows(folder: Path) -> None:
    write_rows(folder, read_rows(folder)[:1])


def damage_history(folder: Path) -> None:
    (folder / "history.csv").write_text("epoch,val_accuracy\n1,much\n")


def change_batch_size(folder: Path) -> None:
    change_config(folder, batch_size=64)


def change_epochs(folder: Path) -> None:
    change_config(folder, epochs=2)


def add_unknown_setting(folder: Path) -> None:
    change_config(folder, momentum=1)


def change_training_hash(folder: Path) -> None:
    args = json.loads((folder / "args.json").read_text())
    (folder / "args.json").write_text(json.dumps({**args, "training_sha256": "0" * 64}))


def change_config(folder: Path, **settings: int) -> None:
    args = json.loads((folder / "args.json").read_text())
    (folder / "args.json").write_text(json.dumps({**args, "config": {**args["config"], **settings}}))


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (truncate_last, ModelError, r"last\.keras: expected a model saved by Keras 3.*digitedge export .*--unfinished"),
        (replace_last_by_best, ModelError, r"expected complete epochs of 4 steps, got 0"),
        (delete_two_rows, DataError, r"history\.csv has 1 epochs, but last\.keras has 3"),
        (damage_history, DataError, r"history\.csv: expected a row of figures for each epoch"),
        (change_batch_size, ModelError, r"got 6 and 0 steps"),
        (change_epochs, ModelError, r"got 3 and 0 steps"),
        (add_unknown_setting, DataError, r"unknown key 'momentum'"),
        (change_training_hash, DataError, r"the images that it began with, training_sha256 00000000"),
    ],
)
def test_an_inconsistent_run_folder_is_refused(
    damage: Callable[[Path], None],
    error: type[DigitEdgeError],
    message: str,
    uninterrupted: TrainResult,
    data: Dataset,
    tmp_path: Path,
) -> None:
    folder = copy_unfinished(uninterrupted, tmp_path)
    damage(folder)
    best = (folder / "model.keras").read_bytes()
    with pytest.raises(error, match=message) as raised:
        resume_in(folder, data)
    assert "\n" not in str(raised.value)
    assert (folder / "model.keras").read_bytes() == best


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mlp"], "leave out mlp"),
        (["cnn", "--epochs", "3"], "leave out --epochs"),
        (["--batch-size", "128"], "leave out --batch-size"),  # the default too
        (["--teacher", "t.keras"], "leave out --teacher"),
        (["--from", "t.keras"], "leave out --from"),
    ],
)
def test_other_settings_beside_resume_are_wrong_usage(
    arguments: list[str], message: str, uninterrupted: TrainResult, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["train", *arguments, "--resume", str(copy_unfinished(uninterrupted, tmp_path))])
    assert result.exit_code == 2
    assert message in re.sub(r"[│\s]+", " ", result.stderr)


def test_resuming_on_another_data_set_is_refused(uninterrupted: TrainResult, data: Dataset, tmp_path: Path) -> None:
    other = data._replace(x_test=255 - data.x_test)
    with pytest.raises(DataError, match=r"the images that it began with, data_sha256 .* --data"):
        resume_in(copy_unfinished(uninterrupted, tmp_path), other)


def test_a_finished_run_is_not_resumed(uninterrupted: TrainResult) -> None:
    with pytest.raises(ModelError, match="is finished, nothing to resume"):
        find_interrupted_run(uninterrupted.folder)


def test_the_newest_interrupted_run_is_found(uninterrupted: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no interrupted run in"):
        find_interrupted_run(tmp_path)
    for name in ("a", "b", "c"):
        shutil.copytree(uninterrupted.folder, tmp_path / name)
        if name != "c":
            (tmp_path / name / "metrics.json").unlink()
            (tmp_path / name / "history.csv").touch()
    assert find_interrupted_run(tmp_path).path == tmp_path / "b"


def test_a_locked_run_folder_is_refused(uninterrupted: TrainResult, data: Dataset, tmp_path: Path) -> None:
    folder = copy_unfinished(uninterrupted, tmp_path)
    with lock_run_folder(folder), pytest.raises(ModelError, match="another process is training there"):
        resume_in(folder, data)


def test_a_run_without_a_complete_epoch_starts_from_the_beginning(
    uninterrupted: TrainResult, data: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "early"
    folder.mkdir()
    shutil.copy(uninterrupted.folder / "args.json", folder)
    assert find_interrupted_run(folder) == RunFolder(folder, json.loads((folder / "args.json").read_text()))
    assert_equal(resume_in(folder, data), uninterrupted)
