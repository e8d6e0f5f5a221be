"""The stages of a reading as images: one slide with all of them, or single images for the live page.

The slide is always WIDTH x HEIGHT, so it fills a projector, and a page of a hundred digits takes no more space than a
single one.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader.reading import format_confidence
from digitedge.reader.rejection import Decision
from digitedge.reader.trace import Trace
from digitedge.utils.boxes import Box, scale_box
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.drawing import BLACK, BLUE, VERMILION, WHITE, Colour, draw_text, shorten_text, text_width
from digitedge.utils.opencv import as_uint8, cv2, resize, to_bgr
from digitedge.vision import Stage
from digitedge.vision.detect import Level

# Layout of the slide, in pixels.
WIDTH, HEIGHT = 1920, 1080
MARGIN = 20
HEADER_HEIGHT = 68
CAPTION_HEIGHT = 66
COLUMNS = 4
PANEL_SIZE = (455, 404)
# Text heights, in pixels.
NAME_TEXT = 24
TITLE_TEXT = 19
CAPTION_TEXT = 13
LABEL_TEXT = 11
# The most frequent reject reasons are listed below the candidates. Each box is labelled with its own if no more than
# MAX_LABELLED candidates were rejected.
LISTED_REASONS = 4
REASON_HEIGHT = 22
MAX_LABELLED = 24
# Crops are enlarged by the first factor at which all fit; with the last one some may be left out.
CROP_ZOOMS = (4, 3, 2)
CROP_GAP = 12
CROP_TEXT = 16
# Opacity of the image behind the boxes.
IMAGE_OPACITY = 0.65

BACKGROUND: Colour = (246, 246, 246)
CAPTION_COLOUR: Colour = (96, 96, 96)
BORDER_COLOUR: Colour = (190, 190, 190)
KEPT_COLOUR = BLUE
REJECTED_COLOUR = VERMILION

SHOWN_STAGES = {
    Stage.GREY: ("Grey", "without colour, on several levels: digits of any size are as high on one of them"),
    Stage.INK: ("Illumination removed", "ink is bright, paper and shadows are dark"),
    Stage.MASK: ("Binarized", "every pixel is ink or paper"),
    Stage.LINES: ("Structure removed", "lines, tables, boxes and dashes, in orange"),
    Stage.CANDIDATES: ("Candidates", "connected components: kept in blue, rejected in orange"),
    Stage.CROPS: ("Crops", f"{CROP_SIZE} x {CROP_SIZE} pixels each, as the model sees them"),
}
"""Heading and caption of the stages that are shown, on slides and on the live page."""

IMAGE_STAGES = tuple(stage for stage in SHOWN_STAGES if stage is not Stage.CROPS)
"""The stages that `stage_image` draws."""


def stage_image(trace: Trace, stage: Stage) -> NDArray[np.uint8]:
    """Draw the result of one stage.

    Args:
        trace: from `Reader.trace` or `Reading.trace`.
        stage: one of IMAGE_STAGES.

    Returns:
        uint8 (H, W) or (H, W, 3) BGR.

    Raises:
        InputError: another stage.
    """
    levels = trace.detection.levels
    if stage is Stage.GREY:
        return _side_by_side([level.grey for level in levels])
    if stage is Stage.INK:
        return _side_by_side([_brighten(level.ink) for level in levels])
    if stage is Stage.MASK:
        return _side_by_side([level.mask for level in levels])
    if stage is Stage.LINES:
        return _side_by_side([_draw_structure(level) for level in levels])
    if stage is Stage.CANDIDATES:
        return _draw_candidates(trace)
    raise InputError(f"expected one of {', '.join(IMAGE_STAGES)}, got {stage}, which has no image of its own.")


def removed_structure(level: Level) -> NDArray[np.uint8]:
    """Return the part of the mask that was cleared as lines: uint8 (H, W), 255 or 0."""
    return as_uint8(cv2.subtract(level.mask, level.cleaned))


def _draw_structure(level: Level) -> NDArray[np.uint8]:
    image = to_bgr(level.cleaned)
    image[removed_structure(level) > 0] = REJECTED_COLOUR
    return image


def _side_by_side(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Arrange the levels of a pyramid: the finest one on the left, the others below each other beside it."""
    finest, *others = images
    height, width = finest.shape[:2]
    column = max((image.shape[1] for image in others), default=0)
    canvas = np.zeros((height, width + column, *finest.shape[2:]), np.uint8)
    canvas[:, :width] = finest
    top = 0
    for image in others:
        rows = image[: max(0, height - top)]
        canvas[top : top + len(rows), width : width + image.shape[1]] = rows
        top += len(rows)
    return canvas


