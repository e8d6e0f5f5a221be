"""Learning from a teacher: beside the truth, a larger net's answers about the very images of each batch.

A spoiled digit may look like a 3 and a little like an 8: the truth says 3, the teacher says how much of an 8. A
temperature raises the small probabilities, in which that knowledge lies, of teacher and student alike. What is no digit
is learned as without a teacher.

Source:
    Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2: cross-entropy with the truth, and cross-entropy of both
    nets' softened probabilities times the square of the temperature, which keeps the balance of their gradients. Here
    the second is the divergence, which has the same gradient and is 0 for a student that answers like the teacher.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitedge.errors import ModelError
from digitedge.runtime.contract import CLASSES, check_answers
from digitedge.training.keras_io import load_keras
from digitedge.utils.crop_format import CROP_SIZE


class Teacher:
    """A trained net that keeps the contract of exported files, and is asked about one batch after another."""

    def __init__(self, path: Path) -> None:
        """Load a .keras file.

        Raises:
            ModelError: it cannot be read, or takes or gives something else.
        """
        model = load_keras(path)
        shape = (-1, *model.inputs[0].shape[1:])

        def answer(images: Any) -> Any:
            return model(tf.reshape(tf.cast(images, tf.float32), shape), training=False)

        self._answer = tf.function(answer, input_signature=[tf.TensorSpec((None, CROP_SIZE, CROP_SIZE), tf.uint8)])
        try:
            check_answers(self, path)
        except ModelError as exc:
            raise ModelError(f"{exc}; a bundle can be the teacher: --teacher export/NAME") from exc

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score a batch of images at once: uint8 (B, 28, 28) -> float32 (B, 10)."""
        return np.asarray(self._answer(crops))


@keras.saving.register_keras_serializable("digitedge")  # so that last.keras can be loaded to train on
class DistillationLoss(keras.losses.Loss):  # type: ignore[misc]  # keras has no types
    """Cross-entropy with the truth, mixed with the divergence from a teacher's softened answers."""

    def __init__(self, share: float, temperature: float, name: str = "distillation", **settings: Any) -> None:
        """Take how much the teacher counts, 0 to 1, and the temperature, above 0."""
        super().__init__(name=name, **settings)
        self.share, self.temperature = share, temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each image.

        Args:
            y_true: (B, 20), the truth and the teacher's probabilities; or (B, 10), as in validation, the truth alone.
            y_pred: (B, 10) probabilities.
        """
        truth, answers = y_true[:, :CLASSES], y_true[:, CLASSES:]
        from_truth = keras.losses.categorical_crossentropy(truth, y_pred)
        if not answers.shape[1]:
            return from_truth
        divergence = keras.losses.kl_divergence(self._soften(answers), self._soften(y_pred))
        share = self.share * keras.ops.cast(keras.ops.max(truth, axis=1) > 0.5, "float32")
        return (1 - share) * from_truth + share * self.temperature**2 * divergence

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into last.keras."""
        return {**super().get_config(), "share": self.share, "temperature": self.temperature}

    def _soften(self, probabilities: Any) -> Any:
        """Divide the logits by the temperature: (B, 10) -> (B, 10)."""
        logits = keras.ops.log(keras.ops.maximum(probabilities, keras.config.epsilon()))
        return keras.ops.softmax(logits / self.temperature)
