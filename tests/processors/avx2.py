"""Verify the released bundles on a processor without AVX-512 and VNNI, emulated: `make test-avx2`.

The kernels that a runtime chooses depend on the processor, and int8 files that agree on one may saturate on another. So
every exported file answers MNIST's test images under `qemu-x86_64 -cpu Haswell`. The answers are judged against the
Keras original by the tolerances in the manifest, and the verdict must be the one there. Takes long: a float file needs
more than eight minutes, an int8 file one and a half.

    python tests/processors/avx2.py [--recipe int8]     # only the files of one recipe: about six minutes
    python tests/processors/avx2.py --score FILE OUT    # the emulated half: the answers of one file, to OUT.npy
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import Bundle, load_bundle
from digitedge.bundle.recipe import RECIPES
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.mnist import load_mnist
from digitedge.errors import DigitEdgeError
from digitedge.runtime import load_classifier

QEMU = "qemu-x86_64"
BUNDLES = ("cnn", "small")


def main() -> None:
    """Print a line for every file; exit with 1 where a verdict is another one there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, help="only the files of this recipe")
    parser.add_argument("--score", nargs=2, metavar=("FILE", "OUT"), help="write what a file answers here")
    options = parser.parse_args()
    data = load_mnist()
    if options.score:
        np.save(options.score[1], load_classifier(options.score[0]).probabilities(data.x_test))
    elif shutil.which(QEMU) is None:
        sys.exit(f"error: {QEMU} is missing. Run: sudo apt install qemu-user")
    else:
        same = [same for name in BUNDLES for same in verify(load_bundle(Path("export") / name), data, options.recipe)]
        sys.exit(0 if same and all(same) else 1)


def verify(bundle: Bundle, data: Dataset, recipe: str | None) -> list[bool]:
    """Compare the files of a bundle with their original, and say of each whether its verdict is the manifest's."""
    from digitedge.bundle.parity import compare
    from digitedge.exporting.keras_reference import KerasClassifier
    from digitedge.training.keras_io import load_keras

    expected = KerasClassifier(load_keras(bundle.reference), bundle.reference).probabilities(data.x_test)
    same = []
    for name, entry in bundle.manifest.files.items():
        if recipe not in (None, entry.recipe):
            continue
        here, there = load_classifier(bundle.path / name).probabilities(data.x_test), emulated(bundle.path / name)
        parity = compare(expected, there, data.y_test)
        violations = parity.violations(entry.tolerance)
        same.append(entry.fit == (not violations))
        print(
            f"{bundle.path / name!s:32} right {parity.candidate_top1:.2%} (here {entry.top1:.2%})  like Keras "
            f"{parity.agreement:.2%} (here {entry.agreement:.2%})  like here "
            f"{(here.argmax(axis=1) == there.argmax(axis=1)).mean():.2%}, largest difference "
            f"{np.abs(here - there).max():.1g}  {'; '.join(violations) or 'fit'}",
            flush=True,
        )
    return same


def emulated(path: Path) -> NDArray[np.float32]:
    """What a file answers under emulation: float32 (M, 10)."""
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.npy"
        command = [QEMU, "-cpu", "Haswell", sys.executable, __file__, "--score", str(path), str(answers)]
        done = subprocess.run(command, capture_output=True, text=True)  # qemu warns of what no Haswell needs
        if done.returncode:
            sys.exit(f"error: {' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
        return np.asarray(np.load(answers), np.float32)


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
