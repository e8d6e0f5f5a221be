"""Documents: their ground truth is exact, and they are as different as real ones."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.documents.fonts import DESIGNS, OPENCV_FONTS, Font, sample_font
from digitedge.synthetic.documents.grid import Grid, draw_grid
from digitedge.synthetic.documents.hand import Hand, sample_hand
from digitedge.synthetic.documents.rules import Rule, draw_rule
from digitedge.synthetic.documents.sheet import MAX_DIGITS, Sheet
from digitedge.synthetic.documents.texts import AMBIGUOUS
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.writing import all_ink
from digitedge.synthetic.scenes import (
    DOCUMENT_TYPES,
    EVALUATION_DOCUMENT_TYPES,
    NEGATIVE_SCENE_TYPES,
    PLAIN_SCENE_TYPES,
    SCENE_TYPES,
    TRAINING_DOCUMENT_TYPES,
    Difficulty,
    Scene,
    render_document,
    render_scene,
)
from digitedge.utils.boxes import Box, is_centre_in

BALL = Pen(PenType.BALL, (40, 40, 40), 0.95, 0.08)
WRITTEN = [name for name, kind in DOCUMENT_TYPES.items() if not kind.negative]


@pytest.fixture(scope="module")
def documents() -> list[Scene]:
    """Two small ones of each type."""
    names = [name for name in DOCUMENT_TYPES for _ in range(2)]
    return [render_scene(seed=seed, width=640, height=520, scene_type=name) for seed, name in enumerate(names)]


def sample_sheet(seed: int = 0, *, size: float = 40.0) -> Sheet:
    rng = np.random.default_rng(seed)
    hand = sample_hand(rng, BALL, size, messy=0.0)
    hand.touching, hand.gap, hand.joined = 0.0, 0.15, False
    image = np.full((400, 600, 3), 240, np.uint8)
    return Sheet(image, rng, (240, 240, 240), (40, 40, 560, 360), size, [hand], sample_font(rng), (30, 30, 30))


# Types


def test_types_of_training_evaluation_and_other_scenes_have_different_names() -> None:
    assert not TRAINING_DOCUMENT_TYPES.keys() & EVALUATION_DOCUMENT_TYPES.keys()
    assert not DOCUMENT_TYPES.keys() & (SCENE_TYPES.keys() | PLAIN_SCENE_TYPES.keys() | NEGATIVE_SCENE_TYPES.keys())


def test_only_negative_types_have_no_digits(documents: list[Scene]) -> None:
    for scene in documents:
        assert bool(scene.digits) is (scene.scene_type in WRITTEN), scene.scene_type


def test_training_documents_are_never_of_an_evaluation_type() -> None:
    training = {render_document(seed).scene_type for seed in range(8)}
    evaluation = {render_document(seed, evaluation=True).scene_type for seed in range(12)}
    assert training <= TRAINING_DOCUMENT_TYPES.keys() and len(training) > 3
    assert evaluation & EVALUATION_DOCUMENT_TYPES.keys() and evaluation & TRAINING_DOCUMENT_TYPES.keys()


def test_the_same_seed_gives_the_same_document() -> None:
    one, two, other = (render_scene(seed=seed, scene_type="mark-sheet") for seed in (3, 3, 4))
    assert np.array_equal(one.frame, two.frame)
    assert (one.digits, one.rows, one.ignore, one.tables, one.ambiguous) == (
        *(two.digits, two.rows, two.ignore, two.tables),
        two.ambiguous,
    )
    assert one.frame.shape != other.frame.shape or not np.array_equal(one.frame, other.frame)


@pytest.mark.parametrize(
    ("scene_type", "difficulty", "negative"),
    [("sudoku", Difficulty.PLAIN, None), ("sudoku", None, True), ("print-only", None, False)],
    ids=["never plain", "not negative", "negative"],
)
def test_options_that_do_not_fit_a_document_are_refused(
    scene_type: str, difficulty: Difficulty | None, negative: bool | None
) -> None:
    with pytest.raises(InputError, match=f"no scene type fits these options: {scene_type}"):
        render_scene(seed=0, scene_type=scene_type, difficulty=difficulty, negative=negative)


def test_a_document_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="240x180"):
        render_scene(seed=0, scene_type="sudoku", width=239, height=400)


@pytest.mark.parametrize("name", DOCUMENT_TYPES)
def test_every_document_fits_into_the_smallest_frame(name: str) -> None:
    scene = render_scene(seed=0, width=240, height=180, scene_type=name, difficulty=Difficulty.HARD)
    assert scene.frame.shape == (180, 240, 3) and scene.difficulty is Difficulty.HARD
    assert bool(scene.digits) is (name in WRITTEN)
    assert all(true.box[3] >= 6 for true in scene.digits if true.digit != 1)  # pixels; less cannot be read


def test_a_clean_document_is_evenly_lit_and_sharp() -> None:
    options = {"seed": 2, "width": 640, "height": 480, "scene_type": "dates", "difficulty": Difficulty.HARD}
    clean, photographed = (render_scene(**options, clean=clean) for clean in (True, False))
    assert clean.rows == photographed.rows
    assert unevenness(clean.frame) < 4 < unevenness(photographed.frame)
    assert sharpness(clean.frame) > 1.5 * sharpness(photographed.frame)


def unevenness(frame: NDArray[np.uint8]) -> float:
    """Return the range of the brightness of the paper over a frame, in grey levels."""
    return float(np.ptp([np.median(part) for half in np.array_split(frame, 4) for part in np.array_split(half, 4, 1)]))


def sharpness(frame: NDArray[np.uint8]) -> float:
    """Return the steepest edges of a frame over its contrast."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.percentile(np.abs(np.diff(grey, axis=1)), 99.8) / np.ptp(grey))


