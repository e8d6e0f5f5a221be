"""Documents without printed structure: exercises, bills, recipes, notes, boards, numbers of many sizes, cards."""

from dataclasses import replace

import numpy as np

from digitedge.synthetic.documents import texts
from digitedge.synthetic.documents.fonts import TRAINING_FONTS, sample_font
from digitedge.synthetic.documents.rules import Rule, draw_frame
from digitedge.synthetic.documents.sheet import MAX_HEIGHT, MIN_HEIGHT, Sheet
from digitedge.synthetic.drawing import Edges
from digitedge.synthetic.handwriting.defects import Defects

# Share of the pages whose lines fill them.
FITTED = 0.65


def _lines(sheet: Sheet, least: int, most: int, *, pitch: float = 1.9) -> tuple[float, float, list[float]]:
    """Return the height of digits, the distance of lines and their baselines, as many as fit."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    count, step = int(np.exp(rng.uniform(np.log(least), np.log(most + 1)))), pitch * rng.uniform(0.75, 1.25)
    size = sheet.size
    if rng.random() < FITTED:
        size = min((bottom - top) / (count * step), (right - left) / rng.uniform(9, 22)) * rng.uniform(0.7, 1)
    size = float(np.clip(size, MIN_HEIGHT, min(MAX_HEIGHT, (bottom - top) / 2.5)))
    sheet.resize(size)
    step *= size
    count = int(np.clip((bottom - top) / step, 1, count))
    start = top + size + rng.random() * max(0.0, bottom - top - size - (count - 1) * step)
    return size, step, [start + k * step for k in range(count)]


def draw_exercises(sheet: Sheet) -> None:
    """Sums in lines or columns, with results that are underlined, fractions, numbered in print or by hand."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, step, baselines = _lines(sheet, 1, 12, pitch=2.0)
    columns = int(np.clip((right - left) / (14 * size), 1, rng.integers(1, 4)))
    width = (right - left) / columns
    slope, printed = float(rng.normal(0, 0.012)), rng.random() < 0.2
    for y in baselines:
        for column in range(columns):
            x = left + column * width + rng.uniform(0, 0.4) * size
            room = width - 1.5 * size
            if printed:
                x = sheet.print(f"{rng.integers(1, 30)}.", x, y, height=0.6 * size)[2] + 0.5 * size
                room -= 2 * size
            if rng.random() < 0.12 and step > 1.8 * size:
                _write_fraction(sheet, x, y, size, row=y)
                continue
            edges = sheet.write(texts.sum_line(rng), x, y, height=size, row=(y, column), slope=slope, width=room)
            if rng.random() < 0.15:
                _underline(sheet, edges, size, slope)
    if rng.random() < 0.25:
        _write_column_sum(sheet, size)


def _write_fraction(sheet: Sheet, x: float, y: float, size: float, *, row: object) -> None:
    rng = sheet.rng
    part = 0.7 * size
    upper = sheet.write(texts.number(rng, 1, 2), x, y - 0.65 * size, height=part, row=(row, "upper"))
    lower = sheet.write(texts.number(rng, 1, 2), x, y + 0.35 * size, height=part, row=(row, "lower"))
    right = max(upper[2], lower[2])
    sheet.line(x - 0.1 * size, y - 0.5 * size, right + 0.1 * size, y - 0.52 * size, _pen_rule(sheet, size))


def _write_column_sum(sheet: Sheet, size: float) -> None:
    """Numbers below each other, a plus, a line, the sum: added in a free corner."""
    rng = sheet.rng
    left, _, right, bottom = sheet.area
    lowest = max(one.y + one.ink.shape[0] for row in sheet.rows.values() for number in row for one in number)
    count = int(rng.integers(2, 5))
    if bottom - lowest < (count + 2) * 1.3 * size:
        return
    y = lowest + 1.8 * size
    x = right - rng.uniform(0, 0.4) * (right - left)
    edges = (x, y, x, y)
    for k in range(count):
        edges = sheet.write(texts.number(rng, 2, 4), x, y, height=size, align=1.0, row=object())
        if k == count - 1:
            sheet.write("+", edges[0] - size, y, height=size)
        y += 1.3 * size
    _underline(sheet, (edges[0] - size, edges[1], x, edges[3]), size, 0.0)
    sheet.write(texts.number(rng, 2, 4), x, y + 0.15 * size, height=size, align=1.0)


