"""Documents with boxes: comb fields for dates and numbers, forms, cheques, envelopes, print beside or under writing."""

import numpy as np

from digitedge.synthetic.documents import texts
from digitedge.synthetic.documents.rules import Rule, draw_frame
from digitedge.synthetic.documents.sheet import Sheet
from digitedge.synthetic.drawing import Edges, corners_of, fill_polygon


def draw_comb(sheet: Sheet, text: str, x: float, y: float, *, side: float, empty: float = 0.0) -> float:
    """Draw a field of one box for each character, and write into it; a space is a gap.

    The boxes are separate, joined, divided by short strokes, or dotted. x is its left end, y its lower edge and `side`
    the height of a box, in pixels; `empty` is the share of the boxes that are left empty, 0 to 1.

    Returns:
        Its right end.
    """
    rng = sheet.rng
    style = sheet.pick(["joined", "joined", "separate", "comb", "comb only", "dotted"])
    rule = sheet.rule(by_hand=False, size=side)
    if style == "dotted":
        rule = Rule(rule.colour, rule.thickness, dash=max(2.0, 0.05 * side))
    aspect = rng.uniform(0.75, 1.25)
    wide, gap = side * aspect, side * rng.uniform(0.08, 0.4) if style == "separate" else 0.0
    size = side * rng.uniform(0.55, 1.0)
    tooth = side * rng.uniform(0.2, 0.6)
    row = object()
    hand = sheet.any_hand()
    hints = rng.random() < 0.1
    for index, character in enumerate(text):
        if character == " ":
            x += 0.5 * wide
            continue
        first = index == 0 or text[index - 1] == " "
        last = index == len(text) - 1 or text[index + 1] == " "
        top = y - side
        if style in ("joined", "separate", "dotted"):
            draw_frame(sheet.image, (x, top, x + wide, y), rule, rng)
        else:
            sheet.line(x, y, x + wide, y, rule)
            if style == "comb":
                sheet.line(x, top, x + wide, top, rule)
            for at, outer in ((x, first), (x + wide, last)):
                sheet.line(at, top if outer and style == "comb" else y - tooth, at, y, rule)
        if hints and character.isdigit():
            hint = "DDMMYYYY"[index % 8]
            sheet.print(hint, x + wide / 2, y - 0.25 * side, height=0.5 * side, align=0.5, colour=sheet.pale(0.15))
        if rng.random() >= empty:
            if character in "/.-:":
                sheet.print(character, x + wide / 2, y - 0.2 * side, height=0.6 * size, align=0.5)
            else:
                foot = y - (side - size) / 2 + rng.normal(0, 0.05 * side)
                middle = x + wide * rng.normal(0.5, 0.08)
                sheet.write(character, middle, foot, height=size, hand=hand, row=row, align=0.5)
        x += wide + gap
    return x


def comb_text(rng: np.random.Generator) -> str:
    """Sample what stands in comb fields: a date, a postcode, a phone number or a number."""
    kind = rng.random()
    if kind < 0.35:
        day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1950, 2030)
        separator = ("", "", " ", "/", ".")[rng.integers(5)]
        return separator.join([f"{day:02d}", f"{month:02d}", f"{year}" if rng.random() < 0.6 else f"{year % 100:02d}"])
    if kind < 0.5:
        return texts.number(rng, 4, 4)
    if kind < 0.7:
        return "0" + texts.number(rng, 8, 10)
    return texts.number(rng, 3, 8)


