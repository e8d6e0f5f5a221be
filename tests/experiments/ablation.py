"""Ablation of the pipeline: the figures of `digitedge eval` without one stage, step or feature at a time.

Rendered scenes, and the photographs in the folder that DIGITEDGE_PHOTOS names. Takes some minutes. What costs nothing
when it is left out does not belong in the pipeline.

    python tests/experiments/ablation.py [SCENES] [MODEL]    # 200 scenes and the released model by default
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def weights_of(*features: str) -> NDArray[np.float64]:
    """Return the weights of the rejection with all but these features at 0."""
    return np.where([name in features for name in rejection.FEATURES], rejection.WEIGHTS, 0.0)


ABLATIONS: dict[str, tuple[Replacement, ...]] = {
    "full pipeline": (),
    "without illumination removal": (Replacement(detect, "extract_ink", raw_ink),),
    "without share of the local peak": (Replacement(binarize, "PEAK_SHARE", 0.0),),
    "without removal of ruled lines": (Replacement(detect, "find_ruled_lines", lambda mask: []),),
    "without removal of other lines": (Replacement(detect, "find_lines", lambda mask, **settings: []),),
    "without grouping of parts": (Replacement(segment, "PART_REACH", -1.0),),
    "without split and merge": (Replacement(classify, "propose_splits_and_merges", lambda candidates, doubtful: []),),
    "without split": (Replacement(split_merge, "_splits", lambda candidates, doubtful: []),),
    "without merge": (Replacement(split_merge, "_merges", lambda candidates, doubtful: []),),
    "with confidence as only feature": (
        Replacement(rejection, "WEIGHTS", weights_of("confidence")),
        Replacement(rejection, "BIAS", 9.0),
    ),
    **{
        f"without {feature}": (Replacement(rejection, "WEIGHTS", weights_of(*(set(rejection.FEATURES) - {feature}))),)
        for feature in rejection.FEATURES
    },
    "without second round": (Replacement(rejection, "ROUNDS", 1),),
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
