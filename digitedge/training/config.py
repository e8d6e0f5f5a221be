"""What a training run does: the numbers that decide its result, and their defaults for each architecture."""

from dataclasses import dataclass
from typing import Any

from digitedge.errors import DataError, InputError
from digitedge.training.transforms import TRANSFORMS

CAMERA = tuple(TRANSFORMS)
"""All transforms: what `augment` is for nets that meet a camera."""

# Tried on a net like `small`, 5 epochs on 50,000 images, the teacher a `cnn` of as many: of 5,000 held-out training
# images it read 99.06 % alone and 99.34 % with these values; its error was 3.1 and 3.0 % under known damage, 5.1 and
# 5.3 % under unknown. One seed. On a net of 6 thousand parameters, shares of 0.5 and 0.9 did alike, temperatures of 1
# and 3 less well.
# (The lone net had 13.3 thousand parameters and saw 50 % of the digits spoiled; the student 13.7 thousand and 60 %.)
TEACHER_SHARE, TEACHER_TEMPERATURE = 0.7, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The settings of one training run.

    Attributes:
        architecture: name in `digitedge.training.architectures.ARCHITECTURES`.
        epochs: passes over the training images, >= 1.
        batch_size: images per step, >= 1.
        dropout: 0 to below 1.
        seed: of the weights, the shuffling and the augmentation, >= 0.
        validation_split: share of the training images, from their end, that choose the best epoch; above 0, below 1.
        augment: names of the transforms that move and spoil the images of each epoch, as a camera does; () shows them
            as they are. See `digitedge.training.augment`.
        scenes: how many rendered scenes are cut up to train on too, digits and what is none; 0 leaves the data set
            alone. See `digitedge.training.training_data`.
        teacher: path of the .keras file to learn from beside the truth, or None. See `digitedge.training.distillation`.
        teacher_share: how much the teacher counts in the loss against the truth, 0 to 1.
        teacher_temperature: that softens the answers of both, above 0.
    """

    architecture: str
    epochs: int
    batch_size: int = 128
    dropout: float = 0.0
    seed: int = 0
    validation_split: float
    augment: tuple[str, ...]
    scenes: int = 0
    teacher: str | None = None
    teacher_share: float = TEACHER_SHARE
    teacher_temperature: float = TEACHER_TEMPERATURE

    def __post_init__(self) -> None:
        unknown = [name for name in self.augment if name not in TRANSFORMS]
        if unknown:
            raise InputError(f"expected transforms of {', '.join(TRANSFORMS)}, got {', '.join(unknown)}")
        for name, value, low in (
            ("epochs", self.epochs, 1),
            ("batch size", self.batch_size, 1),
            ("seed", self.seed, 0),
            ("scenes", self.scenes, 0),
        ):
            if value < low:
                raise InputError(f"{name} must be at least {low}, got {value}")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be from 0 to below 1, got {self.dropout}")
        if not 0 < self.validation_split < 1:
            raise InputError(f"validation split must lie between 0 and 1, got {self.validation_split}")
        if not 0 <= self.teacher_share <= 1:
            raise InputError(f"the teacher's share must be from 0 to 1, got {self.teacher_share}")
        if not self.teacher_temperature > 0:
            raise InputError(f"the teacher's temperature must be above 0, got {self.teacher_temperature}")

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Plan":
        """Read a plan as args.json has it.

        Raises:
            DataError: an unknown or missing setting, or one that cannot be.
        """
        try:
            return cls(**{**fields, "augment": tuple(fields["augment"])})
        except (TypeError, KeyError, InputError) as exc:
            raise DataError(f"expected a plan as `digitedge train` writes it: {exc}. Train again.") from exc

    def training_count(self, images: int) -> int:
        """How many of a data set's training images train; the rest, from the end as Keras splits, validates."""
        return int(images * (1 - self.validation_split))


# mlp: to the letter of the textbook. The others: 5,000 of MNIST's 60,000 suffice to choose the epoch; the rest is
# better trained on. 400 scenes are cut up in a minute on two cores, and an epoch takes about as long.
DEFAULT_PLANS: dict[str, Plan] = {
    "cnn": Plan(architecture="cnn", epochs=8, validation_split=1 / 12, augment=CAMERA, scenes=400),
    "small": Plan(architecture="small", epochs=8, validation_split=1 / 12, augment=CAMERA, scenes=400),
    "mlp": Plan(architecture="mlp", epochs=10, dropout=0.2, validation_split=0.2, augment=()),
}
"""Architecture -> the plan that is used where the user says nothing."""