def draw_comb_form(sheet: Sheet, *, empty: float = 0.0) -> None:
    """Fields of boxes with printed labels beside or above them; a share of the boxes is empty, 0 to 1."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    side = float(np.clip(sheet.size * rng.uniform(1.1, 1.7), 12, (right - left) / 11))
    if rng.random() < 0.5:
        side = min((right - left) / rng.uniform(11, 20), (bottom - top) / 3)
    sheet.resize(side)
    small = max(6.0, side * rng.uniform(0.25, 0.5))
    above = rng.random() < 0.5
    indent = 0.0 if above else min(8 * small, 0.25 * (right - left))
    pitch = side * rng.uniform(1.4, 2.6) + (1.6 * small if above else 0)
    count = int(np.clip((bottom - top) / pitch, 1, rng.integers(1, 14)))
    y = top + rng.random() * (bottom - top - count * pitch) + pitch
    for _ in range(count):
        label = f"{sheet.label()} {sheet.word()}" if rng.random() < 0.4 else sheet.label()
        room = (right - left - indent) / side
        text = comb_text(rng)[: max(1, int(room / 1.5))].strip()
        if above:
            sheet.print(label, left, y - side - 0.5 * small, height=small)
        else:
            sheet.print(label, left, y - 0.35 * side, height=small, width=indent - small)
        end = draw_comb(sheet, text, left + indent, y, side=side, empty=empty)
        if right - end > 6 * small and rng.random() < 0.3:
            sheet.print(sheet.label(), end + small, y - 0.3 * side, height=small)
        y += pitch


def draw_form(sheet: Sheet, *, empty: bool = False) -> None:
    """Printed labels, underlines, frames, check boxes, comb fields; words and numbers written on them."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    size = float(np.clip(sheet.size, (bottom - top) / 45, (bottom - top) / 5))
    sheet.resize(size)
    small = max(6.0, min(size * rng.uniform(0.35, 0.8), 0.03 * (bottom - top)))
    rule = sheet.rule(by_hand=False)
    if rng.random() < 0.5:
        draw_frame(sheet.image, (left - 0.3 * size, top, right + 0.3 * size, bottom), rule, rng)
    sheet.print(f"{sheet.label()} {sheet.word()}", left + small, top + 2 * small, height=1.4 * small)
    y = top + 2.5 * small + size * rng.uniform(1.5, 2.2)
    while y < bottom - 0.3 * size and not sheet.is_full:
        x = left + small
        while x < right - 6 * size:
            end = sheet.print(sheet.label(), x, y, height=small)[2] + small
            field = min(right - small, end + size * rng.uniform(4, 12))
            kind = rng.random()
            if kind < 0.2:
                text = comb_text(rng)[: max(1, int((field - end) / size / 1.4))].strip()
                side, unused = 1.25 * size, 1.0 if empty else 0.0
                x = draw_comb(sheet, text, end, y + 0.2 * size, side=side, empty=unused) + size
                continue
            if kind < 0.3:
                draw_frame(sheet.image, (end, y - small, end + small, y), rule, rng)
                if rng.random() < 0.5 and not empty:
                    sheet.write(sheet.pick(["✓", "✗"]), end, y + 0.1 * small, height=1.3 * small)
                x = end + 2.5 * small
                continue
            if kind < 0.5:
                draw_frame(sheet.image, (end, y - 1.15 * size, field, y + 0.25 * size), rule, rng)
            else:
                sheet.line(end, y + 0.08 * size, field, y + 0.08 * size, rule)
            text = sheet.word() if rng.random() < 0.35 else texts.any_text(rng)
            if not empty and rng.random() < 0.85:
                sheet.write(
                    text,
                    end + 0.3 * size,
                    y,
                    height=size * rng.uniform(0.8, 1),
                    hand=sheet.any_hand(),
                    width=field - end,
                )
            x = field + size
        y += size * rng.uniform(1.7, 2.6)


