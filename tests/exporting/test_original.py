"""Third-party models: loaded, understood, kept and exported with their own accuracy."""

import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from small_keras_models import dense_layers, train_model
from tensorflow.python.trackable.resource import CapturableResource

from digitedge.bundle.bundle import load_model
from digitedge.bundle.recipe import choose_artifacts
from digitedge.cli import export as export_cli
from digitedge.datasets.dataset import Dataset, search_digits
from digitedge.errors import DigitEdgeError, InputError, ModelError
from digitedge.exporting.conversion import Converter, Wanted
from digitedge.exporting.converters import convert_file, load_convertible
from digitedge.exporting.export import ExportResult, ModelSource, export
from digitedge.exporting.kept_original import possible_artifacts
from digitedge.exporting.original import Original, load_original, pack_saved_model
from digitedge.exporting.verify import verify_bundle
from digitedge.metrics.classification import top1
from digitedge.runtime import load_classifier, load_network
from digitedge.runtime.adapter import CONTRACT, Pixels, Preprocessing
from digitedge.runtime.adapter_search import MIN_ACCURACY, find_adapter
from digitedge.runtime.image_shape import fit_matrix

# Models that were trained for seconds on 1,500 digits.
LOOSE = {"agreement": 0.9, "top1_drop": 0.1}


def original_of(path: Path, data: Dataset, **options: object) -> Original:
    return load_original(path, data, log=lambda _: None, **options)


def save_wrapped(
    unit_model: Path, path: Path, shape: tuple[int, ...], build: Callable[[keras.KerasTensor], object]
) -> Path:
    """Save a model whose own input has another shape and range: `build` brings it back to (28, 28) in 0 to 1."""
    own = keras.Input(shape)
    keras.Model(own, keras.saving.load_model(unit_model)(build(own))).save(path)
    return path


def save_onnx(model: keras.Model, path: Path) -> None:
    """Save a model as other people do."""
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # Keras exports only what was called
    model.export(path, format="onnx", verbose=False)


# What the author of each model fed it: the shape, how the model itself brings it back to (28, 28) in 0 to 1, and what
# must be found.
WRAPPED = {
    "flat 0-1": ((784,), lambda x: layers.Reshape((28, 28))(x), "0-1"),
    "0-255": ((28, 28, 1), lambda x: layers.Reshape((28, 28))(layers.Rescaling(1 / 255)(x)), "0-255"),
    "-1..1": ((28, 28), lambda x: layers.Rescaling(0.5, 0.5)(x), "-1..1"),
    "mean-std": ((28, 28), lambda x: layers.Rescaling(0.3081, 0.1307)(x), "mean-std"),
    "dark on light": ((28, 28), lambda x: layers.Rescaling(-1, 1)(x), "0-1,inverted"),
    "dark on light 255": ((28, 28), lambda x: layers.Rescaling(-1 / 255, 1)(x), "0-255,inverted"),
    "transposed": ((28, 28), lambda x: layers.Permute((2, 1))(x), "0-1,transposed"),
    "channels first": ((1, 28, 28), lambda x: layers.Reshape((28, 28))(x), "0-1"),
    "colour": ((28, 28, 3), lambda x: layers.Reshape((28, 28))(layers.Cropping2D(0)(x)[..., :1]), "0-1"),
    "padded": ((32, 32, 1), lambda x: layers.Reshape((28, 28))(layers.Cropping2D(2)(x)), "0-1,pad"),
}


@pytest.mark.parametrize("case", WRAPPED)
def test_the_preprocessing_is_found_and_put_into_the_contract_model(
    case: str, unit_model: Path, data: Dataset, tmp_path: Path
) -> None:
    shape, build, expected = WRAPPED[case]
    path = save_wrapped(unit_model, tmp_path / "own.keras", shape, build)
    original = original_of(path, data)
    assert str(original.adapter.preprocessing) == expected
    logits = keras.saving.load_model(unit_model).predict(data.x_test / 255, verbose=0)
    scores = original.probabilities(data.x_test)
    np.testing.assert_allclose(scores, np.asarray(keras.ops.softmax(logits)), atol=1e-4)
    contract = load_convertible(path, original.adapter)
    wrapped = np.asarray(contract(data.x_test[:50, ..., None].astype(np.float32)))
    np.testing.assert_allclose(wrapped, scores[:50], atol=1e-5)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of Keras's own ONNX export
