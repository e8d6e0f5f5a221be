"""Evaluate a reader on frames with ground truth: annotated photographs or rendered scenes.

Frames are read one at a time and not kept; the results are a score for each frame and the tiles of a contact sheet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.annotations import AnnotatedImage, check_boxes
from digitedge.evaluation.contact_sheet import ContactSheet, Rank
from digitedge.metrics.detection import (
    Answer,
    DetectionScore,
    detection_confusion,
    list_answers,
    match_digits,
    score_matches,
)
from digitedge.metrics.precision_recall import PrecisionRecallCurve, precision_recall_curve
from digitedge.reader import Reader
from digitedge.synthetic.scenes import Scene, TrueDigit, render_document, render_scene
from digitedge.utils.boxes import Box

DIFFICULTIES = ("easy", "medium", "hard")
ALL = "all"
"""All images with digits in `ReaderEvaluation.by_difficulty`, all without in `ReaderEvaluation.negatives`."""
WITH_DIGITS = "all with digits"
"""What tables call ALL where only images with digits are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """A frame with its ground truth.

    Attributes:
        frame: uint8 (H, W, 3), BGR.
        digits: every digit in it; a frame without digits is a negative.
        rows: the digits of each row joined, top to bottom.
        ignore: boxes of non-digits, where a detection is neither right nor wrong.
        ordered: whether the rows have a known order.
        difficulty: easy, medium, hard, or "" if unknown.
        scene_type: what it shows, in a word, or "".
    """

    name: str
    frame: NDArray[np.uint8]
    digits: tuple[TrueDigit, ...]
    rows: tuple[str, ...]
    ignore: tuple[Box, ...] = ()
    ordered: bool = True
    difficulty: str = ""
    scene_type: str = ""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """The score of one frame.

    Attributes:
        score: of the frame.
        ms: how long reading took.
        answers: what each digit was read as; name, difficulty and scene type are those of the frame.
    """

    name: str
    difficulty: str
    scene_type: str
    score: DetectionScore
    ms: float
    answers: tuple[Answer, ...] = ()

    @property
    def f1(self) -> float:
        """F1 of this frame; of a negative 0 if anything was detected, else 1."""
        return self.score.f1 if self.score.errors else 1.0

    @property
    def rows_correct(self) -> bool | None:
        """Whether every row is correct; None if rows are not compared."""
        return bool(self.score.exact_frames) if self.score.ordered_frames else None

    @property
    def rank(self) -> Rank:
        """Sorts the worst first: lowest F1, then most errors, then wrong rows."""
        return self.f1, -self.score.errors - (self.rows_correct is False), self.name

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        score = self.score
        return {
            "name": self.name,
            "difficulty": self.difficulty or None,
            "scene_type": self.scene_type or None,
            "digits": score.digits,
            "correct": score.correct,
            "false_negatives": score.false_negatives,
            "misclassified": score.misclassified,
            "false_positives": score.false_positives + score.negative_detections,
            "f1": round(self.f1, 4),
            "rows_correct": self.rows_correct,
            "ms": self.ms,
        }


