"""Names of the architectures that `digitedge train` offers, as run folders and manifests have them.

Apart from `digitedge.training.architectures`, which needs TensorFlow; a test holds both to the same names.
"""

from enum import StrEnum


class ArchitectureName(StrEnum):
    """An architecture that can be trained."""

    CNN = "cnn"
    SMALL = "small"
    MLP = "mlp"


SUMMARIES = {
    ArchitectureName.CNN: "convolutions",
    ArchitectureName.SMALL: "fewer convolutions, for the weakest devices",
    ArchitectureName.MLP: "the dense network of the textbook",
}
"""What the help of `digitedge train` says of each."""
