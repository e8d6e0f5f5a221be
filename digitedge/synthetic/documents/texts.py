"""What people write on documents, as strings: numbers, prices, dates, times, phone numbers, codes, sums."""

from collections.abc import Callable

import numpy as np

from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS

Write = Callable[[np.random.Generator], str]

CURRENCIES = "€$£¥₹"
# Capitals that cannot be taken for digits.
CLEAR_CAPITALS = "ACEFHJKLMNPRTUVWX"
# Letters and signs that look like a digit when they stand alone.
AMBIGUOUS = frozenset(
    [letter for letter, skeletons in LETTERS.items() if any(one.ambiguous for one in skeletons)]
    + [sign for sign, skeletons in SIGNS.items() if all(one.ambiguous for one in skeletons)]
)
UNITS = ("kg", "km", "cm", "ml", "min", "m", "mm", "kWh", "h", "x", "pcs", "t")
DASH = "–"  # noqa: RUF001
_TIMES_SIGN = "×"  # noqa: RUF001
_DIVIDE_SIGN = "÷"


def number(rng: np.random.Generator, least: int = 1, most: int = 4) -> str:
    """A whole number of `least` to `most` digits."""
    length = int(rng.integers(least, most + 1))
    digits = rng.integers(0, 10, length)
    if length > 1 and rng.random() < 0.85:
        digits[0] = rng.integers(1, 10)
    return "".join(map(str, digits.tolist()))


def price(rng: np.random.Generator) -> str:
    """A price with comma or point, or a round one with a dash."""
    whole = number(rng, 1, 3)
    separator = ",."[rng.integers(2)]
    kind = rng.random()
    text = whole
    if kind < 0.08:
        text = f"{whole}{separator}-"
    elif kind >= 0.25:
        text = f"{whole}{separator}{rng.integers(0, 100):02d}"
    if rng.random() < 0.2:
        sign = CURRENCIES[rng.integers(len(CURRENCIES))]
        text = f"{sign} {text}" if rng.random() < 0.5 else f"{text} {sign}"
    return text


def measurement(rng: np.random.Generator) -> str:
    """A reading of an instrument: 759,8 or +1.6."""
    sign = str(rng.choice(["", "", "", "+", "-"]))
    whole = number(rng, 1, 3)
    return f"{sign}{whole}{',.'[rng.integers(2)]}{rng.integers(0, 10)}" if rng.random() < 0.7 else sign + whole


def date(rng: np.random.Generator) -> str:
    """A date with slashes, points or dashes."""
    day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1950, 2030)
    separator = "/.-"[rng.integers(3)]
    padded = rng.random() < 0.6
    short = f"{day:02d}{separator}{month:02d}" if padded else f"{day}{separator}{month}"
    if rng.random() < 0.2:
        return short
    return f"{short}{separator}{year % 100:02d}" if rng.random() < 0.5 else f"{short}{separator}{year}"


def time(rng: np.random.Generator) -> str:
    """A time of day."""
    separator = ":" if rng.random() < 0.8 else "."
    return f"{rng.integers(0, 24)}{separator}{rng.integers(0, 60):02d}"


def phone(rng: np.random.Generator) -> str:
    """A phone number."""
    separator = " /-"[rng.integers(3)]
    start = f"+{rng.integers(1, 99)} {number(rng, 2, 3)}" if rng.random() < 0.3 else f"0{number(rng, 2, 4)}"
    return f"{start}{separator}{number(rng, 3, 4)} {number(rng, 2, 4)}"


def number_or_date(rng: np.random.Generator) -> str:
    """A number of up to eight digits, a date, a time or a measurement."""
    kind = rng.random()
    if kind < 0.7:
        return number(rng, 1, 8)
    return date(rng) if kind < 0.85 else time(rng) if kind < 0.93 else measurement(rng)


def code(rng: np.random.Generator) -> str:
    """Capitals and digits: ABC123, 7K."""
    letters = "".join(rng.choice(list(CLEAR_CAPITALS), rng.integers(1, 4)))
    middle = str(rng.choice(["", "", " ", "-"]))
    return letters + middle + number(rng, 1, 4) if rng.random() < 0.7 else number(rng, 1, 3) + middle + letters


def amount(rng: np.random.Generator) -> str:
    """A number with a unit."""
    text = (
        number(rng, 1, 3) if rng.random() < 0.7 else f"{rng.integers(0, 100)}{',.'[rng.integers(2)]}{rng.integers(10)}"
    )
    return f"{text} {UNITS[rng.integers(len(UNITS))]}" if rng.random() < 0.8 else f"{text}%"


def sum_line(rng: np.random.Generator) -> str:
    """One line of an exercise in arithmetic or algebra."""
    signs = ["+", "+", "-", _TIMES_SIGN, _DIVIDE_SIGN, ":", "/"]
    gap = " " if rng.random() < 0.6 else ""
    terms = [number(rng, 1, 3) for _ in range(rng.integers(2, 5))]
    text = terms[0]
    for term in terms[1:]:
        term = f"({term}{gap}{rng.choice(['+', '-'])}{gap}{rng.integers(1, 20)})" if rng.random() < 0.15 else term
        text += f"{gap}{rng.choice(signs)}{gap}{term}"
    if rng.random() < 0.2:
        text = f"{rng.integers(2, 10)}x{gap}+{gap}{text}"
    kind = rng.random()
    return text if kind < 0.25 else f"{text}{gap}={gap}{number(rng, 1, 4)}" if kind < 0.8 else f"{text}{gap}="


ANY_TEXT: tuple[Write, ...] = (number, price, measurement, date, time, phone, code, amount)


def any_text(rng: np.random.Generator) -> str:
    """One of these texts, all equally likely."""
    return ANY_TEXT[rng.integers(len(ANY_TEXT))](rng)
