"""Crops as the camera's path cuts them from rendered scenes, labelled by what is really written there.

A classifier that saw only clean digits trusts whatever the search hands it: pieces, pairs, rulings. Here the search
itself makes the examples of both kinds, digits as it cuts them and what it cuts by mistake.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from digitedge.metrics.ood import NOTHING
from digitedge.synthetic.scenes.ground_truth import TrueDigit
from digitedge.synthetic.scenes.hard_scenes import render_hard_scene
from digitedge.synthetic.scenes.plain_scenes import render_scene
from digitedge.utils.boxes import Box, iou, share_within, union
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.opencv import cv2
from digitedge.vision import find_writing, normalize_digit
from digitedge.vision.split_merge import regroupings

# Overlap (IoU) with a true box under which a cutting is no whole digit, and from which it is that digit. Between them
# nobody can say, so those are left out. A cut through a digit leaves cleaner pieces: a C may be 0.8 of a 0.
FOUND, PROPOSED = (0.4, 0.6), (0.5, 0.85)
# Boxes are compared with so many pixels around them: a stroke three pixels wide would else be lost by blur alone.
SLACK = 2
# Share of a digit's box within a cutting from which the digit is in it. A cutting that is two digits is none; one that
# is far larger than what it holds (a ring around a number) reads as a 0 and is left out.
HELD = 0.75
# Spread of the ink across its longest direction over the spread along it: 0.29 for a square bar of 1 to 3.5. What is
# slimmer may be a 1 wherever it stands and however it leans (an l, a ruling, a bracket), and is left out unless it is.
SLIM = 0.25
# Scenes without digits whose letters nobody can tell from digits one by one (O, l, S).
WRITTEN = "letters"


@dataclass(frozen=True, slots=True, eq=False)
class Cuttings:
    """What the search cut out of frames.

    Attributes:
        crops: uint8 (N, 28, 28), the model's input.
        digits: uint8 (N,), 0 to 9, or NOTHING.
    """

    crops: NDArray[np.uint8]
    digits: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.digits)


def cut_scenes(count: int, *, seed: int) -> Cuttings:
    """Render scenes and cut out of them whatever the search finds; on a terminal, a bar says how far it is.

    Args:
        count: how many scenes, >= 0.
        seed: the same seed gives the same scenes, whatever the machine.

    Returns:
        Cuttings of all scenes, about eight digits each, scene by scene.

    Examples:
        >>> cuttings = cut_scenes(2, seed=0)
        >>> cuttings.crops.shape[1:], bool((cuttings.digits < 10).any())
        ((28, 28), True)
    """
    seeds = np.random.SeedSequence(seed).generate_state(count).tolist() if count else []
    # Threads are enough: OpenCV and NumPy let go of the interpreter's lock (40 scenes on two cores: 3.1 s, then 1.7 s).
    console = Console(stderr=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(_cut_scene, seeds)
        return join(list(track(parts, "scenes", count, console=console, disable=not console.is_terminal)))


def cut(frame: NDArray[np.uint8], true: Sequence[TrueDigit], ignore: Sequence[Box] = (), *, seed: int = 0) -> Cuttings:
    """Cut one frame, and label every cutting that can be labelled.

    For every other mark there also is a proposal to cut it or to join it with another, as the reader would make if it
    doubted: these show what halves and pairs look like.

    Args:
        frame: uint8 (H, W, 3) BGR or (H, W).
        true: all digits in it.
        ignore: boxes of what is neither a digit nor clearly none.
        seed: chooses the proposals.

    Examples:
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = 40
        >>> cut(page, [TrueDigit(1, (60, 40, 5, 40))]).digits
        array([1], dtype=uint8)
    """
    writing = find_writing(frame)
    whole = [mark for mark in writing.marks if not mark.flaw]
    proposals = regroupings(whole, range(len(whole)))
    chosen = np.random.default_rng(seed).permutation(len(proposals))[: -(-len(whole) // 2)]
    proposed = {mark.box: mark for index in chosen for mark in proposals[index].marks}  # several may share a piece
    labelled = [
        (crop, label)
        for marks, limits in ((whole, FOUND), (proposed.values(), PROPOSED))
        for mark in marks
        for crop, label in [(normalize_digit(mark.ink), _label(writing.on_frame(mark.box), true, ignore, limits))]
        if label is not None and (label != NOTHING or _spread(crop) > SLIM)
    ]
    crops = np.array([crop for crop, _ in labelled], np.uint8).reshape(-1, CROP_SIZE, CROP_SIZE)
    return Cuttings(crops, np.array([label for _, label in labelled], np.uint8))


def join(parts: Sequence[Cuttings]) -> Cuttings:
    """Put cuttings after each other."""
    if not parts:
        return Cuttings(np.empty((0, CROP_SIZE, CROP_SIZE), np.uint8), np.empty(0, np.uint8))
    return Cuttings(np.concatenate([part.crops for part in parts]), np.concatenate([part.digits for part in parts]))


def _cut_scene(seed: int) -> Cuttings:
    """Every other scene is a hard one."""
    if seed % 2:
        hard = render_hard_scene(seed=seed)
        return join([]) if hard.kind == WRITTEN else cut(hard.frame, hard.digits, hard.ignore, seed=seed)
    plain = render_scene(seed=seed)
    return cut(plain.frame, plain.digits, seed=seed)


def _label(box: Box, true: Sequence[TrueDigit], ignore: Sequence[Box], limits: tuple[float, float]) -> int | None:
    """The digit in a box, NOTHING, or None where nobody can say."""
    wide = _widen(box)
    overlap, digit = max(((iou(wide, _widen(one.box)), one.digit) for one in true), default=(0.0, NOTHING))
    piece, whole = limits
    if overlap >= whole:
        return digit
    held = [one.box for one in true if share_within(one.box, box) >= HELD]
    if held:
        return NOTHING if len(held) > 1 and iou(wide, _widen(union(held))) >= whole else None
    unclear = overlap > piece or any(share_within(box, other) > 0 for other in ignore)
    return None if unclear else NOTHING


def _spread(crop: NDArray[np.uint8]) -> float:
    """How wide ink is for its length, whatever its direction: 0 for a line, 1 for a disc."""
    moments = cv2.moments(crop)
    across = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    small, large = np.linalg.eigvalsh(across)
    return float(np.sqrt(max(small, 0) / large)) if large > 0 else 1.0


def _widen(box: Box) -> Box:
    x, y, width, height = box
    return x - SLACK, y - SLACK, width + 2 * SLACK, height + 2 * SLACK
