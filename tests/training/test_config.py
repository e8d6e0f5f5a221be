import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from digitedge.errors import DataError, InputError
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.config import TrainConfig
from digitedge.training.run_folder import RunFolder

CONFIG = ARCHITECTURES["cnn"].defaults


def config_from_json(config: dict[str, Any]) -> TrainConfig:
    return RunFolder(Path("run"), json.loads(json.dumps({"config": config}))).config


def test_a_config_survives_json() -> None:
    assert config_from_json(asdict(CONFIG)) == CONFIG


@pytest.mark.parametrize(
    "change", [{"augment": True}, {"augment": None}, {"augment": ["rain"]}, {"optimizer": "best"}, {"momentum": 1}]
)
def test_an_invalid_config_in_json_is_a_data_error(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"run/args\.json: config: .* Train again"):
        config_from_json({**asdict(CONFIG), **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augment": ("rain",)}, r"expected transforms of geometry, .*, got rain"),
        ({"optimizer": "sgd"}, "expected an optimizer of adamw, rmsprop, got sgd"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"scenes": -1}, "scenes must be at least 0, got -1"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1"),
        ({"dropout": float("nan")}, "dropout must be from 0 to below 1"),
        ({"validation_split": 1.0}, "validation_split must be between 0 and 1"),
        ({"teacher_weight": 1.5}, "teacher_weight must be from 0 to 1"),
        ({"teacher_temperature": 0.0}, "teacher_temperature must be above 0"),
    ],
    ids=str,
)
def test_an_invalid_setting_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(CONFIG, **change)
