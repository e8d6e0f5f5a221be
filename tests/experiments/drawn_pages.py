"""Draw pages of MNIST digits beside lines, tables, signs, print and pens; count those whose rows are all read right.

The digits are training images. The pages are clean drawings, so whatever fails here is a matter of layout.

    python tests/experiments/drawn_pages.py [--model M] [--pages 12] [--save FOLDER]
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digitedge import Reader
from digitedge.datasets.mnist import load_mnist
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.utils.images import write_image

Rows = list[str]
INK = 50
PRINT = "aeklmnrstvx"


class DrawnSheet:
    """A sheet, uint8 (H, W), on which MNIST digits are written."""

    def __init__(self, written: WrittenDigits, seed: int) -> None:
        self.written = written
        self.rng = np.random.default_rng(seed)
        self.image = self.blank(480, 1000)

    def blank(self, height: int, width: int, grey: int = 240) -> NDArray[np.uint8]:
        """Start with an empty sheet."""
        self.image = np.full((height, width), grey, np.uint8)
        return self.image

    def number(self, length: int) -> str:
        """Return any number of so many digits."""
        return "".join(map(str, self.rng.integers(0, 10, length).tolist()))

    def digit(self, digit: str, x: float, y: int, height: int, ink: int = INK) -> None:
        """Write one digit: x is its middle, y its foot."""
        height = round(height * self.rng.uniform(0.9, 1.1))
        drawn = self.written.draw(int(digit), self.rng, height=height, boldness=0.6)
        left, top = round(x - drawn.shape[1] / 2), y - height
        part = self.image[top:y, left : left + drawn.shape[1]]
        share = drawn / 255
        part[:] = np.minimum(part, np.rint(part * (1 - share) + ink * share))

    def row(self, text: str, x: float, y: int, height: int, step: float, ink: int = INK) -> str:
        """Write a number and return it."""
        for index, digit in enumerate(text):
            self.digit(digit, x + index * step, y + int(self.rng.integers(-2, 3)), height, ink)
        return text

    def line(self, x: int, y: int, to_x: int, to_y: int, *, grey: int = 60, width: int = 2) -> None:
        """Draw a line."""
        cv2.line(self.image, (x, y), (to_x, to_y), grey, width, cv2.LINE_AA)

    def word(self, letters: int, x: int, y: int, size: float, pen: int) -> None:
        """Print a word."""
        text = "".join(self.rng.choice(list(PRINT), letters).tolist())
        cv2.putText(self.image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, 65, pen, cv2.LINE_AA)


def plain(sheet: DrawnSheet) -> Rows:
    return [sheet.row(sheet.number(4), 200, 260, 70, 130)]


def beside_a_line(sheet: DrawnSheet) -> Rows:
    sheet.line(60, 20, 60 + int(sheet.rng.integers(-6, 7)), 460, width=3)
    return plain(sheet)


def beside_a_pen(sheet: DrawnSheet) -> Rows:
    sheet.line(950, 90, 850, 440, grey=40, width=14)
    return plain(sheet)


def letter_page(sheet: DrawnSheet) -> Rows:
    sheet.blank(2339, 1654)
    return [sheet.row(sheet.number(int(sheet.rng.integers(4, 7))), 420, 460 + 96 * i, 39, 62) for i in range(5)]


def framed_letter_page(sheet: DrawnSheet) -> Rows:
    rows = letter_page(sheet)
    cv2.rectangle(sheet.image, (200, 300), (1450, 1100), 60, 4)
    return rows


def comb(sheet: DrawnSheet) -> Rows:
    return _comb(sheet, top=60)


def comb_of_ticks(sheet: DrawnSheet) -> Rows:
    return _comb(sheet, top=95)


def _comb(sheet: DrawnSheet, *, top: int) -> Rows:
    sheet.blank(180, 700)
    for i in range(9):
        sheet.line(60 + 60 * i, top, 60 + 60 * i, 120)
    sheet.line(60, 120, 540, 120)
    if top == 60:
        sheet.line(60, top, 540, top)
    return [sheet.row(sheet.number(8), 90, 107, 35, 60)]


def among_print(sheet: DrawnSheet) -> Rows:
    sheet.blank(900, 1400)
    for k in range(60):
        sheet.word(3, 60 + 64 * (k % 20), 80 + 40 * (k // 20), 0.6, 1)
    return [sheet.row(sheet.number(5), 240, 560 + 120 * k, 62, 110) for k in range(2)]


def sudoku(sheet: DrawnSheet) -> Rows:
    sheet.blank(560, 560, 235)
    for i in range(10):
        sheet.line(50, 50 + 51 * i, 509, 50 + 51 * i, width=2 + 4 * (i % 3 == 0))
        sheet.line(50 + 51 * i, 50, 50 + 51 * i, 509, width=2 + 4 * (i % 3 == 0))
    rows = [{column: sheet.number(1) for column in range(9) if sheet.rng.random() < 0.55} for _ in range(9)]
    for y, row in enumerate(rows):
        for column, digit in row.items():
            sheet.digit(digit, 75 + 51 * column, 88 + 51 * y, 26, 40)
    return ["".join(row.values()) for row in rows if row]


def slanting_table(sheet: DrawnSheet) -> Rows:
    sheet.blank(585, 1040, 215)
    for k in range(4):
        sheet.line(110, 190 + 80 * k, 930, 180 + 88 * k, grey=120, width=4)
    for k in range(7):
        sheet.line(110 + 133 * k, 186 - k, 118 + 134 * k, 448 + 3 * k, grey=120, width=4)
    return [sheet.row(sheet.number(6), 175, 250 + 84 * k, 38, 133, 90) for k in range(3)]


def three_sizes(sheet: DrawnSheet) -> Rows:
    sheet.blank(1240, 1754, 255)
    places = ((7, 340, 250, 57, 95), (6, 500, 640, 110, 170), (8, 1140, 900, 24, 45))
    return [sheet.row(sheet.number(length), x, y, height, step, 110) for length, x, y, height, step in places]


def pale_beside_dark(sheet: DrawnSheet) -> Rows:
    sheet.blank(900, 1200, 230)
    rows = [sheet.row(sheet.number(7), 120, 200 + 90 * k, 40, 75, 150) for k in range(2)]
    return [*rows, sheet.row(sheet.number(1), 900, 700, 220, 0, 20)]


def dashed_margin(sheet: DrawnSheet) -> Rows:
    sheet.blank(1200, 900, 250)
    for y in range(150, 1180, 40):
        sheet.line(20, y, 880, y, grey=200)
    for y in range(30, 1180, 40):
        sheet.line(780, y, 780, y + 32, grey=170)
    for y in (200, 600, 1000):
        cv2.circle(sheet.image, (60, y), 18, 150, 3, cv2.LINE_AA)
    return [sheet.row(sheet.number(5), 200, 300 + 160 * k, 60, 100) for k in range(int(sheet.rng.integers(0, 3)))]


def code(sheet: DrawnSheet) -> Rows:
    sheet.blank(300, 1000)
    letters = "".join(sheet.rng.choice(list("ACEFHKMNPRTX"), 3).tolist())
    cv2.putText(sheet.image, letters, (80, 170), cv2.FONT_HERSHEY_SIMPLEX, 2.2, INK, 5, cv2.LINE_AA)
    return [sheet.row(sheet.number(3), 340, 170, 48, 70)]


def bill(sheet: DrawnSheet) -> Rows:
    sheet.blank(1400, 1000)
    for k in range(9):
        sheet.word(int(sheet.rng.integers(3, 6)), 80, 150 + 110 * k, 1.2, 3)
    return [sheet.row(sheet.number(3), 720, 150 + 110 * k, 34, 48) for k in range(9)]


Stroke = tuple[int, int, int, int]
# Strokes from the middle of the foot of a sign, in pixels, among digits of 44.
SIGNS: dict[str, tuple[Stroke, ...]] = {
    "/": ((-14, 6, 12, -52),),
    "+": ((-14, -22, 14, -22), (0, -36, 0, -8)),
    "-": ((-14, -22, 14, -22),),
    "=": ((-14, -29, 14, -29), (-14, -15, 14, -15)),
    ",": ((0, -4, -6, 10),),
    ".": ((0, -2, 0, -2),),
    ":": ((0, -2, 0, -2), (0, -30, 0, -30)),
    "x": ((-12, -34, 12, -10), (-12, -10, 12, -34)),
}


def with_sign(strokes: tuple[Stroke, ...]) -> Callable[[DrawnSheet], Rows]:
    def draw(sheet: DrawnSheet) -> Rows:
        sheet.blank(200, 900)
        numbers = [sheet.number(2) for _ in range(int(sheet.rng.integers(2, 4)))]
        for index, number in enumerate(numbers):
            x = 70 + 156 * index
            sheet.row(number, x, 120, 44, 52)
            for start_x, start_y, end_x, end_y in strokes if index else ():
                sheet.line(x - 52 + start_x, 120 + start_y, x - 52 + end_x, 120 + end_y, grey=INK, width=4)
        return ["".join(numbers)]

    return draw


KINDS: dict[str, Callable[[DrawnSheet], Rows]] = {
    "plain": plain,
    "beside a line": beside_a_line,
    "beside a pen": beside_a_pen,
    "A4": letter_page,
    "A4, framed": framed_letter_page,
    "comb": comb,
    "comb of ticks": comb_of_ticks,
    "among print": among_print,
    "sudoku": sudoku,
    "slanting table": slanting_table,
    "three sizes": three_sizes,
    "pale beside dark": pale_beside_dark,
    "dashed margin": dashed_margin,
    "code": code,
    "bill": bill,
    **{f"sign {sign}": with_sign(strokes) for sign, strokes in SIGNS.items()},
}


def main() -> None:
    """Print the share of pages that are read right, by kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pages", type=int, default=12, help="of each kind")
    parser.add_argument("--save", type=Path, help="folder for the pages that are read wrong")
    options = parser.parse_args()
    data = load_mnist()
    written = WrittenDigits(data.x_train, data.y_train)
    reader = Reader(options.model)
    total = 0
    for kind, draw in KINDS.items():
        right = 0
        for seed in range(options.pages):
            sheet = DrawnSheet(written, seed)
            rows = draw(sheet)
            read = reader.read(sheet.image).rows
            right += sorted(read) == sorted(rows)
            if options.save and sorted(read) != sorted(rows):
                options.save.mkdir(parents=True, exist_ok=True)
                write_image(options.save / f"{len(list(options.save.iterdir()))}.png", sheet.image)
                print(f"  {kind}, seed {seed}: {rows} is read as {list(read)}")
        total += right
        print(f"{kind:20} {right:3} of {options.pages}", flush=True)
    print(f"{'all':20} {total / (options.pages * len(KINDS)):.3f}")


if __name__ == "__main__":
    main()
