"""The report on the layers of a quantized file: their harm, and which to keep in float; as table, JSON and image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from digitedge.bundle.bundle import Bundle
from digitedge.bundle.recipe import RECIPES, Format, NumberFormat, Recipe
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DigitEdgeError, ModelError
from digitedge.exporting.calibration import calibration_indices
from digitedge.exporting.converters import Convertible
from digitedge.exporting.kept_layers import Remedy, find_remedy
from digitedge.exporting.layers import LayerNoise, Range, measure_layers, open_pair
from digitedge.exporting.onnx import convert_onnx
from digitedge.exporting.original import load_convertible_reference
from digitedge.exporting.tflite import convert_named_tflite
from digitedge.training.plots import save_figure
from digitedge.utils.tables import Table, percent

CROPS = 500
"""Number of training images; others than those of the calibration, whose ranges fit them by construction."""
CROPS_SEED = 1
NOT_QUANTIZED = "no layer is quantized"
PLOTTED = 25  # layers in the image
_FAULTS = {"weights": "weights", "activations": "activations", "clipped": "clipped", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReport:
    """What was found in one file.

    Attributes:
        layers: in order of harm; empty if the file has none that could be compared.
        remedy: the layers to keep in float; None if there is nothing to keep.
        note: why there is no remedy or no report.
    """

    layers: tuple[LayerNoise, ...] = ()
    remedy: Remedy | None = None
    note: str | None = None

    @property
    def shown(self) -> list[LayerNoise]:
        """All layers but those that are exact, such as a flatten."""
        return [one for one in self.layers if one.sqnr_db is not None or not one.matched]

    def text(self, name: str) -> str:
        """The layers of the file `name` in order of harm, and what to do, as lines."""
        heads = ["operators", "alone: dB", "agreement", "fault", "SQNR dB", "float range", "quantized range", "clipped"]
        title = f"{name}: what the probabilities lose if one layer alone is quantized, and the noise of its output"
        table = Table("layer", heads, {one.name: _cells(one) for one in self.shown}, title=title)
        return "\n".join([*([table.text()] if self.shown else []), *self._advice(name), ""])

    def _advice(self, name: str) -> list[str]:
        if self.remedy is None:
            return [f"{name}: {self.note}"]
        tried = [
            f"{percent(share)} agreement on {CROPS} training images with "
            f"{', '.join(names) + ' in float' if names else 'all layers quantized'}"
            for names, share in self.remedy.tried.items()
        ]
        options = " ".join(f"--keep-float {layer}" for layer in self.remedy.keep_float)
        file_format = Path(name).suffix[1:]
        return [*tried, f"try: digitedge export --int8 --format {file_format} {options}"] if options else tried

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        remedy = None if self.remedy is None else self.remedy.to_dict()
        return {"layers": [one.to_dict() for one in self.layers], "remedy": remedy, "note": self.note}


def is_quantized(recipe: Recipe) -> bool:
    """Whether a file of this recipe has layers that can lose something to int8."""
    return recipe.weights is NumberFormat.INT8


def float_file_of(model: Convertible, file_format: Format) -> bytes:
    """Convert a model to a float32 file whose names tell its layers.

    Raises:
        ModelError: it cannot be converted to this format.
    """
    if file_format is Format.TFLITE:
        if not isinstance(model, keras.Model):
            raise ModelError("no .tflite file is made of an .onnx file.")
        return convert_named_tflite(model)
    return convert_onnx(model, RECIPES["float32"], np.empty((0, 28, 28), np.uint8))


def report_layers(float_content: bytes, quantized_file: Path, data: Dataset, *, limit: float) -> LayerReport:
    """Compare a quantized file with a float file of the same network, layer by layer, on training images.

    `limit` is the agreement that a remedy must reach, 0 to 1. What cannot be compared becomes a note.
    """
    try:
        crops = data.x_train[calibration_indices(data.y_train, samples=CROPS, seed=CROPS_SEED)]
        pair = open_pair(float_content, quantized_file)
        layers = tuple(measure_layers(pair, crops))
        if all(one.output_sqnr_db is None for one in layers):
            return LayerReport(layers=layers, note=NOT_QUANTIZED)
        if all(one.quantized_range is None for one in layers):
            note = "only weights are quantized, so --keep-float does not apply; float16 rounds them less"
            return LayerReport(layers=layers, note=note)
        return LayerReport(layers=layers, remedy=find_remedy(pair, layers, crops, limit=limit))
    except DigitEdgeError as exc:
        return LayerReport(note=f"the layers cannot be compared: {exc}")


def report_bundle(bundle: Bundle, data: Dataset, limits: Mapping[str, float]) -> dict[str, LayerReport]:
    """Report on files of a bundle, whose float side comes from the Keras original.

    Args:
        bundle: with the files.
        data: whose training images are used.
        limits: file name -> agreement that a remedy must reach, 0 to 1.
    """
    reports: dict[str, LayerReport] = {}
    contents: dict[Format, bytes] = {}
    if limits and bundle.reference.suffix == ".tflite":
        return dict.fromkeys(limits, LayerReport(note="the layers of a .tflite third-party file are not compared"))
    model = load_convertible_reference(bundle) if limits else None
    for name, limit in limits.items():
        if not is_quantized(RECIPES[bundle.manifest.files[name].recipe]):
            reports[name] = LayerReport(note=NOT_QUANTIZED)
            continue
        file_format = Format(Path(name).suffix[1:])
        if file_format not in contents:
            try:
                contents[file_format] = float_file_of(model, file_format)
            except DigitEdgeError as exc:
                reports[name] = LayerReport(note=f"the layers cannot be compared: {exc}")
                continue
        reports[name] = report_layers(contents[file_format], bundle.path / name, data, limit=limit)
    return reports


def report_pair(reference: Path | Convertible, candidate: Path, data: Dataset, *, limit: float) -> LayerReport:
    """Report on a file, against a float file of the same format or a Keras model that meets the contract."""
    if not isinstance(reference, Path):
        try:
            content = float_file_of(reference, Format(candidate.suffix[1:]))
        except (DigitEdgeError, ValueError) as exc:
            return LayerReport(note=f"the layers cannot be compared: {exc}")
    elif reference.suffix != candidate.suffix:
        return LayerReport(note="the layers cannot be compared: give a Keras or a float file of the same format")
    else:
        content = reference.read_bytes()
    return report_layers(content, candidate, data, limit=limit)


def plot_layers(path: Path, reports: Mapping[str, LayerReport]) -> None:
    """Plot for every file what each layer costs alone, and the ranges of its outputs."""
    reports = {name: report for name, report in reports.items() if report.shown} or reports
    rows = max([1, *(min(PLOTTED, len(report.shown)) for report in reports.values())])
    figure = Figure(figsize=(12, (0.3 * rows + 1.2) * len(reports)), layout="constrained")
    grid = figure.subplots(len(reports), 2, squeeze=False)
    for (left, right), (name, report) in zip(grid, reports.items(), strict=True):
        shown = report.shown[:PLOTTED]
        places = np.arange(len(shown))
        costs = [one.output_sqnr_db if one.output_sqnr_db is not None else np.nan for one in shown]
        left.barh(places, costs, color=["tab:red" if one.fault == "clipped" else "tab:blue" for one in shown])
        left.plot(
            [one.sqnr_db if one.sqnr_db is not None else np.nan for one in shown], places, "k.", label="its output"
        )
        left.set(title=f"{name}: SQNR of the probabilities, this layer alone", xlabel="dB (low is harmful)")
        left.set_yticks(places, [one.name for one in shown])
        left.invert_yaxis()
        left.legend(loc="lower right", fontsize=7)
        for place, one in zip(places, shown, strict=True):
            for ends, shift, colour in (
                (one.float_range, -0.15, "tab:blue"),
                (one.quantized_range, 0.15, "tab:orange"),
            ):
                if ends is not None:
                    right.plot(ends, [place + shift] * 2, "-", color=colour, linewidth=4)
        right.set(title="range of the output: float (blue), quantized (orange)", yticks=[])
        right.set_xscale("symlog")
        right.set_ylim(left.get_ylim())
    save_figure(figure, path)


def _cells(one: LayerNoise) -> list[str]:
    if not one.matched:
        return [" ".join(one.operators), "not matched", *[""] * 6]
    return [
        " ".join(one.operators),
        _decibels(one.output_sqnr_db),
        percent(one.agreement),
        _FAULTS[one.fault],
        _decibels(one.sqnr_db),
        _ends(one.float_range),
        _ends(one.quantized_range) if one.quantized_range else "float",
        percent(one.clipped),
    ]


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _ends(ends: Range | None) -> str:
    return "-" if ends is None else f"{ends[0]:.3g} to {ends[1]:.3g}"
