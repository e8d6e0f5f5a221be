"""The original as its bundle keeps it, so that the files can be verified again at any later time.

A Keras model is kept wrapped into one that meets the model contract; a SavedModel, ONNX or TFLite model as it is,
with its adapter in the manifest.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.manifest import ORIGINAL, REFERENCE, AdapterSpec, describe_adapter
from digitedge.bundle.recipe import RECIPES, Artifact, Format
from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.exporting.contract_model import build_contract_model, without_mixed_precision
from digitedge.exporting.number_formats import recipe_of_onnx, recipe_of_tflite, tflite_parameters
from digitedge.exporting.onnx_contract import read_onnx
from digitedge.exporting.original import Original, pack_saved_model, unpacked
from digitedge.metrics.classification import agreement, is_correct, mcnemar_p
from digitedge.runtime import Classifier, find_runtime, load_classifier
from digitedge.runtime.adapter import CONTRACT, AdaptedClassifier, Adapter, prepare
from digitedge.runtime.keras import KerasNetwork
from digitedge.runtime.litert import LiteRTNetwork
from digitedge.runtime.load import is_saved_model
from digitedge.training.keras_io import save_keras
from digitedge.utils.tables import percent

# Largest difference of a probability between the original and its copy in the bundle: rounding, and no more.
MAX_COPY_DIFFERENCE = 1e-4
# Smallest share of equal answers of a model with 16-bit floats and its copy in float32. A larger loss of top-1 than
# this is refused if it is no chance: two-sided p of the images on which only one of them is right.
MIN_PRECISION_AGREEMENT = 0.99
MAX_PRECISION_DROP = 0.001
CHANCE_P = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOriginal:
    """What the bundle keeps of the original.

    Attributes:
        file: in the bundle's draft.
        file_spec: how it is used, for the manifest; None where it meets the model contract.
        source: what is converted.
        source_spec: how that is used.
        reference: the classifier that the exported files are compared with.
        file_adapter: how the exported files are used; None where they meet the model contract.
        parameters: number of weights.
    """

    file: Path
    file_spec: AdapterSpec | None
    source: Path
    source_spec: AdapterSpec | None
    reference: Classifier
    file_adapter: Adapter | None
    parameters: int

    @property
    def is_tflite(self) -> bool:
        """Whether it is a `.tflite` file, which is exported as it is."""
        return self.file.suffix == ".tflite"

    def tflite_inputs(self, crops: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Crops as a `.tflite` file takes them, for its calibration; uint8 (N, 28, 28)."""
        network, adapter = LiteRTNetwork(self.file), self.file_adapter or CONTRACT
        return network.batches(prepare(crops, adapter.preprocessing, network.shape))

    @property
    def own_recipe(self) -> str | None:
        """The recipe of a file that is exported as it is; None for a float model, of which files are made."""
        if self.is_tflite:
            return recipe_of_tflite(self.file)
        recipe = recipe_of_onnx(read_onnx(self.file)) if self.file.suffix == ".onnx" else "float32"
        return None if recipe == "float32" else recipe

    def artifacts(self, wanted: Sequence[Artifact]) -> list[Artifact]:
        """What is made of the artifacts that were asked for.

        Of a file that is quantized already only itself, of a float `.tflite` file itself and int8.
        """
        if self.own_recipe is None:
            return list(wanted)
        own = Artifact(RECIPES[self.own_recipe], Format(self.file.suffix[1:]))
        quantizable = self.own_recipe == "float32"
        return [own, *(one for one in wanted if quantizable and one.recipe.calibrated)]


def possible_artifacts(path: Path, artifacts: Sequence[Artifact], log: Callable[[str], object]) -> list[Artifact]:
    """Leave out what cannot be made of this kind of file, with a line that says so.

    Raises:
        ModelError: nothing is left, or no runtime runs this kind of file.
        InputError: layers of a `.tflite` file are to be kept in float.
    """
    find_runtime(path)
    kind = path.suffix.lower()
    if kind == ".tflite" and any(artifact.keep_float for artifact in artifacts):
        raise InputError(f"{path}: layers of a .tflite file cannot be kept in float. Leave out --keep-float.")
    if kind not in (".onnx", ".tflite"):
        return list(artifacts)
    other = Format.TFLITE if kind == ".onnx" else Format.ONNX
    possible = [one for one in artifacts if one.format is not other]
    advice = (
        f"no .{other} file is made of a {kind} file; for one, export the Keras file or SavedModel that it was made of"
    )
    if not possible:
        raise ModelError(f"{path}: {advice}.")
    log(f"{path.name}: {advice}")
    return possible


