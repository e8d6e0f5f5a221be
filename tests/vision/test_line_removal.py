"""Line removal, on drawn pages: ruled lines, underlines and frames are removed, digits stay.

Lines and digits are drawn apart, so that it is known to which of them a pixel belongs.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import render_digit
from digitedge.utils.opencv import cv2, resize
from digitedge.vision import detect_candidates
from digitedge.vision.lines import Line, find_lines, remove_lines
from digitedge.vision.segment import connected_components

# Pixels around the digits that belong to neither: soft edges, and the ends of a line that runs into a stroke.
MARGIN = 4
# Size of the page, distance of its lines and height of its digits (about the working height), in pixels.
WIDTH, HEIGHT = 800, 600
LINE_SPACING = 72
DIGIT_HEIGHT = 80
SEEDS = range(4)
EIGHT_DEGREES = 0.14
# Least share of the ink of the digits that stays, on average over the pages of a case, and on the worst of them.
MIN_MEAN_KEPT = 0.94
MIN_KEPT = 0.9


@dataclass
class RuledPage:
    """A page with its ground truth.

    Attributes:
        digits: uint8 (H, W), ink of the digits alone, 0 is paper.
        lines: uint8 (H, W), ink of the lines alone.
    """

    digits: NDArray[np.uint8]
    lines: NDArray[np.uint8]

    @property
    def grey(self) -> NDArray[np.uint8]:
        """Both on white paper, as a camera sees them."""
        return np.rint(235 * (1 - np.maximum(self.digits, self.lines) / 255.0)).astype(np.uint8)

    def cleaned(self) -> NDArray[np.uint8]:
        """Return the mask without lines, of the level on which the digits are 40 pixels high."""
        return detect_candidates(self.grey).levels[1].cleaned

    def kept_share(self, cleaned: NDArray[np.uint8]) -> float:
        """Return the share of the pixels of the digits that are in a mask of any resolution."""
        true = _scale_to(self.digits, cleaned) > 100
        return np.count_nonzero(cleaned[true]) / np.count_nonzero(true)

    def removed_share(self, cleaned: NDArray[np.uint8]) -> float:
        """Return the share of the pixels of the lines, away from the digits, that are not in the mask."""
        size = 2 * MARGIN + 1
        apart = cv2.dilate(_scale_to(self.digits, cleaned), np.ones((size, size))) < 20
        lines = _scale_to(self.lines, cleaned)
        true = apart & (lines > 0.6 * lines.max())
        return 1 - np.count_nonzero(cleaned[true]) / np.count_nonzero(true)


def _scale_to(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return resize(image, (mask.shape[1], mask.shape[0]), cv2.INTER_AREA)


def blank() -> NDArray[np.uint8]:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def write_digits(
    *, seed: int = 0, rows: int = 3, columns: int = 6, height: int = DIGIT_HEIGHT, pen: float = 8.0
) -> NDArray[np.uint8]:
    """Write digits in rows that leave some of the paper free."""
    rng = np.random.default_rng(seed)
    ink = blank()
    for row in range(rows):
        for column in range(columns):
            drawn = render_digit(int(rng.integers(10)), rng, height=height, pen_width=pen)
            x, y = 60 + 110 * column + int(rng.integers(-8, 9)), 50 + 180 * row + int(rng.integers(-12, 13))
            part = ink[y : y + drawn.shape[0], x : x + drawn.shape[1]]
            np.maximum(part, (drawn * (200 / 255))[: part.shape[0], : part.shape[1]].astype(np.uint8), out=part)
    return ink


def rule(
    *,
    vertical: bool = False,
    slope: float = 0.0,
    curl: float = 0.0,
    level: int = 90,
    thickness: float = 3,
    dash: tuple[int, int] | None = None,
    spacing: int = LINE_SPACING,
    first: int | None = None,
) -> NDArray[np.uint8]:
    """Draw parallel lines across the whole page.

    Args:
        vertical: from top to bottom instead of from left to right.
        slope: rise over run.
        curl: largest distance of a line from a straight one in pixels: a cubic, as at the fold of a book.
        level: their ink.
        thickness: in pixels.
        dash: pixels that are drawn and left out in turn; None for a solid line.
        spacing: from line to line, in pixels.
        first: where the first line starts; None for half the spacing.
    """
    shape = (WIDTH, HEIGHT) if vertical else (HEIGHT, WIDTH)
    along = np.arange(shape[1])
    cubic = (along / shape[1]) ** 3 - along / shape[1]
    path = slope * (along - shape[1] / 2) + curl * cubic / np.abs(cubic).max()
    drawn, left_out = dash or (1, 0)
    ink = np.zeros(shape)
    for start in np.arange(spacing / 2 if first is None else first, shape[0], spacing):
        distance = np.abs(np.arange(shape[0])[:, None] - (start + path))  # (H, W)
        ink = np.maximum(ink, level * np.clip((thickness + 1) / 2 - distance, 0, 1))
    ink[:, along % (drawn + left_out) >= drawn] = 0
    ink_levels = np.rint(ink).astype(np.uint8)
    return ink_levels.T.copy() if vertical else ink_levels


def rule_squares(*, slope: float = 0.0, level: int = 90) -> NDArray[np.uint8]:
    return np.maximum(rule(slope=slope, level=level), rule(vertical=True, slope=-slope, level=level))


# With the least share of the lines that is removed, on average. Dashes of 12 and 3 pixels are at the limit: with every
# third pixel left out, lines are not found at all.
PAPERS = {
    "horizontal": (rule(), 0.98),
    "vertical": (rule(vertical=True), 0.92),
    "rising 8 degrees": (rule(slope=-EIGHT_DEGREES), 0.98),
    "falling 8 degrees": (rule(slope=EIGHT_DEGREES), 0.98),
    "vertical, leaning": (rule(vertical=True, slope=0.09), 0.95),
    "curled down": (rule(curl=20), 0.92),
    "curled up": (rule(curl=-30), 0.95),
    "dashed": (rule(dash=(12, 3)), 0.75),
    "pale": (rule(level=45), 0.9),
    "as dark as the pen": (rule(level=200), 0.98),
    "thin": (rule(thickness=1.5), 0.94),
    "thick": (rule(thickness=5, level=120), 0.98),
    "squared": (rule_squares(), 0.9),
    "squared, as dark as the pen": (rule_squares(level=200), 0.9),
    "squared, turned": (rule_squares(slope=0.06), 0.94),
}


@pytest.mark.parametrize(("lines", "min_removed"), PAPERS.values(), ids=PAPERS)
def test_ruled_lines_are_removed_and_digits_stay(lines: NDArray[np.uint8], min_removed: float) -> None:
    pages = [RuledPage(write_digits(seed=seed), lines) for seed in SEEDS]
    masks = [page.cleaned() for page in pages]
    kept = [page.kept_share(mask) for page, mask in zip(pages, masks, strict=True)]
    removed = [page.removed_share(mask) for page, mask in zip(pages, masks, strict=True)]
    assert np.mean(kept) >= MIN_MEAN_KEPT and min(kept) >= MIN_KEPT, f"kept {np.round(kept, 3)}"
    assert np.mean(removed) >= min_removed, f"removed {np.round(removed, 3)}"


@pytest.mark.parametrize("vertical", [False, True], ids=["horizontal", "vertical"])
def test_ruled_sheet_without_writing_has_no_candidates(vertical: bool) -> None:
    page = RuledPage(blank(), rule(vertical=vertical))
    assert not detect_candidates(page.grey).candidates


def test_lines_are_found_in_their_place() -> None:
    drawn = rule(slope=0.05, curl=10, level=255, first=100, spacing=150)
    lines = find_lines(connected_components((drawn > 127).astype(np.uint8) * 255))
    assert [line.vertical for line in lines] == [False] * 4
    for line, first in zip(sorted(lines, key=lambda line: line.path.mean()), range(100, 600, 150), strict=True):
        along = line.start + np.arange(len(line.path))
        cubic = (along / WIDTH) ** 3 - along / WIDTH
        true = first + 0.05 * (along - WIDTH / 2) + 10 * cubic / 0.385
        assert len(along) >= 0.95 * WIDTH
        assert np.abs(line.path - true).max() <= 1
        assert 2 <= line.thickness <= 4


def column_of_ones() -> NDArray[np.uint8]:
    ink = blank()
    for y in range(10, HEIGHT - DIGIT_HEIGHT, round(1.5 * DIGIT_HEIGHT)):
        cv2.line(ink, (400, y), (404, y + DIGIT_HEIGHT), 200, 8)
    return ink


def three_columns_of_ones() -> NDArray[np.uint8]:
    ones = column_of_ones()
    return np.maximum(ones, np.maximum(np.roll(ones, 150, axis=1), np.roll(ones, -150, axis=1)))


WRITING = {
    "a column of ones": column_of_ones(),
    "three columns of ones": three_columns_of_ones(),
    "a row of digits": write_digits(rows=1, columns=7, seed=3),
    "rows of digits": write_digits(rows=3, columns=7, seed=4),
}


@pytest.mark.parametrize("ink", WRITING.values(), ids=WRITING)
def test_writing_stays_beside_a_line(ink: NDArray[np.uint8]) -> None:
    page = RuledPage(ink, rule(first=HEIGHT - 5, level=200))
    assert page.kept_share(page.cleaned()) >= 0.99
    assert page.removed_share(page.cleaned()) >= 0.95


def test_underline_that_touches_the_digits_is_removed() -> None:
    digits = write_digits(rows=1, seed=1)
    _, top, _, height = cv2.boundingRect(digits)
    line = blank()
    cv2.line(line, (40, top + height - 8), (720, top + height + 2), 200, 5, cv2.LINE_AA)
    page = RuledPage(digits, line)
    assert page.kept_share(page.cleaned()) >= MIN_MEAN_KEPT
    assert page.removed_share(page.cleaned()) >= 0.95


def test_frame_that_touches_a_digit_is_removed() -> None:
    digits = np.roll(write_digits(rows=1, columns=6, seed=2), 60, axis=0)
    x, y, width, height = cv2.boundingRect(digits)
    frame = blank()
    cv2.rectangle(frame, (x - 30, y - 70), (x + width - 3, y + height + 70), 200, 5)
    page = RuledPage(digits, frame)
    assert page.kept_share(page.cleaned()) >= 0.97, "ink under the frame is removed with it"
    assert page.removed_share(page.cleaned()) >= 0.95
    found = [item for item in detect_candidates(page.grey).candidates if item.level == 1 and not item.reject_reason]
    assert len(found) == 6


def test_scaled_line_is_the_same_line_in_a_larger_image() -> None:
    line = Line(vertical=False, start=10, path=np.linspace(20.0, 29.0, 100), thickness=2.0)
    large = line.scaled(3)
    assert (large.start, len(large.path), large.thickness) == (30, 300, 6.0)
    # The middle of pixel 20 is 20.5 small pixels from the border, 61.5 large ones: that is the middle of pixel 61.
    assert large.path[[1, -2]] == pytest.approx([61.0, 88.0])


def test_stroke_that_crosses_a_line_stays_whole() -> None:
    mask = blank()
    mask[300:303] = mask[200:400, 395:405] = 255
    cleaned = remove_lines(mask, mask, [Line(vertical=False, start=0, path=np.full(WIDTH, 301.0), thickness=3.0)])
    assert cleaned[200:400, 395:405].all()
    assert np.count_nonzero(cleaned) == 200 * 10
    assert mask[301].all(), "the given mask is not changed"


def test_line_at_the_border_is_removed() -> None:
    mask = blank()
    mask[:2] = mask[:, -2:] = 255
    lines = [Line(False, 0, np.full(WIDTH, 0.5), 2.0), Line(True, 0, np.full(HEIGHT, WIDTH - 1.5), 2.0)]
    assert not remove_lines(mask, mask, lines).any()


def test_darker_stroke_along_a_line_stays() -> None:
    mask, ink = blank(), blank()
    mask[300:303] = 255
    ink[300:303] = 80
    ink[300:303, 200:240] = 200
    cleaned = remove_lines(mask, ink, [Line(False, 0, np.full(WIDTH, 301.0), 3.0)])
    assert np.flatnonzero(cleaned.any(axis=0)).tolist() == list(range(200, 240))
