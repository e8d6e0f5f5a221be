"""The check of TFLite files: well-formed files that lie about themselves, of kinds on which LiteRT crashes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_files import G, Op, T, constant, number, write_tflite

from digitedge.errors import ModelError
from digitedge.runtime import load_classifier
from digitedge.runtime.checks.tflite import check_tflite

ROOT = Path(__file__).parents[3]
FILES = sorted([*ROOT.glob("export/*/*.tflite"), *ROOT.glob("tests/fixtures/*.tflite")])
SMALL = ROOT / "export" / "small" / "model_int8.tflite"
FLOAT = ROOT / "export" / "small" / "model_float32.tflite"
GOOD = ROOT / "tests" / "fixtures" / "good.tflite"
Lie = Callable[[Any, Any], object]


def find_unknown(content: bytes, path: Path) -> str | None:
    return check_tflite(content, path)[1]


def lie_about(path: Path, lie: Lie) -> bytes:
    """The content of a file, in which `lie` has changed the model and its graph."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    lie(model, model.subgraphs[0])
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operator(model: Any, name: str) -> Any:
    code = getattr(schema.BuiltinOperator, name)
    codes = [max(one.builtinCode, one.deprecatedBuiltinCode) for one in model.operatorCodes]
    return next(one for one in model.subgraphs[0].operators if codes[one.opcodeIndex] == code)


def tensor_of(model: Any, name: str, side: str, place: int = 0) -> Any:
    return model.subgraphs[0].tensors[getattr(operator(model, name), side)[place]]


def set_to(owner: Any, field: str, value: Any) -> None:
    assert hasattr(owner, field)
    setattr(owner, field, value)


def set_at(array: Any, place: int, value: int) -> Any:
    changed = np.array(array)
    changed[place] = value
    return changed


def set_input(model: Any, name: str, place: int, index: int) -> None:
    one = operator(model, name)
    one.inputs = set_at(one.inputs, place, index)


def change_constant(model: Any, name: str, place: int, value: int) -> None:
    """Put a value into the constant integers that an operator takes as arguments."""
    buffer = model.buffers[tensor_of(model, name, "inputs", place).buffer]
    buffer.data = set_at(np.array(buffer.data).view(np.int32), 0, value).view(np.uint8)


def swap_code(model: Any, name: str, other: str) -> None:
    code = model.operatorCodes[operator(model, name).opcodeIndex]
    code.builtinCode = getattr(schema.BuiltinOperator, other)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)


def options(model: Any, name: str) -> Any:
    return operator(model, name).builtinOptions


