"""Split and merge: proposals for candidates that the classifier doubts, two digits that touch or one that is broken.

The classifier decides whether a proposal is better (`digitedge.reader.classify`), so nothing is split that reads well
as a whole, and pages of clear digits cost nothing. See docs/decisions/split-and-merge.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import gaps, union
from digitedge.utils.opencv import cv2
from digitedge.vision.seams import find_seams
from digitedge.vision.segment import MAX_WORD_ASPECT, Candidate, RejectReason

# Least ratio of width to height of candidates that may be several digits.
MIN_SPLIT_ASPECT = 0.6
# Least height of a part after a split, in heights of the whole.
MIN_PART_HEIGHT = 0.5
# Largest gap over which a broken digit is merged, in heights of the higher part.
MERGE_REACH = 0.25
# Largest ratio of width to height of a merged digit.
MAX_MERGED_ASPECT = 1.2
# Candidates that a split or a merge may repair. Bars are lines and borders of sheets, whatever stands beside them.
SPLITTABLE = (None, RejectReason.TOO_WIDE, RejectReason.SOLID)
MERGEABLE = (None, RejectReason.TOO_SHORT, RejectReason.SOLID)


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Other candidates in place of some.

    Attributes:
        replaced: indices of the candidates that it replaces.
        candidates: what they become.
    """

    replaced: frozenset[int]
    candidates: tuple[Candidate, ...]


def propose_splits_and_merges(candidates: Sequence[Candidate], doubtful: Sequence[int]) -> list[Proposal]:
    """Propose splits of wide candidates and merges of near ones.

    Args:
        candidates: all candidates of an image.
        doubtful: indices of those that the classifier doubts.
    """
    return [*_splits(candidates, doubtful), *_merges(candidates, doubtful)]


def _splits(candidates: Sequence[Candidate], doubtful: Sequence[int]) -> Iterator[Proposal]:
    for index in doubtful:
        candidate = candidates[index]
        _, _, width, height = candidate.box
        if candidate.reject_reason in SPLITTABLE and MIN_SPLIT_ASPECT * height <= width <= MAX_WORD_ASPECT * height:
            seams = find_seams(candidate.ink)
            for count in range(1, len(seams) + 1):
                for chosen in combinations(seams, count):
                    parts = split(candidate, chosen)
                    if all(part.box[3] >= MIN_PART_HEIGHT * height for part in parts):
                        yield Proposal(frozenset([index]), parts)


def split(candidate: Candidate, seams: Sequence[NDArray[np.intp]]) -> tuple[Candidate, ...]:
    """Split a candidate along seams: its parts from left to right, each in its own box."""
    columns = np.arange(candidate.ink.shape[1])
    part_of = np.sum([columns >= seam[:, None] for seam in seams], axis=0)  # (H, W), seams to the left of a pixel
    parts = []
    for number in range(len(seams) + 1):
        ink = np.where(part_of == number, candidate.ink, 0).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(ink)
        box = (candidate.box[0] + x, candidate.box[1] + y, width, height)
        parts.append(replace(candidate, box=box, ink=ink[y : y + height, x : x + width], reject_reason=None))
    return tuple(parts)


def _merges(candidates: Sequence[Candidate], doubtful: Sequence[int]) -> Iterator[Proposal]:
    boxes = np.array([candidate.box for candidate in candidates])
    seen = set()
    for index in doubtful:
        for other in _in_reach(boxes, index):
            pair = frozenset([index, other])
            if pair in seen or any(candidates[i].reject_reason not in MERGEABLE for i in pair):
                continue
            seen.add(pair)
            merged = merge(candidates[index], candidates[other])
            if merged.box[2] <= MAX_MERGED_ASPECT * merged.box[3]:
                yield Proposal(pair, (merged,))


def _in_reach(boxes: NDArray[np.int64], index: int) -> list[int]:
    """Return the indices of the boxes near one of them."""
    height = boxes[:, 3]
    near = np.hypot(*gaps(boxes[index], boxes)) <= MERGE_REACH * np.maximum(height, height[index])
    near[index] = False
    return [int(other) for other in np.flatnonzero(near)]


def merge(a: Candidate, b: Candidate) -> Candidate:
    """Merge two candidates into one."""
    x, y, width, height = box = union([a.box, b.box])
    ink = np.zeros((height, width), np.uint8)
    for part in (a, b):
        left, top = part.box[0] - x, part.box[1] - y
        window = ink[top : top + part.box[3], left : left + part.box[2]]
        np.maximum(window, part.ink, out=window)
    darker = max(a, b, key=lambda part: part.darkness)
    return replace(darker, box=box, ink=ink, reject_reason=None)
