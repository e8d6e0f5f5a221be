"""`digitedge data` in real processes."""

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="needs matplotlib")
@pytest.mark.slow
def test_show_counts_the_digits_and_writes_an_image(digitedge: Command, tmp_path: Path) -> None:
    result = digitedge("data", "show", "--data", "synthetic", "--output", "look.png")
    assert result.returncode == 0, result.stderr
    assert "synthetic training  30000 images  0: 3000  1: 3000" in result.stdout
    assert (tmp_path / "look.png").read_bytes()[:4] == b"\x89PNG"


def test_get_checks_mnist_and_says_where_it_is(digitedge: Command, mnist: Path, tmp_path: Path) -> None:
    result = digitedge("data", "get", "--data", mnist)
    assert result.returncode == 0, result.stderr
    assert str(mnist) in result.stdout
    assert "60000 training and 10000 test images, content checked" in result.stdout
    assert "synthetic" not in digitedge("data", "get", "--help").stdout
    missing = digitedge("data", "get", "--data", tmp_path / "nowhere")
    assert (missing.returncode, missing.stderr.startswith("error: no MNIST at")) == (1, True)
