"""What each step of the way from frame to digits is worth: the figures of `digitedge eval` with one step left out.

Rendered hard scenes; also the photographs in the folder that DIGITEDGE_PHOTOS names. Arguments: scenes (200), model.
Takes some minutes. A step that costs nothing when it is left out has no place in the way.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import digitedge.reader.classify as recognition
import digitedge.reader.rejection as decision
import digitedge.vision.binarize as binarize
import digitedge.vision.detect as find
import digitedge.vision.segment as segment
import digitedge.vision.split_merge as regroup
from digitedge.datasets.annotations import load_labels
from digitedge.evaluation.reader import Case, evaluate, photo_cases, scene_cases
from digitedge.reader.reader import Reader

SEED = 90_000


def without(clue: str) -> np.ndarray:
    return np.where([name == clue for name in decision.CLUES], 0.0, decision.WEIGHTS)


def flat_ink(grey: Any, light: Any) -> Any:
    """The light as it is: only turned into ink on 0."""
    return grey if light.inverted else ~grey


# Name -> what is replaced: module, attribute and what stands there instead.
STEPS: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "all steps": (),
    "light removed": ((find, "ink_of", flat_ink),),
    "share of the local peak": ((binarize, "SHARE_OF_PEAK", 0.0),),
    "rulings erased": ((find, "find_rulings", lambda mask: []),),
    "underlines, frames erased": ((find, "find_lines", lambda mask, **settings: []),),
    "parts joined": ((segment, "REACH", -1.0),),
    "marks cut or joined in doubt": ((recognition, "regroupings", lambda marks, doubtful: []),),
    "- cut": ((regroup, "_cuts", lambda marks, doubtful: []),),
    "- joined": ((regroup, "_joints", lambda marks, doubtful: []),),
    "all clues but confidence": (
        (decision, "WEIGHTS", decision.WEIGHTS * (np.arange(6) == 0)),
        (decision, "BIAS", 9.0),
    ),
    **{f"- {clue}": ((decision, "WEIGHTS", without(clue)),) for clue in decision.CLUES},
    "second round": ((decision, "ROUNDS", 1),),
}


@contextmanager
def replaced(changes: tuple[tuple[Any, str, Any], ...]) -> Iterator[None]:
    before = [getattr(module, name) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(changes, before, strict=True):
            setattr(module, name, value)


def table(title: str, reader: Reader, cases: Callable[[], Iterator[Case]]) -> None:
    print(f"{title:30}     F1   mean  order   rows  false digits a negative", flush=True)
    for name, changes in STEPS.items():
        with replaced(changes):
            score = evaluate(reader, cases()).total
        figures = f"{score.f1:.4f} {score.mean_f1:.4f} {score.f1_in_order:.4f} {score.rows_exact:.4f}"
        print(
            f"{'' if name == 'all steps' else 'without '}{name:30}"[:32] + f" {figures} {score.false_per_negative:6.2f}"
        )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    reader = Reader(Path(sys.argv[2])) if len(sys.argv) > 2 else Reader()
    scenes = list(scene_cases(range(SEED, SEED + count)))
    table(f"{count} scenes", reader, lambda: iter(scenes))
    folder = os.environ.get("DIGITEDGE_PHOTOS")
    if folder:
        photos = list(photo_cases(load_labels(Path(folder))))
        table(f"{len(photos)} photographs", reader, lambda: iter(photos))


if __name__ == "__main__":
    main()
