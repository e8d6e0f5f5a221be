"""Measure how well photographs of filled sheets are read, by condition.

Each condition fills in sheets with digits of MNIST's test set and of rendered hands, leaves cells empty, crosses some
out, and photographs them, 1,000 pixels wide and tilted by up to 30 degrees unless the condition says otherwise.

    python tests/experiments/sheet_photos.py [--photos 20] [CONDITION ...]

It prints for each condition the photographs that were refused; of the digits those that were saved with their label,
missed, and taken for crossed out; what was saved of empty and crossed-out cells; and the share of the saved digits that
the released model reads as what they are. A row of a few thousand digits takes a minute.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge import Reader, load_mnist
from digitedge.collecting import CELLS, Cell, Paper, read_sheet
from digitedge.collecting.example import fill_in_sheet, page_box
from digitedge.errors import DataError
from digitedge.runtime import Classifier
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.page.pens import BALL, BOLD_FELT, FAINT_PENCIL, MARKER, PALE_BALL, PENCIL, Pen, PenRange
from digitedge.synthetic.photo.effects import Conditions
from digitedge.synthetic.sheets import Hand, Shot, photograph, sample_digit_hand
from digitedge.utils.opencv import cv2
from digitedge.utils.tables import Table, percent

LIGHT_BLUE = PenRange(PenType.BALL, ((235, 190, 150),), (0.8, 0.95), (0.03, 0.07))
LIGHT_RED = PenRange(PenType.BALL, ((170, 170, 245),), (0.8, 0.95), (0.03, 0.07))
EVEN = Conditions(0, 0, 0.2, 0.2, 0.0, 0, 0, 80)
SHADOWS = Conditions(0, 0, 0.3, 0.5, 0.9, 0, 0, 70)
DARK_SHADOWS = Conditions(0, 0, 0.5, 0.9, 0.95, 0, 0, 40)
EMPTY_SHARE, CROSSED_SHARE = 0.08, 0.06


@dataclass(frozen=True, slots=True)
class MnistHand:
    """Writes digits of MNIST's test set, each by another person, with one pen."""

    digits: WrittenDigits
    pen: Pen

    def write(self, digit: int, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
        boldness = float(np.interp(self.pen.width, (0.02, 0.15), (0, 1)))
        return self.digits.draw(digit, rng, height=height, boldness=boldness)


@dataclass(frozen=True, slots=True)
class Condition:
    """What differs from the default: fields of `Shot`, the pens, the paper, the printed borders."""

    shot: dict[str, Any] = field(default_factory=dict)
    pens: tuple[PenRange, ...] = (BALL, PENCIL, BOLD_FELT)
    paper: Paper = Paper.A4
    colour: tuple[int, int, int] = (238, 240, 242)
    border: tuple[int, int] | None = None  # grey level and thickness in pixels
    stray: float = 0.05


CONDITIONS = {
    "as usual": Condition(),
    "not tilted": Condition({"tilt": 0.0, "turn": 0.0}),
    "tilted by 30 degrees": Condition({"tilt": 30.0}),
    "tilted by 40 degrees": Condition({"tilt": 40.0}),
    "on its side": Condition({"turn": 95.0}),
    "upside down": Condition({"turn": 180.0}),
    "shadows": Condition({"tilt": 30.0, "light": SHADOWS}),
    "dark shadows, JPEG 40": Condition({"tilt": 30.0, "light": DARK_SHADOWS, "noise": 5.0}),
    "blur 1.5 px": Condition({"blur": 1.5}),
    "blur 2 px": Condition({"blur": 2.0}),
    "800 px wide": Condition({"width": 800}),
    "2,400 px wide": Condition({"width": 2400, "blur": 1.5}),
    "far away": Condition({"fill": 0.7}),
    "curled paper": Condition({"curl": 0.08}),
    "dark borders": Condition(border=(70, 3)),
    "black borders": Condition(border=(0, 4)),
    "brown paper": Condition(colour=(150, 185, 210)),
    "yellow paper": Condition(colour=(120, 225, 240)),
    "Letter": Condition(paper=Paper.LETTER),
    "faint pencil": Condition(pens=(FAINT_PENCIL,)),
    "pale ballpoint": Condition(pens=(PALE_BALL,)),
    "marker": Condition(pens=(MARKER,)),
    "light blue": Condition(pens=(LIGHT_BLUE,)),
    "light red": Condition(pens=(LIGHT_RED,)),
    "over the borders": Condition(stray=0.12),
}


def photo_of_sheet(
    condition: Condition, seed: int, mnist: Callable[[Pen], Hand]
) -> tuple[NDArray[np.uint8], set[Cell], set[Cell]]:
    """Photograph a filled sheet: the photograph, and the cells that are empty and crossed out."""
    rng = np.random.default_rng([20, seed])
    pen = condition.pens[seed // 2 % len(condition.pens)].sample(rng)
    hand = sample_digit_hand(seed, pen) if seed % 2 else mnist(pen)
    chance = rng.random(len(CELLS))
    empty = {cell for cell, one in zip(CELLS, chance, strict=True) if one < EMPTY_SHARE}
    crossed_out = {cell for cell, one in zip(CELLS, chance, strict=True) if one > 1 - CROSSED_SHARE}
    page = fill_in_sheet(hand, rng, empty=empty, crossed_out=crossed_out, paper=condition.paper, stray=condition.stray)
    for cell in CELLS if condition.border else ():
        grey, thickness = condition.border
        x, y, width, height = page_box(cell, paper=condition.paper)
        border = np.full_like(page[y : y + height, x : x + width], 255)
        cv2.rectangle(border, (0, 0), (width - 1, height - 1), (grey, grey, grey), thickness)
        page[y : y + height, x : x + width] = np.minimum(page[y : y + height, x : x + width], border)
    page = cv2.multiply(page, np.full_like(page, condition.colour), scale=1 / 255)
    usual = Shot(
        tilt=rng.uniform(0, 30),
        direction=rng.uniform(0, 360),
        turn=rng.uniform(-30, 30),
        fill=0.95,
        light=EVEN,
        blur=rng.uniform(0.3, 1.0),
        noise=rng.uniform(1, 4),
    )
    return photograph(page, rng, replace(usual, **condition.shot)), empty, crossed_out


def measure(condition: Condition, photos: int, classifier: Classifier, mnist: Callable[[Pen], Hand]) -> list[str]:
    """Measure one condition: the cells of its row."""
    counts: Counter[str] = Counter()
    for seed in range(photos):
        photo, empty, crossed_out = photo_of_sheet(condition, seed, mnist)
        digits = set(CELLS) - empty - crossed_out
        counts["digits"] += len(digits)
        try:
            reading = read_sheet(photo, classifier)
        except DataError as exc:
            print(exc)
            counts["refused"] += 1
            continue
        saved = {one.cell: one.predicted for one in reading.digits}
        counts["saved"] += len(digits & saved.keys())
        counts["taken for crossed out"] += len(digits & set(reading.crossed_out))
        counts["missed"] += len(digits - saved.keys() - set(reading.crossed_out))
        counts["empty, saved"] += len(empty & saved.keys())
        counts["empty"] += len(empty)
        counts["crossed out, saved"] += len(crossed_out & saved.keys())
        counts["crossed out"] += len(crossed_out)
        counts["right"] += sum(saved[cell] == cell.row for cell in digits & saved.keys())
    return [
        str(counts["refused"]),
        percent(counts["saved"] / counts["digits"]),
        str(counts["missed"]),
        str(counts["taken for crossed out"]),
        f"{counts['empty, saved']} of {counts['empty']}",
        f"{counts['crossed out, saved']} of {counts['crossed out']}",
        percent(counts["right"] / max(1, counts["saved"])),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("conditions", nargs="*", choices=[[], *CONDITIONS], metavar="CONDITION")
    parser.add_argument("--photos", type=int, default=20)
    arguments = parser.parse_args()
    data = load_mnist()
    digits = WrittenDigits(data.x_test, data.y_test)
    classifier = Reader().classifier
    rows = {}
    for name in arguments.conditions or CONDITIONS:
        rows[name] = measure(CONDITIONS[name], arguments.photos, classifier, lambda pen: MnistHand(digits, pen))
        print(name, rows[name], flush=True)
    heads = ["refused", "digits saved", "missed", "as crossed out", "of empty", "of crossed out", "top-1"]
    print(Table("condition", heads, rows).text())


if __name__ == "__main__":
    main()