def keep_original(
    original: Original, draft: Path, images: NDArray[np.uint8], data: Dataset, log: Callable[[str], object]
) -> KeptOriginal:
    """Write the original into a bundle's draft, and check that it still gives the same answers.

    Args:
        original: the user's model.
        draft: the folder.
        images: on which the answers are compared, uint8 (N, 28, 28).
        data: for a model that is kept in another precision, the test images on which both are compared.
        log: gets a line where the precision changes.

    Raises:
        ModelError: it does not.
    """
    spec = describe_adapter(original.adapter)
    if isinstance(original.network, KerasNetwork):
        model = original.network.model
        if is_saved_model(original.path):
            file = draft / f"{ORIGINAL}.zip"
            pack_saved_model(original.path, file)
            with unpacked(file) as folder:
                _check_copy(original, AdaptedClassifier(KerasNetwork(folder), original.adapter), images)
            return _kept(original, file, spec, source=original.path, parameters=model.count_params())
        return _keep_keras(original, draft / REFERENCE, images, data, log)
    suffix = original.path.suffix.lower()
    file = draft / f"{ORIGINAL}{suffix}"
    if suffix == ".onnx":
        model = read_onnx(original.path)
        file.write_bytes(model.SerializeToString())
        _check_copy(original, load_classifier(file, adapter=original.adapter), images)
        parameters = sum(int(np.prod(one.dims)) for one in model.graph.initializer)
        return _kept(original, file, spec, source=file, parameters=parameters)
    shutil.copyfile(original.path, file)
    return _kept(original, file, spec, source=file, parameters=tflite_parameters(file), file_adapter=original.adapter)


def _kept(
    original: Original,
    file: Path,
    spec: AdapterSpec,
    *,
    source: Path,
    parameters: int,
    file_adapter: Adapter | None = None,
) -> KeptOriginal:
    return KeptOriginal(
        file=file,
        file_spec=spec,
        source=source,
        source_spec=spec,
        reference=original,
        file_adapter=file_adapter,
        parameters=parameters,
    )


def _keep_keras(
    original: Original, file: Path, images: NDArray[np.uint8], data: Dataset, log: Callable[[str], object]
) -> KeptOriginal:
    assert isinstance(original.network, KerasNetwork)
    own = original.network.model
    model = without_mixed_precision(own)
    contract = build_contract_model(model, original.adapter, original.network.shape)
    save_keras(contract, file)
    copy = AdaptedClassifier(KerasNetwork(file), CONTRACT)
    reference: Classifier = original
    if model is own:
        _check_copy(original, copy, images)
    else:
        _check_precision(original, copy, data, log)
        reference = copy
    return KeptOriginal(
        file=file,
        file_spec=None,
        source=file,
        source_spec=None,
        reference=reference,
        file_adapter=None,
        parameters=contract.count_params(),
    )


def _check_copy(original: Original, copy: Classifier, images: NDArray[np.uint8]) -> None:
    difference = float(np.abs(copy.probabilities(images) - original.probabilities(images)).max())
    if not difference <= MAX_COPY_DIFFERENCE:  # also true for NaN
        raise ModelError(
            f"{original.path}: expected the same answers after it was saved and loaded, got a probability that "
            f"differs by {difference:.2g}: a layer does not save its whole state. Replace it by a built-in one."
        )


def _check_precision(original: Original, copy: Classifier, data: Dataset, log: Callable[[str], object]) -> None:
    """Compare a copy in float32 with a model of another precision on the test images."""
    own, other = original.probabilities(data.x_test), copy.probabilities(data.x_test)
    first, second = is_correct(own, data.y_test), is_correct(other, data.y_test)
    equal, drop = agreement(own, other), float(first.mean() - second.mean())
    is_chance = mcnemar_p(int(np.sum(first & ~second)), int(np.sum(second & ~first))) > CHANCE_P
    said = f"computes in float32 in place of its own precision: {percent(equal)} of the answers are equal"
    if not (equal >= MIN_PRECISION_AGREEMENT and (drop <= MAX_PRECISION_DROP or is_chance)):
        raise ModelError(
            f"{original.path}: its dtype policy is not float32, and a copy that {said}, {percent(drop)} fewer right. "
            "Train it with keras.config.set_dtype_policy('float32')."
        )
    log(f"{original.path.name}: {said}")
