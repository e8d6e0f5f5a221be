"""Documents without digits: print, words, empty forms and tables, ticks, rulings, drawings, music, crosswords."""

import numpy as np

from digitedge.synthetic.documents import texts
from digitedge.synthetic.documents.forms import draw_comb_form, draw_form
from digitedge.synthetic.documents.grid import draw_grid, fit_grid, make_grid, print_cell, write_cell
from digitedge.synthetic.documents.rules import Rule, draw_frame
from digitedge.synthetic.documents.sheet import Sheet
from digitedge.synthetic.non_digits.samples import NonDigit, render_non_digit
from digitedge.synthetic.page.writing import PlacedInk, paste_ink
from digitedge.utils.opencv import cv2


def draw_print(sheet: Sheet) -> None:
    """Paragraphs and headings in print."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    y = top
    while y < bottom:
        height = float(np.clip(sheet.size * rng.uniform(0.2, 0.8), 6, 0.06 * (bottom - top)))
        if rng.random() < 0.5:
            sheet.print(
                f"{sheet.word()} {sheet.label()}", left, y + 2 * height, height=1.5 * height, width=right - left
            )
            y += 3 * height
        lines = height * rng.uniform(4, 20)
        sheet.paragraph((left, y, right, min(bottom, y + lines)), height=height)
        y += lines + 2 * height


def draw_words(sheet: Sheet) -> None:
    """Handwritten words, joined or spelled, in lines."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    size = min(sheet.size, (bottom - top) / 3)
    step = size * rng.uniform(1.5, 2.4)
    for y in np.arange(top + size, bottom, step).tolist()[: rng.integers(1, 14)]:
        x, hand = left + rng.uniform(0, size), sheet.hand
        while x < right - 3 * size:
            text = sheet.word() + sheet.pick(["", "", "", ",", ".", "?", "!"])
            if x + 0.6 * size * len(text) > right:
                break
            x = sheet.write(text, x, y, height=size, hand=hand)[2] + size * rng.uniform(0.4, 0.9)


def draw_empty_table(sheet: Sheet) -> None:
    """A table with headings and an index, and nothing in it but perhaps ticks."""
    rng = sheet.rng
    widths = [rng.uniform(1.2, 5) for _ in range(rng.integers(2, 12))]
    grid = fit_grid(sheet, widths, int(rng.integers(3, 34)), rng.uniform(1, 2.2), skew=2)
    size = sheet.size
    draw_grid(sheet, grid, sheet.rule(), bold_every=sheet.pick([0, 0, 3, 5]))
    ticks = float(rng.choice([0, 0, 0.5]))
    head, numbered = rng.random() < 0.5, rng.random() < 0.4
    for r in range(grid.shape[0]):
        for c in range(grid.shape[1]):
            edges = grid.cell(r, c)
            if head and r == 0:
                print_cell(sheet, edges, sheet.label(), height=0.4 * size)
            elif numbered and c == 0:
                print_cell(sheet, edges, str(r + 1), height=0.5 * size)
            elif rng.random() < ticks:
                write_cell(sheet, edges, sheet.pick(["✓", "?", "-", "✗", "✓"]), height=0.9 * size, row=None)


def draw_empty_form(sheet: Sheet) -> None:
    """A form that nobody has filled in."""
    if sheet.rng.random() < 0.5:
        draw_form(sheet, empty=True)
    else:
        draw_comb_form(sheet, empty=1.0)


