"""Marks -> guesses: what the classifier makes of each, and of other ways to take the ink where it doubts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitedge.runtime import Classifier
from digitedge.utils.boxes import Box
from digitedge.vision.detect import Writing
from digitedge.vision.normalize import normalize_digit
from digitedge.vision.segment import Mark
from digitedge.vision.split_merge import regroupings

# The classifier doubts what it gives less than this. Other ways to take that ink must make it sure.
SURE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """What the classifier makes of one mark.

    Attributes:
        mark: in pixels of the image that was searched.
        box: x, y, width, height in pixels of the frame.
        digit: the most likely one, 0 to 9.
        confidence: its probability, 0 to 1; 0 for a mark that cannot be a digit.
        before: the lowest confidence that its ink had as it was found, before it was cut or joined.
    """

    mark: Mark
    box: Box
    digit: int
    confidence: float
    before: float


def recognize(writing: Writing, classifier: Classifier) -> list[Guess]:
    """Let the classifier look at every mark of a frame, and at other ways to take the ink of those that it doubts."""
    guesses = _guess(writing, writing.marks, classifier)
    changed = True
    while changed:  # what was joined once may be joined again; every round leaves fewer doubts
        guesses, changed = _regroup(writing, guesses, classifier)
    return guesses


def _regroup(writing: Writing, guesses: list[Guess], classifier: Classifier) -> tuple[list[Guess], bool]:
    """Replace marks where the classifier is surer then, best first; also tell whether any was replaced."""
    doubtful = [index for index, guess in enumerate(guesses) if guess.confidence < SURE]
    proposals = regroupings([guess.mark for guess in guesses], doubtful)
    if not proposals:
        return guesses, False
    answers = iter(_guess(writing, [mark for proposal in proposals for mark in proposal.marks], classifier))
    options = [(proposal.replaced, [next(answers) for _ in proposal.marks]) for proposal in proposals]
    gone: set[int] = set()
    better: list[Guess] = []
    for replaced, instead in sorted(options, key=lambda option: -_worst(option[1])):
        best_before = max(guesses[index].confidence for index in replaced)
        if _worst(instead) >= max(SURE, best_before) and not replaced & gone:
            gone |= replaced
            before = min(guesses[index].before for index in replaced)
            better += [replace(guess, before=before) for guess in instead]
    return [guess for index, guess in enumerate(guesses) if index not in gone] + better, bool(gone)


def _worst(guesses: Sequence[Guess]) -> float:
    return min(guess.confidence for guess in guesses)


def _guess(writing: Writing, marks: Sequence[Mark], classifier: Classifier) -> list[Guess]:
    """Score all marks that may be digits in one call."""
    scored = [index for index, mark in enumerate(marks) if not mark.flaw]
    crops = [normalize_digit(marks[index].ink) for index in scored]
    probabilities = np.zeros((len(marks), 10), np.float32)
    if crops:
        probabilities[scored] = classifier.probabilities(np.stack(crops))
    return [
        Guess(mark, writing.on_frame(mark.box), int(row.argmax()), float(row.max()), float(row.max()))
        for mark, row in zip(marks, probabilities, strict=True)
    ]