LIES: dict[str, tuple[Path, Lie]] = {
    "no graph": (SMALL, lambda m, g: m.subgraphs.clear()),
    "input -1": (GOOD, lambda m, g: set_input(m, "MUL", 0, -1)),
    "shape -1": (GOOD, lambda m, g: set_input(m, "RESHAPE", 1, -1)),
    "input behind the last": (SMALL, lambda m, g: set_input(m, "CONV_2D", 0, 10_000)),
    "input that comes later": (SMALL, lambda m, g: set_input(m, "CONV_2D", 0, int(g.outputs[0]))),
    "output is a constant": (FLOAT, lambda m, g: set_to(operator(m, "MEAN"), "outputs", np.array([1], np.int32))),
    "output -1": (SMALL, lambda m, g: set_to(operator(m, "MEAN"), "outputs", np.array([-1], np.int32))),
    "output of the input": (GOOD, lambda m, g: set_to(operator(m, "MUL"), "outputs", operator(m, "MUL").inputs[:1])),
    "three inputs": (GOOD, lambda m, g: set_to(operator(m, "SOFTMAX"), "inputs", np.array([0, 0, 0], np.int32))),
    "graph without output": (SMALL, lambda m, g: set_to(g, "outputs", np.array([], np.int32))),
    "graph gives a weight": (SMALL, lambda m, g: set_to(g, "outputs", np.array([2], np.int32))),
    "huge output": (SMALL, lambda m, g: set_to(tensor_of(m, "CONV_2D", "outputs"), "shape", [1, 28, 1 << 24, 16])),
    "large output": (FLOAT, lambda m, g: set_to(tensor_of(m, "MAX_POOL_2D", "outputs"), "shape", [1, 14, 15, 16])),
    "negative size": (SMALL, lambda m, g: set_to(tensor_of(m, "CONV_2D", "outputs"), "shape", [1, 28, -28, 16])),
    "weights of another shape": (
        SMALL,
        lambda m, g: set_to(tensor_of(m, "FULLY_CONNECTED", "inputs", 1), "shape", [5, 64]),
    ),
    "float output of integers": (SMALL, lambda m, g: set_to(tensor_of(m, "CONV_2D", "outputs"), "type", 0)),
    "float weights of integers": (SMALL, lambda m, g: set_to(tensor_of(m, "CONV_2D", "inputs", 1), "type", 0)),
    "buffer behind the last": (SMALL, lambda m, g: set_to(g.tensors[3], "buffer", 10_000)),
    "buffer cut short": (SMALL, lambda m, g: set_to(m.buffers[g.tensors[2].buffer], "data", np.zeros(3, np.uint8))),
    "scale of NaN": (
        SMALL,
        lambda m, g: set_to(tensor_of(m, "MEAN", "outputs").quantization, "scale", np.array([np.nan], np.float32)),
    ),
    "too many scales": (
        SMALL,
        lambda m, g: set_to(
            tensor_of(m, "FULLY_CONNECTED", "inputs", 1),
            "quantization",
            schema.QuantizationParametersT(scale=np.full(11, 0.1, np.float32), zeroPoint=np.zeros(11, np.int64)),
        ),
    ),
    "zero point out of range": (
        SMALL,
        lambda m, g: set_to(tensor_of(m, "MEAN", "outputs").quantization, "zeroPoint", np.array([1 << 40], np.int64)),
    ),
    "scales along another dimension": (
        SMALL,
        lambda m, g: set_to(tensor_of(m, "CONV_2D", "inputs", 1).quantization, "quantizedDimension", 7),
    ),
    "stride 0": (FLOAT, lambda m, g: set_to(options(m, "CONV_2D"), "strideH", 0)),
    "huge dilation": (FLOAT, lambda m, g: set_to(options(m, "CONV_2D"), "dilationWFactor", 1 << 30)),
    "window of 0": (FLOAT, lambda m, g: set_to(options(m, "MAX_POOL_2D"), "filterHeight", 0)),
    "negative window": (FLOAT, lambda m, g: set_to(options(m, "MAX_POOL_2D"), "filterWidth", -2)),
    "another multiplier": (FLOAT, lambda m, g: set_to(options(m, "DEPTHWISE_CONV_2D"), "depthMultiplier", 9)),
    "unknown padding": (FLOAT, lambda m, g: set_to(options(m, "CONV_2D"), "padding", 7)),
    "dimensions that are kept": (
        FLOAT,
        lambda m, g: set_to(options(m, "MEAN"), "keepDims", not options(m, "MEAN").keepDims),
    ),
    "a mean over dimension 9": (FLOAT, lambda m, g: change_constant(m, "MEAN", 1, 9)),
    "a reshape to 5": (GOOD, lambda m, g: change_constant(m, "RESHAPE", 1, 5)),
    "options of another operator": (
        FLOAT,
        lambda m, g: (
            set_to(operator(m, "MEAN"), "builtinOptions", schema.Pool2DOptionsT())
            or set_to(operator(m, "MEAN"), "builtinOptionsType", 5)
        ),
    ),
    "another operator": (SMALL, lambda m, g: swap_code(m, "MEAN", "CONV_2D")),
    "code behind the last": (SMALL, lambda m, g: set_to(operator(m, "MEAN"), "opcodeIndex", 1000)),
    "operators in another order": (SMALL, lambda m, g: g.operators.reverse()),
    "signature of another tensor": (SMALL, lambda m, g: set_to(m.signatureDefs[0].inputs[0], "tensorIndex", 9999)),
    "signature of another graph": (SMALL, lambda m, g: set_to(m.signatureDefs[0], "subgraphIndex", 3)),
    "long name": (GOOD, lambda m, g: set_to(g.tensors[0], "name", b"x" * 100_000)),
    "many signatures": (GOOD, lambda m, g: m.signatureDefs.extend(m.signatureDefs * 100)),
    "many operators": (GOOD, lambda m, g: g.operators.extend([g.operators[0]] * 20_000)),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_files_hold_and_need_no_trial(path: Path) -> None:
    assert find_unknown(path.read_bytes(), path) is None


@pytest.mark.parametrize(("path", "lie"), LIES.values(), ids=LIES.keys())
def test_a_lie_is_refused_before_native_code_sees_it(path: Path, lie: Lie, tmp_path: Path) -> None:
    assert find_unknown(lie_about(path, lambda model, graph: None), path) is None
    with pytest.raises(ModelError, match="expected a TFLite model of a digit classifier, got another file: ") as caught:
        find_unknown(lie_about(path, lie), tmp_path / "lie.tflite")
    assert "damaged" not in str(caught.value)


def test_one_wrong_byte_is_refused(tmp_path: Path) -> None:
    content = bytearray((ROOT / "export/cnn/model_int8.tflite").read_bytes())
    assert content[66011] not in (3, 7), "the released file has changed: choose another place, as the next test does"
    for value in (3, 7):
        content[66011] = value
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"model\.tflite: "):
            load_classifier(path)


