"""Labelled crops of rendered scenes: digits as the vision stages find them, and what they find by mistake.

A classifier that has seen only clean digits trusts whatever it is given: fragments, touching digits, ruled lines. Here
the vision stages themselves make the examples, and the ground truth of the scene labels them.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.page.scene_types import Difficulty
from digitedge.synthetic.scenes.ground_truth import TrueDigit
from digitedge.synthetic.scenes.scene import render_document, render_scene
from digitedge.utils.boxes import Box, gaps, intersection_area, iou, pad_box, share_within, union
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.opencv import cv2
from digitedge.vision import detect_candidates, normalize_digit
from digitedge.vision.split_merge import propose_splits_and_merges

# IoU with a true digit up to which a crop is no digit, and from which it is that digit; crops between are ambiguous and
# left out. For split and merged candidates both are higher: a C may overlap a 0 by 0.8.
IOU_LIMITS = (0.4, 0.6)
PROPOSAL_IOU_LIMITS = (0.5, 0.85)
# Boxes are padded by so many pixels before they are compared: blur alone changes the width of a thin 1.
PADDING = 2
# Share of a digit's box inside a crop from which the crop contains the digit. A crop that contains two digits is a
# non-digit; one that is far larger than its digit (a circled number) reads as a 0 and is left out.
CONTAINED = 0.75
# Digits of one scene at the most, and as many non-digits: hundreds by one hand would outweigh all others.
MAX_CROPS = 18
# Ratio of the ink's spread across its longest direction to that along it; a solid bar of 1 to 3.5 has 0.29. Slimmer ink
# may be a 1 whatever it is (an l, a ruled line, a bracket) and is left out unless it is a digit.
SLIM_RATIO = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class SceneCrops:
    """Labelled crops of frames: uint8 (N, 28, 28), and uint8 (N,), 0 to 9 or NON_DIGIT."""

    crops: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


def crop_scenes(count: int, *, seed: int, written: WrittenDigits | None = None) -> SceneCrops:
    """Render scenes and crop what the vision stages find; shows a progress bar on a terminal.

    Half of the scenes are documents of the training types, a quarter are plain. Each gives about ten digits.

    Args:
        count: number of scenes.
        seed: the same seed gives the same scenes on every machine.
        written: images of real handwriting, in which the digits of two thirds of the documents are written.

    Examples:
        >>> crops = crop_scenes(2, seed=0)
        >>> crops.crops.shape[1:], bool((crops.labels < 10).any())
        ((28, 28), True)
    """
    seeds = np.random.SeedSequence(seed).generate_state(count).tolist()
    # Threads are enough, because OpenCV and NumPy release the GIL (40 scenes on two cores: 3.1 s, then 1.7 s).
    console = Console(stderr=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(partial(_crop_scene, written=written), seeds)
        return join_crops(list(track(parts, "scenes", count, console=console, disable=not console.is_terminal)))


def _crop_scene(seed: int, *, written: WrittenDigits | None) -> SceneCrops:
    """Render and crop one scene: plain, any, or a document."""
    if seed % 4 >= 2:
        scene = render_document(seed, written=written if seed % 3 else None)
    else:
        scene = render_scene(seed=seed, difficulty=None if seed % 2 else Difficulty.PLAIN)
    if scene.scene_type == "letters":  # O, l and S cannot be told from digits one by one
        return join_crops([])
    crops = crop_frame(scene.frame, scene.digits, (*scene.ignore, *scene.ambiguous), seed=seed)
    shuffled = np.random.default_rng(seed).permutation(len(crops))
    is_digit = crops.labels[shuffled] != NON_DIGIT
    kept = np.concatenate([shuffled[is_digit][:MAX_CROPS], shuffled[~is_digit][:MAX_CROPS]])
    return SceneCrops(crops.crops[kept], crops.labels[kept])


def crop_frame(
    frame: NDArray[np.uint8], digits: Sequence[TrueDigit], ignore: Sequence[Box] = (), *, seed: int = 0
) -> SceneCrops:
    """Crop one frame, uint8 (H, W, 3) BGR or (H, W), and label every crop that is not ambiguous.

    For every other candidate there also is a proposal, chosen by the seed, to split it or to merge it with another, as
    the reader would make if it doubted: these show what halves and pairs look like. `ignore` holds the boxes of what is
    neither a digit nor clearly a non-digit.

    Examples:
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = 40
        >>> set(crop_frame(page, [TrueDigit(1, (60, 40, 5, 40))]).labels.tolist())
        {1}
    """
    detection = detect_candidates(frame)
    candidates = [candidate for candidate in detection.candidates if not candidate.reject_reason]
    proposals = propose_splits_and_merges(candidates, range(len(candidates)))
    chosen = np.random.default_rng(seed).permutation(len(proposals))[: -(-len(candidates) // 2)]
    # Several proposals may share a candidate.
    proposed = {candidate.box: candidate for index in chosen for candidate in proposals[index].candidates}
    unclear = np.array(ignore, np.int64).reshape(-1, 4)
    crops: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for group, limits in ((candidates, IOU_LIMITS), (proposed.values(), PROPOSAL_IOU_LIMITS)):
        for candidate in group:
            crop = normalize_digit(candidate.ink)
            label = _label(detection.to_image(candidate), digits, unclear, limits)
            if label is not None and (label != NON_DIGIT or _spread_ratio(crop) > SLIM_RATIO):
                crops.append(crop)
                labels.append(label)
    return SceneCrops(np.array(crops, np.uint8).reshape(-1, CROP_SIZE, CROP_SIZE), np.array(labels, np.uint8))


def join_crops(parts: Sequence[SceneCrops]) -> SceneCrops:
    """Concatenate crops."""
    if not parts:
        return SceneCrops(np.empty((0, CROP_SIZE, CROP_SIZE), np.uint8), np.empty(0, np.uint8))
    return SceneCrops(np.concatenate([part.crops for part in parts]), np.concatenate([part.labels for part in parts]))


def _label(box: Box, digits: Sequence[TrueDigit], ignore: NDArray[np.int64], limits: tuple[float, float]) -> int | None:
    """Return the digit in a box, NON_DIGIT, or None if it is ambiguous; `ignore` is (N, 4)."""
    padded = pad_box(box, PADDING)
    near = [true for true in digits if intersection_area(padded, pad_box(true.box, PADDING))]
    overlaps = ((iou(padded, pad_box(true.box, PADDING)), true.digit) for true in near)
    overlap, digit = max(overlaps, default=(0.0, NON_DIGIT))
    fragment_limit, digit_limit = limits
    if overlap >= digit_limit:
        return digit
    contained = [true.box for true in near if share_within(true.box, box) >= CONTAINED]
    if contained:
        is_pair = len(contained) > 1 and iou(padded, pad_box(union(contained), PADDING)) >= digit_limit
        return NON_DIGIT if is_pair else None
    across, down = gaps(box, ignore)
    ambiguous = overlap > fragment_limit or bool(((across == 0) & (down == 0)).any())
    return None if ambiguous else NON_DIGIT


def _spread_ratio(crop: NDArray[np.uint8]) -> float:
    """Ratio of the ink's spread across its longest direction to that along it: 0 for a line, 1 for a disc."""
    moments = cv2.moments(crop)
    covariance = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    small, large = np.linalg.eigvalsh(covariance)
    return float(np.sqrt(max(small, 0) / large)) if large > 0 else 1.0
