"""Images in, candidates out: the classic vision stages, with OpenCV and NumPy alone.

In: an image, uint8 (H, W, 3) BGR or (H, W), in any light, dark ink on paper or chalk on a board.
Out: candidates that may be digits, each with its box and its own ink, and the 28x28 crop of any ink.

`detect` runs the stages on every level of a pyramid: `illumination` (ink on even paper), `binarize` (mask of the ink),
`lines` and `patterns` (tables, boxes, rulings and dashes are removed) and `segment` (connected components grouped
into candidates). `split_merge` proposes to split a candidate along `seams` or to merge it with another.
`normalize` makes the crop, `layout` arranges digits in rows and numbers, `tables` makes cells of lines. Which
candidates are digits is decided in `digitedge.reader`.
"""

from digitedge.utils.boxes import Box
from digitedge.vision.detect import Detection, detect_candidates, search_joined
from digitedge.vision.layout import split_numbers, split_rows
from digitedge.vision.normalize import normalize_digit
from digitedge.vision.segment import Candidate
from digitedge.vision.stages import Stage, StageClock

__all__ = [
    "Box",
    "Candidate",
    "Detection",
    "Stage",
    "StageClock",
    "detect_candidates",
    "normalize_digit",
    "search_joined",
    "split_numbers",
    "split_rows",
]
