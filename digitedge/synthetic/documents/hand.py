"""A hand: one writer with one pen, who writes numbers, signs and words of any size beside each other."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from digitedge.synthetic.documents.fonts import Glyphs
from digitedge.synthetic.handwriting.defects import NO_DEFECTS, Defects, render_digit_with_defects
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS
from digitedge.synthetic.handwriting.letters import render_word
from digitedge.synthetic.handwriting.writer import Writer, sample_single_writer
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.writing import MAX_OVERLAP, MIN_DISTANCE, MIN_PEN_WIDTH, touching_distance

# Digits that a writer has a habit for; after them the habits repeat.
_HABITS = 16
# Letters are written less loosely than digits, or they could be read as anything.
CALM = 0.7
# Gap between letters that are not joined, in heights of a capital.
_LETTER_GAP = 0.16
_DEFECTS = (
    *(NO_DEFECTS,) * 6,
    Defects(unevenness=0.4),
    Defects(displacement=0.08),
    Defects(gaps=1),
    Defects(dryness=0.4),
)
# Stroke width in heights of a digit, whatever the pen.
_PEN_WIDTHS = (0.012, 0.2)
# Stroke widths of the thinnest and of the thickest strokes of written digits.
_BOLDNESS = (0.05, 0.14), (0.0, 1.0)


@dataclass(slots=True, eq=False)
class Hand:
    """One writer with one pen.

    Attributes:
        rng: samples how it writes each time.
        pen: its width is that of digits of `size`; larger ones have relatively thinner strokes.
        size: usual height of its digits in pixels.
        writer: how it writes; its habits repeat.
        gap: between neighbours, in heights.
        touching: share of the digits that touch the one before, 0 to 1.
        joined: whether letters are joined.
        defects: those of its digits.
        written: images of digits that it writes in place of the writer's own, without defects.
    """

    rng: np.random.Generator
    pen: Pen
    size: float
    writer: Writer
    gap: float
    touching: float = 0.0
    joined: bool = True
    defects: Defects = NO_DEFECTS
    written: WrittenDigits | None = None
    _count: int = 0
    _words: dict[tuple[str, int], list[Glyphs]] = field(default_factory=dict)

    def pen_at(self, height: float) -> Pen:
        """Return the pen for digits of a height in pixels: the nib does not grow with the writing."""
        width = self.pen.width * (self.size / height) ** 0.7
        return replace(self.pen, width=float(np.clip(max(width, MIN_PEN_WIDTH / height), *_PEN_WIDTHS)))

    def write(self, text: str, *, height: float) -> list[Glyphs]:
        """Write a text of digits, letters, signs and spaces; `height` is that of a digit in pixels.

        Returns:
            The ink from left to right, one piece for each digit, sign and letter; joined letters are one piece.
        """
        line: list[Glyphs] = []
        x = 0.0
        for piece in _split(text):
            if piece == " ":
                x += height * self.rng.uniform(0.4, 0.7)
                continue
            if piece.isdigit():
                glyphs = self._write_digit(piece, height)
                if line and line[-1].text.isdigit() and self.rng.random() < self.touching:
                    x = line[-1].left + _touching_offset(line[-1], glyphs, self.rng)
                word = [glyphs]
            else:
                word = self._write_word(piece, max(5, round(height)))
            line += [replace(glyphs, left=round(x) + glyphs.left) for glyphs in word]
            x = line[-1].left + line[-1].ink.shape[1] + max(1.5, height * self.gap * self.rng.uniform(0.6, 1.4))
        return line

    def _write_digit(self, digit: str, height: float) -> Glyphs:
        high = max(6, round(height * self.rng.normal(1, 0.05)))
        pen = self.pen_at(height)
        if self.written is not None:
            ink = self.written.draw(int(digit), self.rng, height=high, boldness=float(np.interp(pen.width, *_BOLDNESS)))
            return Glyphs(ink, 0, round(self.rng.normal(0, 0.03) * height) - high, digit)
        self._count += 1
        ink = render_digit_with_defects(
            int(digit),
            self.rng,
            height=high,
            pen_width=pen.width,
            pen_type=pen.type,
            writer=self.writer.at(self._count % _HABITS),
            defects=self.defects,
        )
        return Glyphs(ink, 0, round(self.rng.normal(0, 0.03) * height) - high, digit)

    def _write_word(self, text: str, height: int) -> list[Glyphs]:
        """Write one word or one sign; the same word at the same height is the same ink."""
        key = text, height
        if key not in self._words or len(text) == 1:
            x, word = 0.0, []
            for part in [text] if self.joined else text:
                word.append(self._write_letters(part, x, height))
                x += word[-1].ink.shape[1] + max(1.0, height * _LETTER_GAP * self.rng.uniform(0.6, 1.4))
            self._words[key] = word
        return self._words[key]

    def _write_letters(self, text: str, x: float, height: int) -> Glyphs:
        """Write joined letters, or one letter or sign."""
        ink = render_word(
            text,
            self.rng,
            height=height,
            pen_width=max(MIN_PEN_WIDTH, self.pen_at(height).width * height),
            pen_type=self.pen.type,
            writer=replace(self.writer.at(0), looseness=CALM * self.writer.looseness[:1]),
            joined=self.joined,
        )
        upper, lower = np.array([_extent(sign) for sign in text]).T
        middle = (upper.min() + lower.max()) / 2 - 1
        return Glyphs(ink, round(x), round(middle * height - ink.shape[0] / 2), text)


def sample_hand(rng: np.random.Generator, pen: Pen, size: float, *, messy: float = 0.45) -> Hand:
    """Sample a writer for a pen and digits of a size in pixels; `messy` is the share, 0 to 1, who write loosely."""
    writer = sample_single_writer(rng, _HABITS)
    if rng.random() < messy:
        writer = replace(writer, looseness=writer.looseness * rng.uniform(1.1, 2.0))
    return Hand(
        rng,
        pen,
        size,
        writer,
        gap=float(rng.uniform(0.06, 0.32)),
        touching=float(rng.choice([0.0, 0.0, 0.05, 0.2])),
        joined=bool(rng.random() < 0.5),
        defects=_DEFECTS[rng.integers(len(_DEFECTS))],
    )


def _split(text: str) -> list[str]:
    """Split a text into words of letters, single digits, signs and spaces.

    Examples:
        >>> _split("7 kg, ab12")
        ['7', ' ', 'kg', ',', ' ', 'ab', '1', '2']
    """
    pieces: list[str] = []
    for character in text:
        if character in LETTERS and pieces and pieces[-1][-1] in LETTERS:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


@cache
def _extent(sign: str) -> tuple[float, float]:
    """Upper and lower end of a letter or sign in heights of a capital, y downwards."""
    skeletons = (LETTERS | SIGNS)[sign]
    ends = np.array([(one.points[:, 1].min(), one.points[:, 1].max()) for one in skeletons])
    upper, lower = ends.mean(axis=0).tolist()
    return upper, lower


def _touching_offset(left: Glyphs, right: Glyphs, rng: np.random.Generator) -> float:
    """Distance from the left edge of one digit to that of the next at which their ink touches."""
    height, width = left.ink.shape
    distance = touching_distance(left.ink, right.ink, right.top - left.top)
    if distance is None:
        return float(width)
    return float(max(distance - rng.uniform(0, MAX_OVERLAP) * height, MIN_DISTANCE * width))
