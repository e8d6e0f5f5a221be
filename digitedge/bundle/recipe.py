"""Recipes: the named ways to make a float model smaller.

A recipe's name is also its command line flag (`--int8`), a part of the file name (`model_int8.tflite`) and its row in
every report. Its tolerance says what the recipe may cost; see docs/decisions/recipe-tolerances.md.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum

from digitedge.errors import InputError


class Format(StrEnum):
    """A format that digitedge exports; the suffix of its files."""

    TFLITE = "tflite"
    ONNX = "onnx"


class NumberFormat(StrEnum):
    """The number format of weights or activations."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"


class CalibrationMethod(StrEnum):
    """How the range of an activation follows from what the calibration images gave.

    `minmax` takes the smallest and largest value; `percentile` leaves out rare extremes, which are then clipped.
    """

    MINMAX = "minmax"
    PERCENTILE = "percentile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a converted model may be from its original, on the same images.

    Attributes:
        agreement: smallest share of equal predictions, 0 to 1.
        top1_drop: largest loss of top-1, 0 to 1; None: no limit.
        max_abs_diff: largest difference of any probability, 0 to 1; None: no limit.
    """

    agreement: float
    top1_drop: float | None = None
    max_abs_diff: float | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"tolerance {name} must be from 0 to 1, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a float32 model becomes an exported file.

    Attributes:
        name: flag, part of the file name and report row.
        weights: number format of the stored weights.
        activations: number format of the computation; int8 activations need a calibration set.
        formats: those that have this recipe.
    """

    name: str
    weights: NumberFormat = NumberFormat.FLOAT32
    activations: NumberFormat = NumberFormat.FLOAT32
    formats: tuple[Format, ...] = tuple(Format)
    tolerance: Tolerance

    @property
    def calibrated(self) -> bool:
        """Whether activation ranges must be observed on a calibration set."""
        return self.activations is NumberFormat.INT8

    def file_name(self, file_format: Format) -> str:
        """Name of the exported file.

        Examples:
            >>> RECIPES["int8"].file_name(Format.TFLITE)
            'model_int8.tflite'
        """
        return f"model_{self.name}.{file_format}"


_QUANTIZED = Tolerance(agreement=0.998, top1_drop=0.001)
_ALL = (
    Recipe(name="float32", tolerance=Tolerance(agreement=0.9999, max_abs_diff=1e-4)),
    Recipe(
        name="float16",
        weights=NumberFormat.FLOAT16,
        formats=(Format.TFLITE,),
        tolerance=Tolerance(agreement=0.9995, max_abs_diff=5e-3),
    ),
    Recipe(name="dynamic", weights=NumberFormat.INT8, formats=(Format.TFLITE,), tolerance=_QUANTIZED),
    Recipe(name="int8", weights=NumberFormat.INT8, activations=NumberFormat.INT8, tolerance=_QUANTIZED),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}
"""Name -> recipe, from the plainest to the smallest. float32 is always exported."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file to export: a recipe in a format.

    Attributes:
        recipe: the number formats.
        format: the file format.
        keep_float: layers of an int8 file that compute in float.
        method: of the calibration of an int8 file.
        calibration_samples: images to calibrate an int8 file on; None for the usual number.
    """

    recipe: Recipe
    format: Format
    keep_float: tuple[str, ...] = ()
    method: CalibrationMethod = CalibrationMethod.MINMAX
    calibration_samples: int | None = None

    @property
    def file_name(self) -> str:
        """Name of the file in the bundle."""
        return self.recipe.file_name(self.format)


def choose_artifacts(recipes: list[str], file_format: Format | None = None) -> list[Artifact]:
    """Say which files an export makes: float32, then the named recipes (all if there are none), TFLite before ONNX.

    Raises:
        InputError: an unknown recipe, or one that the format does not have.

    Examples:
        >>> [a.file_name for a in choose_artifacts(["int8"])]
        ['model_float32.tflite', 'model_float32.onnx', 'model_int8.tflite', 'model_int8.onnx']
    """
    formats = list(Format) if file_format is None else [file_format]
    for name in recipes:
        if name not in RECIPES:
            raise InputError(f"unknown recipe {name!r}; expected one of {', '.join(RECIPES)}")
        if not set(RECIPES[name].formats) & set(formats):
            known = " and ".join(RECIPES[name].formats)
            raise InputError(
                f"recipe {name} does not exist for {file_format}, only for {known}. Leave out --format or --{name}."
            )
    chosen = [r for r in RECIPES.values() if not recipes or r.name in recipes or r.name == "float32"]
    return [Artifact(recipe, f) for recipe in chosen for f in formats if f in recipe.formats]
