"""Frames in, candidate digits out: the classic path, with OpenCV and NumPy alone.

In: a frame, uint8 (H, W, 3) BGR or (H, W), in any light, dark ink on paper or chalk on a board.
Out: candidates, each with its box in the frame and its 28x28 crop, and the rows that they stand in.

One frame passes through the files in this order: `find` calls `illumination` (ink on even paper), `binarize` (where
the pen was), `segment` (which parts form a digit) and `normalize` (the crop contract); `layout` arranges what was
found in rows.
"""

from digitedge.vision.find import Candidate, Writing, find_digits, find_writing
from digitedge.vision.layout import Box, numbers_of, rows_of
from digitedge.vision.normalize import normalize_digit

__all__ = ["Box", "Candidate", "Writing", "find_digits", "find_writing", "normalize_digit", "numbers_of", "rows_of"]