def test_random_bytes_are_refused_or_hold(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = GOOD.read_bytes()
    found = set()
    for _ in range(400):
        content = np.frombuffer(good, np.uint8).copy()
        content[rng.integers(0, len(content), rng.integers(1, 4))] = rng.integers(0, 256)
        try:
            found.add(find_unknown(content.tobytes(), GOOD) or "holds")
        except ModelError:
            found.add("refused")
    assert {"holds", "refused"} <= found
    for length in (0, 3, 8, 100, len(good) // 2):
        with pytest.raises(ModelError, match="got another file"):
            find_unknown(good[:length], GOOD)


@pytest.mark.parametrize(
    ("lie", "unknown"),
    [
        (lambda m, g: swap_code(m, "SOFTMAX", "STABLEHLO_ADD"), "the operator STABLEHLO_ADD"),
        (lambda m, g: m.subgraphs.append(g), "several graphs"),
        (lambda m, g: set_to(g.tensors[1], "isVariable", True), "tensors that are variable"),
        (lambda m, g: set_to(tensor_of(m, "SOFTMAX", "outputs"), "type", 5), "number type 5"),
        (lambda m, g: set_to(options(m, "SOFTMAX"), "beta", 1e9), "softmax of an unusual sharpness"),
    ],
)
def test_what_is_not_known_wants_a_trial(lie: Lie, unknown: str) -> None:
    found = find_unknown(lie_about(GOOD, lie), GOOD)
    assert found is not None
    assert unknown in found


def test_custom_operators_are_refused_by_name() -> None:
    def lie(model: Any, graph: Any) -> None:
        swap_code(model, "SOFTMAX", "CUSTOM")
        model.operatorCodes[operator(model, "CUSTOM").opcodeIndex].customCode = b"FlexErf\x1b[2J"

    with pytest.raises(ModelError, match=r"it needs the operator FlexErf\\x1b\[2J of TensorFlow"):
        find_unknown(lie_about(GOOD, lie), GOOD)


def written(tmp_path: Path, *graphs: G) -> tuple[bytes, Path]:
    path = write_tflite(tmp_path / "model.tflite", *graphs)
    return path.read_bytes(), path


@pytest.mark.parametrize(
    ("graph", "unknown"),
    [
        pytest.param(
            G([T(()), T(())], [Op("LOG_SOFTMAX", [0], [1], options_type="LogSoftmaxOptions")]),
            "single numbers",
            id="log_softmax of a number",
        ),
        pytest.param(
            G(
                [T((1, 4)), T((1, 4)), constant(9, dtype="float32"), T((9,))],
                [Op("RELU", [0], [1]), Op("RELU", [2], [3])],
                outputs=(1, 3),
            ),
            "constants",
            id="relu of a constant",
        ),
        pytest.param(
            G(
                [T((1, 128, 128, 1)), constant(1, 200, 200, 1), constant(1), T((1, 128, 128, 1))],
                [
                    Op(
                        "CONV_2D",
                        [0, 1, 2],
                        [3],
                        options=dict(strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1),
                        options_type="Conv2DOptions",
                    )
                ],
            ),
            "very many windows",
            id="large windows",
        ),
        pytest.param(
            G([T((1, 10_000_000)), T((1, 10_000_000))], [Op("RELU", [0], [1])]), "large tensors", id="large tensors"
        ),
    ],
)
def test_what_kernels_prepare_in_their_own_way_wants_a_trial(graph: G, unknown: str, tmp_path: Path) -> None:
    found = find_unknown(*written(tmp_path, graph))
    assert found is not None
    assert unknown in found


def test_weights_count_for_each_operator_that_packs_them(tmp_path: Path) -> None:
    tensors = [T((1, 1000)), constant(1000, 1000), *[T((1, 1000)) for _ in range(20)]]
    layers = [Op("FULLY_CONNECTED", [0, 1, -1], [2 + n], options_type="FullyConnectedOptions") for n in range(20)]
    graph = G(tensors, layers, outputs=tuple(range(2, 22)))
    assert find_unknown(*written(tmp_path, graph)) == "large weights"


def test_sizes_that_are_computed_from_the_image_are_refused(tmp_path: Path) -> None:
    """On an image with one white pixel, this fills a tensor of gigabytes."""
    tensors = [T((1, 784)), T((1, 784), "int32"), number(1), T((), "int32"), constant(), T((1,))]
    fill = [
        Op("CAST", [0], [1], options_type="CastOptions"),
        Op("REDUCE_MAX", [1, 2], [3], options_type="ReducerOptions"),
        Op("FILL", [3, 4], [5], options_type="FillOptions"),
    ]
    with pytest.raises(ModelError, match="REDUCE_MAX with whole numbers that are computed from the image"):
        find_unknown(*written(tmp_path, G(tensors, fill)))


def test_sizes_that_are_computed_from_shapes_want_a_trial(tmp_path: Path) -> None:
    """As in files of Keras whose batch is free."""
    tensors = [T((1, 28, 28)), T((3,), "int32"), T((1, 28, 28))]
    reshape = [
        Op("SHAPE", [0], [1], options_type="ShapeOptions"),
        Op("RESHAPE", [0, 1], [2], options_type="ReshapeOptions"),
    ]
    assert "SHAPE" in (find_unknown(*written(tmp_path, G(tensors, reshape))) or "")


def test_weights_that_are_computed_want_a_trial(tmp_path: Path) -> None:
    """LiteRT does not end on a depthwise convolution whose weights come from the image."""
    tensors = [T((1, 1, 1, 4)), T((1, 1, 1, 4)), constant(4), T((1, 1, 1, 4))]
    options = dict(padding=1, strideH=1, strideW=1, depthMultiplier=1, dilationHFactor=1, dilationWFactor=1)
    layers = [
        Op("RELU", [0], [1]),
        Op("DEPTHWISE_CONV_2D", [0, 1, 2], [3], options=options, options_type="DepthwiseConv2DOptions"),
    ]
    assert find_unknown(*written(tmp_path, G(tensors, layers, outputs=(3,)))) == "weights that are computed"
