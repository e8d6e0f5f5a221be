"""A fine-tuning on own digits learns them, keeps the others, and says what it did."""

import csv
import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops, number_crops
from digitedge.datasets.own_digits import OwnDigits, split_own_digits
from digitedge.errors import DataError, InputError
from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.non_digits.samples import synthetic_non_digits
from digitedge.training import callbacks
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.batches import Batches
from digitedge.training.callbacks import PATIENCE, RunRecorder
from digitedge.training.config import TrainConfig
from digitedge.training.optimizers import Purpose
from digitedge.training.own_hand import SHARES, for_own_digits, mix_weights
from digitedge.training.run_folder import WORSE, find_interrupted_run, find_lineage, load_run, write_args
from digitedge.training.train import TrainResult, resume, train
from digitedge.training.training_data import make_training_data, validation_weights
from digitedge.utils.images import write_image

BASE = TrainConfig(architecture="mlp", optimizer="adamw", epochs=3, batch_size=64, validation_split=0.2, augment=())


def mirrored(count: int, *, seed: int) -> LabelledCrops:
    """Digits of a hand that no model knows."""
    crops, labels = synthetic_digits(count, seed=seed)
    return number_crops("mirrored", np.ascontiguousarray(crops[:, :, ::-1]), labels)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(1500, seed=1), *synthetic_digits(300, seed=2))


@pytest.fixture(scope="module")
def own() -> OwnDigits:
    return split_own_digits(mirrored(200, seed=3))


