"""Names of the architectures that `digitedge train` offers, as run folders and manifests have them.

They are apart from `digitedge.training.architectures`, which builds the nets, because that package needs TensorFlow and
`digitedge train --help` does not. A test holds both to the same names.
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
    ArchitectureName.MLP: "the dense net of the textbook",
}
"""What the help of `digitedge train` says of each."""