def _pen_rule(sheet: Sheet, size: float) -> Rule:
    """Return a line drawn with the pen that writes digits of this height."""
    pen = sheet.hand.pen_at(size)
    return Rule(pen.colour, max(1, round(pen.width * size)), wobble=0.02 * size)


def _underline(sheet: Sheet, edges: Edges, size: float, slope: float) -> None:
    rule = _pen_rule(sheet, size)
    y = edges[3] + size * sheet.rng.uniform(0.02, 0.25)
    drop = float(np.tan(slope)) * (edges[2] - edges[0])
    for k in range(1 + (sheet.rng.random() < 0.3)):
        sheet.line(edges[0] - 0.1 * size, y + k * 0.15 * size - drop, edges[2] + 0.1 * size, y + k * 0.15 * size, rule)


def draw_bill(sheet: Sheet) -> None:
    """Handwritten words, counts and prices in lines, and a total under a line."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 2, 32, pitch=1.65)
    wide = min(right - left, size * rng.uniform(13, 24))
    left += rng.random() * (right - left - wide)
    right = left + wide
    counted, joined = rng.random() < 0.5, rng.random() < 0.5
    sheet.hand.joined = joined
    slope = float(rng.normal(0, 0.012))
    cents = sheet.pick(["", ".00", ",-", "-00", ""])
    for index, y in enumerate(baselines):
        drift = float(np.tan(slope)) * wide
        last = index == len(baselines) - 1 and len(baselines) > 2
        if last:
            sheet.line(
                right - 5 * size, y - 1.25 * size + drift, right, y - 1.25 * size + drift, _pen_rule(sheet, size)
            )
        word = sheet.pick(["Total", "Summe", "Sum"]) if last else sheet.word()
        if rng.random() < 0.9:
            sheet.write(word, left + rng.normal(0, 0.1) * size, y, height=size, slope=slope, row=y, width=0.4 * wide)
        if counted and not last:
            sheet.write(texts.number(rng, 1, 2), left + 0.5 * wide, y + drift / 2, height=size, row=y)
        text = texts.price(rng) if not cents else texts.number(rng, 1, 4) + cents
        edges = sheet.write(text, right, y + drift, height=size, align=1.0, row=y, width=0.4 * wide)
        if last:
            _underline(sheet, edges, size, 0.0)
        elif rng.random() < 0.04:
            _cross_out(sheet, edges, size)


def _cross_out(sheet: Sheet, edges: Edges, size: float) -> None:
    """Cross out what was written last; its digits are then ignored."""
    left, top, right, bottom = edges
    rule = _pen_rule(sheet, size)
    for _ in range(int(sheet.rng.integers(1, 4))):
        y0, y1 = sheet.rng.uniform(top, bottom, 2)
        sheet.line(left - 0.1 * size, y0, right + 0.1 * size, y1, rule)
    sheet.ignore_within(left, top, right, bottom)


def draw_notes(sheet: Sheet) -> None:
    """Words and numbers in the same line: Room 12, ABC123, 7 kg."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 1, 14)
    slope = float(rng.normal(0, 0.015))
    for y in baselines:
        x = left + rng.uniform(0, 0.15) * (right - left)
        while x < right - 4 * size:
            text = sheet.label() if rng.random() < 0.2 else sheet.word() if rng.random() < 0.5 else texts.any_text(rng)
            if x + 0.75 * size * len(text) > right:
                break
            drift = float(np.tan(slope)) * (x - left)
            edges = sheet.write(text, x, y + drift, height=size, row=y, slope=slope)
            if rng.random() < 0.03 and any(map(str.isdigit, text)):
                _cross_out(sheet, edges, size)
            x = edges[2] + size * rng.uniform(0.5, 1)
            if rng.random() < 0.2:
                break