# Ground truth


def test_digits_rows_and_numbers_agree(documents: list[Scene]) -> None:
    for scene in documents:
        assert "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
        assert scene.rows == tuple("".join(row) for row in scene.numbers)
        assert len(scene.digits) < 1.3 * MAX_DIGITS


def test_boxes_are_in_the_frame(documents: list[Scene]) -> None:
    for scene in documents:
        height, width = scene.frame.shape[:2]
        for x, y, w, h in [*(true.box for true in scene.digits), *scene.ignore]:
            assert w > 0 and h > 0 and x >= 0 and y >= 0 and x + w <= width and y + h <= height


def test_boxes_contain_ink(documents: list[Scene]) -> None:
    found = [contrast(scene.frame, true.box) for scene in documents for true in scene.digits]
    assert len(found) > 1000 and np.mean(np.array(found) > 8) > 0.98


def contrast(frame: NDArray[np.uint8], box: Box) -> float:
    """Return the largest difference between the ink and the paper around it, in grey levels."""
    x, y, w, h = box
    part = cv2.cvtColor(frame[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1], cv2.COLOR_BGR2GRAY).astype(int)
    median = np.median(part)
    return float(max(median - np.percentile(part, 3), np.percentile(part, 97) - median))


def test_sizes_and_counts_are_as_different_as_in_real_documents() -> None:
    scenes = [render_document(seed) for seed in range(24)]
    heights = np.array([true.box[3] for scene in scenes for true in scene.digits])
    counts = [len(scene.digits) for scene in scenes]
    areas = [scene.frame.shape[0] * scene.frame.shape[1] for scene in scenes]
    assert np.percentile(heights, 2) < 14 and np.percentile(heights, 99) > 80
    assert min(counts) == 0 and max(counts) > 80
    assert max(areas) > 5 * min(areas)


def test_a_table_has_the_text_of_its_cells() -> None:
    for seed in range(4):
        scene = render_scene(seed=seed, scene_type="mark-sheet", width=900, height=700, difficulty=Difficulty.EASY)
        (table,) = scene.tables
        cells = [cell for row in table.rows for cell in row]
        assert len({len(row) for row in table.rows}) == 1
        assert sum(len(cell.text) for cell in cells) == len(scene.digits)
        for cell in cells:
            inside = [true for true in scene.digits if is_centre_in(true.box, [cell.box])]
            # Careless writers cross the lines.
            assert abs(len(inside) - len(cell.text)) <= 1
            assert is_centre_in(cell.box, [table.box])


def test_given_digits_of_a_sudoku_are_digits_and_an_index_is_ignored() -> None:
    sheet = sample_sheet()
    sheet.print("58", 100, 200, height=30, digits=True)
    sheet.print("No. 12", 100, 300, height=12)
    assert [one.digit for one in all_ink(sheet.reading_rows())] == [5, 8]
    (ignored,) = sheet.ignore
    assert ignored[:, 1].max() <= 304 and ignored[:, 0].min() > 115


# Parts


def test_numbers_are_split_where_the_gap_is_wide() -> None:
    sheet = sample_sheet()
    sheet.write("12", 60, 200, row="a")
    sheet.write("345", 300, 200, row="a")
    assert [["".join(str(one.digit) for one in number) for number in row] for row in sheet.reading_rows()] == [
        ["12", "345"]
    ]


def test_texts_on_the_same_line_are_one_row() -> None:
    sheet = sample_sheet()
    for text, x, y in (("7", 300, 104), ("1", 60, 100), ("2", 60, 200)):
        sheet.write(text, x, y)
    assert [[one.digit for one in all_ink([row])] for row in sheet.reading_rows()] == [[1, 7], [2]]


