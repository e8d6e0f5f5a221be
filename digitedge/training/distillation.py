"""Knowledge distillation: a student learns from the true targets and from a teacher's probabilities for each batch.

The teacher is asked about the augmented images. Non-digits, and images about which it is not asked, are learned from
the true targets alone.

Source:
    Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2. The second term here is the divergence of the softened
    probabilities instead of their cross-entropy: it has the same gradient, and is 0 for a student that equals the
    teacher.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitedge.errors import ModelError
from digitedge.runtime.contract import CLASSES, check_outputs
from digitedge.training.keras_io import load_keras
from digitedge.utils.crop_format import CROP_SIZE


class Teacher:
    """A trained model that keeps the model contract, and scores whole batches.

    Raises:
        ModelError: the .keras file cannot be read, or has other inputs or outputs.
    """

    def __init__(self, path: Path) -> None:
        model = load_keras(path)
        shape = (-1, *model.inputs[0].shape[1:])

        def score(images: Any) -> Any:
            return model(tf.reshape(tf.cast(images, tf.float32), shape), training=False)

        self._score = tf.function(score, input_signature=[tf.TensorSpec((None, CROP_SIZE, CROP_SIZE), tf.uint8)])
        try:
            check_outputs(self, path)
        except ModelError as exc:
            raise ModelError(f"{exc}; a bundle can be the teacher: --teacher export/NAME") from exc

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score a batch of images at once: uint8 (B, 28, 28) -> float32 (B, 10)."""
        return np.asarray(self._score(crops))


@keras.saving.register_keras_serializable("digitedge")  # so that last.keras can be loaded to resume
class DistillationLoss(keras.losses.Loss):  # type: ignore[misc]  # keras has no types
    """Cross-entropy with the true targets, mixed with the divergence from a teacher's softened probabilities.

    The weight of the teacher is 0 to 1, the temperature above 0.
    """

    def __init__(self, weight: float, temperature: float, name: str = "distillation", **settings: Any) -> None:
        super().__init__(name=name, **settings)
        self.weight, self.temperature = weight, temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each image. `y_true` is (B, 20), targets and teacher; in validation (B, 10), targets."""
        truth, taught = y_true[:, :CLASSES], y_true[:, CLASSES:]
        from_truth = keras.losses.categorical_crossentropy(truth, y_pred)
        if not taught.shape[1]:
            return from_truth
        divergence = keras.losses.kl_divergence(self._soften(taught), self._soften(y_pred))
        is_taught = (keras.ops.max(truth, axis=1) > 0.5) & (keras.ops.sum(taught, axis=1) > 0.5)
        weight = self.weight * keras.ops.cast(is_taught, "float32")
        return (1 - weight) * from_truth + weight * self.temperature**2 * divergence

    def get_config(self) -> dict[str, Any]:
        """Return what Keras writes into last.keras."""
        return {**super().get_config(), "weight": self.weight, "temperature": self.temperature}

    def _soften(self, probabilities: Any) -> Any:
        """Divide the logits by the temperature: (B, 10) -> (B, 10)."""
        logits = keras.ops.log(keras.ops.maximum(probabilities, keras.config.epsilon()))
        return keras.ops.softmax(logits / self.temperature)