def draw_stages(trace: Trace, *, name: str = "") -> NDArray[np.uint8]:
    """Draw all stages of a reading on one slide.

    Args:
        trace: from `Reader.trace` or `Reading.trace`.
        name: of the image, for the title.

    Returns:
        uint8 (HEIGHT, WIDTH, 3) BGR.

    Examples:
        >>> from digitedge import Reader
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = 40  # a one
        >>> draw_stages(Reader().trace(page), name="one.png").shape
        (1080, 1920, 3)
    """
    decisions = trace.sorted_decisions()
    kept = sum(decision.kept for decision in decisions)
    captions = {stage: caption for stage, (_, caption) in SHOWN_STAGES.items()}
    levels = trace.detection.levels
    captions[Stage.GREY] = f"{len(levels)} levels of a pyramid, the finest {_size(levels[0].grey)}"
    captions[Stage.CANDIDATES] = f"{kept} kept, {len(decisions) - kept} rejected"
    if not any(removed_structure(level).any() for level in levels):
        captions[Stage.LINES] = "there are none here"
    slide = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.uint8)
    _draw_header(slide, name, trace)
    _draw_panel(slide, 1, "Image", f"as it was given: {_size(trace.image)}", trace.image)
    for number, (stage, (heading, _)) in enumerate(SHOWN_STAGES.items(), start=2):
        if stage is Stage.CROPS:
            _draw_crops(slide, number, [decision for decision in decisions if decision.prediction.crop is not None])
        else:
            _draw_panel(slide, number, heading, captions[stage], stage_image(trace, stage))
        if stage is Stage.CANDIDATES:
            _draw_reasons(slide, number, trace)
    return slide


def decision_colour(decision: Decision) -> Colour:
    """Return the colour of a candidate that is kept, or of one that is rejected."""
    return KEPT_COLOUR if decision.kept else REJECTED_COLOUR


def _draw_header(slide: NDArray[np.uint8], name: str, trace: Trace) -> None:
    baseline = MARGIN + NAME_TEXT
    width = (WIDTH - 3 * MARGIN) // 2
    draw_text(slide, shorten_text(name, NAME_TEXT, width), (MARGIN, baseline), NAME_TEXT, BLACK)
    rows = ("".join(str(trace.decisions[index].prediction.digit) for index in row) for row in trace.rows)
    text = shorten_text("   ".join(rows) or "no digits", NAME_TEXT, width)
    left = WIDTH - MARGIN - text_width(text, NAME_TEXT)
    draw_text(slide, text, (left, baseline), NAME_TEXT, KEPT_COLOUR)


def _panel_corner(number: int) -> tuple[int, int]:
    """Return the upper left corner of a panel; its caption is above."""
    row, column = divmod(number - 1, COLUMNS)
    x = MARGIN + column * (PANEL_SIZE[0] + MARGIN)
    return x, HEADER_HEIGHT + CAPTION_HEIGHT + row * (PANEL_SIZE[1] + MARGIN + CAPTION_HEIGHT)


def _draw_caption(slide: NDArray[np.uint8], number: int, title: str, caption: str) -> None:
    x, y = _panel_corner(number)
    draw_text(slide, f"{number}  {title}", (x, y - CAPTION_HEIGHT + TITLE_TEXT + 2), TITLE_TEXT, BLACK)
    draw_text(slide, shorten_text(caption, CAPTION_TEXT, PANEL_SIZE[0]), (x, y - 14), CAPTION_TEXT, CAPTION_COLOUR)


def _draw_panel(slide: NDArray[np.uint8], number: int, title: str, caption: str, image: NDArray[np.uint8]) -> None:
    """Draw an image below its caption."""
    _draw_caption(slide, number, title, caption)
    x, y = _panel_corner(number)
    fitted = _fit_into_panel(image)
    height, width = fitted.shape[:2]
    slide[y : y + height, x : x + width] = fitted
    cv2.rectangle(slide, (x - 1, y - 1), (x + width, y + height), BORDER_COLOUR, 1)


def _size(image: NDArray[np.uint8]) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels"


