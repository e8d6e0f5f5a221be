"""The search for architectures, with less data: candidates as tasks, here and on a cluster."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dask_processes import start_cluster

from digitedge.datasets.dataset import Dataset
from digitedge.utils.files import write_json

ROOT = Path(__file__).parents[2]
LESS = {"TRAINING_IMAGES": 2000, "EVALUATION_IMAGES": 500, "CORRUPTED_IMAGES": 50, "EPOCHS": 1, "SCENES": 4}


def search(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "tests/experiments/architectures.py", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_figures_of_another_source_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import architectures

    images = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
    data = Dataset(*images, *images)
    augment = tmp_path / "training" / "augment.py"
    augment.parent.mkdir()
    augment.write_text("ANGLE = 10")
    monkeypatch.setattr(architectures, "PACKAGE", tmp_path)
    monkeypatch.setattr(architectures, "FOLDER", tmp_path)
    (tmp_path / "small").mkdir()
    content = {"settings": architectures.settings("small", data), "figures": {"top1": 0.9}}
    write_json(tmp_path / "small" / architectures.FIGURES, content)
    assert architectures.read_figures("small", data) == {"top1": 0.9}
    augment.write_text("ANGLE = 20")
    assert architectures.read_figures("small", data) is None


@pytest.mark.slow
def test_candidates_are_measured_on_a_cluster_and_kept(tmp_path: Path, mnist: Path) -> None:
    script = (ROOT / "tests" / "experiments" / "architectures.py").read_text()
    for name, value in LESS.items():
        script, count = re.subn(rf"^{name} = [\d_]+$", f"{name} = {value}", script, flags=re.MULTILINE)
        assert count == 1
    folder = tmp_path / "shared"
    (folder / "tests" / "experiments").mkdir(parents=True)
    (folder / "tests" / "experiments" / "architectures.py").write_text(script)
    with start_cluster(tmp_path) as cluster:
        cluster.start_workers("--nworkers", "2", "--nthreads", "1")
        first = search(folder, "small", "pooled, small", "--scheduler", cluster.address)
    assert first.returncode == 0, first.stderr
    rows = [line.split(" | ") for line in first.stdout.splitlines() if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["| small", "| pooled, small"]
    assert 20 < float(rows[0][1]) < 30
    again = search(folder, "pooled, small", "separable, smal")
    assert again.returncode == 2
    again = search(folder, "pooled, small")
    assert "pooled, small: as measured before" in again.stderr
    assert again.stdout.splitlines()[-1].split(" | ")[:4] == rows[1][:4]
