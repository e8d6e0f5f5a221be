"""A reader examined on many frames with known truth: photographs with labels, or rendered scenes.

Frames pass through one at a time; what stays is a score for each, and the tiles of a contact sheet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.annotations import LabelledImage, check_boxes
from digitedge.evaluation.contact_sheet import ContactSheet, Rank
from digitedge.metrics.detection import Score, compare, score_reading
from digitedge.reader.reader import Reader
from digitedge.synthetic.scenes.ground_truth import TrueDigit
from digitedge.synthetic.scenes.hard_scenes import render_hard_scene
from digitedge.utils.boxes import Box
from digitedge.utils.images import read_image

DIFFICULTIES = ("easy", "medium", "hard")
ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A frame and the truth about it.

    Attributes:
        name: of the file, or the number of the scene.
        frame: uint8 (H, W, 3), BGR.
        digits: every digit that stands there; a frame without any is a negative.
        rows: the digits of each row joined, top to bottom.
        ignore: boxes of other marks, where reading something is neither right nor wrong.
        ordered: whether the rows have a sure order.
        difficulty: easy, medium, hard, or "" where nobody said.
        kind: what it shows, in a word, or "".
    """

    name: str
    frame: NDArray[np.uint8]
    digits: tuple[TrueDigit, ...]
    rows: tuple[str, ...]
    ignore: tuple[Box, ...] = ()
    ordered: bool = True
    difficulty: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case was read; `name`, `difficulty` and `kind` are its own, `ms` is the time that reading took."""

    name: str
    difficulty: str
    kind: str
    score: Score
    ms: float

    @property
    def f1(self) -> float:
        """Of this case alone; that of a negative is 0 with a false digit, else 1."""
        return self.score.f1 if self.score.errors else 1.0

    @property
    def rows_right(self) -> bool | None:
        """Whether every row is right; None where rows are not compared."""
        return bool(self.score.exact) if self.score.ordered else None

    @property
    def rank(self) -> Rank:
        """Worst first: the lowest F1, then the most errors, wrong rows among them."""
        return self.f1, -self.score.errors - (self.rows_right is False), self.name

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        score = self.score
        return {
            "name": self.name,
            "difficulty": self.difficulty or None,
            "kind": self.kind or None,
            "digits": score.true,
            "right": score.right,
            "missed": score.missed,
            "wrong": score.wrong,
            "invented": score.invented + score.false,
            "f1": round(self.f1, 4),
            "rows_right": self.rows_right,
            "ms": self.ms,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of all cases, in their order."""

    cases: tuple[CaseResult, ...]

    @property
    def total(self) -> Score:
        """The score of all cases together."""
        return sum((case.score for case in self.cases), Score())

    @property
    def by_difficulty(self) -> dict[str, Score]:
        """The scores of the frames with digits: for each difficulty that occurs, from easy to hard, then for all."""
        scores = _grouped((case.difficulty, case.score) for case in self.cases if case.score.frames)
        return {name: scores[name] for name in DIFFICULTIES if name in scores} | {ALL: self.total}

    @property
    def by_kind(self) -> dict[str, Score]:
        """The scores of the frames with digits for each kind that has a name, the lowest mean F1 first."""
        scores = _grouped((case.kind, case.score) for case in self.cases if case.score.frames and case.kind)
        return dict(sorted(scores.items(), key=lambda item: item[1].mean_f1))

    @property
    def negatives(self) -> dict[str, Score]:
        """The scores of the frames without digits: for each kind that has a name, then for all; empty without any."""
        scores = _grouped((case.kind, case.score) for case in self.cases if case.score.negatives)
        named = {kind: score for kind, score in sorted(scores.items()) if kind}
        return named | ({ALL: sum(scores.values(), Score())} if scores else {})

    @property
    def worst_first(self) -> list[CaseResult]:
        """All cases, the worst at the top."""
        return sorted(self.cases, key=lambda case: case.rank)

    @property
    def median_ms(self) -> float:
        """Milliseconds that reading one frame took."""
        return median(case.ms for case in self.cases)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: figures by difficulty and kind, negatives by kind, and every case, worst first."""
        return {
            "by_difficulty": {name: _figures(score) for name, score in self.by_difficulty.items()},
            "by_kind": {name: _figures(score) for name, score in self.by_kind.items()},
            "negatives": {name: _false_figures(score) for name, score in self.negatives.items()},
            "median_ms": round(self.median_ms, 2),
            "cases": [case.to_json() for case in self.worst_first],
        }


def evaluate(reader: Reader, cases: Iterable[Case], *, sheet: ContactSheet | None = None) -> Evaluation:
    """Read every case and score it.

    Args:
        reader: who is examined.
        cases: frames with their truth; each is let go before the next is asked for.
        sheet: gets a tile of every error.
    """
    results = []
    for case in cases:
        reading = reader.read(case.frame, source=case.name)
        score = score_reading(case, reading, ignore=case.ignore, ordered=case.ordered)
        results.append(CaseResult(case.name, case.difficulty, case.kind, score, reading.ms))
        if sheet is not None:
            compared = compare(case.digits, reading.digits, ignore=case.ignore)
            sheet.add(case.name, case.frame, compared, rank=results[-1].rank)
    return Evaluation(tuple(results))


def photo_cases(images: Iterable[LabelledImage]) -> Iterator[Case]:
    """Labelled images, read one at a time.

    Raises:
        CameraError: a file is no image, or a damaged one.
        DataError: a box is not in its image.
    """
    for image in images:
        frame = read_image(image.path)
        check_boxes(image, width=frame.shape[1], height=frame.shape[0])
        yield Case(
            name=image.name,
            frame=frame,
            digits=image.digits,
            rows=image.rows,
            ignore=image.ignore if image.digits else (),  # in a negative every digit is false
            ordered=image.ordered,
            difficulty=image.difficulty,
            kind=image.negative_type,
        )


def scene_cases(seeds: Iterable[int]) -> Iterator[Case]:
    """Rendered scenes as hard as photographs, one for each seed; about a third has no digits."""
    for seed in seeds:
        scene = render_hard_scene(seed=seed)
        yield Case(
            name=f"scene {seed}, {scene.kind}",
            frame=scene.frame,
            digits=scene.digits,
            rows=scene.rows,
            ignore=scene.ignore,
            difficulty=scene.difficulty,
            kind=scene.kind,
        )


def _figures(score: Score) -> dict[str, Any]:
    """The figures of frames with digits as plain JSON; null where there was nothing to measure."""
    return {
        "frames": score.frames,
        "digits": score.true,
        "missed": score.missed,
        "wrong": score.wrong,
        "invented": score.invented,
        "precision": _measured(score.precision, score.frames),
        "recall": _measured(score.recall, score.frames),
        "f1": _measured(score.f1, score.frames),
        "mean_f1": _measured(score.mean_f1, score.frames),
        "box_recall": _measured(score.box_recall, score.frames),
        "named_right": _measured(score.named_right, score.frames),
        "f1_in_order": _measured(score.f1_in_order, score.ordered),
        "rows_exact": _measured(score.rows_exact, score.ordered),
        "ordered": score.ordered,
    }


def _false_figures(score: Score) -> dict[str, Any]:
    return {
        "frames": score.negatives,
        "false_digits": score.false,
        "false_per_frame": round(score.false_per_negative, 3),
    }


def _measured(share: float, base: int) -> float | None:
    return round(share, 4) if base else None


def _grouped(scores: Iterable[tuple[str, Score]]) -> dict[str, Score]:
    sums: dict[str, Score] = {}
    for name, score in scores:
        sums[name] = sums.get(name, Score()) + score
    return sums