def draw_dates_and_times(sheet: Sheet) -> None:
    """Dates, times, phone numbers and measurements, one in a line or in columns."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 1, 16)
    make = texts.ANY_TEXT[1:6]
    columns = int(np.clip((right - left) / (9 * size), 1, rng.integers(1, 4)))
    width = (right - left) / columns
    for y in baselines:
        for column in range(columns):
            text = sheet.pick(make)(rng)
            sheet.write(
                text, left + column * width + rng.uniform(0, 0.5) * size, y, height=size, row=y, width=0.9 * width
            )


def draw_recipe(sheet: Sheet) -> None:
    """Amounts and words in lines, with fractions and a heading."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 3, 14, pitch=2.2)
    for index, y in enumerate(baselines):
        if index == 0:
            sheet.write(f"{sheet.word()} {sheet.word()}", left + size, y, height=1.2 * size, width=right - left)
            continue
        x = left + 0.4 * size
        if rng.random() < 0.25:
            _write_fraction(sheet, x, y, size, row=y)
            x += 2.2 * size
        else:
            x = sheet.write(texts.amount(rng), x, y, height=size, row=y)[2] + 0.8 * size
        sheet.write(sheet.word(), x, y, height=size, width=right - x)


def draw_many_sizes(sheet: Sheet) -> None:
    """Rows of numbers of very different sizes, by several hands and pens, some pale, some bold."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    y = top
    biggest = (bottom - top) * rng.uniform(0.12, 0.45)
    count = 0
    while count < 10:
        size = float(np.clip(np.exp(rng.uniform(np.log(11), np.log(max(biggest, 14)))), 10, 400))
        y += size * rng.uniform(1.3, 2.2)
        if y > bottom and count:
            break
        hand = sheet.hands[count % len(sheet.hands)]
        x = left + rng.uniform(0, 0.5) * (right - left)
        letters = max(1, int((right - x) / (1.1 * size)))
        gap = " " if rng.random() < 0.4 else ""
        text = gap.join(texts.number(rng, 1, 10)[: max(1, letters // (1 + len(gap)))])
        sheet.write(text, x, y, height=size, hand=hand, width=right - x, slope=float(rng.normal(0, 0.02)))
        count += 1


def draw_digit_rows(sheet: Sheet) -> None:
    """The digits in order again and again, as samples of writing are collected."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 1, 14, pitch=2.2)
    text = "1234567890" if rng.random() < 0.5 else "0123456789"
    size = min(size, (right - left) / 12)
    step = min((right - left) / 10, size * rng.uniform(1.1, 2.5))
    for y in baselines:
        for index, digit in enumerate(text):
            sheet.write(digit, left + (index + 0.2) * step, y + rng.normal(0, 0.05) * size, height=size, row=y)


def draw_typed_numbers(sheet: Sheet) -> None:
    """Numbers in print and nothing else, as on a label or a display: here, print is what is to be read."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 1, 10, pitch=2.0)
    gap = " " if rng.random() < 0.5 else ""
    numbers = int(rng.integers(1, 4))
    for y in baselines:
        text = "   ".join(gap.join(texts.number_or_date(rng)) for _ in range(numbers))
        height = size * (rng.uniform(0.4, 1) if rng.random() < 0.15 else 1)
        x = left + 0.3 * rng.random() * (right - left)
        sheet.print(text, x, y, height=height, row=y, digits=True, width=right - x)


def draw_hollow(sheet: Sheet) -> None:
    """Large digits drawn in outline, and words in capitals."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    rows = int(rng.integers(1, 4))
    size = float(np.clip(sheet.size * 2, 48, (bottom - top) / (1.4 * rows)))
    hand = sheet.hand
    width = rng.uniform(0.14, 0.3)
    hand.defects, hand.gap = Defects(hollow=width), max(hand.gap, 0.2)
    hand.pen = replace(hand.pen, width=min(hand.pen.width, 0.25 * width))
    hand.touching = 0.0
    y = top + rng.random() * max(0.0, bottom - top - 1.4 * size * rows)
    for k in range(rows):
        x = left + rng.uniform(0, 0.3) * (right - left)
        sheet.write(texts.number(rng, 1, 5), x, y + (1.4 * k + 1.1) * size, height=size, width=right - x)