@pytest.fixture(scope="module")
def config(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    folder = tmp_path_factory.mktemp("parent")
    train(BASE, data, data_name="synthetic", folder=folder, log=lambda _: None)
    start = str(folder / "model.keras")
    return replace(BASE, start=start, own_share=0.25, steps=20, teacher_weight=1.0)


def train_in(folder: Path, config: TrainConfig, data: Dataset, own: OwnDigits, lines: list[str]) -> TrainResult:
    folder.mkdir()
    return train(config, data, data_name="synthetic+own", folder=folder, own=own, log=lines.append)


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def tuned(
    config: TrainConfig, data: Dataset, own: OwnDigits, log: list[str], tmp_path_factory: pytest.TempPathFactory
) -> TrainResult:
    return train_in(tmp_path_factory.mktemp("runs") / "mine", config, data, own, log)


def test_own_digits_are_learned_and_the_others_are_kept(tuned: TrainResult) -> None:
    assert tuned.own_accuracy is not None
    assert tuned.initial_own_accuracy is not None
    assert tuned.own_accuracy > tuned.initial_own_accuracy + 0.1
    assert tuned.test_accuracy > tuned.initial_test_accuracy - 0.02


def test_the_run_folder_names_the_parent_and_counts_own_digits(
    tuned: TrainResult, config: TrainConfig, own: OwnDigits
) -> None:
    args = load_run(tuned.folder).args
    assert config.start is not None
    assert args["parent"]["name"] == Path(config.start).parent.name
    assert (tuned.folder / "start.keras").read_bytes() == Path(config.start).read_bytes()
    assert re.fullmatch("[0-9a-f]{64}", args["parent"]["sha256"])
    assert len(args["own"].pop("held_out_ids")) == 40
    assert len(args["own"].pop("training_ids")) == 160
    assert args["writers"] == []
    assert args["own"] == {
        "sha256": own.sha256,
        "training": 160,
        "held_out": 40,
        "non_digits": 0,
        "split": own.split,
        "missing": [],
    }
    metrics = json.loads((tuned.folder / "metrics.json").read_text())
    assert metrics["own_accuracy"] == tuned.own_accuracy
    assert metrics["initial_own_accuracy"] == tuned.initial_own_accuracy


def test_the_table_at_the_end_has_both_models(tuned: TrainResult, log: list[str]) -> None:
    assert f"Own digits: 160 to train on, 40 held out; {split_own_digits(mirrored(200, seed=3)).split}" in log
    (row,) = (line for line in log if line.startswith("own digits, 40 held out"))
    assert re.findall(r"[\d.]+ %", row) == [
        f"{100 * share:.2f} %" for share in (tuned.initial_own_accuracy or 0, tuned.own_accuracy or 0)
    ]
    assert any(line.startswith("test images, 300") for line in log)


def test_each_epoch_has_the_accuracy_on_own_digits_and_the_last_one_that_is_not_worse_is_kept(
    tuned: TrainResult,
) -> None:
    rows = list(csv.DictReader((tuned.folder / "history.csv").read_text().splitlines()))
    losses = np.array([float(row["val_loss"]) for row in rows])
    assert tuned.best_epoch == 1 + int(np.flatnonzero(losses <= WORSE * losses.min())[-1])
    assert all(0 <= float(row["val_own_accuracy"]) <= 1 for row in rows)


def test_as_much_of_the_new_weights_is_taken_as_the_hand_needs(tuned: TrainResult, own: OwnDigits) -> None:
    def load(name: str) -> keras.Model:
        return keras.saving.load_model(tuned.folder / name, compile=False)

    start, model = load("start.keras"), load("last.keras")
    last = model.get_weights()[-1]
    share = mix_weights(model, start.get_weights(), own.training)
    assert share in SHARES
    np.testing.assert_allclose(model.get_weights()[-1], share * last + (1 - share) * start.get_weights()[-1], atol=1e-6)
    unchanged = load("start.keras")
    assert mix_weights(unchanged, start.get_weights(), own.training) == SHARES[0]
    far = load("last.keras")  # of which less is enough
    far.set_weights([old + 2.5 * (new - old) for old, new in zip(start.get_weights(), far.get_weights(), strict=True)])
    assert mix_weights(far, start.get_weights(), own.training) < 1


def test_the_fine_tunings_before_a_model_are_found_by_their_digits(config: TrainConfig, tmp_path: Path) -> None:
    """Round 2 has the digits of round 1 again; the last one has others, and one before them is lost."""

    def add_run(name: str, own_sha256: str, parent_own: str | None) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.keras").touch()
        own = {"sha256": own_sha256, "split": "", "held_out_ids": [name], "training_ids": []}
        parent = {"name": "before", "sha256": "0" * 64, "own_sha256": parent_own}
        write_args(tmp_path / name, {"config": asdict(config), "own": own, "parent": parent})

    add_run("a-1", "first", None)
    add_run("a-2", "first", "first")
    add_run("b-1", "second", "first")
    add_run("c-1", "third", "lost")
    (tmp_path / "damaged-1").mkdir()
    lines: list[str] = []

    def names(own_sha256: str | None) -> list[str]:
        return [run.path.name for run, _ in find_lineage(own_sha256, tmp_path, log=lines.append)]

    assert (names(None), names("first"), names("second"), lines) == ([], ["a-1"], ["b-1", "a-1"], [])
    assert names("third") == ["c-1"]
    assert lines == [
        f"earlier own digits of the parent are not known: none of the runs in {tmp_path} was trained on them"
    ]


def test_each_batch_has_its_share_of_own_digits_and_each_of_these_comes_equally_often(
    config: TrainConfig, data: Dataset, own: OwnDigits
) -> None:
    training, _ = make_training_data(config, data, own)
    batches = Batches(training, config)
    ours = {crop.tobytes() for crop in own.training.crops}
    seen: list[bytes] = []
    for index in range(len(batches)):
        images, _, _ = batches[index]
        assert images.shape == (64, 28, 28, 1)
        found = [image.astype(np.uint8).tobytes() for image in images]
        seen += [one for one in found if one in ours]
        assert len(seen) == 16 * (index + 1)
    counts = {one: seen.count(one) for one in seen}
    assert len(counts) == 160
    assert set(counts.values()) == {2}  # 20 batches of 16, of 160 digits


def test_scenes_fill_as_much_of_a_batch_as_own_digits(config: TrainConfig, data: Dataset, own: OwnDigits) -> None:
    training, _ = make_training_data(config, data, own)
    marked = training._replace(images=np.concatenate([np.full((5, 28, 28), 9, np.uint8), training.images]))
    marked = marked._replace(targets=np.concatenate([training.targets[:5], training.targets]), scenes=0)
    _, _, own_count = training.parts
    with_scenes = marked._replace(scenes=len(marked.images) - own_count - 5)  # all but five are called scenes
    images, _, _ = Batches(with_scenes, config)[0]
    assert int((images == 9).all(axis=(1, 2, 3)).sum()) == 64 - 2 * 16


def test_non_digits_of_the_user_are_trained_on_among_own_digits(
    config: TrainConfig, data: Dataset, own: OwnDigits
) -> None:
    training, validation = make_training_data(config, data, own, synthetic_non_digits(7, seed=0))
    assert training.own == 167
    assert training.labels[-167:].tolist().count(NON_DIGIT) == 7
    assert validation.own == len(own.training)


def test_held_out_digits_choose_nothing(config: TrainConfig, data: Dataset, own: OwnDigits) -> None:
    held_out = {crop.tobytes() for crop in own.held_out.crops}
    for part in make_training_data(config, data, own):
        assert not held_out & {image.tobytes() for image in part.images}


def test_own_digits_weigh_as_much_as_all_others(config: TrainConfig, data: Dataset, own: OwnDigits) -> None:
    _, validation = make_training_data(config, data, own)
    weights = validation_weights(validation)
    assert weights[-160:].sum() == pytest.approx(weights[:-160].sum())
    assert weights.mean() == pytest.approx(1)
    _, without = make_training_data(replace(config, own_share=0, steps=None), data)
    assert set(validation_weights(without).tolist()) == {1.0}


@pytest.mark.parametrize("teacher", [None, "other.keras"])
def test_no_teacher_is_asked_about_own_digits(
    config: TrainConfig, data: Dataset, own: OwnDigits, teacher: str | None
) -> None:
    training, _ = make_training_data(replace(config, teacher=teacher), data, own)
    assert training.taught == len(training.images) - training.own == 1200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        ([3] * 8 + [7], "0, 1, 2, 4, 5, 6, 8, 9"),
        pytest.param([5], "0, 1, 2, 3, 4, 6, 7, 8, 9", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_missing_digits_work_and_are_said(
    config: TrainConfig, data: Dataset, tmp_path: Path, labels: list[int], missing: str
) -> None:
    crops, digits = synthetic_digits(200, seed=5)
    chosen = [int(np.flatnonzero(digits == label)[labels[:index].count(label)]) for index, label in enumerate(labels)]
    few = split_own_digits(number_crops("few", crops[chosen], digits[chosen]))
    lines: list[str] = []
    result = train_in(tmp_path / "mine", replace(config, epochs=1, steps=2), data, few, lines)
    assert f"Own digits: none to train on of {missing}; these stay as the model knows them" in lines
    assert (result.own_accuracy is None) == (len(labels) == 1)  # nothing is held out of a single digit
    assert result.test_accuracy > 0.6


class Killed(Exception):
    """Stands for a kill at some line."""


@pytest.mark.slow
def test_a_resumed_fine_tuning_is_bit_equal_and_refuses_other_digits(
    tuned: TrainResult,
    config: TrainConfig,
    data: Dataset,
    own: OwnDigits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deadly(*_: object) -> None:
        if (tmp_path / "mine" / "last.keras").exists():
            raise Killed
        real(*_)  # type: ignore[arg-type]

    real = callbacks.write_history
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(callbacks, "write_history", deadly)
        train_in(tmp_path / "mine", config, data, own, [])
    run = find_interrupted_run(tmp_path / "mine")
    with pytest.raises(DataError, match=r"expected the images that it began with, own .* have changed since"):
        resume(run, data, own=split_own_digits(mirrored(200, seed=4)), log=lambda _: None)
    with pytest.raises(InputError, match=r"or neither, got no own digits and a share of 0\.25"):
        resume(run, data, log=lambda _: None)
    resumed = resume(run, data, own=own, log=lambda _: None)
    assert replace(resumed, folder=tuned.folder) == tuned
    assert (resumed.folder / "history.csv").read_text() == (tuned.folder / "history.csv").read_text()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[RunRecorder]:
    recorder = RunRecorder(tmp_path, purpose=Purpose.OWN_DIGITS)
    recorder.set_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    yield recorder


def test_training_stops_after_epochs_that_are_worse(recorder: RunRecorder, tmp_path: Path) -> None:
    recorder.model.stop_training = False
    kept = []
    for epoch, loss in enumerate([0.3, 0.2, 0.3, 0.24, *[0.26] * PATIENCE]):
        assert not recorder.model.stop_training
        recorder.on_epoch_end(epoch, {"val_loss": loss, "val_accuracy": 0.5})
        kept.append((tmp_path / "model.keras").stat().st_mtime_ns)
    assert recorder.model.stop_training
    is_new = [kept[0] > 0, *(later > earlier for earlier, later in itertools.pairwise(kept))]
    assert is_new == [True, True, False, True, *[False] * PATIENCE]


@pytest.mark.slow
def test_a_stopped_training_is_not_continued_by_resume(
    config: TrainConfig, data: Dataset, own: OwnDigits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(callbacks, "PATIENCE", 0)  # every epoch is the last
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("digitedge.training.train.plot_curves", deadly)
        train_in(tmp_path / "mine", replace(config, steps=2), data, own, [])
    assert resume(find_interrupted_run(tmp_path / "mine"), data, own=own, log=lambda _: None).best_epoch == 1
    assert len((tmp_path / "mine" / "history.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": None}, "own_share must be 0 for new weights, got 0.25"),
        ({"own_share": 0.6}, r"own_share must be from 0 to 0\.5, got 0\.6"),
        ({"own_share": 0.0}, "steps must be at least 1, and with own digits, got 20"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_refused(
    config: TrainConfig, change: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        replace(config, **change)  # type: ignore[arg-type]


def test_own_digits_without_a_share_are_refused(
    config: TrainConfig, data: Dataset, own: OwnDigits, tmp_path: Path
) -> None:
    plain = replace(config, own_share=0, steps=None)
    with pytest.raises(InputError, match=r"or neither, got own digits and a share of 0$"):
        train(plain, data, data_name="synthetic", folder=tmp_path, own=own)


@pytest.mark.slow
def test_two_fifths_of_the_errors_go_on_a_hand_that_contradicts_all_others(released: Path, tmp_path: Path) -> None:
    """Mirrored digits: no hand is harder, two thirds of them are misread."""
    data = Dataset(*synthetic_digits(6000, seed=11), *synthetic_digits(1000, seed=12))
    own = split_own_digits(mirrored(400, seed=13))
    cnn = replace(ARCHITECTURES["cnn"].defaults, start=str(released / "model.keras"), scenes=0)
    result = train_in(tmp_path / "mine", for_own_digits(cnn), data, own, [])
    assert result.own_accuracy is not None
    assert result.initial_own_accuracy is not None
    assert 1 - result.own_accuracy < 0.6 * (1 - result.initial_own_accuracy)
    assert result.test_accuracy > result.initial_test_accuracy - 0.005


@pytest.mark.slow
def test_the_command_line_fine_tunes_a_bundle_on_a_folder_and_finds_its_architecture(
    digitedge: Callable[..., subprocess.CompletedProcess[str]], released: Path, tmp_path: Path
) -> None:
    digits = mirrored(60, seed=6)
    for index, (crop, label) in enumerate(zip(digits.crops, digits.labels.tolist(), strict=True)):
        (tmp_path / "mine" / str(label)).mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / "mine" / str(label) / f"{index}.png", crop)
    small = released.with_name("small")
    arguments = ("--from", small, "--data", "synthetic", "--data", "mine", "--epochs", "1", "--scenes", "0")
    done = digitedge("train", *arguments, "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert "own digits, 12 held out" in done.stdout
    args = json.loads((tmp_path / "runs" / "train" / "mine-1" / "args.json").read_text())
    assert args["config"]["architecture"] == args["parent"]["name"] == "small"
    assert (args["data"], args["data_sources"]) == ("synthetic+own", ["synthetic", "mine"])