@pytest.mark.parametrize("case", ["dark on light", "colour", "padded", "transposed"])
def test_the_same_model_as_onnx_and_tflite_is_found_and_wrapped(
    case: str, unit_model: Path, data: Dataset, tmp_path: Path
) -> None:
    shape, build, expected = WRAPPED[case]
    keras_path = save_wrapped(unit_model, tmp_path / "own.keras", shape, build)
    scores = original_of(keras_path, data).probabilities(data.x_test)
    model = keras.saving.load_model(keras_path)
    foreign = tmp_path / "own.tflite"
    foreign.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    save_onnx(model, tmp_path / "own.onnx")
    for path in (foreign, tmp_path / "own.onnx"):
        original = original_of(path, data)
        assert str(original.adapter.preprocessing) == expected
        np.testing.assert_allclose(original.probabilities(data.x_test), scores, atol=1e-4)
    wrapped = tmp_path / "wrapped.onnx"
    proto = load_convertible(tmp_path / "own.onnx", original.adapter)
    wrapped.write_bytes(convert_file(proto, choose_artifacts([])[1], data.x_train[:10]))
    np.testing.assert_allclose(load_classifier(wrapped).probabilities(data.x_test), scores, atol=1e-4)


def test_heads_of_every_kind_become_probabilities(unit_model: Path, data: Dataset) -> None:
    network = load_network(unit_model)
    crops, labels = search_digits(data)
    heads: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
        "logits": lambda x: x,
        "softmax": lambda x: np.asarray(keras.ops.softmax(x)),
        "log-softmax": lambda x: np.asarray(keras.ops.log_softmax(x)),
        "sigmoid": lambda x: (1 + np.tanh(x / 2)) / 2,
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
    }

    class Headed:
        shape = network.shape

        def __init__(self, head: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
            self.head = head

        def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            return self.head(network.scores(inputs))

    best = {name: find_adapter(Headed(head), crops, labels, path=unit_model)[0] for name, head in heads.items()}
    assert {name: str(trial.adapter.preprocessing) for name, trial in best.items()} == dict.fromkeys(heads, "0-1")
    assert best["softmax"].adapter.softmax_scale is None
    assert best["logits"].adapter.softmax_scale == best["log-softmax"].adapter.softmax_scale == 1
    assert min(best[name].adapter.softmax_scale for name in ("sigmoid", "tanh")) > 1
    for trial in best.values():
        assert trial.loss < 1.0, trial
        assert trial.accuracy > 0.8, trial


def test_a_model_that_reads_few_digits_is_refused_with_what_was_tried(data: Dataset, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    keras.Sequential([keras.Input((28, 28)), *dense_layers()]).save(tmp_path / "untrained.keras")
    with pytest.raises(ModelError, match=r"at least 80.00 % of the digits right, got: .* reads .*--min-accuracy"):
        original_of(tmp_path / "untrained.keras", data)
    assert original_of(tmp_path / "untrained.keras", data, min_accuracy=0.0).trials[0].accuracy < 0.5


def test_the_users_preprocessing_is_the_only_one_tried(unit_model: Path, data: Dataset) -> None:
    with pytest.raises(ModelError, match=r"got: 0-1,inverted reads [0-9.]+ % of 1500 digits\. Name"):
        original_of(unit_model, data, preprocess="0-1,inverted")
    with pytest.raises(InputError, match="expected one of 0-255, 0-1"):
        original_of(unit_model, data, preprocess="0-2")


def named_outputs() -> keras.Model:
    image = keras.Input((28, 28))
    hidden = layers.Dense(20)(layers.Flatten()(image))
    return keras.Model(image, {"first": layers.Dense(10)(hidden), "second": layers.Dense(10)(hidden)})


@pytest.mark.filterwarnings("ignore:You are saving a model")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: keras.Sequential([keras.Input((7, 9, 5)), layers.Flatten(), layers.Dense(10)]), r"\(N, 7, 9, 5\)"),
        (lambda: keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(26)]), "10 scores.*got 26"),
        (lambda: keras.Sequential([layers.Flatten(), layers.Dense(10)]), "not built"),
        (named_outputs, r"one output with 10 scores, got first \(N, 10\), second \(N, 10\)"),
    ],
    ids=["no image", "letters", "not built", "two outputs"],
)
def test_a_model_with_other_shapes_is_refused(tmp_path: Path, build: Callable[[], keras.Model], message: str) -> None:
    build().save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=message):
        load_network(tmp_path / "other.keras")


