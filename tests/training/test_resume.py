"""A training that is killed and resumed ends as if nothing had happened."""

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
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError, DigitEdgeError, InputError, ModelError
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training import callbacks
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.config import CAMERA, Plan
from digitedge.training.run_folder import Run, held, interrupted_run, remove_drafts
from digitedge.training.train import Outcome, resume, train

# Augmentation, dropout, batch normalization, a schedule: all that could go out of step.
CNN = Plan(architecture="cnn", epochs=3, batch_size=32, dropout=0.4, validation_split=0.2, augment=CAMERA)
MLP = replace(CNN, architecture="mlp", augment=())


class Killed(Exception):
    """What a kill is to the code that it hits."""


def build_tiny(dropout: float) -> keras.Model:
    """Every kind of layer that keeps a state, and little to compute."""
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
        patch.setitem(ARCHITECTURES, "cnn", build_tiny)
        yield


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(160, seed=1), *synthetic_digits(50, seed=2))


def run_to_the_end(plan: Plan, data: Dataset, folder: Path) -> Outcome:
    folder.mkdir()
    return train(plan, data, data_name="synthetic", folder=folder, log=lambda _: None)


def go_on(folder: Path, data: Dataset) -> Outcome:
    return resume(interrupted_run(folder), data, log=lambda _: None)


