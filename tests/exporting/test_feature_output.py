"""The second output of exported files: the features."""

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from small_keras_models import dense_layers
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.recipe import RECIPES, Artifact, Format
from digitedge.errors import InputError, ModelError
from digitedge.exporting.converters import DESCRIBERS, convert_file
from digitedge.exporting.tflite_strip import serialize_stripped
from digitedge.runtime import FeatureClassifier, load_classifier
from digitedge.runtime.contract import ContractError
from digitedge.runtime.litert import LiteRTClassifier
from digitedge.runtime.onnx import OnnxClassifier
from digitedge.synthetic.handwriting.digits import synthetic_digits

CROPS, _ = synthetic_digits(40, seed=0)
ARTIFACTS = [Artifact(recipe, one) for one in Format for recipe in RECIPES.values() if one in recipe.formats]
MAX_BYTES = 1000  # that the output may add


@pytest.fixture(scope="module")
def dense() -> keras.Model:
    """A network with a hidden layer and random weights, so that its answers differ."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 25), *dense_layers()])


def load(path: Path, content: bytes) -> LiteRTClassifier | OnnxClassifier:
    path.write_bytes(content)
    classifier = load_classifier(path)
    assert isinstance(classifier, LiteRTClassifier | OnnxClassifier)
    return classifier


def without_features(content: bytes, file_format: Format) -> bytes:
    """The file as it would be without its second output."""
    if file_format is Format.ONNX:
        proto = onnx.load_from_string(content)
        del proto.graph.output[1:]
        return bytes(proto.SerializeToString())
    model = flatbuffer_utils.convert_bytearray_to_object(content)
    model.subgraphs[0].outputs = model.subgraphs[0].outputs[:1]
    model.signatureDefs[0].outputs.pop()
    return serialize_stripped(model)


def hidden(model: keras.Model) -> NDArray[np.float32]:
    """What the last layer of a model reads, computed by Keras."""
    features = keras.Model(model.inputs[0], model.layers[-1].input)
    return np.asarray(features(CROPS[..., None].astype(np.float32), training=False))


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda one: one.file_name)
def test_features_are_added_and_no_probability_changes(artifact: Artifact, dense: keras.Model, tmp_path: Path) -> None:
    content = convert_file(dense, artifact, CROPS)
    plain = without_features(content, artifact.format)
    classifier = load(tmp_path / artifact.file_name, content)
    before = load(tmp_path / f"plain-{artifact.file_name}", plain)
    features, probabilities = classifier.features_and_probabilities(CROPS)
    assert (classifier.feature_count, before.feature_count) == (32, 0)
    assert isinstance(classifier, FeatureClassifier)
    assert (features.shape, features.dtype, probabilities.dtype) == ((40, 32), np.float32, np.float32)
    np.testing.assert_array_equal(probabilities, before.probabilities(CROPS))
    np.testing.assert_array_equal(classifier.probabilities(CROPS), probabilities)
    assert len({tuple(row) for row in probabilities}) > 10, "equal answers would prove nothing"
    assert 0 < len(content) - len(plain) <= MAX_BYTES
    expected = hidden(dense)
    precision = {"float32": 1e-5, "float16": 0.01}.get(artifact.recipe.name, 0.05)
    np.testing.assert_allclose(features, expected, atol=precision * expected.max())
    assert DESCRIBERS[artifact.format](content)[1].name == "probabilities"

    empty, none = classifier.features_and_probabilities(CROPS[:0])
    assert (empty.shape, none.shape) == ((0, 32), (0, 10))
    with pytest.raises(InputError, match="takes uint8"):
        classifier.features_and_probabilities(CROPS[:, :20])
    with pytest.raises(ModelError, match="expected a file with the second output features, got one without"):
        before.features_and_probabilities(CROPS)


@pytest.mark.parametrize("file_format", Format)
def test_a_dense_layer_that_is_kept_in_float_gives_features_too(
    file_format: Format, dense: keras.Model, tmp_path: Path
) -> None:
    artifact = Artifact(RECIPES["int8"], file_format, keep_float=(dense.layers[-1].name,))
    content = convert_file(dense, artifact, CROPS)
    features, _ = load(tmp_path / artifact.file_name, content).features_and_probabilities(CROPS)
    assert np.abs(features - hidden(dense)).max() < 0.05 * features.max()


@pytest.mark.parametrize("file_format", Format)
def test_a_network_without_a_last_dense_layer_gets_no_second_output(file_format: Format, tmp_path: Path) -> None:
    last = [keras.layers.Conv2D(10, 28), keras.layers.Flatten(), keras.layers.Softmax()]
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1e-3), *last])
    artifact = Artifact(RECIPES["float32"], file_format)
    assert load(tmp_path / artifact.file_name, convert_file(model, artifact, CROPS)).feature_count == 0


@pytest.mark.parametrize("file_format", Format)
def test_a_second_output_of_another_name_is_refused(file_format: Format, dense: keras.Model, tmp_path: Path) -> None:
    artifact = Artifact(RECIPES["float32"], file_format)
    path = tmp_path / artifact.file_name
    path.write_bytes(convert_file(dense, artifact, CROPS).replace(b"features", b"textures"))
    with pytest.raises(ContractError, match=r"textures.* tensors|outputs .*textures"):
        load_classifier(path)
