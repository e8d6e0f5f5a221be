"""The manifest of a bundle: what its files are, where they come from, and how good they were measured to be.

Frozen dataclasses mirror manifest.json key by key. A damaged manifest is refused when it is read, not when a value is
used.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self

from msgspec import Meta

from digitedge.bundle.recipe import RECIPES, CalibrationMethod, Tolerance
from digitedge.errors import InputError, ModelError
from digitedge.runtime.adapter import Adapter, Preprocessing
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.loading import build_dataclass

SCHEMA = "digitedge.bundle/1"
REFERENCE = "model.keras"
GOLDEN = "golden.npz"
ORIGINAL = "original"
"""Stem of the reference of a bundle that was made of an `.onnx` or `.tflite` file or a SavedModel (as .zip)."""

MAX_BUNDLE_BYTES = 1 << 30
"""Of all files of a bundle together: what is hashed when it is loaded. Those of the released bundle have 1.3 MB."""

Share = Annotated[float, Meta(ge=0, le=1)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Size = Annotated[int, Meta(ge=0, le=MAX_BUNDLE_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of a file: `real = scale * (code - zero_point)`; None for both where it is not quantized."""

    name: str
    dtype: str
    shape: list[Whole | str]
    scale: Annotated[float, Meta(gt=0, le=sys.float_info.max)] | None = None
    zero_point: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """How a third-party model is used; see `digitedge.runtime.adapter.Adapter`."""

    preprocessing: str
    softmax_scale: Annotated[float, Meta(gt=0, le=1000)] | None = None


def build_adapter(spec: AdapterSpec | None) -> Adapter | None:
    """The adapter that a manifest describes; InputError if the preprocessing is not the text of one."""
    if spec is None:
        return None
    return Adapter(preprocessing=Preprocessing.parse(spec.preprocessing), softmax_scale=spec.softmax_scale)


