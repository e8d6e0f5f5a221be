"""The help of every command, as a terminal shows it."""

import importlib.util
import subprocess
import sys

import pytest
import typer

from digitedge.bundle.signature import POLICY_VARIABLE
from digitedge.camera import capture
from digitedge.cli import camera, common, publish, update
from digitedge.cli.app import app
from digitedge.reader.rejection import MIN_CONFIDENCE

PATHS = [
    *(
        ["train"],
        ["export"],
        ["verify"],
        ["predict"],
        ["camera"],
        ["label"],
        ["serve"],
        ["bench"],
        ["info"],
        ["demo"],
        ["doctor"],
    ),
    *(["eval", "photos"], ["eval", "scenes"], ["data", "get"], ["data", "show"]),
    *(
        ["sign"],
        ["publish"],
        ["update"],
        ["trust", "new-key"],
        ["trust", "add"],
        ["trust", "list"],
        ["trust", "remove"],
    ),
    *(["service", "install"], ["service", "status"], ["service", "remove"], ["eval"], []),
]


@pytest.mark.parametrize("command", PATHS, ids=" ".join)
def test_help_is_shown(command: list[str]) -> None:
    program = [sys.executable, "-m", "digitedge", *command]
    done = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout


def test_the_list_names_every_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "digitedge", "--help"], capture_output=True, text=True, timeout=60
    ).stdout
    for path in PATHS:
        assert not path or f" {path[0]} " in shown


def test_defaults_that_help_does_not_import_are_those_of_the_code() -> None:
    assert common.LEAST_CONFIDENCE == MIN_CONFIDENCE
    assert camera.PATIENCE_S == capture.PATIENCE_S
    assert common.POLICY_VARIABLE == POLICY_VARIABLE
    pytest.importorskip("tuf")
    from digitedge.updates.install import TIMEOUT_S
    from digitedge.updates.repository import DAYS

    assert (update.TIMEOUT_S, publish.DAYS) == (TIMEOUT_S, DAYS)


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="needs TensorFlow")
@pytest.mark.parametrize("name", ["epochs", "dropout", "scenes", "batch_size", "seed"])
def test_the_help_of_train_has_the_defaults_of_the_architectures(name: str) -> None:
    from digitedge.training.architectures import ARCHITECTURES

    defaults = {architecture: getattr(one.defaults, name) for architecture, one in ARCHITECTURES.items()}
    train = typer.main.get_command(app).get_command(None, "train")  # type: ignore[attr-defined]
    (option,) = (one for one in train.params if one.name == name)
    if option.default is not None:
        assert set(defaults.values()) == {option.default}
        return
    others = [f"{architecture}: {value:g}" for architecture, value in defaults.items() if value != defaults["cnn"]]
    assert option.help.endswith(f" Default: {'; '.join([format(defaults['cnn'], 'g'), *others])}.")


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="TensorFlow is not installed")
def test_the_help_of_train_has_the_settings_for_own_digits() -> None:
    from digitedge.training import own_hand

    train = typer.main.get_command(app).get_command(None, "train")  # type: ignore[attr-defined]
    helps = {one.name: getattr(one, "help", "") for one in train.params}
    assert f"on own digits, {own_hand.EPOCHS} times {own_hand.STEPS} batches" in helps["epochs"]
    assert f"on own digits, {own_hand.SCENES}." in helps["scenes"]
