"""The manifest of a bundle: what its files are, where they come from, and how good they were measured to be.

Frozen dataclasses mirror manifest.json key by key. `Manifest.from_json` rejects unknown keys, missing keys and wrong
types, so a damaged or hand-edited manifest is found when it is read, not when a value is used.
"""

import math
import re
import types
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from digitedge.bundle.recipe import RECIPES, Tolerance
from digitedge.errors import InputError, ModelError

SCHEMA = "digitedge.bundle/1"
REFERENCE = "model.keras"
GOLDEN = "golden.npz"
REQUIRED = (REFERENCE, GOLDEN)
"""Files that every bundle has beside the exported models."""

_SHARES = ("top1", "agreement", "mcnemar_p", "threshold")
"""Figures of a model file that lie from 0 to 1."""


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
        sha256: of the file's content, hexadecimal.
        bytes: size of the file.
        recipe: name in `digitedge.bundle.recipe.RECIPES`.
        ops: the operators that a runtime must know, sorted.
        minimum_runtime: oldest runtime that knows all of them, as the converter states it.
        top1: share of right answers on the judging images, 0 to 1; so are the next two.
        agreement: share of answers equal to the reference's.
        max_abs_diff: largest difference of any probability; None if the file answered NaN.
        mcnemar_p: exact p of the images on which only one of the two is right.
        threshold: confidence under which a reading is rejected, 0 to 1.
        tolerance: the limits that it was held to.
        fit: whether it kept within them.
    """

    sha256: str
    bytes: int
    recipe: str
    input: TensorSpec
    output: TensorSpec
    ops: list[str]
    minimum_runtime: str
    top1: float
    agreement: float
    max_abs_diff: float | None
    mcnemar_p: float
    threshold: float
    tolerance: Tolerance
    fit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """A file of the bundle that is no exported model: the Keras original, labels, the golden set."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """The data set behind the model: its name (or path), and the sha256 of its four arrays."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set of images that something was measured on; sha256 of the uint8 pixels in order."""

    samples: int
    seed: int | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CropContract:
    """How a frame becomes model input; see `digitedge.vision.normalize_digit`."""

    size: int = 28
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
    parameters: int
    macs: int
    created: str
    seed: int | None
    fit: bool
    data: DataSource
    versions: dict[str, str]
    crop: CropContract = field(default_factory=CropContract)
    model: ModelContract = field(default_factory=ModelContract)
    calibration: ImageSet | None
    judged_on: ImageSet
    reference_top1: float
    files: dict[str, ModelFile]
    others: dict[str, OtherFile]

    @classmethod
    def from_json(cls, value: Any, *, where: str) -> Self:
        """Build from parsed JSON.

        Args:
            value: what `json.load` gave.
            where: path of the file, for messages.

        Raises:
            ModelError: another schema, an unknown or missing key, a value of the wrong type, a figure that cannot be,
                or a file name with a folder in it.
        """
        schema = value.get("schema") if isinstance(value, dict) else None
        if schema != SCHEMA:
            raise ModelError(
                f"{where}: expected schema {SCHEMA!r}, got {schema!r}. Export it again with this version of digitedge."
            )
        manifest: Self = _build(cls, value, where)
        problem = manifest._problem()
        if problem:
            raise ModelError(f"{where}: {problem}. The manifest is damaged; export the bundle again.")
        return manifest

    def _problem(self) -> str | None:
        """Say which value cannot be, or None."""
        names = [*self.files, *self.others]
        impossible = ", ".join(self._impossible_figures())
        checks = {
            f"expected plain file names, got {names}": all(re.fullmatch(r"\w[\w.+-]*", name) for name in names),
            "lists no model file": bool(self.files),
            f"expected the hashes of {', '.join(REQUIRED)}": set(REQUIRED) <= self.others.keys(),
            f"expected {CropContract()}": self.crop == CropContract(),
            f"expected {ModelContract()}": self.model == ModelContract(),
            f"expected recipes of {', '.join(RECIPES)}": all(entry.recipe in RECIPES for entry in self.files.values()),
            f"expected shares from 0 to 1 and counts from 0 up, got {impossible}": not impossible,
            "fit must be true when every file is fit, else false": self.fit == all(e.fit for e in self.files.values()),
            f"expected created as an ISO 8601 time with its zone, got {self.created!r}": _is_time(self.created),
        }
        return next((message for message, holds in checks.items() if not holds), None)

    def _impossible_figures(self) -> list[str]:
        """Name the shares outside 0 to 1 and the counts below 0; NaN is outside too."""
        shares = {"reference_top1": self.reference_top1}
        counts: dict[str, float] = {"parameters": self.parameters, "macs": self.macs}
        counts["judged_on samples"] = self.judged_on.samples
        if self.calibration is not None:
            counts["calibration samples"] = self.calibration.samples
        counts |= {f"{name} bytes": other.bytes for name, other in self.others.items()}
        for name, entry in self.files.items():
            counts[f"{name} bytes"] = entry.bytes
            shares |= {f"{name} {key}": getattr(entry, key) for key in _SHARES}
            # No share: a broken file, which is kept marked unfit, may answer with more than probabilities.
            counts[f"{name} max_abs_diff"] = entry.max_abs_diff or 0.0
        wrong = {name: share for name, share in shares.items() if not 0 <= share <= 1}
        wrong |= {name: count for name, count in counts.items() if not 0 <= count < math.inf}
        return [f"{name} {value}" for name, value in wrong.items()]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON in the order of the fields."""
        return asdict(self)


def _build(kind: Any, value: Any, where: str) -> Any:
    """Check `value` against a type of the manifest and build it."""
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _build_union(arguments, value, where)
    if origin is dict and isinstance(value, dict):
        return {key: _build(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is list and isinstance(value, list):
        return [_build(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if kind is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    if type(value) is kind:  # exactly: True is no integer here
        return value
    expected = getattr(kind, "__name__", str(kind)) if origin is None else str(kind)
    raise ModelError(f"{where}: expected {expected}, got {value!r}. The manifest is damaged; export the bundle again.")


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ModelError(
            f"{where}: expected an object, got {value!r}. The manifest is damaged; export the bundle again."
        )
    names = {f.name for f in fields(kind)}
    wrong = sorted(names ^ value.keys())
    if wrong:
        what = ", ".join(f"{'missing' if key in names else 'unknown'} key {key!r}" for key in wrong)
        raise ModelError(f"{where}: {what}. The manifest is damaged; export the bundle again.")
    hints = get_type_hints(kind)
    try:
        return kind(**{key: _build(hints[key], item, f"{where}: {key}") for key, item in value.items()})
    except InputError as exc:
        raise ModelError(f"{where}: {exc}. The manifest is damaged; export the bundle again.") from exc


def _is_time(text: str) -> bool:
    """Whether it is a time that can be compared with others: without a zone, each machine takes it for another one."""
    try:
        time = datetime.fromisoformat(text)
        time.timestamp()
    except (ValueError, OverflowError):
        return False
    return time.tzinfo is not None


def _build_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    others = [kind for kind in kinds if kind is not type(None)]
    fitting = [kind for kind in others if type(value) is kind]
    return _build((fitting or others)[0], value, where)
