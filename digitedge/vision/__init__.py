"""Frames in, candidate digits out: the classic path, with OpenCV and NumPy alone.

In: a frame, uint8 (H, W, 3) BGR or (H, W), any light, dark ink on paper or chalk on a board.
Out: candidates, each a box in the frame and its 28x28 crop as `normalize_digit` makes it.
"""

from digitedge.vision.normalize import normalize_digit

__all__ = ["normalize_digit"]
