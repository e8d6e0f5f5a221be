"""Classification: candidates become predictions; doubtful candidates are split or merged where that reads better."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.runtime import Classifier
from digitedge.runtime.contract import CLASSES
from digitedge.utils.boxes import Box, iou_matrix
from digitedge.vision import Candidate, Detection, Stage, StageClock, normalize_digit, search_joined
from digitedge.vision.split_merge import Proposal, propose_merges, propose_splits_and_merges

# A candidate below this confidence is doubtful. The parts of a split or a merge must reach it.
CONFIDENT = 0.9
# Times that pieces are merged: a digit may be broken into one piece more.
MERGE_ROUNDS = 3
# Candidates of two levels that overlap so much are the same ink.
DUPLICATE_IOU = 0.5
# Candidates of the second search that overlap so much with one of the first are not classified again.
SAME_IOU = 0.75
# Boxes that are compared with others at once: limits the memory.
BLOCK = 128


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
    predictions = _classify_levels(detection, classifier, clock)
    predictions = _search_joined(detection, predictions, classifier, clock)
    with clock.measure(Stage.SPLIT_MERGE):
        proposals = propose_splits_and_merges([one.candidate for one in predictions], _doubtful(predictions))
        for _ in range(MERGE_ROUNDS):
            predictions, count = _replace_by_better(detection, predictions, proposals, classifier, clock)
            if not count:
                break
            # What was merged may be merged again with another piece: the last `count` predictions are new.
            new = range(len(predictions) - count, len(predictions))
            candidates, doubtful = [one.candidate for one in predictions], set(_doubtful(predictions))
            proposals = [one for one in propose_merges(candidates, new) if one.replaced & doubtful]
    return _without_duplicates(predictions)


def _classify_levels(detection: Detection, classifier: Classifier, clock: StageClock) -> list[Prediction]:
    """Classify the candidates from the finest level to the coarsest; ink that was read there is not read again."""
    predictions: list[Prediction] = []
    for level in range(len(detection.levels)):
        candidates = [candidate for candidate in detection.candidates if candidate.level == level]
        sure = [one.box for one in predictions if one.candidate.level == level - 1 and one.confidence >= CONFIDENT]
        boxes = np.array([detection.to_image(candidate) for candidate in candidates], np.int64).reshape(-1, 4)
        is_new = _without_same_ink(boxes, np.array(sure, np.int64).reshape(-1, 4), DUPLICATE_IOU)
        new = [candidate for candidate, chosen in zip(candidates, is_new, strict=True) if chosen]
        predictions += _classify(detection, new, classifier, clock)
    return _without_duplicates(predictions)


def _search_joined(
    detection: Detection, predictions: list[Prediction], classifier: Classifier, clock: StageClock
) -> list[Prediction]:
    """Search again what is larger than a digit on a level, unless it was read as one digit on a coarser level."""
    sure = np.array([one.box for one in predictions if one.confidence >= CONFIDENT], np.int64).reshape(-1, 4)
    found: list[Prediction] = []
    for number, level in enumerate(detection.levels):
        boxes = np.rint(level.joined / level.scale).astype(np.int64)
        is_unread = _without_same_ink(boxes, sure, DUPLICATE_IOU)
        if not is_unread.any():
            continue
        candidates = [one for one in search_joined(level, number, level.joined[is_unread], clock) if _may_be_digit(one)]
        known = np.array([one.candidate.box for one in predictions if one.candidate.level == number], np.int64)
        is_new = _without_same_ink(_boxes(candidates), known.reshape(-1, 4), SAME_IOU)
        new = [candidate for candidate, chosen in zip(candidates, is_new, strict=True) if chosen]
        found += _classify(detection, new, classifier, clock)
    return _without_duplicates([*predictions, *found])


def _may_be_digit(candidate: Candidate) -> bool:
    return candidate.reject_reason is None


def _boxes(candidates: Sequence[Candidate]) -> NDArray[np.int64]:
    return np.array([candidate.box for candidate in candidates], np.int64).reshape(-1, 4)


def _doubtful(predictions: list[Prediction]) -> list[int]:
    return [index for index, prediction in enumerate(predictions) if prediction.confidence < CONFIDENT]


def _without_duplicates(predictions: list[Prediction]) -> list[Prediction]:
    """Keep the more confident one of two candidates that are the same ink, on one level or on two."""
    boxes = np.array([prediction.box for prediction in predictions], np.int64).reshape(-1, 4)
    levels = np.array([prediction.candidate.level for prediction in predictions], int)
    confidence = np.array([prediction.confidence for prediction in predictions])
    is_kept = np.ones(len(predictions), bool)
    for level in range(levels.max(initial=-1) + 1):
        coarse = np.flatnonzero((levels == level) & is_kept)
        for finer in (level, level - 1):
            fine = np.flatnonzero(levels == finer)
            a, b = _same_ink(boxes[coarse], boxes[fine], DUPLICATE_IOU)
            a, b = coarse[a], fine[b]
            is_coarse_better = (confidence[a] > confidence[b]) | ((confidence[a] == confidence[b]) & (a < b))
            is_kept[b[is_coarse_better & (a != b)]] = False
            is_kept[a[~is_coarse_better & (a != b)]] = False
    return [prediction for prediction, keep in zip(predictions, is_kept, strict=True) if keep]


def _without_same_ink(boxes: NDArray[np.int64], others: NDArray[np.int64], least: float) -> NDArray[np.bool_]:
    """Tell which boxes, int64 (N, 4), have no IoU of `least` with any of the others."""
    is_new = np.ones(len(boxes), bool)
    is_new[_same_ink(boxes, others, least)[0]] = False
    return is_new


def _same_ink(
    boxes: NDArray[np.int64], others: NDArray[np.int64], least: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs of boxes, int64 (N, 4), and others, int64 (M, 4), with an IoU of `least` or more."""
    pairs = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    if len(boxes) and len(others):
        order = np.argsort(others[:, 0])
        left, reach = others[order, 0], others[:, 2].max()
        # From left to right in small blocks, so that each is compared with few others.
        for block in np.array_split(np.argsort(boxes[:, 0]), 1 + len(boxes) // BLOCK):
            x, end = boxes[block, 0].min(), (boxes[block, 0] + boxes[block, 2]).max()
            near = order[np.searchsorted(left, x - reach) : np.searchsorted(left, end)]
            a, b = np.nonzero(iou_matrix(boxes[block], others[near]) >= least)
            pairs.append((block[a], near[b]))
    a, b = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return a, b


def _replace_by_better(
    detection: Detection,
    predictions: list[Prediction],
    proposals: Sequence[Proposal],
    classifier: Classifier,
    clock: StageClock,
) -> tuple[list[Prediction], int]:
    """Replace predictions by those of split or merged candidates that are more confident, the best first.

    Returns:
        All predictions, and how many of them are new; those are the last ones.
    """
    options = _confident_proposals(detection, predictions, proposals, classifier, clock)
    replaced: set[int] = set()
    better: list[Prediction] = []
    for indices, new in sorted(options, key=lambda option: -min(prediction.confidence for prediction in option[1])):
        if not indices & replaced:
            replaced |= indices
            initial = min(predictions[index].initial_confidence for index in indices)
            better += [replace(prediction, initial_confidence=initial) for prediction in new]
    remaining = [prediction for index, prediction in enumerate(predictions) if index not in replaced]
    return remaining + better, len(better)


def _confident_proposals(
    detection: Detection,
    predictions: list[Prediction],
    proposals: Sequence[Proposal],
    classifier: Classifier,
    clock: StageClock,
) -> list[tuple[frozenset[int], list[Prediction]]]:
    """Return the proposals of which every part is as confident as needed: what each replaces, and by what.

    The first parts of all proposals are classified first, then the second parts of those that are left, and so on: most
    proposals fail with the first one. Proposals share their parts.
    """
    left = [(one, max(CONFIDENT, *(predictions[index].confidence for index in one.replaced))) for one in proposals]
    results: dict[Candidate, Prediction] = {}
    for place in range(max((len(proposal.candidates) for proposal in proposals), default=0)):
        parts = {proposal.candidates[place]: None for proposal, _ in left if place < len(proposal.candidates)}
        new = [part for part in parts if part not in results]
        results.update(zip(new, _classify(detection, new, classifier, clock), strict=True))
        left = [
            (proposal, needed)
            for proposal, needed in left
            if all(results[part].confidence >= needed for part in proposal.candidates[place : place + 1])
        ]
    return [(proposal.replaced, [results[part] for part in proposal.candidates]) for proposal, _ in left]


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
        Prediction(candidate, detection.to_image(candidate), crops.get(index), row, float(row.max()))
        for index, (candidate, row) in enumerate(zip(candidates, probabilities, strict=True))
    ]
