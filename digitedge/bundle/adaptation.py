"""An adaptation: what `digitedge adapt` learned of a hand, and the classifier that it corrects.

It is a file beside a bundle, NAME.adaptation.npz, and belongs to one exported file. The correction is a sum over
anchors, crops whose features are known: the closer the features of a crop to those of an anchor, the more of its
weights are added to the log-probabilities. Far from all anchors, nothing is: the answer is the network's. See
docs/decisions/adapt.md.
"""

import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from digitedge.bundle.bundle import MANIFEST, Model, is_released, read_manifest_bytes, sha256_of
from digitedge.bundle.made_here import is_made_here, remember_file
from digitedge.errors import InputError, ModelError
from digitedge.runtime import Classifier, FeatureClassifier
from digitedge.runtime.contract import CLASSES, no_features
from digitedge.utils.files import atomic_file, read_regular_file
from digitedge.utils.loading import build_dataclass, parse_json, parse_npz

SCHEMA: Literal["digitedge.adaptation/1"] = "digitedge.adaptation/1"
SUFFIX = ".adaptation.npz"
MAX_BYTES = 16 << 20
"""Of an adaptation. One of 200 digits and the features of `cnn` has 0.4 MB."""
WIDTH = 0.3
"""Of the kernel: the distance of two features of length 1 at which an anchor has 61 % of its weight."""
# Probabilities below it count as it: the softmax of int8 TFLite has steps of 1/256.
LEAST_PROBABILITY = 1 / 512
ADVICE = "Learn it again: digitedge adapt FOLDER"