@dataclass(frozen=True, slots=True)
class ReaderEvaluation:
    """The results of all frames, in their order."""

    frames: tuple[FrameResult, ...]

    @property
    def total(self) -> DetectionScore:
        """The score of all frames together."""
        return sum((frame.score for frame in self.frames), DetectionScore())

    @property
    def by_difficulty(self) -> dict[str, DetectionScore]:
        """Scores of the frames with digits by difficulty, from easy to hard, then of all."""
        scores = _sum_by((frame.difficulty, frame.score) for frame in self.frames if frame.score.frames)
        return {name: scores[name] for name in DIFFICULTIES if name in scores} | {ALL: self.total}

    @property
    def by_scene_type(self) -> dict[str, DetectionScore]:
        """Scores of the frames with digits by scene type if known, lowest mean F1 first."""
        typed = [frame for frame in self.frames if frame.score.frames and frame.scene_type]
        scores = _sum_by((frame.scene_type, frame.score) for frame in typed)
        return dict(sorted(scores.items(), key=lambda item: item[1].mean_f1))

    @property
    def negatives(self) -> dict[str, DetectionScore]:
        """Scores of the frames without digits by scene type if known, then of all; empty if there are none."""
        scores = _sum_by((frame.scene_type, frame.score) for frame in self.frames if frame.score.negatives)
        typed = {scene_type: score for scene_type, score in sorted(scores.items()) if scene_type}
        return typed | ({ALL: sum(scores.values(), DetectionScore())} if scores else {})

    @property
    def worst_first(self) -> list[FrameResult]:
        """All frames, the worst first."""
        return sorted(self.frames, key=lambda frame: frame.rank)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """What each digit was read as, in all images: int64 (11, 11), see `detection_confusion`."""
        return detection_confusion(answer for frame in self.frames for answer in frame.answers)

    @property
    def curve(self) -> PrecisionRecallCurve | None:
        """Precision and recall by threshold, in all images, also those without digits; None if nothing was read."""
        answers = [answer for frame in self.frames for answer in frame.answers]
        read = [answer for answer in answers if answer.confidence is not None]
        return precision_recall_curve(
            np.array([answer.confidence for answer in read], np.float64),
            np.array([answer.true == answer.read for answer in read], np.bool_),
            sum(answer.true is not None for answer in answers),
        )

    @property
    def median_ms(self) -> float:
        """Median time of reading a frame, in milliseconds."""
        return median(frame.ms for frame in self.frames)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: figures by difficulty and scene type, of negatives, and of every image, worst first."""
        return {
            "by_difficulty": {name: _figures(score) for name, score in self.by_difficulty.items()},
            "by_scene_type": {name: _figures(score) for name, score in self.by_scene_type.items()},
            "negatives": {
                name: {
                    "images": score.negatives,
                    "false_positives": score.negative_detections,
                    "false_positives_per_image": round(score.false_positives_per_negative, 3),
                }
                for name, score in self.negatives.items()
            },
            "confusion": self.confusion.tolist(),
            "precision_recall": None if self.curve is None else self.curve.to_dict(),
            "median_ms": round(self.median_ms, 2),
            "per_image": [frame.to_dict() for frame in self.worst_first],
        }


def evaluate_reader(
    reader: Reader, frames: Iterable[LabelledFrame], *, sheet: ContactSheet | None = None
) -> ReaderEvaluation:
    """Read and score every frame; each is released before the next is requested. The sheet gets every error."""
    results = []
    for frame in frames:
        reading = reader.read(frame.frame, source=frame.name)
        matches = match_digits(frame.digits, reading.digits, ignore=frame.ignore)
        score = score_matches(frame, reading, matches, compare_rows=frame.ordered and not frame.ignore)
        results.append(
            FrameResult(frame.name, frame.difficulty, frame.scene_type, score, reading.ms, list_answers(matches))
        )
        if sheet is not None:
            sheet.add(frame.name, frame.frame, matches, rank=results[-1].rank)
    return ReaderEvaluation(tuple(results))


def photo_frames(images: Iterable[AnnotatedImage]) -> Iterator[LabelledFrame]:
    """Load annotated photographs, or pages of documents, one at a time.

    Raises:
        CameraError: a file is no image, or a damaged one.
        DataError: a box is not in its image, or a document has no such page.
    """
    for image in images:
        frame = image.load()
        check_boxes(image, width=frame.shape[1], height=frame.shape[0])
        yield LabelledFrame(
            name=image.name,
            frame=frame,
            digits=image.digits,
            rows=image.rows,
            ignore=image.ignore if image.digits else (),  # in a negative every detection is a false positive
            ordered=image.ordered,
            difficulty=image.difficulty,
            scene_type=image.negative_type,
        )


def scene_frames(seeds: Iterable[int]) -> Iterator[LabelledFrame]:
    """Render an easy to hard scene for each seed; about 30 % have no digits."""
    for seed in seeds:
        yield _label_scene(f"scene {seed}", render_scene(seed=seed))


def document_frames(seeds: Iterable[int]) -> Iterator[LabelledFrame]:
    """Render an easy to hard document for each seed; half are of types that are never trained on."""
    for seed in seeds:
        yield _label_scene(f"document {seed}", render_document(seed, evaluation=True))


def _label_scene(name: str, scene: Scene) -> LabelledFrame:
    return LabelledFrame(
        name=f"{name}, {scene.scene_type}",
        frame=scene.frame,
        digits=scene.digits,
        rows=scene.rows,
        ignore=scene.ignore,
        difficulty=scene.difficulty,
        scene_type=scene.scene_type,
    )


def _figures(score: DetectionScore) -> dict[str, Any]:
    """Return the figures of frames with digits; null if there was nothing to measure."""
    shares = ("precision", "recall", "f1", "mean_f1", "box_recall", "digit_accuracy")
    row_shares = ("reading_order_f1", "rows_exact")
    return {
        "images": score.frames,
        "digits": score.digits,
        "false_negatives": score.false_negatives,
        "misclassified": score.misclassified,
        "false_positives": score.false_positives,
        **{name: round(getattr(score, name), 4) if score.frames else None for name in shares},
        **{name: round(getattr(score, name), 4) if score.ordered_frames else None for name in row_shares},
        "ordered_images": score.ordered_frames,
    }


def _sum_by(scores: Iterable[tuple[str, DetectionScore]]) -> dict[str, DetectionScore]:
    sums: dict[str, DetectionScore] = {}
    for name, score in scores:
        sums[name] = sums.get(name, DetectionScore()) + score
    return sums
