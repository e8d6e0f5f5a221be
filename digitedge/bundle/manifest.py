"""The manifest of a bundle: what its files are, where they come from, and how good they were measured to be.

Frozen dataclasses mirror manifest.json key by key. A damaged manifest is refused when it is read, not when a value is
used.
"""

import re
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self

from msgspec import Meta

from digitedge.bundle.recipe import RECIPES, Tolerance
from digitedge.errors import ModelError
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.loading import build_dataclass

SCHEMA = "digitedge.bundle/1"
REFERENCE = "model.keras"
GOLDEN = "golden.npz"
REQUIRED = (REFERENCE, GOLDEN)
"""Files that every bundle has beside the exported models."""

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of a file: `real = scale * (code - zero_point)`; None for both where it is not quantized."""

    name: str
    dtype: str
    shape: list[int | str]
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One exported model.

    Attributes:
        recipe: name in `digitedge.bundle.recipe.RECIPES`.
        ops: the operators that a runtime must know, sorted.
        minimum_runtime: oldest runtime that knows all of them, as the converter states it.
        top1: share of correct predictions on the test images.
        agreement: share of predictions equal to the reference's.
        max_abs_diff: largest difference of any probability, which in a broken file may exceed 1; None if it gave NaN.
        mcnemar_p: exact p of the images on which only one of the two is correct.
        reject_threshold: confidence below which a prediction is rejected.
        tolerance: the limits of the parity check.
        passed: whether the file is within them.
    """

    sha256: str
    bytes: Count
    recipe: str
    input: TensorSpec
    output: TensorSpec
    ops: list[str]
    minimum_runtime: str
    top1: Share
    agreement: Share
    max_abs_diff: Annotated[float, Meta(ge=0, le=sys.float_info.max)] | None
    mcnemar_p: Share
    reject_threshold: Share
    tolerance: Tolerance
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """A file of the bundle that is not an exported model: the Keras original, labels, the golden set."""

    sha256: str
    bytes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """The data set behind the model: its name (or path), and the sha256 of its four arrays."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set of images that something was measured on; sha256 of the uint8 pixels in order."""

    samples: Count
    seed: int | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CropContract:
    """How a frame becomes model input; see `digitedge.vision.normalize_digit`."""

    size: int = CROP_SIZE
    box: int = 20
    dtype: str = "uint8"
    polarity: str = "ink bright on black 0"
    placement: str = "aspect kept, fitted into the box, centre of mass at the centre of the field"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContract:
    """What every file of the bundle takes and gives."""

    input: str = "image: pixel values 0 to 255, (N, 28, 28, 1); the division by 255 is inside"
    output: str = "probabilities: float32 (N, 10), softmax inside; column d is digit d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """manifest.json; `files` are the exported models by file name, `others` the rest that is hashed."""

    schema: str = SCHEMA
    name: str
    architecture: str
    parameters: Count
    macs: Count
    created: str
    seed: int | None
    passed: bool
    data: DataSource
    versions: dict[str, str]
    crop: CropContract
    model: ModelContract
    calibration: ImageSet | None
    verified_on: ImageSet
    reference_top1: Share
    files: Annotated[dict[str, ModelFile], Meta(min_length=1)]
    others: dict[str, OtherFile]

    @classmethod
    def from_json(cls, value: Any, *, where: str) -> Self:
        """Build from parsed JSON; `where` is the path of the file, for messages.

        Raises:
            ModelError: another schema, an unknown or missing key, a value of the wrong type, an impossible figure, or a
                file name with a folder in it.
        """
        schema = value.get("schema") if isinstance(value, dict) else None
        if schema != SCHEMA:
            raise ModelError(
                f"{where}: expected schema {SCHEMA!r}, got {schema!r}. Export it again with this version of digitedge."
            )
        advice = "The manifest is damaged; export the bundle again."
        build = partial(build_dataclass, error=ModelError, advice=advice)
        for key, kind in (("files", ModelFile), ("others", OtherFile)):
            entries = value.get(key)
            for name, entry in entries.items() if isinstance(entries, dict) else ():
                build(kind, entry, where=f"{where}: {name}")  # first each by itself: the message names the file
        manifest: Self = build(cls, value, where=where)
        problem = manifest._find_problem()
        if problem:
            raise ModelError(f"{where}: {problem}. {advice}")
        return manifest

    def _find_problem(self) -> str | None:
        """What contradicts the rest of the manifest or of digitedge, or None."""
        names = [*self.files, *self.others]
        passed = all(entry.passed for entry in self.files.values())
        checks = {
            f"expected plain file names, got {names}": all(re.fullmatch(r"\w[\w.+-]*", name) for name in names),
            f"expected the hashes of {', '.join(REQUIRED)}": set(REQUIRED) <= self.others.keys(),
            f"expected {CropContract()}, got {self.crop}": self.crop == CropContract(),
            f"expected {ModelContract()}, got {self.model}": self.model == ModelContract(),
            f"expected recipes of {', '.join(RECIPES)}": all(entry.recipe in RECIPES for entry in self.files.values()),
            f"expected passed {passed}, as its files say, got {self.passed}": self.passed == passed,
            f"expected created as an ISO 8601 time with its zone, got {self.created!r}": _has_zone(self.created),
        }
        return next((message for message, holds in checks.items() if not holds), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON in the order of the fields."""
        return asdict(self)


def _has_zone(text: str) -> bool:
    """Whether it is an ISO 8601 time with its zone; without one, it cannot be compared with others."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
