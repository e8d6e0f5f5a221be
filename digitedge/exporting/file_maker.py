"""Make the exported files of a bundle, in processes of their own, and choose remedies for lost parity."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.manifest import build_adapter
from digitedge.bundle.recipe import Artifact, Format
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DigitEdgeError, InputError, ModelError
from digitedge.exporting.conversion import Converter, Wanted
from digitedge.exporting.converters import Convertible, load_convertible
from digitedge.exporting.kept_layers import names_with_readers
from digitedge.exporting.kept_original import KeptOriginal
from digitedge.exporting.layer_report import float_file_of
from digitedge.exporting.layers import open_pair
from digitedge.exporting.remedies import RemedyTrial, calibration_images, pick, try_remedies
from digitedge.exporting.tflite_quantizer import quantize_tflite
from digitedge.metrics.classification import agreement
from digitedge.runtime import load_classifier


@dataclass(frozen=True, slots=True)
class FileMaker:
    """Makes files of one original.

    Attributes:
        kept: the original.
        converter: which has the original.
        data: whose training images calibrate, and decide about remedies.
        limits: fields of `Tolerance` that replace those of the recipes.
        log: gets lines of progress.
    """

    kept: KeptOriginal
    converter: Converter
    data: Dataset
    limits: Mapping[str, float]
    log: Callable[[str], None]

    def pick_remedies(self, possible: Sequence[Artifact]) -> tuple[list[Artifact], dict[Format, list[RemedyTrial]]]:
        """Try remedies in every format; return float32 and the picked ones, and what was tried.

        Raises:
            ModelError: the original is no float model that can be converted.
        """
        plain = [artifact for artifact in possible if artifact.recipe.name == "float32"]
        if self.kept.is_tflite or not plain:
            raise ModelError(
                f"{self.kept.file.name}: remedies are tried on a float model that can be converted. Leave out --auto."
            )
        reference, model = self.kept.reference, self._load()
        trials = {
            one.format: try_remedies(
                reference, model, self.converter, one.format, self.data, limits=self.limits, log=self.log
            )
            for one in plain
        }
        picked = [pick(tried) for tried in trials.values()]
        return [*plain, *(one for one in picked if one is not None and one not in plain)], trials

    def make(self, wanted: Sequence[Artifact], folder: Path) -> tuple[list[Artifact], dict[str, str]]:
        """Write files.

        Returns:
            Those that were made, perhaps with more layers in float than were asked for; and file name -> reason for
            those that could not be made.
        """
        not_made = self._copy(wanted, folder) if self.kept.is_tflite else self._convert(wanted, folder)
        for name, reason in not_made.items():
            self.log(f"{name}: not made: {reason}")
        made = [artifact for artifact in wanted if artifact.file_name not in not_made]
        return [self._keep_readers(one, folder) if one.keep_float else one for one in made], not_made

    def _convert(self, wanted: Sequence[Artifact], folder: Path) -> dict[str, str]:
        files = {folder / one.file_name: Wanted(one, calibration_images(one, self.data)) for one in wanted}
        not_made = {path.name: reason for path, reason in self.converter.convert(files).items()}
        for path in files:
            if path.name not in not_made:
                try:
                    load_classifier(path)
                    self.log(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, loads, meets the contract")
                except ModelError as exc:
                    not_made[path.name] = str(exc)
                    path.unlink()
        return not_made

    def _copy(self, wanted: Sequence[Artifact], folder: Path) -> dict[str, str]:
        """Write a `.tflite` file as it is, and quantize it if that is wanted."""
        own, *others = wanted
        shutil.copyfile(self.kept.file, folder / own.file_name)
        self.log(f"{own.file_name}: the file as it is")
        not_made = {}
        for artifact in others:
            try:
                inputs = self.kept.tflite_inputs(calibration_images(artifact, self.data))
                content = quantize_tflite(self.kept.file.read_bytes(), artifact.recipe, inputs)
                (folder / artifact.file_name).write_bytes(content)
                self.log(f"{artifact.file_name}: {len(content) / 1000:.0f} kB")
            except (InputError, ModelError) as exc:
                not_made[artifact.file_name] = str(exc)
        return not_made

    def _keep_readers(self, artifact: Artifact, folder: Path) -> Artifact:
        """Keep the layers that read a kept one in float, too, if the file is not good enough without.

        Otherwise a quantized layer rounds what a kept layer gives, and keeping a layer whose activations are at fault
        would not help.
        """
        path = folder / artifact.file_name
        images = calibration_images(artifact, self.data)
        before = self._agreement(path, images)
        if before >= replace(artifact.recipe.tolerance, **self.limits).agreement:
            return artifact
        try:
            pair = open_pair(float_file_of(self._load(), artifact.format), path)
        except DigitEdgeError:  # layers that cannot be matched
            return artifact
        wider = replace(artifact, keep_float=names_with_readers(pair, artifact.keep_float))
        other = folder / f"wider-{artifact.file_name}"
        if wider == artifact or self.converter.convert({other: Wanted(wider, images)}):
            return artifact
        if self._agreement(other, images) <= before:
            other.unlink()
            return artifact
        other.replace(path)
        self.log(f"{path.name}: in float, too, because they read a kept layer: {', '.join(wider.keep_float)}")
        return wider

    def _agreement(self, path: Path, images: NDArray[np.uint8]) -> float:
        """Share of training images, uint8 (N, 28, 28), to which a file answers as the original does."""
        answers = load_classifier(path, adapter=self.kept.file_adapter).probabilities(images)
        return agreement(self.kept.reference.probabilities(images), answers)

    def _load(self) -> Convertible:
        return load_convertible(self.kept.source, build_adapter(self.kept.source_spec))
