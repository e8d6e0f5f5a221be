"""Which layer is named when a quantized file loses parity, and what keeping it in float gives back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from small_keras_models import train_model

from digitedge.bundle.recipe import RECIPES, CalibrationMethod, Format
from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.exporting.kept_layers import find_remedy
from digitedge.exporting.layer_names import NamedOperator, choose_kept, layers_of
from digitedge.exporting.layer_report import float_file_of, plot_layers, report_pair
from digitedge.exporting.layers import LayerNoise, compare_layers, measure_layers, open_pair
from digitedge.exporting.onnx import convert_onnx
from digitedge.exporting.tflite import convert_tflite
from digitedge.metrics.classification import agreement
from digitedge.runtime import load_classifier

CONVERT = {"tflite": convert_tflite, "onnx": convert_onnx}
FORMATS = pytest.mark.parametrize("suffix", ["tflite", "onnx"])
# 6 epochs on 1,500 digits: a few images in a hundred flip without any fault.
LIMIT = 0.97


class Broken(NamedTuple):
    """A model with a fault, and its files by suffix."""

    model: keras.Model
    plain: dict[str, bytes]
    int8: dict[str, Path]


@pytest.fixture(scope="module")
def small(data: Dataset) -> keras.Model:
    layers = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="first"),
        keras.Sequential(
            [keras.layers.Conv2D(8, 3, strides=2, name="conv"), keras.layers.BatchNormalization(), keras.layers.ReLU()],
            name="block",
        ),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu", name="hidden"),
        keras.layers.Dense(10, activation="softmax", name="last"),
    ]
    return train_model(data, layers, shape=(28, 28, 1), scale=1, epochs=6)


@pytest.fixture(scope="module")
def break_model(small: keras.Model, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Broken]:
    """Convert a copy of the small model after a change of its weights."""

    def change(edit: Callable[[keras.Model], None]) -> Broken:
        model = keras.models.clone_model(small)
        model.set_weights(small.get_weights())
        edit(model)
        folder = tmp_path_factory.mktemp("broken")
        files = {suffix: folder / f"int8.{suffix}" for suffix in CONVERT}
        for suffix, path in files.items():
            path.write_bytes(CONVERT[suffix](model, RECIPES["int8"], data.x_train[:100]))
        return Broken(model, {suffix: float_file_of(model, Format(suffix)) for suffix in CONVERT}, files)

    return change


def silence_first_channel(model: keras.Model) -> None:
    """Let channel 0 of the first layer be always 0, so that its weights in the next layer have no effect."""
    kernel, bias = model.get_layer("first").get_weights()
    kernel[..., 0], bias[0] = 0, -1
    model.get_layer("first").set_weights([kernel, bias])


@pytest.fixture(scope="module")
def outlier_weights(break_model: Callable[..., Broken]) -> Broken:
    def edit(model: keras.Model) -> None:
        silence_first_channel(model)
        kernel, bias = model.get_layer("block").get_layer("conv").get_weights()
        kernel[:, :, 0] = 100
        model.get_layer("block").get_layer("conv").set_weights([kernel, bias])

    return break_model(edit)


@pytest.fixture(scope="module")
def outlier_activations(break_model: Callable[..., Broken]) -> Broken:
    def edit(model: keras.Model) -> None:
        kernel, bias = model.get_layer("hidden").get_weights()
        kernel[:, 0], bias[0] = kernel[:, 0] * 5000, 5000
        model.get_layer("hidden").set_weights([kernel, bias])
        kernel, bias = model.get_layer("last").get_weights()
        kernel[0] = 0  # nothing reads the large unit
        model.get_layer("last").set_weights([kernel, bias])

    return break_model(edit)


def agreement_of(path: Path, broken: Broken, crops: NDArray[np.uint8]) -> float:
    expected = broken.model.predict(crops[..., None].astype(np.float32), verbose=0)
    return agreement(expected, load_classifier(path).probabilities(crops))


@FORMATS
def test_outlier_weights_are_named_first_and_keeping_them_in_float_restores_parity(
    outlier_weights: Broken, data: Dataset, suffix: str, tmp_path: Path
) -> None:
    pair = open_pair(outlier_weights.plain[suffix], outlier_weights.int8[suffix])
    noises = measure_layers(pair, data.x_train[-100:])
    assert (noises[0].name, noises[0].fault) == ("block/conv", "weights")
    assert noises[0].weight_range is not None
    assert noises[0].weight_range[1] > 50
    remedy = find_remedy(pair, noises, data.x_train[-200:], limit=LIMIT)
    assert remedy.keep_float == ("block/conv",)
    kept = tmp_path / f"kept.{suffix}"
    kept.write_bytes(
        CONVERT[suffix](outlier_weights.model, RECIPES["int8"], data.x_train[:100], keep_float=["block/conv"])
    )
    assert agreement_of(outlier_weights.int8[suffix], outlier_weights, data.x_test) < 0.9
    assert agreement_of(kept, outlier_weights, data.x_test) >= LIMIT
    assert kept.stat().st_size < 0.8 * len(outlier_weights.plain[suffix]) or suffix == "onnx"


@FORMATS
def test_outlier_activations_are_named_first_and_kept_with_their_readers(
    outlier_activations: Broken, data: Dataset, suffix: str
) -> None:
    pair = open_pair(outlier_activations.plain[suffix], outlier_activations.int8[suffix])
    noises = measure_layers(pair, data.x_train[-100:])
    assert (noises[0].name, noises[0].fault) == ("hidden", "activations")
    remedy = find_remedy(pair, noises, data.x_train[-200:], limit=LIMIT)
    assert remedy.keep_float == ("hidden", "last")
    assert remedy.before < 0.9
    assert remedy.after >= LIMIT


def test_a_range_that_is_too_small_is_named_first(outlier_weights: Broken, data: Dataset, tmp_path: Path) -> None:
    proto = onnx.load(outlier_weights.int8["onnx"])
    (scale,) = [one for one in proto.graph.initializer if "first" in one.name and one.name.endswith("Relu:0_scale")]
    scale.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(scale) / np.float32(100), scale.name))
    onnx.save(proto, tmp_path / "clipped.onnx")
    pair = open_pair(outlier_weights.plain["onnx"], tmp_path / "clipped.onnx")
    clipped = next(one for one in measure_layers(pair, data.x_train[-100:])[:2] if one.name == "first")
    assert clipped.fault == "clipped"
    assert clipped.clipped > 0.1
    assert clipped.quantized_range is not None
    assert clipped.float_range is not None
    assert clipped.quantized_range[1] < clipped.float_range[1] / 10


@FORMATS
def test_the_released_files_are_compared_and_no_layer_stands_out(released: Path, data: Dataset, suffix: str) -> None:
    crops = data.x_train[:50]
    noises = compare_layers(released / f"model_float32.{suffix}", released / f"model_int8.{suffix}", crops)
    assert all(isinstance(one, LayerNoise) and one.matched for one in noises)
    costs = [one.output_sqnr_db for one in noises if one.output_sqnr_db is not None]
    assert costs == sorted(costs)
    assert costs[0] > 20


def test_a_report_is_plain_json_with_a_plot(outlier_weights: Broken, data: Dataset, tmp_path: Path) -> None:
    report = report_pair(outlier_weights.model, outlier_weights.int8["onnx"], data, limit=LIMIT)
    content = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert content["layers"][0]["name"] == "block/conv"
    assert content["remedy"]["keep_float"] == ["block/conv"]
    text = report.text("model_int8.onnx")
    assert "try: digitedge export --int8 --format onnx --keep-float block/conv" in text
    plot_layers(tmp_path / "layers.png", {"model_int8.onnx": report})
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_compared_is_a_note(outlier_weights: Broken, data: Dataset, tmp_path: Path) -> None:
    damaged = tmp_path / "model_int8.tflite"
    damaged.write_bytes(b"no model")
    report = report_pair(outlier_weights.model, damaged, data, limit=LIMIT)
    assert report.layers == ()
    assert report.note is not None
    assert "its layers cannot be read" in report.note
    assert "cannot be compared" in report.text("model_int8.tflite")
    other = report_pair(Path("a.onnx"), damaged, data, limit=LIMIT)
    assert other.note == "the layers cannot be compared: give a Keras or a float file of the same format"


def test_files_of_two_networks_are_refused(outlier_weights: Broken, released: Path) -> None:
    for suffix in CONVERT:
        with pytest.raises(ModelError, match="Give two files of the same network"):
            open_pair((released / f"model_float32.{suffix}").read_bytes(), outlier_weights.int8[suffix])
    with pytest.raises(ModelError, match=r"expected a .tflite or .onnx file, got '.keras'"):
        open_pair(b"", released / "model.keras")


@FORMATS
def test_an_unknown_layer_is_refused_with_the_names_of_all(outlier_weights: Broken, data: Dataset, suffix: str) -> None:
    with pytest.raises(InputError, match=r"got 'conv2d'. It has: .*first, block/conv, .*hidden, last$"):
        CONVERT[suffix](outlier_weights.model, RECIPES["int8"], data.x_train[:10], keep_float=["conv2d"])


def test_a_percentile_calibration_narrows_the_ranges(outlier_weights: Broken, data: Dataset, tmp_path: Path) -> None:
    content = convert_tflite(
        outlier_weights.model, RECIPES["int8"], data.x_train[:100], method=CalibrationMethod.PERCENTILE
    )
    (tmp_path / "narrow.tflite").write_bytes(content)
    ranges = []
    for path in (outlier_weights.int8["tflite"], tmp_path / "narrow.tflite"):
        noises = measure_layers(open_pair(outlier_weights.plain["tflite"], path), data.x_train[:20])
        ranges.append(next(one.quantized_range for one in noises if one.name == "hidden"))
    assert ranges[1][1] < ranges[0][1]


def test_names_of_layers_survive_the_numbers_of_tensorflow() -> None:
    operators = [
        NamedOperator(["net._1/conv2d._1/Relu;net._1/conv2d._1/convolution1"], []),
        NamedOperator(["net._1/re_lu_1._3/Relu;net._1/inner._1/conv2d_1._3/convolution"], [0]),
        NamedOperator(["StatefulPartitionedCall_1:0"], [1]),
    ]
    assert layers_of(operators) == [["conv2d"], ["inner/conv2d_1", "re_lu_1"], ["inner/conv2d_1", "re_lu_1"]]
    assert layers_of([NamedOperator(["/conv1/Conv"], []), NamedOperator(["Gemm_7"], [0])]) == [["conv1"], ["Gemm_7"]]


def test_a_kept_name_may_be_a_nested_model_or_a_layer_in_it() -> None:
    layers = [["inner/conv2d"], ["inner/conv2d_1", "re_lu"], ["conv2d_12"]]
    assert choose_kept(["inner"], layers) == [0, 1]
    assert choose_kept(["conv2d"], layers) == [0]
    assert choose_kept(["re_lu", "conv2d_12"], layers) == [1, 2]
    assert choose_kept([], layers) == []
    with pytest.raises(InputError, match="got ''"):
        choose_kept([""], layers)


@FORMATS
def test_a_kept_layer_reads_and_gives_real_numbers_that_the_next_one_rounds(
    outlier_weights: Broken, data: Dataset, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"kept.{suffix}"
    path.write_bytes(CONVERT[suffix](outlier_weights.model, RECIPES["int8"], data.x_train[:50], keep_float=["block"]))
    pair = open_pair(outlier_weights.plain[suffix], path)
    kept = next(index for index, one in enumerate(pair.operators) if one.layer == "block/conv")
    for plain, held in (weight for weight in pair.operators[kept].weights.values()):
        np.testing.assert_array_equal(plain, held)
    every = set(range(len(pair.operators)))
    mixture = pair.probabilities(data.x_test, weights=every, outputs=every)
    assert agreement(mixture, load_classifier(path).probabilities(data.x_test)) >= 0.99