def draw_official_form(sheet: Sheet) -> None:
    """An official form: headings, printed items in frames, words in capitals, counts in boxes, a date in boxes."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    size = float(np.clip(sheet.size, (bottom - top) / 50, (bottom - top) / 16))
    sheet.resize(size)
    small = max(6.0, size * rng.uniform(0.4, 0.75))
    rule = sheet.rule(by_hand=False)
    boxes, in_words, barred = int(rng.integers(2, 5)), rng.random() < 0.7, rng.random() < 0.35
    y = top + 1.5 * small
    for _ in range(rng.integers(1, 4)):
        sheet.print(_heading(sheet, 3), (left + right) / 2, y, height=1.2 * small, align=0.5, width=right - left)
        y += 1.9 * small
    while y < bottom - 4 * size and not sheet.is_full:
        sheet.print(_heading(sheet, 4), left, y + small, height=small, width=right - left)
        y += 1.8 * small
        for _ in range(rng.integers(1, 6)):
            high = size * rng.uniform(1.5, 1.8) + (1.6 * size if in_words else 0.4 * small)
            if y + high > bottom:
                return
            _draw_item(sheet, (left, y, right, y + high), rule, small, boxes, in_words=in_words, barred=barred)
            y += high
        y += 1.2 * size
        if rng.random() < 0.5 and y + 3 * size < bottom:
            x = left
            for text in (texts.number(rng, 2, 2), texts.number(rng, 2, 2), texts.number(rng, 4, 4)):
                x = sheet.print(sheet.label(), x, y + 0.8 * size, height=small)[2] + small
                x = draw_comb(sheet, text, x, y + 1.2 * size, side=1.2 * size) + size
            y += 2.4 * size


def _draw_item(
    sheet: Sheet,
    edges: Edges,
    rule: Rule,
    small: float,
    boxes: int,
    *,
    in_words: bool,
    barred: bool,
) -> None:
    """Draw an item and its count, right-aligned in boxes; boxes that are not used are crossed or empty."""
    rng = sheet.rng
    left, top, right, bottom = edges
    size = sheet.size
    side = 1.3 * size
    divider = right - boxes * side - 0.2 * size
    first = top + 0.3 * size + side
    draw_frame(sheet.image, edges, rule, rng)
    sheet.line(divider, top, divider, bottom, rule)
    if barred:
        fill_polygon(
            sheet.image, corners_of((left + 0.3 * (divider - left), top + 0.2 * size, divider, first)), (0, 0, 0)
        )
        sheet.print(_heading(sheet, 2), left + small, first - 0.4 * size, height=small, width=0.25 * (divider - left))
    else:
        index = f"{rng.integers(1, 30):02d}. " if rng.random() < 0.4 else ""
        text = f"{index}{_heading(sheet, 4)}"
        sheet.print(text, left + small, first - 0.4 * size, height=small, width=0.9 * (divider - left))
    count = texts.number(rng, 1, boxes)
    unused = sheet.pick(("✗", " ", texts.DASH, "0"))
    x = divider + 0.1 * size
    row = object()
    for character in (boxes - len(count)) * unused + count:
        draw_frame(sheet.image, (x, first - side, x + side, first), rule, rng)
        middle = x + side * rng.normal(0.5, 0.07)
        if character != " ":
            sheet.write(character, middle, first - 0.15 * size, height=size, row=row, align=0.5, width=side)
        x += side
    if in_words:
        words = " ".join(sheet.word() for _ in range(rng.integers(1, 5)))
        x = left + small * rng.uniform(1, 8)
        sheet.write(words.upper(), x, bottom - 0.4 * size, height=0.8 * size, width=divider - x)


def _heading(sheet: Sheet, most: int) -> str:
    """Make up to `most` words of a heading, in capitals or not."""
    words = " ".join(
        sheet.word() if sheet.rng.random() < 0.6 else sheet.label() for _ in range(sheet.rng.integers(1, most + 1))
    )
    return words.upper() if sheet.rng.random() < 0.6 else words


def draw_cheque(sheet: Sheet) -> None:
    """A bank form: a frame, an amount in a box, a date, words on a line, an account number in comb boxes."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    size = min(sheet.size, (bottom - top) / 9, (right - left) / 14)
    high = size * rng.uniform(7, 9)
    small, rule = max(6.0, 0.45 * size), sheet.rule(by_hand=False)
    draw_frame(sheet.image, (left, top, right, top + high), rule, rng)
    sheet.print(f"{sheet.word()} {sheet.label()}", left + size, top + 1.5 * size, height=small * 1.3)
    sheet.print("Date", right - 8 * size, top + 1.5 * size, height=small)
    sheet.write(texts.date(rng), right - 6.5 * size, top + 1.5 * size, width=6 * size, height=0.9 * size)
    sheet.line(left + size, top + 3.4 * size, right - 7 * size, top + 3.4 * size, rule)
    sheet.write(
        f"{sheet.word()} {sheet.word()}", left + 2 * size, top + 3.3 * size, width=right - left - 10 * size, height=size
    )
    draw_frame(sheet.image, (right - 6 * size, top + 2.4 * size, right - 0.7 * size, top + 4 * size), rule, rng)
    sheet.write(texts.price(rng), right - 5.7 * size, top + 3.7 * size, width=4.8 * size, height=size)
    draw_comb(sheet, texts.number(rng, 6, 9), left + size, top + 6.2 * size, side=1.2 * size)


