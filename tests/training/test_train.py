import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import keras
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.non_digits.samples import synthetic_marks
from digitedge.training.callbacks import RunRecorder
from digitedge.training.config import DEFAULT_PLANS, Plan
from digitedge.training.run_folder import load_run, new_run_folder, newest_run, telling_what_is_kept, what_is_kept
from digitedge.training.train import probabilities, train

PLAN = Plan(architecture="mlp", epochs=2, batch_size=64, validation_split=0.2, augment=())


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(1500, seed=1), *synthetic_digits(300, seed=2))


def test_a_run_leaves_everything_and_reads_better_than_before(data: Dataset, tmp_path: Path) -> None:
    lines: list[str] = []
    folder = new_run_folder(tmp_path, "mlp")
    outcome = train(PLAN, data, data_name="synthetic", folder=folder, log=lines.append)
    assert sorted(path.name for path in folder.iterdir()) == [
        "args.json", "confusion.png", "curves.png", "history.csv", "last.keras", "metrics.json", "model.keras"
    ]  # fmt: skip
    assert outcome.test_accuracy > 0.7 > 0.3 > outcome.accuracy_before
    assert lines[-1] == f"Test accuracy: {100 * outcome.test_accuracy:.4f}%"
    assert lines[-2] == f"Temperature: {outcome.temperature:.3f}"
    assert lines[-3].startswith("Test accuracy before training: ")
    assert "Total params: 669,706" in lines[0]
    history = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert max(float(row["val_accuracy"]) for row in history) == outcome.validation_accuracy
    assert json.loads((folder / "metrics.json").read_text())["test_accuracy"] == outcome.test_accuracy
    assert load_run(folder).args["plan"]["seed"] == 0
    assert load_run(folder).args["data_sha256"] == data.sha256


@pytest.mark.parametrize("architecture", ["mlp", "small"])
def test_the_same_seed_gives_the_same_figures_and_another_one_others(
    data: Dataset, tmp_path: Path, architecture: str
) -> None:
    plan = replace(DEFAULT_PLANS[architecture], epochs=1, batch_size=64, scenes=0)
    few = Dataset(data.x_train[:256], data.y_train[:256], data.x_test[:64], data.y_test[:64])
    histories = []
    for seed in (1, 1, 2):
        folder = new_run_folder(tmp_path, architecture)
        train(replace(plan, seed=seed), few, data_name="synthetic", folder=folder, log=lambda _: None)
        histories.append((folder / "history.csv").read_text())
    assert histories[0] == histories[1] != histories[2]


class StopAt(RunRecorder):
    """A recorder during whose epoch somebody presses Ctrl-C."""

    epoch = 1

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("epoch", "kept"), [(0, False), (1, True)])
def test_an_interruption_keeps_the_best_whole_epoch(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int, kept: bool
) -> None:
    monkeypatch.setattr(StopAt, "epoch", epoch)
    monkeypatch.setattr("digitedge.training.train.RunRecorder", StopAt)
    folder = new_run_folder(tmp_path, "mlp")
    with pytest.raises(KeyboardInterrupt):
        train(PLAN, data, data_name="synthetic", folder=folder, log=lambda _: None)
    told = what_is_kept(folder)
    if kept:
        assert "interrupted after 1 whole epochs" in told
        assert str(folder / "model.keras") in told
        assert newest_run(tmp_path).path == folder
        assert keras.saving.load_model(folder / "model.keras").count_params() == 669_706
    else:
        assert told == "interrupted before the first epoch ended: nothing to keep"
        assert not folder.exists()


def test_the_best_weights_are_kept_without_the_optimizer(data: Dataset, tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path, "mlp")
    train(replace(PLAN, epochs=1), data, data_name="synthetic", folder=folder, log=lambda _: None)
    assert not keras.saving.load_model(folder / "model.keras").compiled
    assert keras.saving.load_model(folder / "last.keras").optimizer.iterations > 0


def test_a_net_that_saw_what_is_none_is_less_sure_of_it(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitedge.training.crop_cache.cache_folder", lambda: tmp_path / "cuttings")
    lines: list[str] = []
    plan = replace(PLAN, epochs=4)
    seen, alone = (
        train(
            replace(plan, scenes=scenes),
            data,
            data_name="synthetic",
            folder=new_run_folder(tmp_path, "mlp"),
            log=lines.append,
        )
        for scenes in (30, 0)
    )
    metrics = json.loads((seen.folder / "metrics.json").read_text())
    assert seen.separation is not None
    assert metrics["separation"] == asdict(seen.separation)
    assert metrics["validation_accuracy"] == seen.validation_accuracy > 0.8
    assert any(line.startswith("Validation: 99 of 100 digits reach a confidence of 0.") for line in lines)
    assert keras.saving.load_model(seen.folder / "last.keras").optimizer.iterations > 0
    assert alone.separation is None
    marks = synthetic_marks(300, seed=9)
    sure = [
        probabilities(keras.saving.load_model(outcome.folder / "model.keras"), marks).max(axis=1).mean()
        for outcome in (seen, alone)
    ]
    assert sure[0] < sure[1] - 0.2, sure


def test_run_folders_count_up(tmp_path: Path) -> None:
    assert [new_run_folder(tmp_path, "cnn").name for _ in range(3)] == ["cnn-1", "cnn-2", "cnn-3"]
    (tmp_path / "cnn-9").mkdir()
    assert new_run_folder(tmp_path, "cnn").name == "cnn-10"
    assert new_run_folder(tmp_path, "mlp").name == "mlp-1"


def test_a_training_that_cannot_start_leaves_no_empty_folder(data: Dataset, tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path, "mlp")
    with pytest.raises(ModelError, match="no Keras file at"), telling_what_is_kept(folder, print):
        train(replace(PLAN, teacher=str(tmp_path / "none.keras")), data, data_name="synthetic", folder=folder)
    assert not folder.exists()


def test_without_a_run_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no trained run in .* digitedge train"):
        newest_run(tmp_path)
    with pytest.raises(ModelError, match=r"expected a run folder with args\.json and model.keras"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"dropout": 1.0},
        {"dropout": float("nan")},
        {"seed": -1},
        {"validation_split": 1.0},
        {"scenes": -1},
    ],
)
def test_a_plan_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        replace(PLAN, **wrong)


def test_too_little_data_is_refused(data: Dataset, tmp_path: Path) -> None:
    tiny = Dataset(data.x_train[:1], data.y_train[:1], data.x_test, data.y_test)
    with pytest.raises(InputError, match="1 training images are too few"):
        train(PLAN, tiny, data_name="synthetic", folder=tmp_path)
