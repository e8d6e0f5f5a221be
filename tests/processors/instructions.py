"""Count the instructions of an inference and of a frame: a cost that does not depend on the clock of the machine.

    python tests/processors/instructions.py               # every exported file, and a frame: about ten minutes
    python tests/processors/instructions.py --recipe int8
    python tests/processors/instructions.py --repeat WHAT TIMES  # what is count: a model file, or "frame"

Valgrind runs the same program with few and with many repetitions; the difference excludes the start-up. It emulates an
x86-64 processor with AVX2 and without AVX-512 and VNNI on any machine. Prints a table as Markdown.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from digitedge.bundle.bundle import load_bundle
from digitedge.bundle.golden import load_golden
from digitedge.bundle.recipe import RECIPES
from digitedge.reader import Reader
from digitedge.runtime import load_classifier
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.opencv import cv2

HERE = Path(__file__).resolve().parents[2]
BUNDLES = ("cnn", "small")
FRAME = "frame"
SCENE_SEED = 20  # the first plain page of ten digits
REPETITIONS = (2, 12)  # the first includes what is done once
# Without these the start-up varies by ten million instructions (order of sets, waiting threads); with them by 5,000.
STEADY = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Print a line for every exported file, and one for a frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, help="only the files of this recipe")
    parser.add_argument(
        "--repeat", nargs=2, metavar=("WHAT", "TIMES"), help="classify a crop or read a frame TIMES times"
    )
    options = parser.parse_args()
    if options.repeat:
        repeat(options.repeat[0], int(options.repeat[1]))
        return
    if shutil.which("valgrind") is None:
        sys.exit("error: valgrind is missing. Run: sudo apt install valgrind")
    packages = ", ".join(f"{name} {version(name)}" for name in ("ai-edge-litert", "onnxruntime", "numpy"))
    print(f"{packages}, OpenCV {cv2.__version__}; one thread; x86-64 with AVX2 as Valgrind has it")
    print("\n| what | million instructions |\n| --- | ---: |")
    for bundle in (load_bundle(HERE / "export" / name) for name in BUNDLES):
        for name, entry in bundle.manifest.files.items():
            if options.recipe in (None, entry.recipe):
                cost = instructions(str(bundle.path / name))
                print(f"| {bundle.path.name} {name}, a crop | {cost / 1e6:.2f} |", flush=True)
    cost = instructions(FRAME)
    print(f"| a frame of 1280x720 with ten digits, cnn model_int8.tflite | {cost / 1e6:.1f} |")


def instructions(what: str) -> float:
    """Return the instructions of one repetition."""
    few, many = REPETITIONS
    return (count(what, many) - count(what, few)) / (many - few)


def count(what: str, times: int) -> int:
    """Return the instructions of a whole program, start-up included."""
    # Callgrind counts the same and takes twice as long.
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    command = [*valgrind, sys.executable, __file__, "--repeat", what, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | STEADY)
    found = re.search(r"I +refs: +([\d,]+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"error: {' '.join(command)} exited with {done.returncode}:\n{done.stderr}")
    return int(found[1].replace(",", ""))


def repeat(what: str, times: int) -> None:
    """Classify one crop or read one frame several times."""
    cv2.setNumThreads(1)
    if what == FRAME:
        reader = Reader(HERE / "export" / BUNDLES[0] / "model_int8.tflite")
        frame = render_scene(
            seed=SCENE_SEED, width=1280, height=720, difficulty=Difficulty.PLAIN, scene_type="plain-paper"
        ).frame
        found = [len(reader.read(frame).digits) for _ in range(times)]
        if set(found) != {10}:
            sys.exit(f"error: the frame has 10 digits, read were {found}")
    else:
        classifier = load_classifier(Path(what))
        crop = load_golden(Path(what).with_name("golden.npz")).crops[:1]
        for _ in range(times):
            classifier.probabilities(crop)


if __name__ == "__main__":
    main()
