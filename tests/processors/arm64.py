"""Run the edge half as on a 64-bit Raspberry Pi, emulated, and compare it with this machine: `make test-arm64`.

Builds a root of Debian bookworm for arm64, of which 64-bit Raspberry Pi OS is made, and installs this project's wheel
there with the arm64 wheels that a Pi would get; no TensorFlow. There, on QEMU's Cortex-A72, the Pi 4's processor, every
exported file answers the golden crops, `predict` reads images, `verify` checks the golden sets, and the edge half's
tests run. Every top-1 must be that of this machine, no probability further away than 1/64, and the images must read
alike.

    python tests/processors/arm64.py              # everything; later runs find the root in build/arm64
    python tests/processors/arm64.py --no-tests   # the comparison alone
    python tests/processors/arm64.py --keep       # leave the installation in build/arm64/root/work to look at
    python tests/processors/arm64.py --score OUT  # the emulated half: what every file answers, to OUT

Needs root, debootstrap and qemu-user-static; apt-get installs what is missing. It leaves the root without what was
installed there, nothing mounted, and the kernel's list of programs as it was: emulated_pi.py says how.
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
from emulated_pi import HERE, SUITE, WORK, arm64_programs, emulated, get_needs, install, make_root, run, say
from numpy.typing import NDArray

from digitedge.bundle.bundle import load_bundle
from digitedge.bundle.golden import load_golden
from digitedge.runtime import load_classifier
from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene
from digitedge.utils.opencv import cv2

BUNDLES = ("export/cnn", "export/small")
LIMIT = 1 / 64  # of a probability; one step of an int8 softmax is 1/256
# Pixels of the frame: OpenCV's divide and area average may round otherwise on arm64, so a stroke in noise may begin one
# pixel later in the image that is searched.
BOX_LIMIT = 2
IMAGES = ("demos/page.jpg", "demos/limits/noise.jpg", "demos/limits/nothing.jpg")
PAGES = 4  # of each medium, rendered out here

# What the edge half's tests leave out there. A program takes ten to twenty times as long.
LEFT_OUT = {
    "wait by the clock for threads, servers and signals, too short for an emulated program": (
        *("tests/web", "tests/doctor", "tests/camera/test_service.py"),
        *(f"tests/cli/test_{name}.py" for name in ("camera", "doctor", "service", "workshop")),
        *(f"tests/camera/test_{name}.py" for name in ("capture", "loop", "motion", "soak")),
        *(f"tests/camera/sinks/test_{name}.py" for name in ("mqtt", "video", "window")),
        *(f"tests/camera/sources/test_{name}.py" for name in ("rpicam", "stream")),
    ),
    "start a fresh Python many times": ("tests/test_architecture.py", "tests/cli/test_bench.py"),
    "ask the kernel for what QEMU does not hand on, and get ENOSYS": ("tests/doctor/test_v4l2.py",),
    "draw or read hundreds of images": (
        *(
            "tests/synthetic",
            "tests/demos",
            "tests/export",
            "tests/vision/test_invariance.py",
            "tests/reader/test_reader.py",
        ),
        *("tests/cli/test_eval.py", "tests/cli/test_eval_bundle.py"),
        "tests/evaluation",
        "tests/reader/test_stages.py",
    ),
}
TESTS_MINUTES = 30

Line = tuple[str, bool, str]  # what was compared, whether it holds, figures


def main() -> None:
    """Print a table; exit with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out")
    parser.add_argument("--keep", action="store_true", help="leave the installation in the root")
    parser.add_argument("--score", metavar="OUT", help="write what every file answers here")
    parser.add_argument("--in-namespace", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.chdir(HERE)
    if options.score:
        np.savez(options.score, **score())
        return
    if not options.in_namespace:
        get_needs()
        os.execvp("unshare", ["unshare", "--mount", sys.executable, __file__, *sys.argv[1:], "--in-namespace"])
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        with arm64_programs():
            make_root()
            install()
            table = [*compare_answers(), compare_images(), compare_pages(), *(verify(bundle) for bundle in BUNDLES)]
            table += [] if options.no_tests else [run_tests()]
    finally:
        if not options.keep:
            shutil.rmtree(WORK, ignore_errors=True)
    say("done")
    print(f"Cortex-A72 of {SUITE}'s QEMU against {os.uname().machine} here")
    for what, holds, figures in table:
        print(f"{what:26} {'holds' if holds else 'FAILED':7} {figures}")
    sys.exit(not all(holds for _, holds, _ in table))


def stop(number: int, _: object) -> None:
    """End, with everything that began."""
    say(f"ended by {signal.Signals(number).name}")
    sys.exit(128 + number)


def compare_answers() -> list[Line]:
    """A line for every exported file: its answers to the golden crops there against those here."""
    say("every file answers the golden crops")
    emulated("python", "tests/processors/arm64.py", "--score", "answers.npz")
    here, there = score(), np.load(WORK / "answers.npz")
    if sorted(here) != sorted(there):
        sys.exit(f"error: files here {sorted(here)}, there {sorted(there)}")
    return [(name, *same_answers(here[name], there[name])) for name in here]


def score() -> dict[str, NDArray[np.float32]]:
    """What every file of the bundles answers to its golden crops on this machine."""
    answers = {}
    for bundle in map(load_bundle, map(Path, BUNDLES)):
        crops = load_golden(bundle.golden).crops
        for name in bundle.manifest.files:
            answers[f"{bundle.path.name} {name}"] = load_classifier(bundle.path / name).probabilities(crops)
    return answers


def same_answers(here: NDArray[np.float32], there: NDArray[np.float32]) -> tuple[bool, str]:
    """Whether two machines' probabilities (N, 10) have every top-1 equal and are within 1/64; NaN is not."""
    if not len(here) or here.shape != there.shape:
        return False, f"answers of shapes {here.shape} and {there.shape}"
    equal = int((here.argmax(axis=1) == there.argmax(axis=1)).sum())
    largest = float(np.abs(here - there).max())
    return equal == len(here) and largest <= LIMIT, f"top-1 equal {equal}/{len(here)}, largest difference {largest:.1e}"


def compare_images() -> Line:
    """What `predict` reads in the demo's images, here and there."""
    say("predict reads the demo's images")
    return "predict, demo images", *same_readings(IMAGES)


def compare_pages() -> Line:
    """What `predict` reads on rendered pages, here and there."""
    say("predict reads rendered pages")
    (WORK / "pages").mkdir()
    pages = []
    for medium, seed in product(Medium, range(PAGES)):
        pages.append(f"pages/{medium}-{seed}.png")
        scene = render_scene(seed=seed, width=960, height=720, medium=medium)
        cv2.imwrite(str(WORK / pages[-1]), scene.frame)
    return "predict, rendered pages", *same_readings(pages)


def same_readings(images: Sequence[str]) -> tuple[bool, str]:
    """Whether both machines find the same digits in the same places, in every image."""
    pairs = list(zip(*predict(*images), strict=True))
    unlike = [
        f"{here['source']}: {here['rows']}, there {there['rows']}" for here, there in pairs if not alike(here, there)
    ]
    digits = sum(len(here["digits"]) for here, _ in pairs)
    figures = f"{digits} digits; the same in {len(pairs) - len(unlike)} of {len(pairs)} images"
    return digits > 0 and not unlike, "; ".join([figures, *unlike])


def alike(here: dict[str, Any], there: dict[str, Any]) -> bool:
    """Whether two readings have the same rows, and as many boxes, whose edges are within BOX_LIMIT in reading order."""
    one, other = ([edges(digit["box"]) for digit in reading["digits"]] for reading in (here, there))
    return (
        here["rows"] == there["rows"]
        and len(one) == len(other)
        and all(abs(a - b) <= BOX_LIMIT for pair in zip(one, other, strict=True) for a, b in zip(*pair, strict=True))
    )


def edges(box: list[int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of x, y, width, height."""
    x, y, width, height = box
    return x, y, x + width, y + height


def predict(*images: str) -> list[list[dict[str, Any]]]:
    """The readings that the program prints here, and those that it prints there."""
    command = ("digitedge", "predict", "--json", "--model", BUNDLES[0], *images)
    here = run(sys.executable, "-m", *command, cwd=WORK, stdout=subprocess.PIPE)
    there = emulated(*command, stdout=subprocess.PIPE)
    return [[json.loads(line) for line in printed.splitlines()] for printed in (here, there)]


def verify(bundle: str) -> Line:
    """The program's own check of a bundle, there."""
    say(f"verify {bundle}")
    printed = emulated("digitedge", "verify", bundle, "--golden", "--json", check=False, stdout=subprocess.PIPE)
    files = json.loads(printed)["files"] if printed else {}
    unfit = [f"{name}: {'; '.join(file['violations'])}" for name, file in files.items() if not file["fit"]]
    return f"verify {bundle}", bool(files) and not unfit, "; ".join([f"{len(files) - len(unfit)} files fit", *unfit])


def run_tests() -> Line:
    """The edge half's tests, there."""
    for reason, paths in LEFT_OUT.items():
        say(f"tests left out that {reason}: {' '.join(paths)}")
    ignored = [f"--ignore={path}" for paths in LEFT_OUT.values() for path in paths]
    options = ("--quiet", "--durations=10", "-m", "not slow", "-p", "no:cacheprovider", "--junitxml=tests.xml")
    emulated("timeout", f"{TESTS_MINUTES}m", "pytest", "tests", *options, *ignored, check=False)
    report = WORK / "tests.xml"
    if not report.exists():
        return "tests", False, f"no report: crashed, or longer than {TESTS_MINUTES} minutes"
    (suite,) = ET.parse(report).getroot().iter("testsuite")
    total, failed, broken, skipped = (int(suite.attrib[key]) for key in ("tests", "failures", "errors", "skipped"))
    passed, failed = total - failed - broken - skipped, failed + broken
    return "tests", passed > 0 and not failed, f"{passed} passed, {failed} failed, {skipped} skipped"


if __name__ == "__main__":
    main()