def _fit_into_panel(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale an image so that it fills a panel in one direction: uint8 (h, w, 3)."""
    height, width = image.shape[:2]
    scale = min(PANEL_SIZE[0] / width, PANEL_SIZE[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return to_bgr(resize(image, size, cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST))


def _brighten(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Raise the middle levels by a square root: pale pencil would be invisible on a projector."""
    levels = np.rint(255 * np.sqrt(np.arange(256) / 255)).astype(np.uint8)
    return as_uint8(levels[ink])


def _draw_candidates(trace: Trace) -> NDArray[np.uint8]:
    """Draw a labelled box around each candidate; the kept ones are drawn last."""
    fitted = _fit_into_panel(trace.image)
    image = as_uint8(cv2.addWeighted(fitted, IMAGE_OPACITY, np.full_like(fitted, 255), 1 - IMAGE_OPACITY, 0))
    x_scale, y_scale = fitted.shape[1] / trace.image.shape[1], fitted.shape[0] / trace.image.shape[0]
    boxes = [(decision, scale_box(decision.box, x_scale, y_scale)) for decision in trace.sorted_decisions()]
    for decision, (x, y, width, height) in reversed(boxes):
        line = 2 if width > 12 else 1
        cv2.rectangle(image, (x - 2, y - 2), (x + width + 1, y + height + 1), decision_colour(decision), line)
    _draw_labels(image, boxes)
    return image


def _draw_labels(image: NDArray[np.uint8], boxes: Sequence[tuple[Decision, Box]]) -> None:
    """Write digit or reject reason below each box, or above it, unless that would cover something else."""
    taken = np.zeros(image.shape[:2], np.bool_)
    for _, (x, y, width, height) in boxes:
        taken[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2] = True
    has_reasons = sum(not decision.kept for decision, _ in boxes) <= MAX_LABELLED
    for decision, (x, y, _, height) in boxes:
        label = str(decision.prediction.digit) if decision.kept else decision.reject_reason if has_reasons else ""
        label_width, label_height = text_width(label, LABEL_TEXT) + 4, LABEL_TEXT + 6
        left = max(0, min(x - 2, image.shape[1] - label_width))
        for top in (y + height + 3, y - 3 - label_height):
            area = taken[max(0, top) : top + label_height, left : left + label_width]
            if label and area.shape == (label_height, label_width) and not area.any():
                area[:] = True
                image[top : top + label_height, left : left + label_width] = decision_colour(decision)
                draw_text(image, label, (left + 2, top + label_height - 3), LABEL_TEXT, WHITE)
                break


def _draw_reasons(slide: NDArray[np.uint8], number: int, trace: Trace) -> None:
    """List the most frequent reject reasons below a panel, in two lines."""
    counts = Counter(decision.reject_reason for decision in trace.decisions if not decision.kept)
    reasons = [f"{count} x {reason}" for reason, count in counts.most_common(LISTED_REASONS)]
    x, y = _panel_corner(number)
    y += _fit_into_panel(trace.image).shape[0]
    for line, pair in enumerate((reasons[:2], reasons[2:]), start=1):
        text = shorten_text(",  ".join(pair), LABEL_TEXT, PANEL_SIZE[0])
        draw_text(slide, text, (x, y + line * REASON_HEIGHT), LABEL_TEXT, REJECTED_COLOUR)


def _draw_crops(slide: NDArray[np.uint8], number: int, decisions: Sequence[Decision]) -> None:
    """Draw the crops with their predictions in the rest of the slide."""
    heading, caption = SHOWN_STAGES[Stage.CROPS]
    _draw_caption(slide, number, heading, caption if decisions else "no candidate may be a digit")
    left, top = _panel_corner(number)
    for zoom in CROP_ZOOMS:
        side = zoom * CROP_SIZE
        cell_width, cell_height = side + CROP_GAP, side + CROP_TEXT + CROP_GAP + 8
        columns, rows = (WIDTH - left) // cell_width, (HEIGHT - top) // cell_height
        if len(decisions) <= columns * rows:
            break
    shown = len(decisions) if len(decisions) <= columns * rows else columns * rows - 1
    corners = [
        (left + index % columns * cell_width, top + index // columns * cell_height) for index in range(columns * rows)
    ]
    for corner, decision in zip(corners, decisions[:shown], strict=False):
        draw_crop(slide, decision, corner, side)
        x, baseline = corner[0], corner[1] + side + CROP_TEXT + 4
        colour = decision_colour(decision)
        confidence = format_confidence(decision.prediction.confidence)
        draw_text(slide, str(decision.prediction.digit), (x, baseline), CROP_TEXT, colour)
        draw_text(slide, confidence, (x + side - text_width(confidence, LABEL_TEXT), baseline), LABEL_TEXT, colour)
    if shown < len(decisions):
        x, y = corners[-1]
        draw_text(slide, f"+ {len(decisions) - shown}", (x, y + side // 2), CROP_TEXT, CAPTION_COLOUR)


def draw_crop(canvas: NDArray[np.uint8], decision: Decision, corner: tuple[int, int], side: int) -> None:
    """Draw the crop of a decision, enlarged to `side` pixels, into an image (H, W, 3)."""
    if decision.prediction.crop is not None:
        x, y = corner
        enlarged = resize(decision.prediction.crop, (side, side), cv2.INTER_NEAREST)
        canvas[y : y + side, x : x + side] = enlarged[..., None]  # (side, side, 1)