def draw_envelope(sheet: Sheet) -> None:
    """An address of words with a house number and a postcode, by hand, and often a printed sender."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    size = min(sheet.size, (bottom - top) / 8, (right - left) / 16)
    pitch = size * rng.uniform(1.6, 2.2)
    x, y = left + (right - left) * rng.uniform(0.02, 0.35), top + (bottom - top) * rng.uniform(0.3, 0.5)
    slope, room = float(rng.normal(0, 0.02)), right - left - (right - left) * 0.4
    street = f"{sheet.word()} {texts.number(rng, 1, 3)}"
    town = (
        f"{texts.number(rng, 4, 5)} {sheet.word()}"
        if rng.random() < 0.7
        else f"{sheet.word()} {texts.number(rng, 5, 5)}"
    )
    for line in (f"{sheet.word()} {sheet.word()}", street, town)[rng.integers(0, 2) :]:
        sheet.write(line, x + rng.normal(0, 0.2) * size, y, height=size, slope=slope, width=room)
        y += pitch
    if rng.random() < 0.6:
        small = max(6.0, 0.35 * size)
        sheet.paragraph((left, top, left + 12 * small, top + 5 * small), height=small, digits=0.3)
    if rng.random() < 0.5:
        stamp = 3.5 * size
        draw_frame(sheet.image, (right - stamp, top, right, top + 1.2 * stamp), sheet.rule(), rng)
        for k in range(int(rng.integers(0, 6))):
            wave = sheet.rule(by_hand=True)
            sheet.line(right - 2.5 * stamp, top + k * 0.5 * size, right - 0.4 * stamp, top + k * 0.5 * size, wave)


def draw_print_beside_writing(sheet: Sheet) -> None:
    """Small printed paragraphs above, below and beside large numbers by hand."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    small = float(np.clip(sheet.size * rng.uniform(0.15, 0.5), 6, 0.03 * (bottom - top)))
    rows = int(rng.integers(1, 6))
    size = float(np.clip(sheet.size * rng.uniform(1, 2.5), 14, (bottom - top) * 0.6 / (1.6 * rows)))
    high = 1.6 * size * rows
    start = top + (bottom - top - high) * rng.uniform(0.1, 0.9)
    for edges in ((left, top, right, start - small), (left, start + high + 0.6 * size, right, bottom)):
        if edges[3] - edges[1] > 2 * small and rng.random() < 0.85:
            lines = edges[1] + small * rng.uniform(3, 25)
            sheet.paragraph((*edges[:3], min(edges[3], lines)), height=small)
    indent = (right - left) * rng.uniform(0, 0.3)
    for k in range(rows):
        text = " ".join(texts.number(rng, 1, 5) for _ in range(rng.integers(1, 4)))
        sheet.write(text, left + indent, start + (k + 0.8) * 1.6 * size, height=size, width=right - left - indent)


def draw_writing_over_form(sheet: Sheet) -> None:
    """Large writing across a small printed form or text, as if the page were scrap paper."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    small = max(6.0, min(0.25 * sheet.size, 0.014 * (bottom - top)))
    ink, sheet.print_colour = sheet.print_colour, sheet.pale(rng.uniform(0.3, 0.8))
    if rng.random() < 0.5:
        sheet.paragraph(sheet.area, height=small)
    else:
        size, sheet.size = sheet.size, 2 * small
        draw_form(sheet, empty=True)
        sheet.size = size
    sheet.print_colour = ink
    rows = int(rng.integers(1, 4))
    size = float(np.clip(3 * sheet.size, 10 * small, (bottom - top) / (1.5 * rows)))
    y = top + rng.random() * (bottom - top - 1.4 * size * rows)
    for k in range(rows):
        text = texts.number(rng, 1, 5)
        x = left + rng.uniform(0, 0.3) * (right - left)
        sheet.write(text, x, y + (1.4 * k + 1) * size, height=size, width=right - x)
