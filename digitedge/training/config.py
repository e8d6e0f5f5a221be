"""The train config: every setting that decides the result of a training."""

from dataclasses import dataclass

from digitedge.errors import InputError
from digitedge.training.optimizers import OPTIMIZERS, Purpose
from digitedge.training.transforms import TRANSFORMS

ALL_TRANSFORMS = tuple(TRANSFORMS)
"""All transforms: the `augment` of models that meet a camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """The settings of one training.

    Attributes:
        architecture: name in `digitedge.training.architectures.ARCHITECTURES`.
        optimizer: name in `digitedge.training.optimizers.OPTIMIZERS`.
        epochs: passes over the training images, >= 1.
        batch_size: images per step, >= 1.
        dropout: 0 to below 1.
        seed: of the weights, the shuffling and the augmentation, >= 0.
        validation_split: share of the training images, from their end, that choose the best epoch; between 0 and 1.
        augment: names of the transforms that augment the images of each epoch; () for none.
        scenes: number of rendered scenes whose crops, digits and non-digits, are trained on too.
        own_share: share of each batch that holds own digits, and again of scene crops; 0 without own digits.
        steps: batches of an epoch; None: as many as the images fill.
        start: path of a .keras file whose weights are fine-tuned, or None for new weights.
        teacher: path of a .keras file to distil from, or None; a model that is fine-tuned then teaches itself.
        teacher_weight: weight of the teacher in the loss, 0 to 1; the true targets get the rest.
        teacher_temperature: softens the probabilities of teacher and student, above 0. Both defaults: see
            docs/decisions/train-settings.md.
    """

    architecture: str
    optimizer: str
    epochs: int
    batch_size: int = 128
    dropout: float = 0.0
    seed: int = 0
    validation_split: float
    augment: tuple[str, ...]
    scenes: int = 0
    own_share: float = 0.0
    steps: int | None = None
    start: str | None = None
    teacher: str | None = None
    teacher_weight: float = 0.7
    teacher_temperature: float = 2.0

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"expected an optimizer of {', '.join(OPTIMIZERS)}, got {self.optimizer}")
        unknown = [name for name in self.augment if name not in TRANSFORMS]
        if unknown:
            raise InputError(f"expected transforms of {', '.join(TRANSFORMS)}, got {', '.join(unknown)}")
        for name, expected, is_valid in (
            ("epochs", "at least 1", self.epochs >= 1),
            ("batch_size", "at least 1", self.batch_size >= 1),
            ("seed", "at least 0", self.seed >= 0),
            ("scenes", "at least 0", self.scenes >= 0),
            ("own_share", "from 0 to 0.5", 0 <= self.own_share <= 0.5),
            ("own_share", "0 for new weights", self.start is not None or self.own_share == 0),
            (
                "steps",
                "at least 1, and with own digits",
                self.steps is None or (self.steps >= 1 and self.own_share > 0),
            ),
            ("dropout", "from 0 to below 1", 0 <= self.dropout < 1),
            ("validation_split", "between 0 and 1", 0 < self.validation_split < 1),
            ("teacher_weight", "from 0 to 1", 0 <= self.teacher_weight <= 1),
            ("teacher_temperature", "above 0", self.teacher_temperature > 0),
        ):
            if not is_valid:
                raise InputError(f"{name} must be {expected}, got {getattr(self, name)}")

    @property
    def purpose(self) -> Purpose:
        """What the training starts from, and what it is for."""
        if self.start is None:
            return Purpose.NEW
        return Purpose.OWN_DIGITS if self.own_share else Purpose.FINE_TUNING

    def training_count(self, images: int) -> int:
        """Number of a data set's training images that are trained on; the others, at the end, validate."""
        return int(images * (1 - self.validation_split))