def describe_adapter(adapter: Adapter) -> AdapterSpec:
    """What a manifest says of an adapter."""
    return AdapterSpec(preprocessing=str(adapter.preprocessing), softmax_scale=adapter.softmax_scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file that was exported, and how its preprocessing was found.

    Attributes:
        file: its name.
        adapter: what it wants; the exported files have it inside, except those with an adapter of their own.
        accuracy: share of `digits` training digits that it reads right so.
        runner_up: the best other preprocessing; None if only one was tried.
        runner_up_accuracy: share that it reads right with that one.
    """

    file: str
    adapter: AdapterSpec
    accuracy: Share
    digits: Count
    runner_up: str | None = None
    runner_up_accuracy: Share | None = None


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
        adapter: how a third-party file is used; None where it meets the model contract.
        keep_float: layers of an int8 file that compute in float.
        calibration_method: of an int8 file.
        calibration_samples: images that an int8 file was calibrated on; None for as many as the manifest states.
    """

    sha256: str
    bytes: Size
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
    adapter: AdapterSpec | None = None
    keep_float: list[str] = field(default_factory=list)
    calibration_method: CalibrationMethod = CalibrationMethod.MINMAX
    calibration_samples: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """A file of the bundle that is not an exported model: the Keras original, labels, the golden set."""

    sha256: str
    bytes: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """The data set behind the model: its name (or path), and the sha256 of its four arrays."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDigitsSource:
    """The user's own digits behind the model; no name of a person or file.

    Attributes:
        sha256: of all images and labels.
        training: number of digits that were trained on.
        held_out: number of digits that were held out.
        split: how, in a few words.
    """

    sha256: str
    training: Count
    held_out: Count
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A fine-tuned model and its parent on the same images.

    Attributes:
        name: of the images.
        images: their number.
        before: share that the parent gets right, 0 to 1.
        after: share that the model gets right.
        mcnemar_p: exact p of the images that only one of the two gets right.
        soft_error_before: mean of 1 - the probability of the right digit, of the parent; None where only errors count.
        soft_error_after: that of the model.
        max_drop: largest loss that is allowed; None where there must be a gain.
        passed: whether that holds.
    """

    name: str
    images: Count
    before: Share
    after: Share
    mcnemar_p: Share
    soft_error_before: Share | None = None
    soft_error_after: Share | None = None
    max_drop: Share | None = None
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The model that was fine-tuned.

    Attributes:
        name: of its bundle or run.
        sha256: of its .keras file.
        comparisons: with this model.
        not_compared: earlier own digits that could not be compared, with the reason.
    """

    name: str
    sha256: str
    comparisons: Annotated[list[Comparison], Meta(min_length=1)]
    not_compared: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every comparison passed."""
        return all(one.passed for one in self.comparisons)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set of images that something was measured on; sha256 of the uint8 pixels in order."""

    samples: Count
    seed: Whole | None
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
    """manifest.json.

    Attributes:
        files: the exported models by file name.
        others: the other files that are hashed.
        reference: name of the original among them.
        reference_adapter: how it is used; None where it meets the model contract.
        origin: the file that was exported; None for a training of digitedge.
        unfinished: whether the training was interrupted, so that the original is the best of its first epochs.
        not_made: files that were asked for and could not be made, with the reason.
        own: the user's own digits among those it was trained on; None if there are none.
        parent: the model that was fine-tuned on them, and how the two compare; None without.
        writers: random ids of the writers whose digits it learned from, also through its parent and teacher;
            `collection.json` alone knows their names.
    """

    schema: str = SCHEMA
    name: str
    architecture: str
    parameters: Count
    macs: Count | None
    created: str
    seed: Whole | None
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
    reference: str = REFERENCE
    reference_adapter: AdapterSpec | None = None
    origin: Origin | None = None
    unfinished: bool = False
    not_made: dict[str, str] = field(default_factory=dict)
    own: OwnDigitsSource | None = None
    parent: Parent | None = None
    writers: list[str] = field(default_factory=list)

    def failed_check(self, file: str | None = None) -> str | None:
        """What the bundle, or one of its files, failed, in words that follow "failed"; None if it passed."""
        if self.parent is not None and not self.parent.passed:
            return "the comparison with the model that it was fine-tuned from"
        passed = self.passed if file is None else self.files[file].passed
        return None if passed else "the parity check"

    @property
    def entries(self) -> dict[str, ModelFile | OtherFile]:
        """All files that are hashed, by name."""
        return {**self.files, **self.others}

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
        passed = has_passed(self.files, self.parent)
        size = sum(one.bytes for one in self.files.values()) + sum(one.bytes for one in self.others.values())
        checks = {
            f"expected files of at most {MAX_BUNDLE_BYTES:,} bytes together, got {size:,}": size <= MAX_BUNDLE_BYTES,
            f"expected plain file names, got {names}": all(re.fullmatch(r"\w[\w.+-]*", name) for name in names),
            f"expected the hashes of {self.reference} and {GOLDEN}": {self.reference, GOLDEN} <= self.others.keys(),
            f"expected {CropContract()}, got {self.crop}": self.crop == CropContract(),
            f"expected {ModelContract()}, got {self.model}": self.model == ModelContract(),
            f"expected recipes of {', '.join(RECIPES)}": all(entry.recipe in RECIPES for entry in self.files.values()),
            f"expected passed {passed}, as its files and comparisons say, got {self.passed}": self.passed == passed,
            "expected adapters with a preprocessing that digitedge knows": _are_known(self._adapters()),
            f"expected created as an ISO 8601 time with its zone, got {self.created!r}": _has_zone(self.created),
        }
        return next((message for message, holds in checks.items() if not holds), None)

    def _adapters(self) -> list[AdapterSpec | None]:
        return [
            *(entry.adapter for entry in self.files.values()),
            self.reference_adapter,
            self.origin.adapter if self.origin else None,
        ]

    def to_json(self) -> str:
        """The text of manifest.json."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON in the order of the fields; optional ones that say nothing are left out."""
        files = {name: _without_defaults(entry) for name, entry in self.files.items()}
        return {**_without_defaults(self), "files": files}


def _without_defaults(value: ModelFile | Manifest) -> dict[str, Any]:
    """A dataclass as plain JSON, without the fields that have their default value; the schema stays."""
    plain = asdict(value)
    for one in fields(value):
        default = one.default if one.default_factory is MISSING else one.default_factory()
        if one.name != "schema" and getattr(value, one.name) == default:
            del plain[one.name]
    return plain


def has_passed(files: Mapping[str, ModelFile], parent: Parent | None) -> bool:
    """Whether a bundle passed: every file is within its tolerance, and the comparison with a parent holds."""
    return all(entry.passed for entry in files.values()) and (parent is None or parent.passed)


def _are_known(adapters: list[AdapterSpec | None]) -> bool:
    try:
        for adapter in adapters:
            build_adapter(adapter)
    except InputError:
        return False
    return True


def _has_zone(text: str) -> bool:
    """Whether it is an ISO 8601 time with its zone; without one, it cannot be compared with others."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
