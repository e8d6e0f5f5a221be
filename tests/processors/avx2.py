"""Verify the released bundles on a processor without AVX-512 and VNNI, emulate: `make test-avx2`.

Runtimes choose their kernels by the processor, and an int8 file that agrees on one may saturate on another. So every
exported file classifies MNIST's test images under `qemu-x86_64 -cpu Haswell`, and its parity with the Keras original
must be the one in the manifest. A float file takes more than eight minutes, an int8 file one and a half.

    python tests/processors/avx2.py [--recipe int8]     # only the files of one recipe: about six minutes
    python tests/processors/avx2.py --score FILE OUT    # what runs under emulation: save the probabilities of a file
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
    """Print a line for every file; exit with 1 if a parity result differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, help="only the files of this recipe")
    parser.add_argument(
        "--score", nargs=2, metavar=("FILE", "OUT"), help="save the probabilities of a file on this machine"
    )
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
    """Check the parity of a bundle's files under emulation; returns for each whether the result is the manifest's."""
    from digitedge.bundle.parity import compare_outputs
    from digitedge.exporting.original import load_reference

    expected = load_reference(bundle).probabilities(data.x_test)
    same = []
    for name, entry in bundle.manifest.files.items():
        if recipe not in (None, entry.recipe):
            continue
        here, there = load_classifier(bundle.path / name).probabilities(data.x_test), emulate(bundle.path / name)
        parity = compare_outputs(expected, there, data.y_test)
        violations = parity.violations(entry.tolerance)
        same.append(entry.passed == (not violations))
        print(
            f"{bundle.path / name!s:32} top-1 {parity.candidate_top1:.2%} (here {entry.top1:.2%})  agreement with "
            f"Keras {parity.agreement:.2%} (here {entry.agreement:.2%}), with here "
            f"{(here.argmax(axis=1) == there.argmax(axis=1)).mean():.2%}, largest difference "
            f"{np.abs(here - there).max():.1g}  {'; '.join(violations) or 'passed'}",
            flush=True,
        )
    return same


def emulate(path: Path) -> NDArray[np.float32]:
    """Return the probabilities of a file under emulation: float32 (M, 10)."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output.npy"
        command = [QEMU, "-cpu", "Haswell", sys.executable, __file__, "--score", str(path), str(output)]
        done = subprocess.run(command, capture_output=True, text=True)  # QEMU warns of features that a Haswell lacks
        if done.returncode:
            sys.exit(f"error: {' '.join(command)} exited with {done.returncode}:\n{done.stderr}")
        return np.asarray(np.load(output), np.float32)


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
