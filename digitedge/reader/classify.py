"""Classification: candidates become predictions; doubtful candidates are split or merged where that reads better."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.runtime import Classifier
from digitedge.runtime.contract import CLASSES
from digitedge.utils.boxes import Box
from digitedge.vision import Candidate, Detection, Stage, StageClock, normalize_digit
from digitedge.vision.split_merge import propose_splits_and_merges

# A candidate below this confidence is doubtful. The parts of a split or a merge must reach it.
CONFIDENT = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the classifier says of one candidate.

    Attributes:
        candidate: in pixels of the working images.
        box: x, y, width, height in pixels of the image.
        crop: uint8 (28, 28), the input of the classifier; None if the candidate cannot be a digit.
        probabilities: float32 (10,); zeros if the candidate cannot be a digit.
        initial_confidence: the lowest confidence of its ink before any split or merge.
    """

    candidate: Candidate = field(repr=False)
    box: Box
    crop: NDArray[np.uint8] | None = field(repr=False)
    probabilities: NDArray[np.float32] = field(repr=False)
    initial_confidence: float

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """The probability of that digit, 0 to 1; 0 if the candidate cannot be a digit."""
        return float(self.probabilities.max())


def classify_candidates(
    detection: Detection, classifier: Classifier, clock: StageClock | None = None
) -> list[Prediction]:
    """Classify all candidates of an image; split and merge the doubtful ones.

    Args:
        detection: the candidates.
        classifier: any `Classifier`.
        clock: measures the stages; None for no measurement.
    """
    clock = clock or StageClock()
    predictions = _classify(detection, detection.candidates, classifier, clock)
    changed = True
    while changed:  # what was merged may be merged again; every round leaves fewer doubtful candidates
        with clock.measure(Stage.SPLIT_MERGE):
            predictions, changed = _split_and_merge(detection, predictions, classifier, clock)
    return predictions


def _split_and_merge(
    detection: Detection, predictions: list[Prediction], classifier: Classifier, clock: StageClock
) -> tuple[list[Prediction], bool]:
    """Replace predictions by those of split or merged candidates that are more confident, the best first.

    Returns:
        All predictions, and whether any was replaced.
    """
    doubtful = [index for index, prediction in enumerate(predictions) if prediction.confidence < CONFIDENT]
    proposals = propose_splits_and_merges([prediction.candidate for prediction in predictions], doubtful)
    if not proposals:
        return predictions, False
    proposed = [candidate for proposal in proposals for candidate in proposal.candidates]
    results = iter(_classify(detection, proposed, classifier, clock))
    options = [(proposal.replaced, [next(results) for _ in proposal.candidates]) for proposal in proposals]
    replaced: set[int] = set()
    better: list[Prediction] = []
    for indices, new in sorted(options, key=lambda option: -_lowest_confidence(option[1])):
        old = [predictions[index] for index in indices]
        needed = max(CONFIDENT, *(prediction.confidence for prediction in old))
        if _lowest_confidence(new) >= needed and not indices & replaced:
            replaced |= indices
            initial = min(prediction.initial_confidence for prediction in old)
            better += [replace(prediction, initial_confidence=initial) for prediction in new]
    return [prediction for index, prediction in enumerate(predictions) if index not in replaced] + better, bool(
        replaced
    )


def _lowest_confidence(predictions: Sequence[Prediction]) -> float:
    return min(prediction.confidence for prediction in predictions)


def _classify(
    detection: Detection, candidates: Sequence[Candidate], classifier: Classifier, clock: StageClock
) -> list[Prediction]:
    """Classify all candidates that may be digits in one call."""
    with clock.measure(Stage.CROPS):
        crops = {i: normalize_digit(one.ink) for i, one in enumerate(candidates) if one.reject_reason is None}
    probabilities = np.zeros((len(candidates), CLASSES), np.float32)
    if crops:
        batch = np.stack(list(crops.values()))
        with clock.measure(Stage.PREDICTIONS):
            scores = classifier.probabilities(batch)
        if np.shape(scores) != (len(batch), CLASSES):
            got = np.shape(scores)
            raise InputError(f"expected probabilities of shape {(len(batch), CLASSES)} from the classifier, got {got}")
        probabilities[list(crops)] = scores
    return [
        Prediction(candidate, detection.to_image(candidate.box), crops.get(index), row, float(row.max()))
        for index, (candidate, row) in enumerate(zip(candidates, probabilities, strict=True))
    ]
