"""Detection: an image becomes candidates, through even illumination, a mask and line removal.

The image is searched twice. A small copy (400 pixels) gives the illumination, the ruled lines and the height of the
writing. The search itself runs at the scale at which that writing is 64 pixels high. So a digit that fills the image
and one of a hundred on a page meet the same code at the same size, and only small writing costs the full resolution.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import as_uint8, cv2, resize, to_grey
from digitedge.vision.binarize import binarize, ink_threshold
from digitedge.vision.illumination import Illumination, estimate_illumination, extract_ink
from digitedge.vision.line_removal import Line, find_lines, find_ruled_lines, remove_lines
from digitedge.vision.segment import Candidate, connected_components, estimate_scale, extract_candidates
from digitedge.vision.stages import Stage, StageClock

# Longer side in pixels at which larger images are searched: 0.5 % of it are the 8 pixels that a digit needs.
SEARCH_SIDE = 1600
# Longer side in pixels of the copy in which the height of the writing is estimated.
OVERVIEW_SIDE = 400
# Height in pixels to which typical digits are scaled: noise is averaged out, hairline gaps close.
# See docs/decisions/working-height.md.
WORKING_HEIGHT = 64
# Ruled lines may be paler than writing: this share of the threshold of ink.
RULED_LINE_THRESHOLD = 0.6
# In heights of the writing: the run of ink that shows a line, and the least length of underlines and frames.
LINE_RUN = 1.0
MIN_LINE_LENGTH = 2.2


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What the vision stages found in an image.

    Attributes:
        candidates: what may be a digit, with boxes in pixels of the working images below.
        scale: pixels of the working images for each pixel of the image.
        shape: height and width of the image.
        grey: uint8 (h, w), the image without colour at the working scale.
        ink: uint8 (h, w), illumination removed: 0 is paper.
        mask: uint8 (h, w), 255 where there is ink, else 0.
        cleaned: uint8 (h, w), the mask without lines.
    """

    candidates: list[Candidate]
    scale: float
    shape: tuple[int, int]
    grey: NDArray[np.uint8] = field(repr=False)
    ink: NDArray[np.uint8] = field(repr=False)
    mask: NDArray[np.uint8] = field(repr=False)
    cleaned: NDArray[np.uint8] = field(repr=False)

    def to_image(self, box: Box) -> Box:
        """Convert a box from the working images to the image."""
        x, y, width, height = box
        left, top = round(x / self.scale), round(y / self.scale)
        right = min(self.shape[1], round((x + width) / self.scale))
        bottom = min(self.shape[0], round((y + height) / self.scale))
        return left, top, right - left, bottom - top


def detect_candidates(image: NDArray[np.uint8], clock: StageClock | None = None) -> Detection:
    """Find all connected components that are about as large and as dark as the writing.

    Args:
        image: uint8 (H, W, 3) BGR or (H, W), dark ink on paper or chalk on a board.
        clock: measures the stages; None for no measurement.

    Returns:
        Candidates in no particular order, and the working images.

    Examples:
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = 40  # a one
        >>> detection = detect_candidates(page)
        >>> [detection.to_image(candidate.box) for candidate in detection.candidates]
        [(60, 40, 5, 40)]
    """
    clock = clock or StageClock()
    with clock.measure(Stage.GREY):
        full = to_grey(image)
        overview_scale = min(1.0, OVERVIEW_SIDE / max(full.shape))
        overview = _shrink(full, overview_scale)
    with clock.measure(Stage.INK):
        illumination = estimate_illumination(overview)
    ruled_lines, height = _search_overview(overview, illumination, clock)
    with clock.measure(Stage.GREY):
        largest = min(1.0, SEARCH_SIDE / max(full.shape))
        scale = min(largest, WORKING_HEIGHT * overview_scale / height) if height else largest
        grey = _shrink(full, scale)
    with clock.measure(Stage.INK):
        ink = extract_ink(grey, illumination)
    with clock.measure(Stage.MASK):
        mask = binarize(ink)
    with clock.measure(Stage.LINES):
        zoom = scale / overview_scale
        cleaned = remove_lines(mask, ink, [line.scaled(zoom) for line in ruled_lines])
        if height:  # lines that are straight and much longer than the writing is high: underlines, frames
            run, length = LINE_RUN * height * zoom, MIN_LINE_LENGTH * height * zoom
            cleaned = remove_lines(cleaned, ink, find_lines(cleaned, min_run=run, min_length=length))
    with clock.measure(Stage.CANDIDATES):
        candidates = extract_candidates(connected_components(cleaned, ink), ink)
    return Detection(candidates, scale, (image.shape[0], image.shape[1]), grey, ink, mask, cleaned)


def _search_overview(
    grey: NDArray[np.uint8], illumination: Illumination, clock: StageClock
) -> tuple[list[Line], float]:
    """Find the ruled lines of the paper and the height of the writing in pixels of the overview; 0 without writing."""
    with clock.measure(Stage.INK):
        ink = extract_ink(grey, illumination)
    with clock.measure(Stage.MASK):
        threshold = ink_threshold(ink)
        pale_mask = binarize(ink, as_uint8(cv2.convertScaleAbs(threshold, alpha=RULED_LINE_THRESHOLD)))
        mask = binarize(ink, threshold)
    with clock.measure(Stage.LINES):
        ruled_lines = find_ruled_lines(pale_mask)
        cleaned = remove_lines(mask, ink, ruled_lines)
    with clock.measure(Stage.CANDIDATES):
        scale = estimate_scale(connected_components(cleaned, ink))
    return ruled_lines, scale.height if scale else 0.0


def _shrink(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Scale down by halves, which average areas, then by interpolation; INTER_AREA alone takes six times as long."""
    target = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    while grey.shape[1] >= 2 * target[0] and grey.shape[0] >= 2 * target[1]:
        half = (max(target[0], grey.shape[1] // 2), max(target[1], grey.shape[0] // 2))
        grey = resize(grey, half, cv2.INTER_AREA)
    return resize(grey, target, cv2.INTER_LINEAR_EXACT)
