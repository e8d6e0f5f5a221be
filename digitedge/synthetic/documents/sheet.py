"""A sheet of paper that is written and printed on, and remembers every digit, what is to be ignored, and tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.documents.fonts import Font, Glyphs
from digitedge.synthetic.documents.hand import Hand
from digitedge.synthetic.documents.rules import Rule, draw_rule, mix, sample_rule
from digitedge.synthetic.documents.texts import AMBIGUOUS
from digitedge.synthetic.drawing import Edges, Image, corners_of
from digitedge.synthetic.handwriting.letters import sample_word
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.page.page import PageTable
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.writing import PlacedInk, Row, bounds, paste_ink
from digitedge.utils.drawing import Colour

T = TypeVar("T")

# Largest height of a digit in pixels, as a rule.
MAX_HEIGHT = 400
# Smallest height of digits in pixels, and how much smaller than usual they are written where there is little room.
MIN_HEIGHT = 11
NARROWEST = 0.55
# Digits of a page at the most, about.
MAX_DIGITS = 320
# Distance of the middles of two texts up to which they stand on the same line, in heights.
SAME_LINE = 0.35
# Gap between two digits from which they belong to different numbers, in heights.
NUMBER_GAP = 1.2
# What forms, lists and tables say.
LABELS = (
    *("Name", "Date", "Total", "No", "Sum", "Room", "Class", "Address", "Phone", "Amount", "Price", "Time", "Year"),
    *("Datum", "Summe", "Nummer", "Punkte", "Nom", "Prix", "Code", "Page", "Unit", "Weight", "Points", "Team", "Item"),
)


@dataclass(slots=True, eq=False)
class Sheet:
    """A sheet and what is on it, in pixels of the image.

    Attributes:
        image: uint8 (H, W, 3), BGR; it is drawn on in place.
        rng: samples everything that is not given.
        paper_colour: BGR of the paper in even light.
        area: what is to be filled.
        size: usual height of the digits in pixels.
        hands: those who write on it, at least one; the first writes most.
        font: what prints on it.
        print_colour: BGR of its print.
        rows: numbers that are read together, by a key.
        ignore: outlines, float64 (4, 2) each, of what is to be ignored.
        ambiguous: outlines, float64 (4, 2) each, of letters and signs that look like a digit when they stand alone.
        tables: the digits of their cells.
        digit_count: digits that were written or printed as data, crossed-out ones too.
    """

    image: Image
    rng: np.random.Generator
    paper_colour: Colour
    area: Edges
    size: float
    hands: list[Hand]
    font: Font
    print_colour: Colour
    rows: dict[object, Row] = field(default_factory=dict)
    ignore: list[NDArray[np.float64]] = field(default_factory=list)
    ambiguous: list[NDArray[np.float64]] = field(default_factory=list)
    tables: list[PageTable] = field(default_factory=list)
    digit_count: int = 0
    _words: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there are as many digits as a page may have."""
        return self.digit_count >= MAX_DIGITS

    def resize(self, size: float) -> None:
        """Change the usual height of the digits; the pens stay as they look at the new height."""
        self.size = size
        for hand in self.hands:
            hand.size = size

    @property
    def hand(self) -> Hand:
        """The hand that writes most."""
        return self.hands[0]

    def any_hand(self) -> Hand:
        """Return any of the hands."""
        return self.pick(self.hands)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[int(self.rng.integers(len(options)))]

    def word(self) -> str:
        """Return a word; a sheet has not many different ones."""
        if len(self._words) < 10:
            self._words.append(sample_word(self.rng))
            return self._words[-1]
        return self.pick(self._words)

    def label(self) -> str:
        """Return a word of forms and lists."""
        return self.pick(LABELS)

    def rule(self, *, by_hand: bool | None = None, size: float | None = None) -> Rule:
        """Sample lines in the colour of the print, or by hand in that of the pen."""
        by_hand = self.rng.random() < 0.15 if by_hand is None else by_hand
        ink = self.hand.pen.colour if by_hand else self.print_colour
        return sample_rule(self.rng, size=size or self.size, ink=ink, paper=self.paper_colour, by_hand=by_hand)

    def line(self, x0: float, y0: float, x1: float, y1: float, rule: Rule) -> None:
        """Draw a line."""
        draw_rule(self.image, np.array([[x0, y0], [x1, y1]], np.float64), rule, self.rng)

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        height: float | None = None,
        hand: Hand | None = None,
        row: object = None,
        align: float = 0.0,
        slope: float = 0.0,
        width: float | None = None,
        ignore: bool = False,
    ) -> Edges:
        """Write a text with its baseline at y.

        Args:
            text: digits, words and signs.
            x: of its left end; with `align` 0.5 of its middle, with 1 of its right end.
            y: of its baseline at x.
            height: of a digit in pixels; None is the usual one.
            hand: who writes; None is the first.
            row: texts of the same row are read together; None starts a row.
            align: 0 to 1.
            slope: in radians.
            width: largest width in pixels; a longer text is written smaller.
            ignore: whether its digits are to be ignored.

        Returns:
            Left, top, right and bottom of the text.
        """
        hand = hand or self.hand
        height = height or self.size * self.rng.normal(1, 0.03)
        line = hand.write(text, height=height)
        if width is not None and (wide := _width(line)) > width:
            height = max(height * max(width / wide, NARROWEST), min(height, MIN_HEIGHT))
            line = hand.write(text, height=height)
        return self._place(line, x - align * _width(line), y, hand.pen_at(height), row, slope=slope, ignore=ignore)

    def print(
        self,
        text: str,
        x: float,
        y: float,
        *,
        height: float,
        row: object = None,
        digits: bool = False,
        align: float = 0.0,
        font: Font | None = None,
        colour: Colour | None = None,
        width: float | None = None,
    ) -> Edges:
        """Print a text with its baseline at y; `digits` says whether its digits are data, else they are ignored.

        The other arguments are those of `write`.
        """
        font = font or self.font
        line = font.set(text, height=max(4, round(height)))
        if width is not None and (wide := _width(line)) > width:
            line = font.set(text, height=max(4, round(height * width / wide)))
        pen = Pen(PenType.BALL, colour or self.print_colour, 0.95, max(0.1, font.weight))
        return self._place(line, x - align * _width(line), y, pen, row, ignore=not digits)

    def _place(
        self,
        line: Sequence[Glyphs],
        x: float,
        y: float,
        pen: Pen,
        row: object,
        *,
        slope: float = 0.0,
        ignore: bool = False,
    ) -> Edges:
        """Put ink on the sheet and remember the digits; digits with nothing but signs between them are one number."""
        numbers: list[list[PlacedInk]] = []
        placed: list[PlacedInk] = []
        for glyphs in line:
            digit = int(glyphs.text) if glyphs.text.isdigit() else None
            left, top = round(x + glyphs.left), round(y + glyphs.top + np.tan(slope) * glyphs.left)
            placed.append(PlacedInk(glyphs.ink, left, top, pen, digit))
            paste_ink(self.image, placed[-1])
            if digit is None:
                if glyphs.text in AMBIGUOUS:
                    self.ambiguous.append(corners_of(bounds([placed[-1:]])))
                continue
            near = numbers and left - bounds(numbers[-1:])[2] < NUMBER_GAP * glyphs.ink.shape[0]
            if near:
                numbers[-1].append(placed[-1])
            else:
                numbers.append([placed[-1]])
        if ignore:
            for number in numbers:
                self.ignore_edges(*bounds([number]))
        elif numbers:
            self.rows.setdefault(object() if row is None else row, []).extend(numbers)
            self.digit_count += sum(map(len, numbers))
        return bounds([placed]) if placed else (x, y, x, y)

    def ignore_edges(self, left: float, top: float, right: float, bottom: float) -> None:
        """Ignore whatever is read in a rectangle."""
        self.ignore.append(corners_of((left - 1, top - 1, right + 1, bottom + 1)))

    def ignore_within(self, left: float, top: float, right: float, bottom: float) -> None:
        """Ignore the digits that start in a rectangle, because they are crossed out."""
        self._ignore_numbers(lambda one: left <= one.x <= right and top <= one.y <= bottom)

    def ignore_beyond(self, edges: Edges) -> None:
        """Ignore the digits that go beyond the edges of the sheet, because the desk covers them."""
        left, top, right, bottom = edges
        self._ignore_numbers(
            lambda one: (
                min(one.x - left, one.y - top, right - one.x - one.ink.shape[1], bottom - one.y - one.ink.shape[0]) < 0
            )
        )

    def _ignore_numbers(self, is_ignored: Callable[[PlacedInk], bool]) -> None:
        for key, row in list(self.rows.items()):
            for one in [one for number in row for one in number if is_ignored(one)]:
                self.ignore_edges(*bounds([[one]]))
            kept = [[one for one in number if not is_ignored(one)] for number in row]
            self.rows[key] = [number for number in kept if number]
            if not self.rows[key]:
                del self.rows[key]

    def paragraph(self, edges: Edges, *, height: float, digits: float = 0.06) -> None:
        """Print words in lines; a share of them, 0 to 1, are numbers, which are ignored."""
        left, top, right, bottom = edges
        pitch, y = height * self.rng.uniform(1.6, 2.3), top + height
        rag = self.rng.uniform(0, 0.2)
        while y < bottom:
            words = []
            length, room = 0.0, (right - left) * (1 - rag * self.rng.random()) / height
            while length < room - 3:
                number = self.rng.random() < digits
                words.append(str(self.rng.integers(1, 2100)) if number else self.word())
                length += (len(words[-1]) + 0.7) * 0.62 * self.font.aspect
            self.print(" ".join(words), left, y, height=height, width=right - left)
            y += pitch

    def reading_rows(self) -> list[Row]:
        """Return the rows from top to bottom and their numbers from left to right."""
        rows: list[Row] = []
        for row in sorted(self.rows.values(), key=_middle):
            if rows and _middle(row) - _middle(rows[-1]) < SAME_LINE * min(_height(row), _height(rows[-1])):
                rows[-1] = rows[-1] + row
            else:
                rows.append(row)
        return [sorted(row, key=lambda number: bounds([number])[0]) for row in rows]

    def pale(self, opacity: float) -> Colour:
        """Return the colour, BGR, of print of an opacity of 0 to 1."""
        return mix(self.paper_colour, self.print_colour, opacity)


def _middle(row: Row) -> float:
    return float(np.median([one.y + one.ink.shape[0] / 2 for number in row for one in number]))


def _height(row: Row) -> float:
    return float(np.median([one.ink.shape[0] for number in row for one in number]))


def _width(line: Sequence[Glyphs]) -> float:
    return max((one.left + one.ink.shape[1] for one in line), default=0)
