"""Structure, on drawn pages: lines, dividers and boxes are found, strokes of digits are not."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import render_digit
from digitedge.utils.opencv import cv2
from digitedge.vision.lines import Line, find_lines, remove_lines
from digitedge.vision.segment import connected_components

WIDTH, HEIGHT = 640, 300
# Height of the digits and width of their pen, in pixels: in the middle of the range of a level.
DIGIT_HEIGHT, PEN = 32, 4.0
# Least share of the ink of a line, away from the digits, that is removed; least share of the ink of a digit that stays.
# Of a foot that lies on a thick line, or a stroke between two lines, some goes with them.
MIN_REMOVED, MIN_KEPT = 0.95, 0.9
MIN_KEPT_ON = {"thick": 0.85, "double": 0.82}


def blank() -> NDArray[np.uint8]:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def write(page: NDArray[np.uint8], digit: int, x: int, y: int, seed: int = 0) -> None:
    """Write a digit with its left upper corner at x, y."""
    drawn = render_digit(digit, np.random.default_rng([seed, digit]), height=DIGIT_HEIGHT, pen_width=PEN)
    mask = (drawn > 100).astype(np.uint8) * 255
    part = page[y : y + mask.shape[0], x : x + mask.shape[1]]
    np.maximum(part, mask[: part.shape[0], : part.shape[1]], out=part)


def row_of_digits(y: int, *, spacing: int = 55, seed: int = 0) -> NDArray[np.uint8]:
    page = blank()
    for digit in range(10):
        write(page, digit, 40 + spacing * digit, y, seed)
    return page


def curve(points: NDArray[np.float64], thickness: int) -> NDArray[np.uint8]:
    page = blank()
    cv2.polylines(page, [np.rint(points).astype(np.int32)], False, 255, thickness)
    return page


def straight(start: tuple[int, int], end: tuple[int, int], thickness: int = 2) -> NDArray[np.uint8]:
    return curve(np.array([start, end], float), thickness)


def wobbly() -> NDArray[np.uint8]:
    x = np.arange(10, 630, 5)
    return curve(np.stack([x, 150 + 3 * np.sin(x / 40) + 1.5 * np.sin(x / 13)], axis=1), 2)


def broken() -> NDArray[np.uint8]:
    page = straight((10, 150), (630, 150), 1)
    page[:, np.arange(WIDTH) % 29 < 5] = 0
    return np.maximum(page, straight((10, 150), (120, 150), 1))


LINES = {
    "thin": straight((10, 150), (630, 152), 1),
    "thick": straight((10, 150), (630, 150), 6),
    "slanted 15 degrees": straight((10, 70), (630, 230)),
    "drawn by hand": wobbly(),
    "double": np.maximum(straight((10, 150), (630, 150)), straight((10, 156), (630, 156))),
    "broken": broken(),
    "two and a half digit heights": straight((30, 150), (110, 150)),
}


def clean(page: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], list[Line]]:
    lines = find_lines(connected_components(page))
    return remove_lines(page, page, lines), lines


def share_left(cleaned: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    return np.count_nonzero(cleaned[true > 0]) / np.count_nonzero(true)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("vertical", [False, True], ids=["horizontal", "vertical"])
def test_line_is_removed(line: NDArray[np.uint8], vertical: bool) -> None:
    page = np.ascontiguousarray(line.T) if vertical else line
    cleaned, lines = clean(page)
    assert {found.vertical for found in lines} == {vertical}
    assert share_left(cleaned, page) <= 1 - MIN_REMOVED


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("overlap", [2, 12, 22], ids=["touches", "crosses low", "crosses high"])
def test_digits_on_a_line_keep_their_strokes(kind: str, overlap: int) -> None:
    line = LINES[kind]
    digits = row_of_digits(150 - DIGIT_HEIGHT + overlap)
    if kind == "broken":
        digits[:, 180:] = 0  # a line of which more is missing than there is cannot be found
    cleaned, _ = clean(np.maximum(digits, line))
    apart = cv2.dilate(digits, np.ones((15, 15), np.uint8)) == 0
    assert share_left(cleaned, np.where(apart, line, 0).astype(np.uint8)) <= 1 - MIN_REMOVED
    assert share_left(cleaned, digits) >= MIN_KEPT_ON.get(kind, MIN_KEPT)


def test_three_and_zero_on_a_line_are_not_joined() -> None:
    page = straight((10, 150), (630, 150))
    write(page, 3, 100, 151 - DIGIT_HEIGHT)
    write(page, 0, 130, 151 - DIGIT_HEIGHT)
    cleaned, _ = clean(page)
    high = connected_components(cleaned).boxes[:, 3] > DIGIT_HEIGHT / 2
    assert np.count_nonzero(high) == 2


@pytest.mark.parametrize("seed", range(4))
def test_strokes_of_digits_are_no_lines(seed: int) -> None:
    page = blank()
    for y in range(20, 250, 45):
        page |= row_of_digits(y, spacing=26, seed=seed)
    page[100:104, 5:65] = 255  # something large, so that lines are searched
    assert all(100 <= line.path.mean() <= 104 for line in find_lines(connected_components(page)) if not line.vertical)
    assert not [line for line in find_lines(connected_components(page)) if line.vertical]


def test_column_of_nines_is_no_line() -> None:
    page = blank()
    for y in range(5, 260, DIGIT_HEIGHT + 4):
        write(page, 9, 100, y, seed=y)
    page |= straight((10, 295), (630, 295))
    assert [line.vertical for line in find_lines(connected_components(page))] == [False]


def comb(height: int, count: int = 8) -> NDArray[np.uint8]:
    page = blank()
    for i in range(count):
        cv2.rectangle(page, (50 + 30 * i, 100), (80 + 30 * i, 100 + height), 255, 2)
    return page


@pytest.mark.parametrize("height", [28, 40, 52])
def test_dividers_of_a_comb_field_are_lines(height: int) -> None:
    cleaned, lines = clean(comb(height))
    assert np.count_nonzero([line.vertical for line in lines]) == 9
    assert not cleaned[102 : 98 + height].any()


def test_ones_and_zeros_in_a_comb_field_stay() -> None:
    page = blank()
    for i in range(8):
        write(page, i % 2, 59 + 30 * i, 104)
    cleaned, _ = clean(np.maximum(comb(40), page))
    assert share_left(cleaned, page) == 1.0
    assert len(connected_components(cleaned).boxes) == 8


def stand_on_line(xs: list[int], heights: list[int]) -> NDArray[np.uint8]:
    """Draw upright strokes that stand on one line."""
    page = straight((20, 180), (600, 180))
    for x, height in zip(xs, heights, strict=True):
        np.maximum(page, straight((x, 181 - height), (x, 180)), out=page)
    return page


@pytest.mark.parametrize("height", [18, 26])
def test_ticks_on_a_line_are_lines(height: int) -> None:
    ticks = stand_on_line([33 + 55 * i for i in range(10) if i != 4], [height] * 9)  # one is hidden
    page = np.maximum(ticks, row_of_digits(140, spacing=55))
    cleaned, lines = clean(page)
    assert sum(line.vertical for line in lines) >= 8
    assert share_left(cleaned, ticks) < share_left(cleaned, row_of_digits(140, spacing=55))


@pytest.mark.parametrize(
    ("xs", "heights"),
    [
        ([60, 115, 170], [26, 26, 26]),
        ([60, 110, 178, 230, 300], [26, 26, 26, 26, 26]),
        ([60, 115, 170, 225, 280], [26, 34, 21, 40, 29]),
    ],
    ids=["three", "unequal distances", "unequal heights"],
)
def test_ones_that_stand_on_a_line_are_no_ticks(xs: list[int], heights: list[int]) -> None:
    _, lines = clean(stand_on_line(xs, heights))
    assert not any(line.vertical for line in lines)


@pytest.mark.parametrize("digit", [1, 4, 7])
def test_digit_in_a_box_stays_and_the_box_goes(digit: int) -> None:
    page = blank()
    write(page, digit, 110, 105)
    box = blank()
    cv2.rectangle(box, (100, 100), (145, 142), 255, 2)
    cleaned, lines = clean(np.maximum(page, box))
    assert len(lines) == 4
    assert share_left(cleaned, page) == 1.0
    assert share_left(cleaned, box) <= 1 - MIN_REMOVED


def test_digits_alone_are_not_searched() -> None:
    assert find_lines(connected_components(row_of_digits(100))) == []


def test_straight_line_of_a_finer_level_is_kept() -> None:
    faint = Line(False, 10, np.full(300, 50.0), 1.0)
    short = Line(False, 10, np.full(40, 80.0), 1.0)
    assert find_lines(connected_components(blank()), [faint, short]) == [faint]


def test_line_that_is_found_again_is_not_doubled() -> None:
    page = straight((10, 150), (630, 150))
    finer = Line(False, 12, np.full(600, 150.5), 2.0)
    assert len(find_lines(connected_components(page), [finer])) == 1


ODD: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "a pixel": lambda: np.full((1, 1), 255, np.uint8),
    "a row": lambda: np.full((1, 400), 255, np.uint8),
    "a column": lambda: np.full((400, 1), 255, np.uint8),
    "black": lambda: np.full((100, 200), 255, np.uint8),
    "blank": blank,
}


@pytest.mark.parametrize("draw", ODD.values(), ids=ODD)
def test_mask_of_any_shape_is_accepted(draw: Callable[[], NDArray[np.uint8]]) -> None:
    mask = draw()
    assert clean(mask)[0].shape == mask.shape
