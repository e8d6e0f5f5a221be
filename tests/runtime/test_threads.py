"""One classifier, asked by several threads at once: the reading loop and the drawings on a web page."""

import threading
from pathlib import Path

import numpy as np
import pytest

from digitedge.runtime import load_classifier


@pytest.mark.parametrize("name", ["model_int8.tflite", "model_int8.onnx"])
def test_every_thread_gets_its_own_answers(released: Path, name: str) -> None:
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    classifier = load_classifier(released / name)
    crops = np.load(released / "golden.npz")["crops"][:40]
    alone = classifier.probabilities(crops)
    wrong: list[int] = []

    def ask(start: int) -> None:
        mine = crops[start::4]
        for _ in range(30):
            if not np.array_equal(classifier.probabilities(mine), alone[start::4]):
                wrong.append(start)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
