"""Verify the released bundles on a processor without AVX-512 and VNNI, emulated: `make test-avx2`.

The kernels that a runtime chooses depend on the processor, and int8 files that agree on one may saturate on another. So
every exported file answers MNIST's test images under `qemu-x86_64 -cpu Haswell`, and the answers are judged against the
Keras original by the tolerances in the manifest, and compared with the answers given here. Takes some ten minutes.

With arguments it is the emulated half: `avx2.py FILE ANSWERS.npy` scores the images with one file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle import load_bundle
from digitedge.data.mnist import load_mnist
from digitedge.runtime import load_classifier

QEMU = "qemu-x86_64"
EMULATED = [QEMU, "-cpu", "Haswell"]
BUNDLES = ("cnn", "small")


def main() -> None:
    """Print a line for every file; exit with 1 where one is out of tolerance there."""
    if len(sys.argv) == 3:
        np.save(sys.argv[2], load_classifier(sys.argv[1]).probabilities(load_mnist().x_test))
        return
    if shutil.which(QEMU) is None:
        sys.exit(f"error: {QEMU} is missing. Run: sudo apt install qemu-user")
    from digitedge.exporting.reference import KerasClassifier
    from digitedge.parity import compare
    from digitedge.training.keras_file import load_keras

    data, broken = load_mnist(), []
    for name in BUNDLES:
        bundle = load_bundle(Path("export") / name)
        expected = KerasClassifier(load_keras(bundle.reference), bundle.reference).probabilities(data.x_test)
        for file, entry in bundle.manifest.files.items():
            path = bundle.path / file
            here, there = load_classifier(path).probabilities(data.x_test), emulated_answers(path)
            parity = compare(expected, there, data.y_test)
            violations = parity.violations(entry.tolerance)
            broken += violations
            same = float((here.argmax(axis=1) == there.argmax(axis=1)).mean())
            print(
                f"{path!s:34} right {parity.candidate_top1:.2%} (here {entry.top1:.2%})  agreement with Keras "
                f"{parity.agreement:.2%} (here {entry.agreement:.2%})  with this processor {same:.2%}, largest "
                f"difference {np.abs(here - there).max():.1g}  {'; '.join(violations) or 'fit'}",
                flush=True,
            )
    sys.exit(1 if broken else 0)


def emulated_answers(path: Path) -> NDArray[np.float32]:
    """What a file answers under emulation: float32 (M, 10)."""
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.npy"
        # A link to Python would be looked up by the emulator's own name, and the environment's packages lost.
        environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell"}
        subprocess.run([*EMULATED, sys.executable, __file__, str(path), str(answers)], check=True, env=environment)
        return np.asarray(np.load(answers), np.float32)


if __name__ == "__main__":
    main()
