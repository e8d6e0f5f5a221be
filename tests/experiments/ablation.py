"""Ablation of the pipeline: the figures of `digitedge eval` without one stage, step or feature at a time.

Rendered scenes, and the photographs in the folder that DIGITEDGE_PHOTOS names. Takes some minutes. What costs nothing
when it is left out does not belong in the pipeline.

    python tests/experiments/ablation.py [SCENES] [MODEL]    # 200 scenes and the released model by default
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import digitedge.reader.classify as classify
import digitedge.reader.rejection as rejection
import digitedge.vision.binarize as binarize
import digitedge.vision.detect as detect
import digitedge.vision.segment as segment
import digitedge.vision.split_merge as split_merge
from digitedge.datasets.annotations import load_annotations
from digitedge.evaluation.reader import LabelledFrame, evaluate_reader, photo_frames, scene_frames
from digitedge.reader import Reader
from digitedge.reader.context import FEATURES
from digitedge.reader.rejection import Network
from digitedge.vision.illumination import Illumination

SEED = 90_000


class Replacement(NamedTuple):
    """An attribute of a module, and the value that replaces it."""

    module: Any
    name: str
    value: Any


def raw_ink(grey: NDArray[np.uint8], illumination: Illumination) -> NDArray[np.uint8]:
    """Return ink on 0 without removing the illumination."""
    return grey if illumination.inverted else ~grey


def networks_without(group: str) -> Callable[[], tuple[Network, Network]]:
    """Return a function in place of `load_networks`: the features of one group have no weight."""
    index = [FEATURES.index(name) for name in rejection.GROUPS[group]]
    changed = []
    for network in rejection.load_networks():
        hidden = network.hidden.copy()
        hidden[index] = 0.0
        changed.append(replace(network, hidden=hidden))
    first, last = changed
    return lambda: (first, last)


def without_second_round() -> tuple[Network, Network]:
    """Return the first network twice."""
    first, _ = rejection.load_networks()
    return first, first


ABLATIONS: dict[str, tuple[Replacement, ...]] = {
    "full pipeline": (),
    "without illumination removal": (Replacement(detect, "extract_ink", raw_ink),),
    "without share of the local peak": (Replacement(binarize, "PEAK_SHARE", 0.0),),
    "without removal of lines": (Replacement(detect, "find_lines", lambda components, finer: []),),
    "without removal of dashes": (
        Replacement(detect, "find_patterns", lambda components: np.zeros(len(components.boxes), bool)),
    ),
    "without grouping of parts": (Replacement(segment, "PART_REACH", -1.0),),
    "without split and merge": (Replacement(classify, "propose_splits_and_merges", lambda candidates, doubtful: []),),
    "without split": (Replacement(split_merge, "_splits", lambda candidates, doubtful: []),),
    "without merge": (Replacement(split_merge, "propose_merges", lambda candidates, doubtful: []),),
    **{
        f"without {group}": (Replacement(rejection, "load_networks", networks_without(group)),)
        for group in rejection.EVIDENCE
    },
    "without second round": (Replacement(rejection, "load_networks", without_second_round),),
}
"""Name -> what is replaced in the pipeline."""


@contextmanager
def replaced(replacements: Sequence[Replacement]) -> Iterator[None]:
    """Replace attributes of modules while the block runs."""
    before = [getattr(module, name) for module, name, _ in replacements]
    for module, name, value in replacements:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(replacements, before, strict=True):
            setattr(module, name, value)


def print_table(title: str, reader: Reader, frames: Sequence[LabelledFrame]) -> None:
    """Print a line for every ablation."""
    print(f"{title:32}      F1 mean F1  order   rows  false positives per negative", flush=True)
    for name, replacements in ABLATIONS.items():
        with replaced(replacements):
            score = evaluate_reader(reader, frames).total
        figures = (score.f1, score.mean_f1, score.reading_order_f1, score.rows_exact)
        shares = " ".join(f"{figure:7.4f}" for figure in figures)
        print(f"{name:32} {shares} {score.false_positives_per_negative:6.2f}", flush=True)


def main() -> None:
    """Print a table for the scenes, and one for the photographs."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    reader = Reader(Path(sys.argv[2])) if len(sys.argv) > 2 else Reader()
    print_table(f"{count} scenes", reader, list(scene_frames(range(SEED, SEED + count))))
    folder = os.environ.get("DIGITEDGE_PHOTOS")
    if folder:
        photos = list(photo_frames(load_annotations(Path(folder))))
        print_table(f"{len(photos)} photographs", reader, photos)


if __name__ == "__main__":
    main()