Share = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptationInfo:
    """What is known of an adaptation.

    Attributes:
        model_sha256: of the exported file that it belongs to.
        passed: whether it reads the own digits better and harms nothing; others are not used.
        digits: number of own digits that it was learned from.
        error_before: share of them that the network misreads.
        error_after: the same with an adaptation that was learned from the others.
        created: ISO 8601 time.
        writers: ids of the writers of the own digits.
    """

    model_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    passed: bool
    digits: Annotated[int, Meta(ge=1)]
    error_before: Share
    error_after: Share
    created: str
    writers: list[str] = field(default_factory=list)
    schema: Literal["digitedge.adaptation/1"] = SCHEMA


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What is added to the log-probabilities.

    Attributes:
        anchors: float32 (M, F), from `normalize_features`.
        weights: float32 (M, 10).
    """

    anchors: NDArray[np.float32]
    weights: NDArray[np.float32]

    def correct(self, features: NDArray[np.float32], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Correct probabilities, as they would be if every crop were a digit. Arguments and result as in `apply`."""
        logits = np.log(np.maximum(probabilities, np.float32(LEAST_PROBABILITY)))
        added = kernel(normalize_features(features), self.anchors) @ self.weights
        # The change alone, so that an answer to which nothing is added stays as it is.
        corrected = np.maximum(probabilities + softmax(logits + added) - softmax(logits), 0)
        return np.asarray(corrected / corrected.sum(axis=1, keepdims=True), np.float32)

    def apply(self, features: NDArray[np.float32], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Correct probabilities.

        The highest of a crop never rises: what the network finds unlike a digit stays so.

        Args:
            features: float32 (N, F), as a `FeatureClassifier` gives them.
            probabilities: float32 (N, 10), of the network.

        Returns:
            float32 (N, 10); rows sum to 1.

        Examples:
            >>> features, seven = np.float32([[0, 1], [1, 0]]), np.eye(10, dtype=np.float32)[7]
            >>> one = Correction(features[:1], 9 * np.eye(10, dtype=np.float32)[[1]])  # near the first, it is a one
            >>> one.apply(features, np.stack([seven, seven])).argmax(axis=1).tolist()
            [1, 7]
        """
        corrected = self.correct(features, probabilities)
        highest, limit = corrected.max(axis=1, keepdims=True), probabilities.max(axis=1, keepdims=True)
        uniform = np.float32(1 / CLASSES)
        share = (limit - uniform) / np.maximum(highest - uniform, np.float32(1e-6))
        return np.asarray(uniform + np.clip(share, 0, 1) * (corrected - uniform), np.float32)


class HandClassifier:
    """A classifier that an adaptation corrects; see `digitedge.runtime.Classifier`."""

    def __init__(self, network: FeatureClassifier, correction: Correction) -> None:
        self._network = network
        self._correction = correction

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10)."""
        return self._correction.apply(*self._network.features_and_probabilities(crops))


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """What was learned of a hand, and what is known of it."""

    info: AdaptationInfo
    correction: Correction


def normalize_features(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of features, brought to length 1: float32 (N, F). Large ones count less than they would."""
    roots = np.sign(features) * np.sqrt(np.abs(features))
    return np.asarray(roots / np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-6), np.float32)


def kernel(features: NDArray[np.float32], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """How close normalized features are: float32 (N, M), a Gaussian of their distance, 0 to 1."""
    return np.asarray(np.exp((features @ anchors.T - 1) / np.float32(WIDTH**2)), np.float32)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of logits, float32 (N, 10)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def feature_classifier(model: Model) -> FeatureClassifier:
    """The classifier of a model, which must give features.

    Raises:
        ModelError: it does not.
    """
    classifier: Classifier = model.classifier
    if not isinstance(classifier, FeatureClassifier) or not classifier.feature_count:
        raise no_features(model.path)
    return classifier


def adaptation_path(model: Model, exports: Path) -> Path:
    """Where the adaptation of a model stands: beside its bundle or file; in `exports` for the released bundle."""
    folder = model.path.parent
    place = folder if (folder / MANIFEST).is_file() else model.path
    if place.name in ("", ".."):  # the working directory, or the one above
        place = place.resolve()
    if not is_released(place):
        return place.parent / f"{place.name}{SUFFIX}"
    manifest = parse_json(read_manifest_bytes(place), where=str(place), error=ModelError, advice=ADVICE)
    return exports / f"{manifest['name']}{SUFFIX}"


def save_adaptation(adaptation: Adaptation, path: Path) -> None:
    """Write an adaptation as a whole file, with the mark that it was made here.

    Raises:
        DigitEdgeError: the folder, or that of the marks, cannot be written to.
    """
    about = np.frombuffer(json.dumps(asdict(adaptation.info)).encode(), np.uint8)
    arrays: dict[str, Any] = {
        "about": about,
        "anchors": adaptation.correction.anchors,
        "weights": adaptation.correction.weights,
    }
    with atomic_file(path) as draft:
        np.savez_compressed(draft, **arrays)
        remember_file(path, draft.read_bytes())


def load_adaptation(path: Path) -> Adaptation:
    """Read an adaptation.

    Raises:
        ModelError: missing or damaged.
    """
    return _parse(read_regular_file(path, max_bytes=MAX_BYTES, error=ModelError), path)


def _parse(content: bytes, path: Path) -> Adaptation:
    arrays = parse_npz(io.BytesIO(content), where=str(path), error=ModelError, advice=ADVICE)
    about, anchors, weights = (arrays.get(name, np.empty(0)) for name in ("about", "anchors", "weights"))
    if (
        about.dtype != np.uint8
        or any(one.dtype != np.float32 or one.ndim != 2 or not np.isfinite(one).all() for one in (anchors, weights))
        or weights.shape != (len(anchors), CLASSES)
    ):
        raise ModelError(f"{path}: expected anchors float32 (M, F) with weights float32 (M, 10), got others. {ADVICE}")
    value = parse_json(about.tobytes(), where=str(path), error=ModelError, advice=ADVICE)
    info = build_dataclass(AdaptationInfo, value, where=str(path), error=ModelError, advice=ADVICE)
    return Adaptation(info, Correction(anchors, weights))


def adapt_model(model: Model, adaptation: Adaptation, path: Path) -> Model:
    """The model with the adaptation in front of it; `path` is that of the adaptation, for messages.

    Raises:
        ModelError: the adaptation is of another file, or has not passed, or the file gives no features.
    """
    if adaptation.info.model_sha256 != sha256_of(model.path):
        raise ModelError(f"{path}: expected an adaptation of {model.path}, got one of another file. {ADVICE}")
    if not adaptation.info.passed:
        raise ModelError(f"{path}: it has not passed its check, and is not used. {ADVICE}, with more digits")
    network = feature_classifier(model)
    if adaptation.correction.anchors.shape[1] != network.feature_count:
        raise ModelError(
            f"{path}: expected anchors of {network.feature_count} features, got "
            f"{adaptation.correction.anchors.shape[1]}. {ADVICE}"
        )
    return Model(HandClassifier(network, adaptation.correction), model.reject_threshold, model.path, model.adapter)


def find_adaptation(model: Model, exports: Path) -> tuple[Path, Adaptation] | None:
    """The adaptation at the place of a model; None if there is none.

    Raises:
        ModelError: there is one that was not made here, or is damaged.
    """
    path = adaptation_path(model, exports)
    if not path.is_file():
        return None
    content = read_regular_file(path, max_bytes=MAX_BYTES, error=ModelError, follow_links=False)
    if not is_made_here(path, content):  # before it is parsed
        raise ModelError(f"{path} was not made here by digitedge adapt. {ADVICE}")
    return path, _parse(content, path)


def load_adapted(model: Model, path: str | Path) -> Model:
    """A model with the adaptation of a file that is named, wherever that was made.

    Raises:
        InputError: an empty path.
        ModelError: as in `load_adaptation` and `adapt_model`.
    """
    if path == "":
        raise InputError("expected the path of an adaptation, got an empty one. Leave it out for none.")
    return adapt_model(model, load_adaptation(Path(path)), Path(path))
