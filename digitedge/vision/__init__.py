"""Frames in, marks out: the classic path, with OpenCV and NumPy alone.

In: a frame, uint8 (H, W, 3) BGR or (H, W), in any light, dark ink on paper or chalk on a board.
Out: marks that may be digits, each with its box and its own ink, and the 28x28 crop of any ink.

One frame passes through the files in this order: `find` calls `illumination` (ink on even paper), `binarize` (where
the pen was), `lines` (rulings, underlines and frames erased) and `segment` (which parts form a mark). Where a
classifier doubts a mark, `regroup` proposes to `cut` it or to join it with another. `normalize` is the crop contract,
and `layout` arranges what was read in rows and numbers. Which marks are digits is decided outside this room, in
`digitedge.reader.rejection`.
"""

from digitedge.utils.boxes import Box
from digitedge.vision.detect import Candidate, Writing, find_digits, find_writing
from digitedge.vision.layout import numbers_of, rows_of
from digitedge.vision.normalize import normalize_digit

__all__ = ["Box", "Candidate", "Writing", "find_digits", "find_writing", "normalize_digit", "numbers_of", "rows_of"]
