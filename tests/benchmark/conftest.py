"""A small report, as `bench --json` prints it."""

from collections.abc import Callable
from typing import Any

import pytest


def _file_row(name: str, p50_ms: float, **others: Any) -> dict[str, Any]:
    """Return a row of `files`."""
    recipe = name.removeprefix("model_").partition(".")[0]
    return {
        "file": name,
        "threads": 1,
        "recipe": recipe,
        "top1": 0.99,
        "passed": True,
        "sha256": "a" * 64,
        "p50_ms": p50_ms,
        "p95_ms": 1.2 * p50_ms,
        "medians_ms": [p50_ms * factor for factor in (0.98, 0.99, 1, 1.01, 1.02)],
    } | others


def _frame_row(width: int, height: int, digits: int, total_ms: float, threads: int = 1) -> dict[str, Any]:
    """Return a row of `frames`."""
    return {
        "threads": threads,
        "width": width,
        "height": height,
        "digits": digits,
        "total_ms": total_ms,
        "medians_ms": [total_ms] * 5,
    }


@pytest.fixture
def file_row() -> Callable[..., dict[str, Any]]:
    """A function that returns a row of `files`."""
    return _file_row


@pytest.fixture
def frame_row() -> Callable[..., dict[str, Any]]:
    """A function that returns a row of `frames`."""
    return _frame_row


@pytest.fixture
def report() -> dict[str, Any]:
    """Two files, one frame, one command."""
    machine = {"board": "Raspberry Pi 5", "cpu": "Cortex-A76", "cores": 4, "architecture": "aarch64"}
    return {
        "schema": "digitedge.bench/1",
        "model": "export/cnn",
        "settings": {"seconds": 1.0, "rounds": 6},
        "system": {**machine, "versions": {"numpy": "2.4.6"}},
        "preferred_file": "model_int8.tflite",
        "notes": [],
        "files": [_file_row("model_int8.tflite", 0.1), _file_row("model_float32.onnx", 0.2)],
        "skipped": [],
        "frames": [_frame_row(640, 480, 10, 8.0)],
        "cold_start": {"--help": {"best_ms": 200.0, "runs_ms": [200.0, 201.0, 202.0, 203.0, 204.0]}},
    }
