"""How people write letters and signs: skeletons in the notation of `strokes`, for all that is no digit on a page.

Points are in hundredths of the height of a capital: 0 its top, 45 the top of small letters, 100 the baseline, 140 the
foot of a g. Out of context nobody can tell some of them from digits (O, l, S, Z, b); they are `ambiguous`. Weights say
how usual a skeleton is among those of its sign, judged by eye.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from digitedge.synthetic.handwriting.digit_skeletons import Skeleton


@dataclass(frozen=True, slots=True, eq=False)
class Letter(Skeleton):
    """One way to write one letter or sign.

    Attributes:
        sign: the letter or sign, one character.
        ambiguous: whether it could be a digit when it stands alone.
        cursive: whether its first stroke starts and ends where its neighbours in a joined word do.

    Examples:
        >>> t = Letter("t", "cross", 1.0, "20 10, 20 100; 0 42, 42 42")
        >>> t.lengths, t.ambiguous
        ((9, 9), False)
    """

    sign: str
    ambiguous: bool = False
    cursive: bool = False


def _small() -> Iterator[Letter]:
    """Lower case, hand-printed."""
    yield Letter("a", "one bowl", 3, "44 52, 22 46, 2 64, 4 92, 22 100, 44 84, 46 48!, 45 80, 52 100")
    yield Letter("a", "two storeys", 1, "6 54, 24 44, 42 54, 44 76, 46 100; 44 70, 16 70, 2 84, 14 100, 36 96, 44 84")
    yield Letter("b", "printed", 1, "4 0, 4 50, 5 98!, 5 70, 22 50, 44 58, 44 88, 24 100, 6 92", ambiguous=True)
    yield Letter("c", "printed", 1, "46 56, 28 45, 4 64, 6 92, 26 100, 50 90")
    yield Letter("d", "two strokes", 1, "44 54, 22 46, 2 66, 6 94, 24 100, 44 82; 46 0, 46 50, 48 100")
    yield Letter("d", "one stroke", 2, "42 54, 20 46, 2 68, 8 96, 26 98, 44 76, 48 0!, 46 70, 54 100")
    yield Letter("e", "printed", 1, "4 72, 46 70, 40 48, 20 46, 2 68, 10 96, 30 100, 48 90")
    yield Letter("f", "printed", 1, "44 8, 30 0, 20 16, 20 60, 20 100; 0 48, 42 46")
    yield Letter(
        "g", "printed", 1, "44 52, 22 46, 2 64, 6 90, 26 96, 44 76, 46 48!, 46 100, 38 136, 16 140, 2 128", True
    )
    yield Letter("h", "printed", 1, "4 0, 4 50, 4 100; 4 70, 20 50, 38 54, 42 74, 42 100")
    yield Letter("i", "printed", 1, "6 46, 6 74, 8 100; 6 10, 7 15")
    yield Letter("ı", "without dot", 1, "6 46, 6 74, 8 100", True)  # noqa: RUF001
    yield Letter("j", "printed", 1, "20 46, 20 90, 16 130, 0 138, -8 126; 20 10, 21 15")
    yield Letter("k", "printed", 1, "4 0, 4 50, 4 100; 40 48, 8 76!, 44 100")
    yield Letter("l", "bar", 2, "6 0, 6 50, 6 100", True)
    yield Letter("l", "hook", 1, "6 0, 6 50, 8 92, 22 98", True)
    yield Letter("m", "printed", 1, "4 48, 4 74, 4 100!, 6 66, 20 48, 32 60, 32 100!, 34 66, 48 48, 62 60, 62 100")
    yield Letter("n", "printed", 1, "4 48, 4 74, 4 100!, 6 68, 22 48, 40 58, 40 100")
    yield Letter("o", "printed", 1, "24 46, 4 58, 4 88, 24 100, 44 86, 44 58, 24 46", True)
    yield Letter("p", "printed", 1, "4 46, 4 96, 4 142; 4 62, 22 46, 42 56, 42 86, 22 100, 5 88")
    yield Letter("q", "printed", 1, "44 52, 22 46, 2 66, 8 96, 26 98, 44 78, 46 48!, 46 100, 46 142", True)
    yield Letter("r", "printed", 1, "6 48, 6 74, 6 100!, 8 68, 24 48, 42 52")
    yield Letter("s", "printed", 1, "38 52, 22 45, 6 56, 20 70, 38 84, 24 100, 2 92", True)
    yield Letter("t", "hooked", 2, "20 14, 20 60, 22 92, 40 98; 2 46, 42 44")
    yield Letter("t", "cross", 1, "20 10, 20 100; 0 42, 42 42")
    yield Letter("u", "printed", 1, "4 46, 4 80, 18 100, 38 86, 42 46!, 42 74, 44 100")
    yield Letter("v", "printed", 1, "0 46, 20 100!, 42 46")
    yield Letter("w", "pointed", 1, "0 46, 16 100!, 32 54!, 48 100!, 64 46")
    yield Letter("w", "round", 1, "2 46, 4 86, 18 100, 32 84, 32 54!, 36 88, 48 100, 62 84, 62 46")
    yield Letter("x", "printed", 1, "2 46, 40 100; 40 46, 0 100")
    yield Letter("y", "straight", 1, "2 46, 8 76, 24 84; 42 46, 28 100, 6 140", True)
    yield Letter("y", "round", 1, "4 46, 4 72, 20 84, 40 70, 44 46!, 42 110, 26 140, 4 132", True)
    yield Letter("z", "printed", 1, "2 48, 40 47!, 2 99!, 42 98", True)


def _cursive() -> Iterator[Letter]:
    """Lower case as it is joined; the first stroke starts and ends where its neighbours do."""
    yield _joined("a", "0 96, 24 62, 44 52, 22 46, 8 66, 12 94, 28 98, 44 78, 48 50!, 46 82, 54 98, 68 84")
    yield _joined("b", "0 92, 18 50, 26 8, 16 4, 12 40, 12 84, 24 100, 40 86, 38 62, 44 60, 58 62", True)
    yield _joined("c", "0 96, 24 60, 40 54, 30 46, 12 62, 14 92, 32 100, 52 84")
    yield _joined("d", "0 96, 22 62, 42 52, 20 46, 6 68, 12 96, 30 96, 46 70, 52 2!, 48 70, 56 98, 70 84")
    yield _joined("e", "0 92, 24 78, 38 58, 26 46, 12 62, 14 90, 32 100, 52 84")
    yield _joined("f", "0 92, 20 60, 34 14, 24 0, 16 30, 16 90, 14 138, 26 130, 26 104, 22 96, 48 86", True)
    yield _joined(
        "g", "0 96, 24 60, 42 52, 20 46, 8 66, 14 92, 30 92, 44 70, 48 50!, 46 104, 34 140, 18 132, 66 88", True
    )
    yield _joined("h", "0 92, 20 52, 28 6, 18 4, 12 40, 10 100!, 16 68, 34 50, 42 66, 42 92, 50 100, 64 86")
    yield _joined("i", "0 94, 14 70, 20 48!, 18 84, 26 100, 42 86; 20 12, 21 17")
    yield _joined("j", "0 94, 14 70, 20 48!, 18 100, 8 138, -4 130, 8 112, 40 88; 20 12, 21 17")
    yield _joined("k", "0 92, 18 50, 28 6, 18 4, 10 42, 8 100!, 14 66, 36 52, 34 70, 16 76!, 34 94, 46 100, 60 86")
    yield _joined("l", "0 92, 20 52, 28 8, 18 4, 12 44, 14 88, 28 100, 44 86", True)
    yield _joined(
        "m", "0 70, 8 50, 14 60, 12 100!, 18 64, 30 48, 38 60, 36 100!, 42 64, 54 48, 62 62, 60 90, 68 100, 82 86"
    )
    yield _joined("n", "0 70, 8 50, 14 60, 12 100!, 18 64, 34 48, 42 62, 40 90, 48 100, 62 86")
    yield _joined("o", "0 96, 20 60, 32 46, 12 54, 6 82, 24 100, 42 80, 34 52, 26 50, 48 58, 60 54", True)
    yield _joined("p", "0 96, 12 66, 16 48!, 12 100, 8 142!, 14 74, 28 48, 44 60, 40 92, 24 100, 20 94, 36 100, 58 86")
    yield _joined(
        "q", "0 96, 24 60, 42 52, 20 46, 8 66, 14 94, 30 94, 46 70, 48 50!, 46 100, 46 140, 56 118, 74 88", True
    )
    yield _joined("r", "0 92, 12 58, 18 44, 22 54, 40 52!, 36 82, 44 100, 58 86")
    yield _joined("s", "0 94, 20 66, 28 44, 34 64, 42 84, 28 100, 8 94, 30 98, 56 86")
    yield _joined("t", "0 94, 16 60, 24 10!, 20 60, 22 92, 32 100, 48 86; 4 42, 44 38")
    yield _joined("u", "0 94, 10 64, 14 48!, 12 84, 26 100, 42 78, 46 48!, 46 88, 54 100, 68 86")
    yield _joined("v", "0 66, 8 48, 14 60, 24 100, 38 76, 44 48, 58 54")
    yield _joined("w", "0 94, 10 64, 14 48!, 14 86, 26 100, 38 76, 40 52!, 40 86, 52 100, 64 74, 66 48, 80 54")
    yield _joined("x", "0 64, 10 48, 20 62, 28 92, 40 100, 54 86; 46 46, 4 100")
    yield _joined("y", "0 66, 8 48, 14 58, 14 84, 28 92, 42 72, 48 48!, 44 106, 30 140, 16 130, 30 112, 64 88", True)
    yield _joined("z", "0 62, 16 46, 32 54, 28 74, 8 98!, 28 104, 26 132, 8 136, 14 118, 56 90", True)


def _joined(sign: str, strokes: str, ambiguous: bool = False) -> Letter:
    return Letter(sign, "cursive", 1, strokes, ambiguous, cursive=True)


def _capitals() -> Iterator[Letter]:
    yield Letter("A", "pointed", 2, "0 100, 16 50, 32 0!, 48 50, 64 100; 12 62, 54 62")
    yield Letter("A", "round", 1, "2 100, 6 40, 26 2, 46 12, 54 60, 56 100; 4 58, 54 56")
    yield Letter("B", "two strokes", 1, "4 2, 4 50, 4 98; 4 2, 40 6, 42 36, 6 48!, 48 58, 48 92, 4 99", True)
    yield Letter("C", "printed", 1, "60 14, 34 0, 4 30, 4 74, 32 100, 64 86")
    yield Letter("D", "printed", 1, "4 2, 4 50, 4 98; 2 2, 40 8, 60 50, 40 92, 2 98", True)
    yield Letter("E", "straight", 3, "46 2, 4 2!, 4 50, 4 98!, 48 98; 4 48, 38 47")
    yield Letter("E", "round", 1, "48 10, 24 0, 8 22, 26 46!, 4 70, 22 100, 52 90", True)
    yield Letter("F", "printed", 1, "4 2, 4 50, 4 100; 4 3, 48 1; 4 46, 38 45")
    yield Letter("G", "printed", 1, "54 14, 30 0, 4 30, 6 76, 30 100, 54 86, 54 58!, 32 58", True)
    yield Letter("H", "printed", 1, "4 0, 4 100; 52 0, 52 100; 4 50, 52 48")
    yield Letter("I", "bar", 1, "10 0, 10 50, 10 100", True)
    yield Letter("I", "serifs", 1, "2 2, 42 2; 22 2, 22 98; 2 98, 42 98", True)
    yield Letter("J", "plain", 1, "44 0, 44 70, 32 98, 10 96, 0 76")
    yield Letter("J", "bar", 1, "18 2, 62 2; 42 2, 42 74, 28 98, 8 94, 0 78")
    yield Letter("K", "printed", 1, "4 0, 4 50, 4 100; 50 2, 6 54!, 54 100")
    yield Letter("L", "printed", 1, "4 0, 4 50, 4 98!, 56 98")
    yield Letter("M", "printed", 1, "2 100, 6 0!, 34 60!, 62 0!, 68 100")
    yield Letter("N", "printed", 1, "4 100, 4 0!, 50 100!, 52 0")
    yield Letter("O", "printed", 1, "34 0, 6 20, 4 74, 32 100, 62 76, 62 22, 34 0", True)
    yield Letter("P", "two strokes", 1, "4 2, 4 50, 4 100; 2 4, 38 2, 50 24, 38 48, 5 54")
    yield Letter("P", "one stroke", 1, "6 100, 4 50, 4 2!, 36 0, 50 24, 34 50, 6 52")
    yield Letter("Q", "printed", 1, "34 0, 6 20, 4 74, 32 100, 62 76, 62 22, 34 0; 40 74, 68 108", True)
    yield Letter("R", "two strokes", 1, "4 0, 4 50, 4 100; 2 4, 38 0, 48 24, 34 46, 5 52!, 52 100")
    yield Letter("S", "printed", 1, "50 12, 28 0, 6 18, 20 44, 48 66, 44 94, 20 100, 0 88", True)
    yield Letter("T", "printed", 1, "0 2, 62 2; 30 2, 30 50, 30 100")
    yield Letter("U", "printed", 1, "4 0, 4 64, 20 98, 44 92, 54 60, 54 0")
    yield Letter("V", "printed", 1, "0 0, 28 100!, 58 0")
    yield Letter("W", "printed", 1, "0 0, 20 100!, 40 30!, 60 100!, 80 0")
    yield Letter("X", "printed", 1, "2 0, 56 100; 56 0, 0 100")
    yield Letter("Y", "upright", 1, "0 0, 28 48; 58 0, 28 50!, 27 76, 26 100")
    yield Letter("Y", "slanting", 1, "0 0, 26 46; 54 0, 8 100", True)
    yield Letter("Z", "printed", 1, "2 2, 50 2!, 2 98!, 54 98", True)


def _foreign() -> Iterator[Letter]:
    """A few letters of Cyrillic and Greek that look like no Latin one."""
    yield Letter("Д", "printed", 1, "14 96, 24 4!, 58 4!, 58 96; 0 116, 0 96!, 72 96!, 72 116")
    yield Letter("Ж", "printed", 1, "40 0, 40 100; 2 4, 38 50!, 0 100; 78 4, 42 50!, 80 100")
    yield Letter("И", "printed", 1, "4 0, 4 100!, 52 0!, 52 100")
    yield Letter("Ф", "printed", 1, "36 -4, 36 104; 36 18, 6 28, 4 66, 36 78, 68 66, 66 28, 36 18")
    yield Letter("Ш", "printed", 1, "4 2, 4 98!, 72 98!, 72 2; 38 2, 38 98")
    yield Letter("Ю", "printed", 1, "4 0, 4 100; 4 50, 30 50; 56 2, 34 20, 32 78, 56 100, 80 78, 80 22, 56 2")
    yield Letter("я", "printed", 1, "40 100, 40 46!, 16 46, 4 62, 18 76, 40 76; 22 76, 2 100")
    yield Letter("б", "printed", 1, "46 0, 14 22, 2 70, 20 100, 42 88, 42 58, 22 50, 6 66", True)  # noqa: RUF001
    yield Letter("π", "printed", 1, "0 54, 10 46, 58 46; 18 48, 16 74, 8 100; 42 48, 42 90, 54 98")
    yield Letter("Σ", "printed", 1, "54 8, 4 4!, 34 50!, 2 98!, 56 94")
    yield Letter("λ", "printed", 1, "2 4, 14 4, 34 60, 52 100; 28 44, 2 100")
    yield Letter("Ω", "printed", 1, "0 98, 20 96!, 4 60, 10 16, 36 0, 62 18, 66 62, 50 96!, 70 98")
    yield Letter("Ψ", "printed", 1, "36 0, 36 50, 36 100; 2 14, 8 50, 36 62, 64 48, 70 12")


def _signs() -> Iterator[Letter]:
    yield Letter("+", "printed", 1, "30 30, 30 90; 0 60, 60 60")
    yield Letter("-", "printed", 1, "0 60, 50 58")
    yield Letter("=", "printed", 1, "0 48, 52 47; 0 72, 52 70")
    yield Letter("×", "printed", 1, "0 42, 46 90; 46 42, 0 90")  # noqa: RUF001
    yield Letter("÷", "printed", 1, "0 62, 56 62; 28 36, 29 40; 28 84, 29 88")
    yield Letter("/", "printed", 1, "40 0, 0 100", True)
    yield Letter("(", "printed", 1, "22 0, 4 30, 4 72, 22 104", True)
    yield Letter(")", "printed", 1, "0 0, 18 30, 18 72, 0 104", True)
    yield Letter("[", "printed", 1, "38 0, 2 0!, 2 100!, 38 100")
    yield Letter("]", "printed", 1, "0 0, 36 0!, 36 100!, 0 100")
    yield Letter("<", "printed", 1, "56 34, 4 62!, 56 90")
    yield Letter(">", "printed", 1, "4 34, 56 62!, 4 90", True)
    yield Letter("?", "printed", 1, "2 20, 20 2, 46 14, 40 38, 24 52, 24 70; 24 94, 25 99", True)
    yield Letter("!", "printed", 1, "10 0, 10 30, 10 58; 10 93, 11 99")
    yield Letter(",", "printed", 1, "6 90, 6 104, 0 116", True)
    yield Letter(".", "printed", 1, "0 97, 1 100", True)
    yield Letter(":", "printed", 1, "4 56, 5 60; 4 94, 5 98")
    yield Letter(";", "printed", 1, "6 56, 7 60; 8 90, 8 104, 0 118")
    yield Letter("%", "printed", 1, "54 4, 6 98; 16 6, 4 16, 12 32, 24 20, 16 6; 50 68, 38 80, 46 96, 60 82, 50 68")
    yield Letter("&", "printed", 1, "58 100, 12 32, 24 4, 40 18, 8 64, 16 96, 40 92, 60 60", True)
    yield Letter("#", "printed", 1, "22 10, 12 96; 46 10, 36 96; 4 38, 58 36; 0 68, 54 66")
    yield Letter(
        "@",
        "printed",
        1,
        "48 64, 36 42, 20 56, 24 76, 40 72, 50 42!, 48 74, 62 78, 74 52, 60 18, 30 10, 4 36, 4 78, 30 100, 64 96",
    )
    yield Letter("*", "printed", 1, "24 10, 24 58; 4 20, 44 48; 44 20, 4 48")
    yield Letter("~", "printed", 1, "0 64, 12 52, 28 60, 44 70, 58 56")
    yield Letter("→", "printed", 1, "0 60, 72 60; 52 42, 74 60!, 52 78")
    yield Letter("←", "printed", 1, "74 60, 2 60; 22 42, 0 60!, 22 78")
    yield Letter("↓", "printed", 1, "24 0, 24 100; 2 74, 24 102!, 46 74")
    yield Letter("↑", "printed", 1, "24 100, 24 2; 2 28, 24 0!, 46 28", True)
    yield Letter("✓", "printed", 1, "0 54, 20 96!, 68 20")
    yield Letter("✗", "printed", 1, "2 20, 26 54, 54 98; 52 16, 26 54, 0 100")
    yield Letter("△", "printed", 1, "32 10, 0 96!, 66 96!, 33 9")
    yield Letter("♥", "printed", 1, "38 98!, 2 46, 12 12, 38 40!, 64 12, 74 46, 38 98!")
    yield Letter("☆", "printed", 1, "12 98, 34 4!, 58 98!, 0 38!, 68 36!, 11 98")
    yield Letter(
        "☺",
        "printed",
        1,
        "40 10, 8 28, 6 76, 40 98, 76 74, 74 28, 40 10; 28 40, 29 46; 52 40, 53 46; 24 66, 40 80, 58 64",
    )
    yield Letter("€", "printed", 1, "60 14, 38 2, 14 26, 14 74, 38 98, 60 86; 0 42, 46 40; 0 60, 44 58")
    yield Letter("√", "printed", 1, "0 62, 8 56!, 20 98!, 36 4!, 84 4")
    yield Letter("∞", "printed", 1, "36 60, 14 40, 0 60, 14 80, 36 60, 58 40, 72 60, 58 80, 36 60", True)


def _by_sign(*tables: Iterator[Letter]) -> dict[str, tuple[Letter, ...]]:
    letters = [letter for table in tables for letter in table]
    return {
        sign: tuple(letter for letter in letters if letter.sign == sign)
        for sign in dict.fromkeys(letter.sign for letter in letters)
    }


LETTERS = _by_sign(_small(), _cursive(), _capitals(), _foreign())
"""All ways to write each letter."""

SIGNS = _by_sign(_signs())
"""All ways to write each sign."""