def kill_in(
    function: str, number: int, plan: Plan, data: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train until the `number`th call of a function that writes for the recorder, which never ends."""
    real: Callable[..., None] = getattr(callbacks, function)
    calls = iter(range(1, 100))

    def deadly(*arguments: object) -> None:
        if next(calls) == number:
            raise Killed
        real(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(callbacks, function, deadly)
        run_to_the_end(plan, data, folder)


def weights(path: Path) -> list[np.ndarray]:
    return [np.asarray(w) for w in keras.saving.load_model(path, compile=False).get_weights()]


@pytest.fixture(scope="module")
def whole(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_to_the_end(CNN, data, tmp_path_factory.mktemp("runs") / "whole")


def assert_the_same(resumed: Outcome, whole: Outcome) -> None:
    assert replace(resumed, folder=whole.folder) == whole
    names = sorted(path.name for path in whole.folder.iterdir())
    assert sorted(path.name for path in resumed.folder.iterdir()) == names
    for name in ("history.csv", "metrics.json"):
        assert (resumed.folder / name).read_text() == (whole.folder / name).read_text()
    for name in ("model.keras", "last.keras"):
        for ours, theirs in zip(weights(resumed.folder / name), weights(whole.folder / name), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("function", "number"),
    [("write_history", 2), ("save_keras", 4)],
    ids=["between model.keras and history.csv", "between history.csv and last.keras"],
)
def test_a_resumed_training_is_bit_equal(
    function: str, number: int, whole: Outcome, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_in(function, number, CNN, data, tmp_path / "killed", monkeypatch)
    assert_the_same(go_on(tmp_path / "killed", data), whole)


TRAIN_ELSEWHERE = """
import json, sys
from pathlib import Path
from digitedge.datasets.dataset import Dataset
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.train import train
from digitedge.training.config import Plan
data = Dataset(*synthetic_digits(160, seed=1), *synthetic_digits(50, seed=2))
train(Plan.from_json(json.loads(sys.argv[1])), data, data_name="synthetic", folder=Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_real_kill_of_a_student_is_no_loss(data: Dataset, tmp_path: Path, released: Path) -> None:
    shutil.copy(released.with_name("small") / "model.keras", tmp_path / "teacher.keras")
    plan = replace(MLP, epochs=6, teacher=str(tmp_path / "teacher.keras"))
    whole = run_to_the_end(plan, data, tmp_path / "whole")
    killed = tmp_path / "killed"
    killed.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN_ELSEWHERE, json.dumps(asdict(plan)), str(killed)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    next(line for line in process.stderr if line.startswith("epoch 2/"))
    process.kill()
    process.communicate(timeout=60)
    (tmp_path / "teacher.keras").unlink()  # the run has its own
    assert_the_same(go_on(killed, data), whole)
    assert json.loads((killed / "args.json").read_text())["plan"]["teacher"] == plan.teacher


def test_a_kill_while_it_is_measured_costs_no_epoch(whole: Outcome, data: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "measured"
    shutil.copytree(whole.folder, folder)
    for name in ("metrics.json", "curves.png", "confusion.png"):
        (folder / name).unlink()
    before = (folder / "last.keras").read_bytes()
    resumed = go_on(folder, data)
    assert (folder / "last.keras").read_bytes() == before
    assert resumed.test_accuracy == whole.test_accuracy
    assert (folder / "metrics.json").is_file()


def test_the_best_weights_are_never_replaced_by_worse(whole: Outcome, data: Dataset, tmp_path: Path) -> None:
    folder = cut_back(whole, tmp_path)
    rows = read(folder)
    rows[0]["val_accuracy"] = "2.0"  # better than anything to come
    write(folder, rows)
    (folder / "model.keras").write_bytes((whole.folder / "model.keras").read_bytes())
    best = weights(folder / "model.keras")
    resumed = go_on(folder, data)
    assert resumed.best_epoch == 1
    before_the_last_layer = slice(-2)  # which gets a temperature
    for kept, was in list(zip(weights(folder / "model.keras"), best, strict=True))[before_the_last_layer]:
        np.testing.assert_array_equal(kept, was)


def cut_back(whole: Outcome, tmp_path: Path) -> Path:
    """A finished run as it was before it was measured."""
    folder = tmp_path / "cut"
    shutil.copytree(whole.folder, folder)
    (folder / "metrics.json").unlink()
    return folder


def read(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def write(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "history.csv").open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def damage_last(folder: Path) -> None:
    with (folder / "last.keras").open("r+b") as file:
        file.truncate(1000)


def take_the_best_for_the_last(folder: Path) -> None:
    shutil.copy(folder / "model.keras", folder / "last.keras")


def lose_two_rows(folder: Path) -> None:
    write(folder, read(folder)[:1])


def damage_history(folder: Path) -> None:
    (folder / "history.csv").write_text("epoch,val_accuracy\n1,much\n")


def plan_other_batches(folder: Path) -> None:
    change_plan(folder, batch_size=64)


def plan_fewer_epochs(folder: Path) -> None:
    change_plan(folder, epochs=2)


def plan_what_is_unknown(folder: Path) -> None:
    change_plan(folder, momentum=1)


def train_on_other_crops(folder: Path) -> None:
    args = json.loads((folder / "args.json").read_text())
    (folder / "args.json").write_text(json.dumps({**args, "training_sha256": "0" * 64}))


def change_plan(folder: Path, **settings: int) -> None:
    args = json.loads((folder / "args.json").read_text())
    (folder / "args.json").write_text(json.dumps({**args, "plan": {**args["plan"], **settings}}))


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (damage_last, ModelError, r"last\.keras: expected a model saved by Keras 3.*digitedge export .*model\.keras"),
        (take_the_best_for_the_last, ModelError, r"expected whole epochs of 4 steps, got 0"),
        (lose_two_rows, DataError, r"history\.csv has 1 epochs, but last\.keras has 3"),
        (damage_history, DataError, r"history\.csv: expected a row of figures for each epoch"),
        (plan_other_batches, ModelError, r"got 6 and 0 steps"),
        (plan_fewer_epochs, ModelError, r"got 3 and 0 steps"),
        (plan_what_is_unknown, DataError, r"expected a plan .* 'momentum'"),
        (train_on_other_crops, DataError, r"other images \(training_sha256 00000000"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    spoil: Callable[[Path], None],
    error: type[DigitEdgeError],
    message: str,
    whole: Outcome,
    data: Dataset,
    tmp_path: Path,
) -> None:
    folder = cut_back(whole, tmp_path)
    spoil(folder)
    best = (folder / "model.keras").read_bytes()
    with pytest.raises(error, match=message) as raised:
        go_on(folder, data)
    assert "\n" not in str(raised.value)
    assert (folder / "model.keras").read_bytes() == best


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mlp"], "leave out mlp"),
        (["cnn", "--epochs", "3"], "leave out --epochs"),
        (["--batch-size", "128"], "leave out --batch-size"),  # the default too
        (["--teacher", "t.keras"], "leave out --teacher"),
    ],
)
def test_another_plan_is_wrong_usage(arguments: list[str], message: str, whole: Outcome, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", *arguments, "--resume", str(cut_back(whole, tmp_path))])
    assert result.exit_code == 2
    assert message in re.sub(r"[│\s]+", " ", result.stderr)


def test_another_data_set_is_refused(whole: Outcome, data: Dataset, tmp_path: Path) -> None:
    other = data._replace(x_test=255 - data.x_test)
    with pytest.raises(DataError, match=r"other images \(data_sha256 .* --data"):
        go_on(cut_back(whole, tmp_path), other)


def test_a_finished_run_is_not_resumed(whole: Outcome) -> None:
    with pytest.raises(ModelError, match="is finished, nothing to resume"):
        interrupted_run(whole.folder)


def test_the_newest_interrupted_run_is_found(whole: Outcome, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no interrupted run in"):
        interrupted_run(tmp_path)
    for name in ("a", "b", "c"):
        shutil.copytree(whole.folder, tmp_path / name)
        if name != "c":
            (tmp_path / name / "metrics.json").unlink()
            (tmp_path / name / "history.csv").touch()
    assert interrupted_run(tmp_path).path == tmp_path / "b"


def test_two_trainings_never_share_a_folder(whole: Outcome, data: Dataset, tmp_path: Path) -> None:
    folder = cut_back(whole, tmp_path)
    with held(folder), pytest.raises(ModelError, match="another process is training there"):
        go_on(folder, data)


def test_drafts_of_a_kill_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".last-abc_12.keras", ".history-x.csv", ".curves-y.png", ".DS_Store", "last.keras", "model.keras"):
        (tmp_path / name).touch()
    remove_drafts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", "last.keras", "model.keras"]


@pytest.mark.parametrize("settings", [{"teacher_share": 1.5}, {"teacher_temperature": 0.0}])
def test_a_teacher_that_cannot_work_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InputError, match="the teacher's"):
        replace(MLP, **settings)


def test_a_run_without_an_epoch_starts_anew(whole: Outcome, data: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "early"
    folder.mkdir()
    shutil.copy(whole.folder / "args.json", folder)
    assert interrupted_run(folder) == Run(folder, json.loads((folder / "args.json").read_text()))
    assert_the_same(go_on(folder, data), whole)
