"""Your own hand, from a sheet of paper to a verified model: the whole loop on a rendered hand.

A rendered person, whose hand leans more than any in the training data, fills in three digit sheets, and each is
photographed. Then come the commands of the tutorial (docs/guide/own-hand.md), as you would type them: two of the
photographs become labelled digits, the released model learns them on the device and by fine-tuning, and the export
compares the result with its parent. The digits of the third sheet, which no step has seen, show what it was good for.

    python demos/own_hand.py                     # MNIST is rehearsed if it is on this machine; about three minutes
    python demos/own_hand.py --output elsewhere

Needs the extra `train`: pip install '.[train]'. Writes everything to runs/own-hand.
"""

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitedge import DigitEdgeError
from digitedge.bundle.bundle import load_model
from digitedge.collecting.example import fill_in_sheet
from digitedge.datasets.custom import load_custom_digits
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.synthetic.page.pens import BLUE, Pen, PenType
from digitedge.synthetic.sheets import Shot, photograph, sample_digit_hand
from digitedge.utils.images import write_image

HAND = replace(
    sample_digit_hand(3, Pen(PenType.BALL, BLUE, opacity=0.9, width=0.06)), slant=0.7, turn=-0.25, width=0.65
)
SHOTS = (Shot(tilt=20, direction=40, turn=5), Shot(tilt=12, direction=200, turn=-8), Shot(tilt=25, direction=310))


def main() -> None:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("runs/own-hand"), help="default: %(default)s")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)

    print("A person fills in three sheets; they are photographed")
    photos = [take_photo(folder / f"sheet-{number}.jpg", number) for number in range(len(SHOTS))]

    digitedge(folder, "collect", "read", *photos[:2], "--into", "digits", "--writer", "Ada")
    digitedge(folder, "collect", "read", photos[2], "--into", "others", "--writer", "Ada")
    digitedge(folder, "adapt", "digits", "--model", "released")
    digitedge(folder, "train", "--from", "released", "--data", "digits", "--name", "ada")
    digitedge(folder, "export", "--int8", "--format", "tflite", "--overwrite")

    others = load_custom_digits(folder / "others")
    before, after = (count_errors(model, others) for model in (None, folder / "export" / "ada-1"))
    print(f"\nwrong digits of {len(others)} on the third sheet: {before} before, {after} after the fine-tuning")


def take_photo(path: Path, number: int) -> str:
    """Render a sheet that the person has filled in, and photograph it; return the name of the file."""
    rng = np.random.default_rng(number)
    page = fill_in_sheet(HAND, rng)
    write_image(path, photograph(page, rng, SHOTS[number]))
    return path.name


def digitedge(folder: Path, *arguments: str) -> None:
    """Print a command, and run it in the folder."""
    print(f"\n$ digitedge {' '.join(arguments)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "digitedge", *arguments], cwd=folder)
    if done.returncode:
        sys.exit(done.returncode)


def count_errors(model: Path | None, digits: LabelledCrops) -> int:
    """Count the digits that a bundle misreads, None for the released one, with the file that a device uses."""
    probabilities = load_model(model).classifier.probabilities(digits.crops)
    return int((probabilities.argmax(axis=1) != digits.labels).sum())


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