def test_python_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((28, 28)), layers.Lambda(lambda x: x / 255), *dense_layers()])
    for name in ("code.keras", "code.h5"):
        model.save(tmp_path / name)
        with pytest.raises(ModelError, match=r"has a Lambda layer.*model\.export\('FOLDER'\)"):
            load_network(tmp_path / name)


@keras.saving.register_keras_serializable("test")
class Halved(layers.Layer):
    """A layer of its author's own."""

    def call(self, x: object) -> object:
        return x * 0.5


def test_a_class_of_its_author_is_named_and_the_remedy_works(data: Dataset, tmp_path: Path) -> None:
    model = train_model(data, [Halved(), *dense_layers()], shape=(28, 28), scale=1 / 255)
    model.save(tmp_path / "own.keras")
    model.export(tmp_path / "graph", verbose=False)
    custom = keras.saving.get_custom_objects()
    kept = dict(custom)
    try:
        custom.clear()
        with pytest.raises(ModelError, match=r"it has Halved, of its author's own.*model\.export\('FOLDER'\)"):
            load_network(tmp_path / "own.keras")
    finally:
        custom.update(kept)
    assert original_of(tmp_path / "graph", data).trials[0].accuracy > 0.8


def test_a_file_of_weights_alone_is_told(unit_model: Path, tmp_path: Path) -> None:
    keras.saving.load_model(unit_model).save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(ModelError, match="weights alone"):
        load_network(tmp_path / "only.weights.h5")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_that_is_not_a_model_is_refused_in_one_line(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"broken\{suffix}: expected a model saved by Keras 3") as caught:
        load_network(path)
    assert "\n" not in str(caught.value)


