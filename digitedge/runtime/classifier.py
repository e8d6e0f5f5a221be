"""The protocol that every model file, and every stand-in for one, follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # so that the table of runtimes can be read without NumPy
    import numpy as np
    from numpy.typing import NDArray


class Classifier(Protocol):
    """Anything that scores digits: a TFLite file, an ONNX file, or three lines in a test."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops.

        Args:
            crops: uint8 (N, 28, 28), ink bright on 0. N may be 0.

        Returns:
            float32 (N, 10) probabilities; rows sum to 1 (within 0.02 for int8 TFLite, whose softmax has steps of
            1/256).

        Raises:
            InputError: another type or shape.
        """
        ...


@runtime_checkable
class FeatureClassifier(Classifier, Protocol):
    """A classifier that also gives features: what the last dense layer reads.

    Attributes:
        feature_count: F; 0 for a file without this output.
    """

    feature_count: int

    def features_and_probabilities(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Score crops, uint8 (N, 28, 28), in one run.

        Returns:
            float32 (N, F) features, and float32 (N, 10) probabilities as `probabilities` gives them.

        Raises:
            InputError: another type or shape.
            ModelError: the file has no such output.
        """
        ...
