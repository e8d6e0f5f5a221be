"""Rulings, underlines and frames on drawn pages: the lines go, the digits stay.

Lines and digits are drawn apart, so that it is known whose each pixel is.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from digitedge.synthetic.handwriting.digits import render_ink
from digitedge.utils.opencv import cv2
from digitedge.vision import find_writing
from digitedge.vision.line_removal import Line, erase_lines, find_lines, find_rulings

# Pixels around the digits that belong to neither: soft edges, and the ends of a line that runs into a stroke.
NEAR = 4
WIDTH, HEIGHT = 800, 600
# Pixels: the pitch of the lines, and the height of the digits, which is the one that pages are searched at.
PITCH, DIGIT = 72, 80
SEEDS = range(4)
EIGHT_DEGREES = 0.14
# Share of the digits' ink that is left, on average over the pages of a case, and on the worst of them.
KEPT, WORST = 0.98, 0.95


@dataclass
class Ruled:
    """A page and its truth.

    Attributes:
        digits: uint8 (H, W), ink of the digits alone, 0 is paper.
        lines: uint8 (H, W), ink of the lines alone.
    """

    digits: np.ndarray
    lines: np.ndarray

    @property
    def ink(self):
        """Both, as the search sees them."""
        return np.maximum(self.digits, self.lines)

    @property
    def grey(self):
        """Both on white paper, as a camera sees them."""
        return np.rint(235 * (1 - self.ink / 255.0)).astype(np.uint8)

    def kept(self, clean):
        """Share of the digits' pixels that are left in a mask of any resolution."""
        true = _scaled(self.digits, clean.shape) > 100
        return np.count_nonzero(clean[true]) / np.count_nonzero(true)

    def gone(self, clean):
        """Share of the lines' pixels, away from the digits, that are not."""
        apart = cv2.dilate(_scaled(self.digits, clean.shape), np.ones((2 * NEAR + 1, 2 * NEAR + 1))) < 20
        lines = _scaled(self.lines, clean.shape)
        true = apart & (lines > 0.6 * lines.max())
        return 1 - np.count_nonzero(clean[true]) / np.count_nonzero(true)


def _scaled(image, shape):
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)


def blank():
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def write(*, seed=0, rows=3, columns=6, level=200, height=DIGIT, pen=8.0):
    """Digits in rows that leave some of the paper free."""
    rng = np.random.default_rng(seed)
    ink = blank()
    for row in range(rows):
        for column in range(columns):
            drawn = render_ink(int(rng.integers(10)), rng, height=height, pen_width=pen)
            x, y = 60 + 110 * column + int(rng.integers(-8, 9)), 50 + 180 * row + int(rng.integers(-12, 13))
            part = ink[y : y + drawn.shape[0], x : x + drawn.shape[1]]
            np.maximum(part, (drawn * (level / 255))[: part.shape[0], : part.shape[1]].astype(np.uint8), out=part)
    return ink


def rule(*, upright=False, slope=0.0, curl=0.0, level=90, thickness=3, dash=None, pitch=PITCH, first=None):
    """Parallel lines across the whole page.

    Args:
        upright: from top to bottom instead of from left to right.
        slope: rise over run.
        curl: how far the line strays from a straight one at the most, in pixels: a cubic, as at the fold of a book.
        level: their ink.
        thickness: in pixels.
        dash: pixels drawn and pixels left out in turn; None for a whole line.
        pitch: from line to line, in pixels.
        first: where the first line starts; None for half a pitch.
    """
    shape = (WIDTH, HEIGHT) if upright else (HEIGHT, WIDTH)
    along = np.arange(shape[1])
    cubic = (along / shape[1]) ** 3 - along / shape[1]
    path = slope * (along - shape[1] / 2) + curl * cubic / np.abs(cubic).max()
    drawn, left_out = dash or (1, 0)
    ink = np.zeros(shape)
    for start in np.arange(pitch / 2 if first is None else first, shape[0], pitch):
        distance = np.abs(np.arange(shape[0])[:, None] - (start + path))  # (H, W)
        ink = np.maximum(ink, level * np.clip((thickness + 1) / 2 - distance, 0, 1))
    ink[:, along % (drawn + left_out) >= drawn] = 0
    ink = np.rint(ink).astype(np.uint8)
    return ink.T.copy() if upright else ink


def both_ways(**looks):
    slope = looks.pop("slope", 0.0)
    return np.maximum(rule(slope=slope, **looks), rule(upright=True, slope=-slope, **looks))


# With the share of the lines that must be gone, on average. Dashed lines are at the edge: with every third pixel left
# out they are not seen at all.
PAPERS = {
    "level": (rule(), 0.98),
    "upright": (rule(upright=True), 0.92),
    "rising 8 degrees": (rule(slope=-EIGHT_DEGREES), 0.98),
    "falling 8 degrees": (rule(slope=EIGHT_DEGREES), 0.98),
    "upright, leaning": (rule(upright=True, slope=0.09), 0.98),
    "curled down": (rule(curl=20), 0.92),
    "curled up": (rule(curl=-30), 0.95),
    "dashed": (rule(dash=(12, 3)), 0.75),
    "pale": (rule(level=45), 0.98),
    "as dark as the pen": (rule(level=200), 0.98),
    "thin": (rule(thickness=1.5), 0.94),
    "thick": (rule(thickness=5, level=120), 0.98),
    "squared": (both_ways(), 0.9),
    "squared, as dark as the pen": (both_ways(level=200), 0.9),
    "squared, turned": (both_ways(slope=0.06), 0.94),
}


def clean(ruled):
    return find_writing(ruled.grey).steps["clean"]


