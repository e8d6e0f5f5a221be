"""Compare this machine with an emulated 64-bit Raspberry Pi: `make test-arm64`.

Builds a root file system of Debian bookworm for arm64, the base of 64-bit Raspberry Pi OS, and installs this project's
wheel with the arm64 wheels of a Pi there, without TensorFlow. On QEMU's Cortex-A72, the processor of a Pi 4, every
exported file classifies the golden crops, `predict` reads images, `verify` checks the golden sets, and the tests of the
edge packages run. Every top-1 must be equal, probabilities may differ by 1/64, and the readings must be the same.

    python tests/processors/arm64.py              # everything; later runs reuse the root in build/arm64
    python tests/processors/arm64.py --no-tests   # the comparison only
    python tests/processors/arm64.py --keep       # keep the installation in build/arm64/root/work
    python tests/processors/arm64.py --score OUT  # what runs under emulation: save the probabilities of every file

Needs root, debootstrap and qemu-user-static; apt-get installs what is missing. Afterwards the installation is removed,
nothing is mounted, and the kernel's binfmt entries are as before: see emulated_pi.py.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from emulated_pi import HERE, SUITE, WORK, arm64_programs, install, install_needs, log, make_root, run, run_emulated
from numpy.typing import NDArray

from digitedge.bundle.bundle import load_bundle
from digitedge.bundle.golden import load_golden
from digitedge.runtime import load_classifier
from digitedge.synthetic.page.scene_types import PLAIN_SCENE_TYPES
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.opencv import cv2

BUNDLES = ("export/cnn", "export/small")
MAX_DIFFERENCE = 1 / 64  # of a probability; one step of an int8 softmax is 1/256
# In pixels of the image: OpenCV rounds divisions and area averages differently on arm64, so a stroke in noise may begin
# one pixel later at the working scale.
MAX_BOX_DIFFERENCE = 2
IMAGES = ("demos/page.jpg", "docs/limits/noise.jpg", "docs/limits/no_digits.jpg")
PAGES = 4  # of each plain scene type, rendered on this machine

# Tests that are skipped under emulation, which takes ten to twenty times as long: reason -> paths.
SKIPPED = {
    "wait for threads, servers and signals with timeouts that are too short for emulation": (
        *("tests/web", "tests/doctor", "tests/camera/test_service.py"),
        *(f"tests/cli/test_{name}.py" for name in ("camera", "doctor", "program", "secrets", "service")),
        *(f"tests/cli/test_{name}.py" for name in ("train_export", "verify")),
        *(f"tests/camera/test_{name}.py" for name in ("capture", "heartbeat", "loop", "motion", "soak")),
        *(f"tests/camera/sinks/test_{name}.py" for name in ("mqtt", "video", "window")),
        *(f"tests/camera/sources/test_{name}.py" for name in ("rpicam", "stream")),
    ),
    "start Python many times": ("tests/test_architecture.py", "tests/cli/test_bench.py"),
    "need system calls that QEMU does not implement (ENOSYS)": ("tests/doctor/test_v4l2.py",),
    "draw or read hundreds of images": (
        *(
            "tests/synthetic",
            "tests/demos",
            "tests/docs",
            "tests/export",
            "tests/vision/test_invariance.py",
            "tests/reader/test_reader.py",
        ),
        *("tests/cli/test_eval.py", "tests/cli/test_eval_bundle.py"),
        "tests/evaluation",
        "tests/reader/test_stage_images.py",
    ),
}
TESTS_MINUTES = 30

Row = tuple[str, bool, str]
"""What was compared, whether it passed, and figures."""


def main() -> None:
    """Print a table; exit with 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-tests", action="store_true", help="skip the tests")
    parser.add_argument("--keep", action="store_true", help="keep the installation in the root")
    parser.add_argument("--score", metavar="OUT", help="save the probabilities of every file on this machine")
    parser.add_argument("--in-namespace", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.chdir(HERE)
    if options.score:
        np.savez(options.score, **score())
        return
    if not options.in_namespace:
        install_needs()
        os.execvp("unshare", ["unshare", "--mount", sys.executable, __file__, *sys.argv[1:], "--in-namespace"])
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        with arm64_programs():
            make_root()
            install()
            table = [
                *compare_probabilities(),
                compare_images(),
                compare_pages(),
                *(verify(bundle) for bundle in BUNDLES),
            ]
            table += [] if options.no_tests else [run_tests()]
    finally:
        if not options.keep:
            shutil.rmtree(WORK, ignore_errors=True)
    log("done")
    print(f"Cortex-A72 of {SUITE}'s QEMU compared with {os.uname().machine} here")
    for what, passed, figures in table:
        print(f"{what:26} {'passed' if passed else 'FAILED':7} {figures}")
    sys.exit(not all(passed for _, passed, _ in table))


def stop(number: int, _: object) -> None:
    """Exit; the `finally` blocks clean up."""
    log(f"stopped by {signal.Signals(number).name}")
    sys.exit(128 + number)


def compare_probabilities() -> list[Row]:
    """Compare the probabilities of the golden crops of every exported file."""
    log("every file classifies the golden crops")
    run_emulated("python", "tests/processors/arm64.py", "--score", "probabilities.npz")
    here, there = score(), np.load(WORK / "probabilities.npz")
    if sorted(here) != sorted(there):
        sys.exit(f"error: files here {sorted(here)}, there {sorted(there)}")
    return [(name, *compare_arrays(here[name], there[name])) for name in here]


def score() -> dict[str, NDArray[np.float32]]:
    """Return the probabilities of the golden crops of every exported file on this machine."""
    probabilities = {}
    for bundle in map(load_bundle, map(Path, BUNDLES)):
        crops = load_golden(bundle.golden).crops
        for name in bundle.manifest.files:
            probabilities[f"{bundle.path.name} {name}"] = load_classifier(bundle.path / name).probabilities(crops)
    return probabilities


def compare_arrays(here: NDArray[np.float32], there: NDArray[np.float32]) -> tuple[bool, str]:
    """Return whether probabilities (N, 10) have every top-1 equal and are within 1/64, and figures; NaN fails."""
    if not len(here) or here.shape != there.shape:
        return False, f"probabilities of shapes {here.shape} and {there.shape}"
    equal = int((here.argmax(axis=1) == there.argmax(axis=1)).sum())
    largest = float(np.abs(here - there).max())
    return equal == len(
        here
    ) and largest <= MAX_DIFFERENCE, f"top-1 equal {equal}/{len(here)}, largest difference {largest:.1e}"


def compare_images() -> Row:
    """Compare the readings of the demo images."""
    log("predict reads the demo images")
    return "predict, demo images", *compare_readings(IMAGES)


def compare_pages() -> Row:
    """Compare the readings of rendered pages."""
    log("predict reads rendered pages")
    (WORK / "pages").mkdir()
    pages = []
    for scene_type, seed in product(PLAIN_SCENE_TYPES, range(PAGES)):
        pages.append(f"pages/{scene_type}-{seed}.png")
        scene = render_scene(seed=seed, width=960, height=720, scene_type=scene_type, difficulty=Difficulty.PLAIN)
        cv2.imwrite(str(WORK / pages[-1]), scene.frame)
    return "predict, rendered pages", *compare_readings(pages)


def compare_readings(images: Sequence[str]) -> tuple[bool, str]:
    """Return whether the readings of every image are the same on both machines, and figures."""
    pairs = list(zip(*predict(*images), strict=True))
    different = [
        f"{here['source']}: {here['rows']}, emulated {there['rows']}"
        for here, there in pairs
        if not is_same_reading(here, there)
    ]
    digits = sum(len(here["digits"]) for here, _ in pairs)
    figures = f"{digits} digits; the same in {len(pairs) - len(different)} of {len(pairs)} images"
    return digits > 0 and not different, "; ".join([figures, *different])


def is_same_reading(here: dict[str, Any], there: dict[str, Any]) -> bool:
    """Return whether two readings have the same rows, and the same boxes within MAX_BOX_DIFFERENCE."""
    one, other = ([edges(digit["box"]) for digit in reading["digits"]] for reading in (here, there))
    return (
        here["rows"] == there["rows"]
        and len(one) == len(other)
        and all(
            abs(a - b) <= MAX_BOX_DIFFERENCE
            for pair in zip(one, other, strict=True)
            for a, b in zip(*pair, strict=True)
        )
    )


def edges(box: list[int]) -> tuple[int, int, int, int]:
    """Convert x, y, width, height to left, top, right, bottom."""
    x, y, width, height = box
    return x, y, x + width, y + height


def predict(*images: str) -> list[list[dict[str, Any]]]:
    """Return the readings that `digitedge predict` prints on this machine and under emulation."""
    command = ("digitedge", "predict", "--json", "--model", BUNDLES[0], *images)
    here = run(sys.executable, "-m", *command, cwd=WORK, stdout=subprocess.PIPE)
    there = run_emulated(*command, stdout=subprocess.PIPE)
    return [[json.loads(line) for line in printed.splitlines()] for printed in (here, there)]


def verify(bundle: str) -> Row:
    """Run `digitedge verify` under emulation."""
    log(f"verify {bundle}")
    printed = run_emulated("digitedge", "verify", bundle, "--golden", "--json", check=False, stdout=subprocess.PIPE)
    files = json.loads(printed)["files"] if printed else {}
    failed = [f"{name}: {'; '.join(file['violations'])}" for name, file in files.items() if not file["passed"]]
    passed = f"{len(files) - len(failed)} files passed"
    return f"verify {bundle}", bool(files) and not failed, "; ".join([passed, *failed])


def run_tests() -> Row:
    """Run the tests of the edge packages under emulation."""
    for reason, paths in SKIPPED.items():
        log(f"skipped: tests that {reason}: {' '.join(paths)}")
    ignored = [f"--ignore={path}" for paths in SKIPPED.values() for path in paths]
    options = ("--quiet", "--durations=10", "-m", "not slow", "--timeout=0", "--junitxml=tests.xml")
    options += ("-p", "no:cacheprovider")
    run_emulated("timeout", f"{TESTS_MINUTES}m", "pytest", "tests", *options, *ignored, check=False)
    report = WORK / "tests.xml"
    if not report.exists():
        return "tests", False, f"no report: the tests crashed or took longer than {TESTS_MINUTES} minutes"
    (suite,) = ET.parse(report).getroot().iter("testsuite")
    total, failed, broken, skipped = (int(suite.attrib[key]) for key in ("tests", "failures", "errors", "skipped"))
    passed, failed = total - failed - broken - skipped, failed + broken
    return "tests", passed > 0 and not failed, f"{passed} passed, {failed} failed, {skipped} skipped"


if __name__ == "__main__":
    main()
