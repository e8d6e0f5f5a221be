"""One classifier in several threads: the reading loop and the drawings on the web page share it."""

import threading
from pathlib import Path

import numpy as np
import pytest

from digitedge.runtime import RUNTIMES, Runtime, load_classifier


@pytest.mark.parametrize(
    "runtime", [one for one in RUNTIMES if one.runs_exported_files], ids=lambda runtime: runtime.name
)
def test_threads_that_share_a_classifier_get_their_own_results(released: Path, runtime: Runtime) -> None:
    if not runtime.is_installed:
        pytest.skip(runtime.missing)
    classifier = load_classifier(released / f"model_int8{runtime.suffixes[0]}")
    crops = np.load(released / "golden.npz")["crops"][:40]
    expected = classifier.probabilities(crops)
    wrong: list[int] = []

    def ask(start: int) -> None:
        mine = crops[start::4]
        for _ in range(30):
            if not np.array_equal(classifier.probabilities(mine), expected[start::4]):
                wrong.append(start)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
