"""Split and merge: proposals for candidates that the classifier doubts, two digits that touch or one that is broken.

The classifier decides whether a proposal is better (`digitedge.reader.classify`), so nothing is split that reads well
as a whole, and pages of clear digits cost nothing. See docs/decisions/split-and-merge.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import gaps, union
from digitedge.utils.opencv import cv2
from digitedge.vision.seams import find_seams
from digitedge.vision.segment import Candidate, RejectReason

# Least and largest ratio of width to height of candidates that may be several digits.
MIN_SPLIT_ASPECT = 0.6
MAX_SPLIT_ASPECT = 4.0
# Least ratio of width to height of a digit in a row of touching ones: how many digits a candidate may hold.
MIN_DIGIT_ASPECT = 0.4
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

    Returns:
        Proposals in no particular order; several may replace the same candidate.

    Examples:
        >>> ink = np.zeros((40, 60), np.uint8)
        >>> ink[:, 4:26] = ink[:, 34:56] = ink[19:21] = 200  # two blocks, joined in the middle
        >>> proposals = propose_splits_and_merges([Candidate((0, 0, 60, 40), ink, 200.0, 0.0)], [0])
        >>> sorted({len(proposal.candidates) for proposal in proposals})
        [2]
    """
    return [*_splits(candidates, doubtful), *propose_merges(candidates, doubtful)]


def _splits(candidates: Sequence[Candidate], doubtful: Sequence[int]) -> Iterator[Proposal]:
    wide = [index for index in doubtful if _may_be_several(candidates[index])]
    for index, seams in zip(wide, find_seams([candidates[index].ink for index in wide]), strict=True):
        candidate = candidates[index]
        _, _, width, height = candidate.box
        most = max(2, int(width / (MIN_DIGIT_ASPECT * height)))  # digits
        edges = [np.zeros(height, np.intp), *seams, np.full(height, width)]
        last = len(edges) - 1
        choices = [
            tuple(pairwise((0, *chosen, last)))
            for count in range(1, min(len(seams), most - 1) + 1)
            for chosen in combinations(range(1, last), count)
        ]
        parts = {pair: _cut_part(candidate, *(edges[i] for i in pair)) for pair in {*chain(*choices)}}
        for pairs in choices:
            if all(parts[pair].box[3] >= MIN_PART_HEIGHT * height for pair in pairs):
                yield Proposal(frozenset([index]), tuple(parts[pair] for pair in pairs))


def _may_be_several(candidate: Candidate) -> bool:
    _, _, width, height = candidate.box
    return candidate.reject_reason in SPLITTABLE and MIN_SPLIT_ASPECT * height <= width <= MAX_SPLIT_ASPECT * height


def _cut_part(candidate: Candidate, left: NDArray[np.intp], right: NDArray[np.intp]) -> Candidate:
    """Return what lies between two seams, in its own box."""
    first, last = int(left.min()), int(right.max())
    columns = np.arange(first, last)
    is_part = (columns >= left[:, None]) & (columns < right[:, None])
    ink = candidate.ink[:, first:last] * is_part
    x, y, width, height = cv2.boundingRect(ink)
    box = (candidate.box[0] + first + x, candidate.box[1] + y, width, height)
    ink = ink[y : y + height, x : x + width]
    return Candidate(box, ink, candidate.darkness, candidate.clutter, None, candidate.level)


def propose_merges(candidates: Sequence[Candidate], doubtful: Sequence[int]) -> Iterator[Proposal]:
    """Propose merges of the doubtful candidates with others near them, on the same level.

    Args:
        candidates: all candidates of an image.
        doubtful: indices of those that the classifier doubts.

    Yields:
        A proposal for each pair of candidates.
    """
    boxes = np.array([candidate.box for candidate in candidates])
    levels = np.array([candidate.level for candidate in candidates])
    seen = set()
    for index in doubtful:
        if candidates[index].reject_reason not in MERGEABLE:
            continue
        for other in _in_reach(boxes, levels, index):
            pair = frozenset([index, other])
            if pair in seen or candidates[other].reject_reason not in MERGEABLE:
                continue
            seen.add(pair)
            _, _, width, height = union([candidates[i].box for i in pair])
            if width <= MAX_MERGED_ASPECT * height:
                yield Proposal(pair, (merge(candidates[index], candidates[other]),))


def _in_reach(boxes: NDArray[np.int64], levels: NDArray[np.int64], index: int) -> list[int]:
    """Return the indices of the boxes near one of them, on its level."""
    height = boxes[:, 3]
    near = np.hypot(*gaps(boxes[index], boxes)) <= MERGE_REACH * np.maximum(height, height[index])
    near &= levels == levels[index]
    near[index] = False
    return [int(other) for other in np.flatnonzero(near)]


def merge(a: Candidate, b: Candidate) -> Candidate:
    """Merge two candidates of one level into one, with the darkness and clutter of the darker one."""
    x, y, width, height = box = union([a.box, b.box])
    ink = np.zeros((height, width), np.uint8)
    for part in (a, b):
        left, top = part.box[0] - x, part.box[1] - y
        window = ink[top : top + part.box[3], left : left + part.box[2]]
        np.maximum(window, part.ink, out=window)
    darker = max(a, b, key=lambda part: part.darkness)
    return replace(darker, box=box, ink=ink, reject_reason=None)