@pytest.mark.parametrize(("lines", "least"), PAPERS.values(), ids=PAPERS)
def test_rulings_go_and_digits_stay(lines, least):
    pages = [Ruled(write(seed=seed), lines) for seed in SEEDS]
    masks = [clean(page) for page in pages]
    kept = [page.kept(mask) for page, mask in zip(pages, masks, strict=True)]
    gone = [page.gone(mask) for page, mask in zip(pages, masks, strict=True)]
    assert np.mean(kept) >= KEPT and min(kept) >= WORST, f"kept {np.round(kept, 3)}"
    assert np.mean(gone) >= least, f"gone {np.round(gone, 3)}"


@pytest.mark.parametrize("upright", [False, True], ids=["level", "upright"])
def test_a_ruled_sheet_without_writing_is_blank(upright):
    page = Ruled(blank(), rule(upright=upright))
    assert not find_writing(page.grey).marks


def test_rulings_are_found_where_they_are():
    drawn = rule(slope=0.05, curl=10, level=255, first=100, pitch=150)
    lines = find_rulings((drawn > 127).astype(np.uint8) * 255)
    assert [line.upright for line in lines] == [False] * 4
    for line, first in zip(sorted(lines, key=lambda line: line.path.mean()), range(100, 600, 150), strict=True):
        along = line.start + np.arange(len(line.path))
        cubic = (along / WIDTH) ** 3 - along / WIDTH
        true = first + 0.05 * (along - WIDTH / 2) + 10 * cubic / 0.385
        assert len(along) >= 0.95 * WIDTH
        assert np.abs(line.path - true).max() <= 1
        assert 2 <= line.thickness <= 4


def column_of_ones():
    ink = blank()
    for y in range(10, HEIGHT - DIGIT, round(1.5 * DIGIT)):
        cv2.line(ink, (400, y), (404, y + DIGIT), 200, 8)
    return ink


def three_columns_of_ones():
    ones = column_of_ones()
    return np.maximum(ones, np.maximum(np.roll(ones, 150, axis=1), np.roll(ones, -150, axis=1)))


def lone_one():
    ink = blank()
    cv2.line(ink, (400, 40), (410, HEIGHT - 40), 200, 40)
    return ink


def boxed():
    ink = write(rows=1, columns=3)
    cv2.rectangle(ink, (30, 20), (380, 170), 200, 5)
    return ink


WRITING = {
    "a column of ones": column_of_ones(),
    "three columns of ones": three_columns_of_ones(),
    "a row of digits": write(rows=1, columns=7, seed=3),
    "rows of digits": write(rows=3, columns=7, seed=4),
    "digits as large as the page": write(rows=1, columns=1, height=500, pen=40, seed=5),
    "a lone one": lone_one(),
    "a box around digits": boxed(),
}


@pytest.mark.parametrize("ink", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("scale", [1, 0.5], ids=["near", "afar"])
def test_writing_is_not_taken_for_rulings(ink, scale):
    mask = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) > 60
    assert find_rulings(mask.astype(np.uint8) * 255) == []


def test_two_ones_on_a_ruling_are_not_a_line():
    """What is left of the ruling links them: 2 pixels thick where they are 9."""
    mask = blank()
    mask[60:140, 400:409] = mask[175:255, 401:410] = mask[140:175, 404:406] = 255
    assert find_lines(mask, span=1.3 * DIGIT, least=2.2 * DIGIT) == []


def test_an_underline_that_touches_the_digits_is_erased():
    digits = write(rows=1, seed=1)
    feet = max(y + h for _, y, _, h in [cv2.boundingRect(digits)])
    line = blank()
    cv2.line(line, (40, feet - 8), (720, feet + 2), 200, 5, cv2.LINE_AA)
    page = Ruled(digits, line)
    assert page.kept(clean(page)) >= KEPT
    assert page.gone(clean(page)) >= 0.95


def test_a_frame_that_touches_a_digit_is_erased():
    digits = np.roll(write(rows=1, columns=6, seed=2), 60, axis=0)
    x, y, width, height = cv2.boundingRect(digits)
    frame = blank()
    cv2.rectangle(frame, (x - 30, y - 70), (x + width - 3, y + height + 70), 200, 5)
    page = Ruled(digits, frame)
    assert page.kept(clean(page)) >= 0.97, "what lies under the frame goes with it"
    assert page.gone(clean(page)) >= 0.95
    assert len([mark for mark in find_writing(page.grey).marks if not mark.flaw]) == 6


def test_a_scaled_line_is_the_same_line_in_a_larger_image():
    line = Line(upright=False, start=10, path=np.linspace(20.0, 29.0, 100), thickness=2.0)
    large = line.scaled(3)
    assert (large.start, len(large.path), large.thickness) == (30, 300, 6.0)
    # The middle of pixel 20 is 20.5 small pixels from the edge, 61.5 large ones: that is the middle of pixel 61.
    assert large.path[[1, -2]] == pytest.approx([61.0, 88.0])


def test_a_stroke_that_crosses_a_line_stays_whole():
    mask = blank()
    mask[300:303] = mask[200:400, 395:405] = 255
    cleaned = erase_lines(mask, mask, [Line(upright=False, start=0, path=np.full(WIDTH, 301.0), thickness=3.0)])
    assert cleaned[200:400, 395:405].all()
    assert np.count_nonzero(cleaned) == 200 * 10
    assert mask[301].all(), "the mask that was given is left as it is"


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (30, 40)], ids=str)
@pytest.mark.parametrize("level", [0, 255], ids=["blank", "full"])
def test_any_shape_goes_through(shape, level):
    mask = np.full(shape, level, np.uint8)
    lines = find_rulings(mask)
    assert erase_lines(mask, mask, lines).shape == shape
