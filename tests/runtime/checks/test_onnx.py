"""The check of ONNX files."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from digitedge.errors import ModelError
from digitedge.runtime import load_classifier
from digitedge.runtime.checks.onnx import check_onnx
from digitedge.runtime.checks.onnx_wire import count_fields
from digitedge.runtime.load import load_network
from digitedge.runtime.onnx import open_session

ROOT = Path(__file__).parents[3]
FILES = sorted([*ROOT.glob("export/*/*.onnx"), *ROOT.glob("tests/fixtures/*.onnx")])
SMALL = ROOT / "export" / "small" / "model_float32.onnx"
FOREIGN = ROOT / "tests" / "fixtures" / "foreign.onnx"
Lie = Callable[[Any], object]


def find_unknown(path: Path, lie: Lie, folder: Path) -> str | None:
    model = onnx.load(path)
    lie(model)
    return check_onnx(model.SerializeToString(), folder / "model.onnx", weights_beside=False)[1]


def node(model: Any, kind: str) -> Any:
    return next(one for one in model.graph.node if one.op_type == kind)


def set_ints(model: Any, kind: str, name: str, *values: int) -> None:
    found = next(one for one in node(model, kind).attribute if one.name == name)
    found.ints[:] = values


def weight(model: Any) -> Any:
    return max(model.graph.initializer, key=lambda one: len(one.raw_data))


def last_weights(model: Any) -> Any:
    name = node(model, "MatMul").input[1]
    return next(one for one in model.graph.initializer if one.name == name)


def add_node(model: Any, kind: str, **attributes: Any) -> None:
    """Put an operator before the first one."""
    first = model.graph.node[0]
    model.graph.node.insert(0, helper.make_node(kind, [first.input[0]], ["added"], **attributes))
    first.input[0] = "added"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_files_hold_and_need_no_trial(path: Path) -> None:
    content = path.read_bytes()
    assert check_onnx(content, path, weights_beside=False) == (content, None)


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda m: m.ClearField("graph"), id="no graph"),
        pytest.param(lambda m: set_ints(m, "Conv", "strides", 0, 0), id="stride 0"),
        pytest.param(lambda m: set_ints(m, "Conv", "pads", -9, 0, 0, 0), id="negative padding"),
        pytest.param(lambda m: set_ints(m, "MaxPool", "kernel_shape", 1 << 40, 2), id="huge window"),
        pytest.param(lambda m: weight(m).dims.__setitem__(0, 1 << 40), id="huge weights"),
        pytest.param(lambda m: weight(m).dims.__setitem__(0, -1), id="negative size"),
        pytest.param(lambda m: weight(m).__setattr__("raw_data", b"1234"), id="weights cut short"),
        pytest.param(lambda m: weight(m).__setattr__("data_type", 77), id="unknown number type"),
        pytest.param(lambda m: node(m, "Conv").input.__setitem__(0, "nothing"), id="input that nobody makes"),
        pytest.param(lambda m: node(m, "Conv").output.__setitem__(0, m.graph.input[0].name), id="output of the input"),
        pytest.param(lambda m: m.graph.node.extend([node(m, "Relu")] * 30_000), id="many operators"),
    ],
)
def test_a_lie_is_refused(lie: Lie, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected an ONNX model of a digit classifier, got another file: "):
        find_unknown(SMALL, lie, tmp_path)


@pytest.mark.parametrize(
    ("lie", "unknown"),
    [
        (lambda m: add_node(m, "NonZero"), "an operator without a rule"),
        (lambda m: add_node(m, "Erf", domain="org.somebody"), "an operator without a rule"),
        (lambda m: last_weights(m).dims.reverse(), "shapes that do not fit"),
        (lambda m: m.functions.add(name="f", domain="d"), "functions"),
    ],
)
def test_what_is_not_known_wants_a_trial(lie: Lie, unknown: str, tmp_path: Path) -> None:
    found = find_unknown(SMALL, lie, tmp_path)
    assert found is not None
    assert unknown in found


def test_large_results_want_a_trial(tmp_path: Path) -> None:
    def lie(model: Any) -> None:
        """An outer product: a column of 30,000 numbers times a row of as many."""
        for name, shape in (("column", (30_000, 1)), ("row", (1, 30_000))):
            model.graph.initializer.append(numpy_helper.from_array(np.ones(shape, np.float32), name))
        model.graph.node.append(helper.make_node("MatMul", ["column", "row"], ["large"]))

    assert find_unknown(FOREIGN, lie, tmp_path) == "very large results"


def test_memory_bomb_is_refused_by_its_trial(tmp_path: Path) -> None:
    model = onnx.load(FOREIGN)
    model.graph.initializer.append(numpy_helper.from_array(np.array([1 << 16, 1 << 14], np.int64), "sizes"))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sizes"], ["bomb"]))
    model.graph.output.append(helper.make_tensor_value_info("bomb", TensorProto.FLOAT, [1 << 16, 1 << 14]))
    path = tmp_path / "bomb.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"bomb\.onnx: tried in a process of its own"):
        load_network(path)


def save_with_weights_beside(folder: Path, location: str | None = None) -> Path:
    folder.mkdir()
    model = onnx.load(FOREIGN)
    onnx.save(model, folder / "model.onnx", save_as_external_data=True, location="model.data", size_threshold=0)
    if location is not None:
        model = onnx.load(folder / "model.onnx", load_external_data=False)
        for tensor in model.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = location
        (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx"


def test_weights_in_a_file_beside_are_read(tmp_path: Path) -> None:
    path = save_with_weights_beside(tmp_path / "model")
    network, whole = load_network(path), load_network(FOREIGN)
    images = np.random.default_rng(0).random((3, *network.shape), np.float32)
    assert np.array_equal(network.scores(images), whole.scores(images))


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "..", "", "a/b", "link", "pipe", "missing"])
def test_weights_elsewhere_are_refused(location: str, tmp_path: Path) -> None:
    path = save_with_weights_beside(tmp_path / "model", location)
    (tmp_path / "secret").write_bytes(bytes(1_000_000))
    (path.parent / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(path.parent / "pipe")
    with pytest.raises(ModelError):
        load_network(path)


def test_short_weights_are_refused(tmp_path: Path) -> None:
    path = save_with_weights_beside(tmp_path / "model")
    data = path.parent / "model.data"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"model\.data is too short"):
        load_network(path)


def test_weights_beside_are_refused_where_a_hash_is_given(tmp_path: Path) -> None:
    path = save_with_weights_beside(tmp_path / "model")
    with pytest.raises(ModelError, match="expected all weights in the file"):
        load_network(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_another_hash_is_refused() -> None:
    with pytest.raises(ModelError, match=r"expected sha256 0123\.\.\. as in its manifest"):
        load_classifier(SMALL, sha256="0123")


def test_sizes_that_are_computed_from_the_image_are_refused(tmp_path: Path) -> None:
    def lie(model: Any) -> None:
        """On a white image, this makes gigabytes of zeros."""
        name = model.graph.input[0].name
        model.graph.node.insert(0, helper.make_node("Cast", [name], ["whole"], to=TensorProto.INT64))
        model.graph.node.insert(1, helper.make_node("ReduceMax", ["whole"], ["largest"], keepdims=0))
        model.graph.node.insert(2, helper.make_node("ConstantOfShape", ["largest"], ["zeros"]))

    with pytest.raises(ModelError, match="ConstantOfShape whose size or length is computed from the image"):
        find_unknown(FOREIGN, lie, tmp_path)


def test_loops_without_a_number_of_rounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a Loop without a number of rounds"):
        find_unknown(
            FOREIGN, lambda model: model.graph.node.insert(0, helper.make_node("Loop", ["", "x"], ["y"])), tmp_path
        )


def test_empty_nodes_are_counted_before_they_are_made(tmp_path: Path) -> None:
    nodes = b"\x0a\x00" * 300_000
    content = b"\x3a" + _varint(len(nodes)) + nodes
    with pytest.raises(ModelError, match="expected at most 200,000 parts, got more"):
        check_onnx(content, tmp_path / "model.onnx", weights_beside=False)
    assert count_fields(SMALL.read_bytes()) < 5_000


def _varint(value: int) -> bytes:
    parts = []
    while value:
        parts.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
    return bytes(parts)


def test_inputs_whose_size_is_open_want_a_trial(tmp_path: Path) -> None:
    def lie(model: Any) -> None:
        for size in model.graph.input[0].type.tensor_type.shape.dim:
            size.Clear()

    assert find_unknown(FOREIGN, lie, tmp_path) == "an input whose size is left open"


def test_many_crops_are_scored_in_parts() -> None:
    classifier = load_classifier(SMALL)
    crops = np.random.default_rng(0).integers(0, 256, (150, 28, 28), np.uint8)
    single = np.concatenate([classifier.probabilities(crops[n : n + 1]) for n in range(150)])
    assert np.allclose(classifier.probabilities(crops), single, atol=1e-5)


def test_what_was_only_tried_scores_one_image_at_a_time(tmp_path: Path) -> None:
    """The memory of a larger batch is unknown."""
    model = onnx.load(FOREIGN)
    add_node(model, "Softsign")
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert [open_session(one, threads=1)[1] for one in (FOREIGN, path, path)] == [64, 1, 1]
    network = load_network(path)
    images = np.random.default_rng(0).random((3, *network.shape), np.float32)
    single = np.concatenate([network.scores(images[n : n + 1]) for n in range(3)])
    assert np.array_equal(network.scores(images), single)
