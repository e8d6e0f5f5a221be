"""A running camera goes on with another version of its model, between two frames."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from processes import start
from signing import ROOT, SMALL, copy_bundle, flip_byte

from digitedge.bundle.bundle import Model, load_model
from digitedge.bundle.versions import VersionState, version_path, write_state
from digitedge.camera import Frame
from digitedge.camera.model_watcher import ModelWatcher
from digitedge.errors import InputError
from digitedge.reader import Reader
from digitedge.utils.opencv import cv2

FRAMES = 400


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A folder with version 1, `small`, which is current, and version 2, `cnn`."""
    copy_bundle(tmp_path / "device" / "versions" / "1", SMALL)
    copy_bundle(tmp_path / "device" / "versions" / "2", ROOT / "export" / "cnn")
    write_state(tmp_path / "device", VersionState(current=1))
    return tmp_path / "device"


def wait(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_reader_uses_another_model_from_the_next_image_on(page: Callable[[int], Frame]) -> None:
    class Always:
        def __init__(self, digit: int) -> None:
            self.digit = digit

        def probabilities(self, crops: np.ndarray) -> np.ndarray:
            reader.use(Always(self.digit + 1))  # in the middle of an image
            return np.tile(np.eye(10, dtype=np.float32)[self.digit], (len(crops), 1))

    reader = Reader(Always(3))
    assert [reader.read(page(2)).rows for _ in range(2)] == [("33",), ("44",)]
    with pytest.raises(InputError, match="expected the path of a model or a classifier, got int"):
        reader.use(7)  # type: ignore[arg-type]


def test_the_watcher_loads_what_becomes_current_and_keeps_what_runs_if_that_fails(versions: Path) -> None:
    lines: list[str] = []
    reader = Reader(version_path(versions, 1))
    loaded: list[Path] = []

    def load(path: Path) -> Model:
        loaded.append(path)
        return load_model(path)

    first = reader.classifier
    with ModelWatcher(versions, version_path(versions, 1), reader, load, log=lines.append, poll_s=0.01):
        time.sleep(0.1)
        assert loaded == []
        write_state(versions, VersionState(current=2, previous=1))
        wait(lambda: bool(lines))
        second = reader.classifier
        assert second is not first
        assert lines == [f"model: {version_path(versions, 2)}"]
        flip_byte(version_path(versions, 1) / "model_int8.tflite")
        write_state(versions, VersionState(current=1))
        wait(lambda: len(lines) == 2)
        time.sleep(0.1)
        assert reader.classifier is second
        assert len(lines) == 2
        assert "the model stays as it is: " in lines[1]
        (versions / "state.json").write_text("{")
        wait(lambda: len(lines) == 3)
        write_state(versions, VersionState(current=2))
        wait(lambda: len(lines) == 4)
        assert reader.classifier is not second
    assert threading.active_count() == 1 or "model watcher" not in {one.name for one in threading.enumerate()}


def test_the_watcher_reports_once_that_memory_was_missing_and_loads_the_next_version(versions: Path) -> None:
    lines: list[str] = []
    reader = Reader(version_path(versions, 2))

    def load(path: Path) -> Model:
        if path == version_path(versions, 1):
            raise MemoryError
        return load_model(path)

    with ModelWatcher(versions, version_path(versions, 2), reader, load, log=lines.append, poll_s=0.01):
        wait(lambda: bool(lines))
        time.sleep(0.1)
        assert lines == [f"{versions}: the model stays as it is: unexpected MemoryError: MemoryError"]
        write_state(versions, VersionState(current=2, previous=1))
        wait(lambda: len(lines) == 2)
    assert lines[1] == f"model: {version_path(versions, 2)}"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video with a printed 17, of which the two models are not equally sure."""
    page = np.full((240, 320), 225, np.uint8)
    cv2.putText(page, "17", (70, 160), cv2.FONT_HERSHEY_COMPLEX, 3.2, 40, 5, cv2.LINE_AA)
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for _ in range(FRAMES):
        writer.write(cv2.cvtColor(page, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


@pytest.mark.slow
def test_a_running_camera_reads_every_frame_while_its_model_is_replaced(versions: Path, clip: Path) -> None:
    """A camera process waits for its reader when the pipe is full: so the test sets its pace."""
    command = [sys.executable, "-m", "digitedge", "camera", clip, "--json", "--model", versions]
    errors: list[str] = []
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        thread = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)  # type: ignore[union-attr]
        thread.start()
        assert process.stdout is not None
        readings = [json.loads(process.stdout.readline()) for _ in range(20)]
        write_state(versions, VersionState(current=2, previous=1))
        wait(lambda: any(line.startswith("model: ") for line in errors))
        readings += map(json.loads, process.stdout)
        assert process.wait(30) == 0
        thread.join(10)
    assert [reading["frame"] for reading in readings] == list(range(FRAMES))
    confidence = [tuple(digit["confidence"] for digit in reading["digits"]) for reading in readings]
    switches = [index for index in range(1, FRAMES) if confidence[index] != confidence[index - 1]]
    assert switches[0] >= 20
    assert switches[-1] - switches[0] < 40  # digits are decided by vote over the last frames
    assert any(line.endswith("versions/2\n") for line in errors)
    assert errors[-1].startswith(f"frames read: {FRAMES}")
