"""The trial in a child process: whatever happens there, this process gets one line."""

import os
import time
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from digitedge.errors import ModelError
from digitedge.runtime.checks import trial
from digitedge.runtime.checks.trial import try_in_child
from digitedge.runtime.load import load_network

ROOT = Path(__file__).parents[3]
posix_only = pytest.mark.skipif(os.name == "nt", reason="limits and signals of POSIX")

KINDS = """
import os, time

def try_content(content):
    kind = content.decode()
    if kind == "abort": os.abort()
    if kind == "memory": bytearray(1_000_000_000)
    if kind == "time": time.sleep(60)
    if kind == "error": raise ValueError("it is no model")
    if kind == "exit": os._exit(3)
"""


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "kinds_of_trials.py").write_text(KINDS)
    folders = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
    return "kinds_of_trials"


@posix_only
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("abort", "it crashed (Aborted)"),
        ("memory", "it needs too much memory"),
        ("time", "it did not exit within 2 s"),
        ("error", "it is no model"),
        ("exit", "it exited with code 3"),
    ],
)
def test_failed_trial_is_one_line(kind: str, reason: str, kinds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIAL_LIMIT_S", 2.0)
    with pytest.raises(ModelError) as caught:
        try_in_child(kind.encode(), Path("model.tflite"), kinds, unknown="an operator of its own")
    assert str(caught.value).splitlines() == [
        "model.tflite: tried in a process of its own, because it has an operator of its own, it failed: "
        f"{reason}. Export it again, or use another model."
    ]


def test_good_trial_says_nothing(kinds: str) -> None:
    try_in_child(b"works", Path("model.tflite"), kinds, unknown="an operator of its own")


def test_model_with_an_unknown_part_is_tried_and_runs(tmp_path: Path) -> None:
    model = schema.ModelT.InitFromPackedBuf((ROOT / "tests/fixtures/foreign.tflite").read_bytes(), 0)
    model.metadata = [schema.MetadataT(name=b"of its own", buffer=0)]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "foreign.tflite"
    path.write_bytes(builder.Output())
    network = load_network(path)
    assert network.scores(np.zeros((2, *network.shape), np.float32)).shape == (2, 10)


def test_model_that_is_slow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MAX_RUN_S", 0.01)
    with pytest.raises(ModelError, match=r"it takes 0\.\d s for one run"), trial.limit_time():
        time.sleep(0.06)