def draw_cards(sheet: Sheet) -> None:
    """Cards, house numbers and plates: large printed digits in frames, some with letters."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    columns, rows = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    wide, high = (right - left) / columns, (bottom - top) / rows
    font = sample_font(rng, TRAINING_FONTS)
    for r in range(rows):
        for c in range(columns):
            if rng.random() < 0.1 and sheet.rows:
                continue
            x, y = left + (c + 0.5) * wide, top + (r + 0.5) * high
            text = texts.number(rng, 1, 2) if columns > 1 else texts.number(rng, 1, 8)
            if columns < 3 and rng.random() < 0.25:
                text = "".join(rng.choice(list(texts.CLEAR_CAPITALS), 2)) + " " + text
            height = float(np.clip(min(0.55 * high, 1.1 * 0.8 * wide / max(1, len(text))), 12, 400)) * rng.uniform(
                0.6, 1
            )
            edges = sheet.print(
                text, x, y + height / 2, height=height, align=0.5, digits=True, row=r, font=font, width=0.8 * wide
            )
            pad = height * rng.uniform(0.12, 0.5)
            frame = (edges[0] - pad, edges[1] - pad, edges[2] + pad, edges[3] + pad)
            if rng.random() < 0.75:
                draw_frame(sheet.image, frame, sheet.rule(by_hand=False, size=0.4 * height), rng)


def draw_board(sheet: Sheet) -> None:
    """Words, sums and numbers on a board, some framed or underlined."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 1, 8)
    for y in baselines:
        kind = rng.random()
        x = left + rng.uniform(0, 0.3) * (right - left)
        room = right - x
        if kind < 0.35:
            edges = sheet.write(f"{sheet.word()} {texts.number(rng, 1, 4)}", x, y, height=size, width=room)
        elif kind < 0.6:
            edges = sheet.write(texts.sum_line(rng), x, y, height=size, width=room)
        elif kind < 0.75:
            edges = sheet.write(f"{sheet.word()} {sheet.word()}", x, y, height=size, width=room)
        else:
            edges = sheet.write(texts.any_text(rng), x, y, height=size, width=room, hand=sheet.any_hand())
        if rng.random() < 0.2:
            _underline(sheet, edges, size, 0.0)
        elif rng.random() < 0.1:
            pad = 0.3 * size
            frame = (edges[0] - pad, edges[1] - pad, edges[2] + pad, edges[3] + pad)
            draw_frame(sheet.image, frame, _pen_rule(sheet, size), rng)


def draw_scoreboard(sheet: Sheet) -> None:
    """Two teams and their points below a line, with tallies beside them."""
    rng = sheet.rng
    left, _, right, _ = sheet.area
    size, _, baselines = _lines(sheet, 3, 10)
    middle = (left + right) / 2
    rule = _pen_rule(sheet, size)
    for index, y in enumerate(baselines):
        for x in (left + 0.1 * size, middle + 0.6 * size):
            text = sheet.word() if index == 0 else texts.number(rng, 1, 3)
            sheet.write(text, x + rng.uniform(0, 1) * size, y, height=size, row=y, width=0.4 * (right - left))
    sheet.line(middle, baselines[0] - size, middle, baselines[-1] + 0.2 * size, rule)
    sheet.line(left, baselines[0] + 0.3 * size, right, baselines[0] + 0.3 * size, rule)