def draw_ticks(sheet: Sheet) -> None:
    """Printed lines with check boxes, ticked, crossed, circled or not; signs in rows."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    size = min(sheet.size, (bottom - top) / 4)
    rule = sheet.rule(by_hand=rng.random() < 0.3)
    for y in np.arange(top + 1.5 * size, bottom, size * rng.uniform(1.5, 2.5)).tolist()[:24]:
        x = left
        for _ in range(int(rng.integers(1, 5))):
            if x > right - 4 * size:
                break
            if rng.random() < 0.8:
                draw_frame(sheet.image, (x, y - size, x + size, y), rule, rng)
            if rng.random() < 0.6:
                sign = sheet.pick(["✓", "✗", "?", "-", "✓", "+", "!"])
                sheet.write(sign, x + 0.1 * size, y, height=size * rng.uniform(0.8, 1.3))
            x += 1.4 * size
            x = sheet.print(sheet.word(), x, y - 0.2 * size, height=max(6.0, 0.5 * size))[2] + 1.5 * size


def draw_rulings(sheet: Sheet) -> None:
    """Nothing but lines: ruled, dashed, a margin, a frame, crossing lines."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    pitch = sheet.size * rng.uniform(0.8, 2)
    rule = sheet.rule(by_hand=False)
    for y in np.arange(top, bottom, pitch).tolist():
        sheet.line(left, y, right, y, rule)
    for _ in range(int(rng.integers(0, 3))):
        other = sheet.rule(by_hand=False)
        dashed = Rule(other.colour, other.thickness, dash=pitch * rng.uniform(0.2, 0.9))
        x = rng.uniform(left, right)
        sheet.line(x, top, x + rng.normal(0, 0.02) * (bottom - top), bottom, dashed if rng.random() < 0.7 else other)


def draw_drawings(sheet: Sheet) -> None:
    """Pencil drawings: outlines, scribbles, arrows, blots of many sizes."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    kinds = (NonDigit.SCRIBBLE, NonDigit.OUTLINE, NonDigit.SIGN, NonDigit.LINES, NonDigit.BLOT)
    for _ in range(int(rng.integers(2, 16))):
        height = max(8, round(sheet.size * float(np.exp(rng.normal(0.3, 0.8)))))
        ink = render_non_digit(sheet.pick(kinds), rng, height=min(height, round(0.4 * (bottom - top))))
        x, y = rng.uniform(left, right - ink.shape[1]), rng.uniform(top, bottom - ink.shape[0])
        paste_ink(sheet.image, PlacedInk(ink, round(x), round(y), sheet.any_hand().pen))


def draw_crossword(sheet: Sheet) -> None:
    """A crossword: black cells, small printed numbers, capitals by hand that cannot be taken for digits."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    order = int(rng.integers(5, 14))
    side = max(16.0, min(right - left, bottom - top) / order * rng.uniform(0.6, 1))
    grid = make_grid(sheet, [side] * order, order, side)
    filled = rng.uniform(0, 0.9)
    index = 0
    for r in range(grid.shape[0]):
        for c in range(order):
            x0, y0, x1, y1 = (round(value) for value in grid.cell(r, c))
            if rng.random() < 0.2:
                cv2.rectangle(sheet.image, (x0, y0), (x1, y1), sheet.print_colour, -1)
                continue
            if rng.random() < 0.25:
                index += 1
                sheet.print(str(index), x0 + 0.08 * side, y0 + 0.3 * side, height=max(5.0, 0.18 * side))
            if rng.random() < filled:
                sheet.write(sheet.pick(texts.CLEAR_CAPITALS), x0 + 0.3 * side, y1 - 0.2 * side, height=0.55 * side)
    draw_grid(sheet, grid, sheet.rule(by_hand=False, size=0.5 * side))


def draw_music(sheet: Sheet) -> None:
    """Staves with notes: heads, stems, bars."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    gap = max(5.0, min(0.35 * sheet.size, (bottom - top) / 30))
    rule = Rule(sheet.pale(rng.uniform(0.5, 1)), 1)
    pen = Rule(sheet.hand.pen.colour, max(1, round(0.12 * gap)))
    for y in np.arange(top + 3 * gap, bottom - 6 * gap, 10 * gap).tolist():
        for k in range(5):
            sheet.line(left, y + k * gap, right, y + k * gap, rule)
        x = left + 4 * gap
        while x < right - 2 * gap:
            head = (round(x), round(y + gap * rng.uniform(-0.5, 4.5)))
            axes = (round(0.65 * gap), round(0.45 * gap))
            cv2.ellipse(sheet.image, head, axes, -20, 0, 360, pen.colour, -1 if rng.random() < 0.7 else 1, cv2.LINE_AA)
            stem = head[0] + 0.6 * gap
            sheet.line(stem, head[1], stem, head[1] - 3.2 * gap, pen)
            x += gap * rng.uniform(1.8, 5)
            if rng.random() < 0.15:
                sheet.line(x, y, x, y + 4 * gap, pen)
                x += 1.5 * gap
