"""The way of a frame on one slide: every image between the camera and the digits, with a caption in plain words.

Always WIDTH x HEIGHT, whatever the frame: it fills a projector, and a page of a hundred digits takes no more room than
a lone one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.reader import Reader
from digitedge.reader.rejection import Verdict
from digitedge.utils.boxes import Box
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.drawing import BLACK, BLUE, VERMILION, WHITE, Colour, shortened, text_width, write
from digitedge.utils.opencv import cv2
from digitedge.vision import Writing, find_writing, normalize_digit, rows_of

# Pixels of the slide.
WIDTH, HEIGHT = 1920, 1080
MARGIN, HEADER, CAPTION = 20, 68, 66
COLUMNS = 4
PANEL = (455, 404)
NAME_TYPE, TITLE_TYPE, WORD_TYPE, LABEL_TYPE = 24, 19, 13, 11
# The commonest reasons why marks were dropped stand below the image, in lines of LEGEND pixels; each one also stands
# beside its box, if no more than this were dropped.
REASONS, LEGEND, LABELLED = 4, 22, 24
# Crops are enlarged by the first of these at which all find room; the last one leaves some out.
ZOOMS = (4, 3, 2)
CROP_GAP, CROP_TYPE = 12, 16
# How much of the image is seen through the boxes, 0 to 1.
PALED = 0.65

PAPER: Colour = (246, 246, 246)
FAINT: Colour = (96, 96, 96)
EDGE: Colour = (190, 190, 190)
KEPT, DROPPED = BLUE, VERMILION

Corner = tuple[int, int]
"""x and y in pixels of the slide."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A mark with what became of it.

    Attributes:
        crop: uint8 (28, 28), what the classifier saw; None where it was not asked.
        verdict: of the mark.
    """

    crop: NDArray[np.uint8] | None
    verdict: Verdict


def draw_stages(frame: NDArray[np.uint8], reader: Reader, *, name: str = "") -> NDArray[np.uint8]:
    """Draw what happens to a frame, step by step.

    Args:
        frame: uint8 (H, W, 3) BGR or (H, W).
        reader: whose classifier and threshold are used.
        name: of the image, for the title.

    Returns:
        uint8 (HEIGHT, WIDTH, 3) BGR.

    Examples:
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = 40  # a one
        >>> draw_stages(page, Reader(), name="one.png").shape
        (1080, 1920, 3)
    """
    writing = find_writing(frame)
    judged = judge_marks(writing, reader)
    steps = writing.steps
    erased = cv2.subtract(steps["mask"], steps["clean"]).astype(np.uint8, copy=False)
    kept = sum(one.verdict.kept for one in judged)
    sheet = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    _draw_header(sheet, name, judged)
    _draw_panel(sheet, 1, "Image", f"as the camera saw it, {_size(frame)} pixels", frame)
    _draw_panel(sheet, 2, "Grey", f"no colours, and only as large as needed: {_size(steps['grey'])}", steps["grey"])
    _draw_panel(sheet, 3, "Light removed", "ink is bright, paper and shadows are dark", brighter(steps["ink"]))
    _draw_panel(sheet, 4, "Ink or paper", "every pixel becomes one or the other", steps["mask"])
    words = "rulings, underlines, frames: in orange" if erased.any() else "there are none here"
    _draw_panel(sheet, 5, "Lines erased", words, in_orange(steps["clean"], erased))
    boxes = with_boxes(frame, judged)
    foot = _draw_panel(sheet, 6, "Candidates", f"{kept} kept, {len(judged) - kept} dropped", boxes)
    _draw_legend(sheet, foot, judged)
    _draw_crops(sheet, 7, [(one.crop, one.verdict) for one in judged if one.crop is not None])
    return sheet


def judge_marks(writing: Writing, reader: Reader) -> list[Judged]:
    """Judge all marks: those that are kept in reading order, then the others, the surest first."""
    guesses, verdicts = reader.judge_writing(writing)
    judged = [
        Judged(None if guess.mark.flaw else normalize_digit(guess.mark.ink), verdict)
        for guess, verdict in zip(guesses, verdicts, strict=True)
    ]
    kept = [one for one in judged if one.verdict.kept]
    rows = rows_of([one.verdict.box for one in kept])
    dropped = [one for one in judged if not one.verdict.kept]
    return [kept[index] for row in rows for index in row] + sorted(dropped, key=lambda one: -one.verdict.confidence)


def _draw_header(sheet: NDArray[np.uint8], name: str, judged: Sequence[Judged]) -> None:
    kept = [one.verdict for one in judged if one.verdict.kept]
    rows = rows_of([verdict.box for verdict in kept])
    text = "   ".join("".join(str(kept[index].digit) for index in row) for row in rows) or "no digits"
    baseline = MARGIN + NAME_TYPE
    room = (WIDTH - 3 * MARGIN) // 2
    write(sheet, shortened(name, NAME_TYPE, room), (MARGIN, baseline), NAME_TYPE, BLACK)
    text = shortened(text, NAME_TYPE, room)
    write(sheet, text, (WIDTH - MARGIN - text_width(text, NAME_TYPE), baseline), NAME_TYPE, KEPT)


def _draw_caption(sheet: NDArray[np.uint8], number: int, title: str, words: str) -> None:
    x, y = _corner(number)
    write(sheet, f"{number}  {title}", (x, y - CAPTION + TITLE_TYPE + 2), TITLE_TYPE, BLACK)
    write(sheet, shortened(words, WORD_TYPE, PANEL[0]), (x, y - 14), WORD_TYPE, FAINT)


def _corner(number: int) -> Corner:
    """The upper left corner of a panel; its caption is above."""
    row, column = divmod(number - 1, COLUMNS)
    return MARGIN + column * (PANEL[0] + MARGIN), HEADER + CAPTION + row * (PANEL[1] + MARGIN + CAPTION)


def _draw_panel(sheet: NDArray[np.uint8], number: int, title: str, words: str, image: NDArray[np.uint8]) -> Corner:
    """Draw an image below its caption; where it ends, at the lower left."""
    _draw_caption(sheet, number, title, words)
    x, y = _corner(number)
    fitted = _fit(image, PANEL)
    height, width = fitted.shape[:2]
    sheet[y : y + height, x : x + width] = fitted
    cv2.rectangle(sheet, (x - 1, y - 1), (x + width, y + height), EDGE, 1)
    return x, y + height


def _size(image: NDArray[np.uint8]) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"


def _fit(image: NDArray[np.uint8], room: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale an image until it fills the room in one direction: uint8 (h, w, 3)."""
    height, width = image.shape[:2]
    scale = min(room[0] / width, room[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Enlarged pixels are shown as the squares that they are.
    fitted = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    return np.asarray(fitted if fitted.ndim == 3 else cv2.cvtColor(fitted, cv2.COLOR_GRAY2BGR), np.uint8)


def brighter(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pale pencil would not be seen on a projector: 0 and 255 stay, and what is between them is lifted."""
    lifted = np.rint(255 * np.sqrt(np.arange(256) / 255)).astype(np.uint8)
    return np.asarray(lifted[ink], np.uint8)


def in_orange(clean: NDArray[np.uint8], erased: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask, and what was erased from it: uint8 (H, W, 3)."""
    image = cv2.cvtColor(clean, cv2.COLOR_GRAY2BGR)
    image[erased > 0] = DROPPED
    return np.asarray(image, np.uint8)


def with_boxes(frame: NDArray[np.uint8], judged: Sequence[Judged]) -> NDArray[np.uint8]:
    """The frame, scaled and paled, with a box around each mark; what is kept is drawn last."""
    fitted = _fit(frame, PANEL)
    image = cv2.addWeighted(fitted, PALED, np.full_like(fitted, 255), 1 - PALED, 0).astype(np.uint8, copy=False)
    scale = fitted.shape[1] / frame.shape[1], fitted.shape[0] / frame.shape[0]
    boxes = [(one.verdict, _scaled(one.verdict.box, scale)) for one in judged]
    for verdict, (x, y, width, height) in reversed(boxes):
        line = 2 if width > 12 else 1
        cv2.rectangle(image, (x - 2, y - 2), (x + width + 1, y + height + 1), _colour(verdict), line)
    _draw_labels(image, boxes)
    return image


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    x, y, width, height = box
    return round(x * scale[0]), round(y * scale[1]), round(width * scale[0]), round(height * scale[1])


def _colour(verdict: Verdict) -> Colour:
    return KEPT if verdict.kept else DROPPED


def _draw_labels(image: NDArray[np.uint8], boxes: Sequence[tuple[Verdict, Box]]) -> None:
    """Write below each box, or above it, what was read or why nothing, unless that would cover something else."""
    taken = np.zeros(image.shape[:2], np.bool_)
    for _, (x, y, width, height) in boxes:
        taken[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2] = True
    few = sum(not verdict.kept for verdict, _ in boxes) <= LABELLED
    for verdict, (x, y, _, height) in boxes:
        words = str(verdict.digit) if verdict.kept else verdict.reason if few else ""
        wide, high = text_width(words, LABEL_TYPE) + 4, LABEL_TYPE + 6
        left = max(0, min(x - 2, image.shape[1] - wide))
        for top in (y + height + 3, y - 3 - high):
            place = taken[max(0, top) : top + high, left : left + wide]
            if words and place.shape == (high, wide) and not place.any():
                place[:] = True
                image[top : top + high, left : left + wide] = _colour(verdict)
                write(image, words, (left + 2, top + high - 3), LABEL_TYPE, WHITE)
                break


def _draw_legend(sheet: NDArray[np.uint8], foot: Corner, judged: Sequence[Judged]) -> None:
    """Write below a panel why marks were dropped, the commonest reasons first, in two lines."""
    reasons = Counter(one.verdict.reason for one in judged if not one.verdict.kept)
    words = [f"{count} x {reason}" for reason, count in reasons.most_common(REASONS)]
    x, y = foot
    for number, pair in enumerate((words[:2], words[2:]), start=1):
        line = shortened(",  ".join(pair), LABEL_TYPE, PANEL[0])
        write(sheet, line, (x, y + number * LEGEND), LABEL_TYPE, DROPPED)


def _draw_crops(sheet: NDArray[np.uint8], number: int, seen: Sequence[tuple[NDArray[np.uint8], Verdict]]) -> None:
    """Draw what the classifier saw, with its answers, in the rest of the slide."""
    words = "28 x 28 pixels each; below: its answer, and how sure it is" if seen else "nothing here could be a digit"
    _draw_caption(sheet, number, "What the model sees", words)
    left, top = _corner(number)
    for zoom in ZOOMS:
        side = zoom * CROP_SIZE
        wide, high = side + CROP_GAP, side + CROP_TYPE + CROP_GAP + 8
        columns, rows = (WIDTH - left) // wide, (HEIGHT - top) // high
        if len(seen) <= columns * rows:
            break
    shown = len(seen) if len(seen) <= columns * rows else columns * rows - 1
    corners = [(left + index % columns * wide, top + index // columns * high) for index in range(columns * rows)]
    for (x, y), (crop, verdict) in zip(corners, seen[:shown], strict=False):
        enlarged = cv2.resize(crop, (side, side), interpolation=cv2.INTER_NEAREST)
        sheet[y : y + side, x : x + side] = enlarged[..., None]  # (side, side, 1)
        baseline = y + side + CROP_TYPE + 4
        write(sheet, str(verdict.digit), (x, baseline), CROP_TYPE, _colour(verdict))
        percent = f"{verdict.confidence:.0%}"
        write(sheet, percent, (x + side - text_width(percent, LABEL_TYPE), baseline), LABEL_TYPE, _colour(verdict))
    if shown < len(seen):
        x, y = corners[-1]
        write(sheet, f"+ {len(seen) - shown}", (x, y + side // 2), CROP_TYPE, FAINT)
