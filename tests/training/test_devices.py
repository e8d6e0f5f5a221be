"""What a training runs on. There is no GPU in the tests: a second CPU stands for it where TensorFlow allows that."""

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.devices import describe_device
from digitedge.training.run_folder import RunFolder
from digitedge.training.train import resume


def test_without_a_gpu_the_cores_are_named() -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert describe_device() in (f"CPU, {cores} cores", "CPU, 1 core")


def test_resuming_on_another_device_is_noted(tmp_path: Path) -> None:
    images, labels = np.zeros((100, 28, 28), np.uint8), np.zeros(100, np.uint8)
    config = ARCHITECTURES["mlp"].defaults
    args = {"config": asdict(config), "device": "GPU, Tesla T4", "data_sha256": "0" * 64}
    lines: list[str] = []
    with pytest.raises(DataError):  # after the note
        resume(RunFolder(tmp_path, args), Dataset(images, labels, images, labels), log=lines.append)
    assert lines[0].startswith(f"note: it began on GPU, Tesla T4, now it is {describe_device()}")


SECOND_CPU = """
import os, sys
from pathlib import Path
from digitedge.utils.quiet import require_tensorflow
tf = require_tensorflow()
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from digitedge.runtime.keras import KerasNetwork
from digitedge.training.keras_io import load_keras
with tf.device("/CPU:1"):  # as TensorFlow prefers a GPU
    training, network = load_keras(Path(sys.argv[1])), KerasNetwork(Path(sys.argv[1]))
print(os.environ.get("CUDA_VISIBLE_DEVICES"))
for model in (training, network.model):
    print({weight.value.device[-5:] for weight in model.weights})
"""


@pytest.mark.slow
@pytest.mark.parametrize("visible", [None, "0"])
def test_training_uses_the_device_of_tensorflow_and_parity_the_cpu(released: Path, visible: str | None) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    if visible is not None:
        environment["CUDA_VISIBLE_DEVICES"] = visible
    command = [sys.executable, "-c", SECOND_CPU, str(released / "model.keras")]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert result.stdout.splitlines() == [str(visible), "{'CPU:1'}", "{'CPU:0'}"], result.stderr