def test_a_text_that_is_too_wide_is_written_smaller() -> None:
    wide = sample_sheet().write("123456", 60, 200)
    narrow = sample_sheet().write("123456", 60, 200, width=0.7 * (wide[2] - wide[0]))
    assert narrow[2] - narrow[0] < 0.85 * (wide[2] - wide[0])
    assert narrow[3] - narrow[1] < 0.85 * (wide[3] - wide[1])


def test_digits_that_are_crossed_out_or_covered_are_ignored() -> None:
    sheet = sample_sheet()
    edges = sheet.write("12", 60, 200)
    sheet.write("34", 60, 300)
    sheet.ignore_within(*edges)
    assert [one.digit for one in all_ink(sheet.reading_rows())] == [3, 4] and len(sheet.ignore) == 2
    first = sheet.reading_rows()[0][0][0]
    sheet.ignore_beyond((0, 0, first.x + first.ink.shape[1] + 1, 400))
    assert [one.digit for one in all_ink(sheet.reading_rows())] == [3] and len(sheet.ignore) == 3


def test_letters_that_look_like_digits_are_ambiguous() -> None:
    assert {"o", "O", "l", "S", "/", "("} <= AMBIGUOUS and not {"m", "A", "+", "="} & AMBIGUOUS
    sheet = sample_sheet()
    sheet.write("Lot+", 60, 200)
    assert len(sheet.ambiguous) == 1 and not sheet.rows


def test_small_letters_and_signs_stand_on_the_line() -> None:
    hand = sample_sheet(size=100).hand
    for text, top, bottom in (("x", -80, 20), ("p", -75, 65), ("-", -60, -20), (".", -22, 12), ("H", -120, 15)):
        (glyphs,) = hand.write(text, height=100)
        assert top <= glyphs.top and glyphs.top + glyphs.ink.shape[0] <= bottom, text


def test_a_pen_does_not_grow_with_the_writing() -> None:
    hand = sample_sheet().hand
    small, large = (hand.pen_at(height).width * height for height in (20.0, 200.0))
    assert small < large < 2.5 * small


def test_touching_digits_touch() -> None:
    hand: Hand = sample_sheet(size=60).hand
    hand.touching = 1.0
    gaps = [
        right.left - left.left - left.ink.shape[1]
        for line in [hand.write("24", height=60) for _ in range(8)]
        for left, right in [line]
    ]
    assert np.mean(gaps) < 0


@pytest.mark.parametrize("lean", [0.0, 0.05])
def test_cells_of_a_grid_share_their_corners(lean: float) -> None:
    grid = Grid(np.array([10.0, 40.0, 100.0]), np.array([20.0, 50.0]), lean=lean)
    corners = grid.corners()
    assert grid.shape == (1, 2) and corners.shape == (1, 2, 4, 2)
    assert corners[0, 0, 1:3].tolist() == corners[0, 1, [0, 3]].tolist()
    assert corners[0, 0, 3].tolist() == [10 + 30 * lean, 50]
    assert grid.cell(0, 1) == pytest.approx((40 + 15 * lean, 20, 100 + 15 * lean, 50))


def test_only_the_border_of_a_table_without_lines_is_drawn() -> None:
    def lines(*, inner: bool) -> int:
        sheet = sample_sheet()
        grid = Grid(np.array([100.0, 200.0, 300.0]), np.array([50.0, 250.0]))
        draw_grid(sheet, grid, Rule((0, 0, 0)), vertical=inner)
        return int((sheet.image[150, :, 0] < 128).sum())

    assert (lines(inner=True), lines(inner=False)) == (3, 2)


@pytest.mark.parametrize("design", [*DESIGNS, *OPENCV_FONTS])
def test_printed_digits_are_as_high_as_asked_for(design: str) -> None:
    face = OPENCV_FONTS.get(design, (0,))[0]
    font = Font(design, weight=0.12, aspect=1.0, slant=0.0, face=face, spacing=0.1)
    for height in (8, 40, 150):
        line = font.set("0123456789", height=height)
        assert [one.text for one in line] == list("0123456789")
        assert all(abs(one.ink.shape[0] - height) <= 0.15 * height + 2 for one in line)
        assert all(abs(one.top + one.ink.shape[0]) <= 0.1 * height + 2 for one in line)
        assert len({one.ink.tobytes() for one in line}) == 10


def test_lines_can_be_dashed_or_partly_missing() -> None:
    def drawn(rule: Rule) -> float:
        image = np.full((21, 400, 3), 255, np.uint8)
        draw_rule(image, np.array([[0, 10], [399, 10.0]]), rule, np.random.default_rng(1))
        return float((image.min(axis=(0, 2)) < 128).mean())

    assert drawn(Rule((0, 0, 0))) > 0.99
    assert 0.4 < drawn(Rule((0, 0, 0), dash=20)) < 0.8
    assert 0.5 < drawn(Rule((0, 0, 0), missing=0.2)) < 0.97