def test_a_model_that_gives_nan_is_refused(data: Dataset, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
    model.set_weights([np.full_like(w, np.nan) for w in model.get_weights()])
    model.save(tmp_path / "nan.keras")
    with pytest.raises(ModelError, match="not finite"):
        original_of(tmp_path / "nan.keras", data)


def test_a_model_that_is_random_in_use_is_refused(data: Dataset) -> None:
    class Noise:
        shape = (784,)
        random = np.random.default_rng(0)

        def scores(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            return self.random.random((len(inputs), 10), np.float32)

    with pytest.raises(ModelError, match="got others the second time"):
        find_adapter(Noise(), *search_digits(data), path=Path("noise.h5"))


def exported(path: Path, data: Dataset, folder: Path, *recipes: str, lines: list[str] | None = None) -> ExportResult:
    return export(
        ModelSource(path=path, name="own"),
        choose_artifacts(list(recipes)),
        data,
        data_name="synthetic",
        target=folder / "own",
        limits=LOOSE,
        log=[].append if lines is None else lines.append,
    )


@pytest.mark.slow
def test_state_beyond_the_weights_reaches_every_file(data: Dataset, tmp_path: Path) -> None:
    normalization = layers.Normalization()
    normalization.adapt(data.x_train[..., None] / 255)
    model = train_model(
        data, [layers.Rescaling(1 / 255), normalization, layers.BatchNormalization(), *dense_layers()],
        shape=(28, 28, 1), scale=1,
    )  # fmt: skip
    model.save(tmp_path / "own.keras")
    own = model.predict(data.x_test[..., None].astype(np.float32), verbose=0)
    result = exported(tmp_path / "own.keras", data, tmp_path, "float16")
    assert result.bundle.manifest.reference_top1 == top1(own, data.y_test)
    assert {entry.top1 for name, entry in result.bundle.manifest.files.items() if "32" in name} == {
        top1(own, data.y_test)
    }


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_a_dtype_policy_is_told_and_its_copy_measured(policy: str, data: Dataset, tmp_path: Path) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        model = train_model(data, [layers.Rescaling(1 / 255), *dense_layers()], shape=(28, 28, 1), scale=1)
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "own.keras")
    lines: list[str] = []
    result = exported(tmp_path / "own.keras", data, tmp_path, "float16", lines=lines)
    assert any("computes in float32 in place of its own precision" in line for line in lines)
    assert result.violations == []
    assert not result.not_made


@pytest.mark.slow
def test_a_recurrent_model_gets_all_files_but_the_one_that_crashes_the_converter(data: Dataset, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = train_model(data, [layers.GRU(16), layers.Dense(10, activation="softmax")], shape=(28, 28), scale=1 / 255)
    model.save(tmp_path / "own.keras")
    lines: list[str] = []
    result = export(
        ModelSource(path=tmp_path / "own.keras", name="own", min_accuracy=0.0),
        choose_artifacts(["int8"]),
        data,
        data_name="synthetic",
        target=tmp_path / "own",
        limits={"agreement": 0.5, "top1_drop": 0.5},
        log=lines.append,
    )
    assert list(result.not_made) == ["model_int8.tflite"]
    assert "crashed" in result.not_made["model_int8.tflite"]
    assert sorted(result.bundle.manifest.files) == ["model_float32.onnx", "model_float32.tflite", "model_int8.onnx"]
    assert result.bundle.manifest.not_made == result.not_made
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_gelu_and_free_sizes_are_exported(data: Dataset, tmp_path: Path) -> None:
    body = [
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3, strides=2, activation="gelu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((None, None, 1)), *body])
    model.save(tmp_path / "own.keras")
    result = export(
        ModelSource(path=tmp_path / "own.keras", name="own", min_accuracy=0.0),
        choose_artifacts(["float16"]),
        data,
        data_name="synthetic",
        target=tmp_path / "own",
        log=lambda _: None,
    )
    assert not result.not_made
    assert result.violations == []


@pytest.mark.slow
def test_a_saved_model_is_exported_and_verified_again(unit_model: Path, data: Dataset, tmp_path: Path) -> None:
    keras.saving.load_model(unit_model).export(tmp_path / "graph", verbose=False)
    result = exported(tmp_path / "graph", data, tmp_path, "float16")
    assert result.bundle.manifest.reference == "original.zip"
    shutil.rmtree(tmp_path / "graph")
    results = verify_bundle(result.bundle, data, {})
    assert all(one.passed for one in results.values())
    assert result.bundle.manifest.origin.adapter.preprocessing == "0-1"


class Writing(CapturableResource):
    """A resource that writes a file when the model is loaded."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.StackV2(max_size=1, elem_type=tf.float32)

    def _initialize(self) -> None:
        tf.io.write_file(self.path, "x")


class Writer(tf.Module):
    """A model that writes a file in use, by a rare operator or by one that is called in a condition, or when loaded."""

    def __init__(self, how: str, path: str) -> None:
        super().__init__()
        self.how, self.path = how, path
        if how == "loaded":
            self.resource = Writing(path)

    @tf.function(input_signature=[tf.TensorSpec((None, 784), tf.float32)])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        if self.how == "used":
            tf.io.write_file(self.path, "x")
        if self.how == "rare":
            tf.raw_ops.Save(filename=self.path, tensor_names=["x"], data=[x])
        if self.how == "condition":
            tf.cond(tf.shape(x)[0] > 7, lambda: tf.print(x, output_stream=f"file://{self.path}"), tf.no_op)
        if self.how == "loaded":
            with tf.control_dependencies([tf.raw_ops.StackPushV2(handle=self.resource.resource_handle, elem=x)]):
                return x[:, :10]
        return x[:, :10]


@pytest.mark.parametrize(
    ("how", "operator"), [("used", "WriteFile"), ("rare", "Save"), ("condition", "PrintV2"), ("loaded", "WriteFile")]
)
def test_a_saved_model_that_touches_files_is_not_even_loaded(how: str, operator: str, tmp_path: Path) -> None:
    written = tmp_path / "written"
    module = Writer(how, str(written))
    tf.saved_model.save(module, str(tmp_path / "graph"), signatures=module.__call__)
    written.unlink(missing_ok=True)
    with pytest.raises(ModelError, match=rf"it contains .*\b{operator}\b.*is not loaded"):
        load_network(tmp_path / "graph")
    assert not written.exists()


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x00" * 100])
def test_a_damaged_saved_model_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(ModelError, match="expected a SavedModel") as caught:
        load_network(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_a_saved_model_is_packed_alone_with_any_date(where: str, unit_model: Path, tmp_path: Path) -> None:
    graph = tmp_path / "graph"
    keras.saving.load_model(unit_model).export(graph, verbose=False)
    (graph / "notes.txt").write_text("not of the model")
    for path in graph.rglob("*"):
        os.utime(path, (0, 0))
    target = (graph if where == "inside" else tmp_path) / "original.zip"
    pack_saved_model(graph, target)
    with zipfile.ZipFile(target) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} <= {
            "saved_model.pb", "fingerprint.pb", "variables", "assets",
        }  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of Keras's own ONNX export
def test_an_onnx_file_is_exported_as_onnx_alone(unit_model: Path, data: Dataset, tmp_path: Path) -> None:
    save_onnx(keras.saving.load_model(unit_model), tmp_path / "own.onnx")
    lines: list[str] = []
    result = exported(tmp_path / "own.onnx", data, tmp_path, "int8", lines=lines)
    assert sorted(result.bundle.manifest.files) == ["model_float32.onnx", "model_int8.onnx"]
    assert any("no .tflite file is made of a .onnx file" in line for line in lines)
    assert all(one.passed for one in verify_bundle(result.bundle, data, {}).values())
    with pytest.raises(ModelError, match=r"no \.tflite file is made of a \.onnx file"):
        export(
            ModelSource(path=tmp_path / "own.onnx", name="own"),
            [artifact for artifact in choose_artifacts([]) if artifact.format == "tflite"],
            data,
            data_name="synthetic",
            target=tmp_path / "other",
            log=lambda _: None,
        )


@pytest.mark.slow
def test_a_tflite_file_is_kept_as_it_is_with_its_adapter(unit_model: Path, data: Dataset, tmp_path: Path) -> None:
    content = tf.lite.TFLiteConverter.from_keras_model(keras.saving.load_model(unit_model)).convert()
    (tmp_path / "own.tflite").write_bytes(content)
    result = exported(tmp_path / "own.tflite", data, tmp_path)
    assert (result.bundle.path / "model_float32.tflite").read_bytes() == content
    assert result.bundle.manifest.files["model_float32.tflite"].adapter.preprocessing == "0-1"
    assert sorted(result.bundle.manifest.files) == ["model_float32.tflite", "model_int8.tflite"]
    model = load_model(result.bundle.path / "model_float32.tflite")
    assert top1(model.classifier.probabilities(data.x_test), data.y_test) == result.bundle.manifest.reference_top1
    assert all(one.passed for one in verify_bundle(result.bundle, data, {}).values())


def test_a_lone_file_of_other_people_is_loaded_with_the_golden_digits(unit_model: Path, tmp_path: Path) -> None:
    content = tf.lite.TFLiteConverter.from_keras_model(keras.saving.load_model(unit_model)).convert()
    (tmp_path / "own.tflite").write_bytes(content)
    lines: list[str] = []
    model = load_model(tmp_path / "own.tflite", log=lines.append)
    assert str(model.adapter.preprocessing) == "0-1"
    assert "0-1 reads" in lines[0]
    assert str(load_model(tmp_path / "own.tflite", preprocess="-1..1", force=True).adapter.preprocessing) == "-1..1"
    with pytest.raises(ModelError, match=r"0-255,inverted reads .* --preprocess, or use it anyway with --force"):
        load_model(tmp_path / "own.tflite", preprocess="0-255,inverted")


def test_the_text_of_a_preprocessing_is_parsed_again() -> None:
    for pixels in Pixels:
        one = Preprocessing(pixels=pixels, inverted=True, transposed=True)
        assert Preprocessing.parse(str(one)) == one
    for wrong in ("", "inverted", "0-1,0-255", "0-1,pad,crop", "0-1,inverted,inverted", "0-1;inverted"):
        with pytest.raises(InputError):
            Preprocessing.parse(wrong)


def test_the_contract_adapter_changes_nothing(contract_model: Path, data: Dataset) -> None:
    scores = load_classifier(contract_model, adapter=CONTRACT).probabilities(data.x_test)
    own = keras.saving.load_model(contract_model).predict(data.x_test[..., None].astype(np.float32), verbose=0)
    np.testing.assert_allclose(scores, own, atol=1e-6)
    assert fit_matrix(None, 28).tolist() == np.eye(28).tolist()


@pytest.mark.slow
def test_keeping_the_layer_at_fault_keeps_its_readers_where_that_is_needed(data: Dataset, tmp_path: Path) -> None:
    model = train_model(
        data,
        [
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(24, "relu", name="wide"),
            layers.Dense(16, "relu", name="reader"),
            layers.Dense(10, "softmax", name="last"),
        ],
        shape=(28, 28, 1),
        scale=1,
    )
    kernel, bias = model.get_layer("wide").get_weights()
    model.get_layer("wide").set_weights([kernel * [3000, *[1] * 23], bias * [3000, *[1] * 23]])
    kernel, bias = model.get_layer("reader").get_weights()
    model.get_layer("reader").set_weights([kernel / np.array([[3000], *[[1]] * 23]), bias])
    model.save(tmp_path / "own.keras")
    lines: list[str] = []
    result = export(
        ModelSource(path=tmp_path / "own.keras", name="own"),
        [replace(one, keep_float=("wide",)) for one in choose_artifacts(["int8"]) if one.recipe.calibrated],
        data,
        data_name="synthetic",
        target=tmp_path / "own",
        limits={"agreement": 0.98, "top1_drop": 0.02},
        log=lines.append,
    )
    assert result.violations == []
    assert {tuple(entry.keep_float) for entry in result.bundle.manifest.files.values()} == {("wide", "reader")}
    assert sum("because they read a kept layer" in line for line in lines) == 2


def test_a_fit_that_the_input_does_not_offer_is_refused(unit_model: Path, data: Dataset) -> None:
    with pytest.raises(InputError, match="expected none of pad, crop and resize for the input"):
        original_of(unit_model, data, preprocess="0-1,pad")
    with pytest.raises(InputError, match=r"expected a preprocessing for the input \(28, 28\), got imagenet"):
        original_of(unit_model, data, preprocess="imagenet")


def test_an_old_onnx_file_with_a_fixed_batch_is_wrapped_and_quantized(
    fixtures: Path, data: Dataset, tmp_path: Path
) -> None:
    model = onnx.load(fixtures / "foreign.onnx")
    model.ir_version = 3
    for tensor in (model.graph.input[0], model.graph.output[0]):
        tensor.type.tensor_type.shape.dim[0].dim_value = 4
    for constant in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(constant.name, 1, constant.dims))
    onnx.save(model, tmp_path / "old.onnx")
    original = original_of(tmp_path / "old.onnx", data)
    proto = load_convertible(tmp_path / "old.onnx", original.adapter)
    for artifact in (choose_artifacts([])[1], choose_artifacts(["int8"])[-1]):
        path = tmp_path / artifact.file_name
        path.write_bytes(convert_file(proto, artifact, data.x_train[:30]))
        scores = load_classifier(path).probabilities(data.x_test[:50])
        assert np.mean(scores.argmax(axis=1) == original.probabilities(data.x_test[:50]).argmax(axis=1)) > 0.9


def test_layers_of_a_tflite_file_cannot_be_kept_in_float(fixtures: Path) -> None:
    artifacts = [replace(one, keep_float=("dense",)) for one in choose_artifacts(["int8"]) if one.recipe.calibrated]
    with pytest.raises(InputError, match="Leave out --keep-float"):
        possible_artifacts(fixtures / "foreign.tflite", artifacts, lambda _: None)


def test_an_error_in_a_converter_process_is_named(unit_model: Path, data: Dataset, tmp_path: Path) -> None:
    artifact = choose_artifacts(["float16"])[-1]
    with Converter() as converter:
        converter.set_model(unit_model, None)
        failed = converter.convert({tmp_path / "missing" / "folder.tflite": Wanted(artifact, data.x_train[:1])})
    (reason,) = failed.values()
    assert "the converter ended with code 1: FileNotFoundError" in reason


def test_a_failed_conversion_on_a_nearly_full_disk_is_an_error_of_the_disk(
    unit_model: Path, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitedge.exporting.conversion.MIN_FREE_BYTES", shutil.disk_usage(tmp_path).total + 1)
    artifact = choose_artifacts(["float16"])[-1]
    with Converter() as converter:
        converter.set_model(unit_model, None)
        with pytest.raises(DigitEdgeError, match=r"expected [\d]+ MB of free space, got .* MB\. Delete files"):
            converter.convert({tmp_path / "missing" / "folder.tflite": Wanted(artifact, data.x_train[:1])})


def test_an_older_keras_loads_nothing(unit_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras, "__version__", "3.10.0")
    with pytest.raises(ModelError, match=r"expected Keras 3.13.2 or newer.* got 3.10.0"):
        load_network(unit_model)


def test_the_limit_in_the_help_is_that_of_the_search() -> None:
    assert export_cli.MIN_ACCURACY == MIN_ACCURACY
