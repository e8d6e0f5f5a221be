"""MACs, memory, operators and runtimes of .onnx files, against figures counted by hand."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from digitedge.benchmark.footprint import Footprint, read_footprint
from digitedge.errors import MissingExtraError, ModelError


def test_without_the_package_one_line_says_what_to_install(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError) as caught:
        read_footprint(fixtures / "good.onnx")
    assert str(caught.value) == "onnx, which reads .onnx files, is not installed. Run: pip install onnx"


onnx = pytest.importorskip("onnx")

Shape = Sequence[int | str]
OWN = ("com.microsoft", "my.domain")


def node(kind: str, inputs: str, output: str, domain: str = "", **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs.split(), output.split(), domain=domain, **attributes)


def value(name: str, shape: Shape, kind: str = "FLOAT") -> Any:
    return onnx.helper.make_tensor_value_info(name, getattr(onnx.TensorProto, kind), shape)


def stored(name: str, *shape: int) -> Any:
    size = 1
    for n in shape:
        size *= n
    return onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, shape, [0.0] * size)


def footprint_of(
    path: Path, nodes: Sequence[Any], x: Shape, y: Shape, *weights: Any, opset: int = 17, ir: int = 8, **more: Any
) -> Footprint:
    graph = onnx.helper.make_graph(nodes, "g", [value("x", x), *more.pop("inputs", [])], [value("y", y)], weights)
    domains = [onnx.helper.make_opsetid("", opset), *(onnx.helper.make_opsetid(name, 1) for name in OWN)]
    model = onnx.helper.make_model(graph, opset_imports=domains, ir_version=ir, **more)
    onnx.save(model, path / "a.onnx")
    return read_footprint(path / "a.onnx")


OPERATORS = {
    "Conv": ([node("Conv", "x w", "y")], (1, 4, 8, 8), (1, 16, 6, 6), [(16, 4, 3, 3)], 6 * 6 * 16 * 4 * 9),
    "Conv of two groups": (
        [node("Conv", "x w", "y", group=2)],
        (1, 4, 8, 8),
        (1, 16, 6, 6),
        [(16, 2, 3, 3)],
        6 * 6 * 16 * 2 * 9,
    ),
    "ConvTranspose": (
        [node("ConvTranspose", "x w", "y", strides=[2, 2])],
        (1, 24, 28, 28),
        (1, 4, 57, 57),
        [(24, 4, 3, 3)],
        28 * 28 * 24 * 4 * 9,
    ),
    "Gemm": ([node("Gemm", "x w", "y", transB=1)], (1, 784), (1, 10), [(10, 784)], 7840),
    "Gemm of a transposed input": ([node("Gemm", "x w", "y", transA=1)], (64, 1), (1, 10), [(64, 10)], 640),
    "MatMul": ([node("MatMul", "x w", "y")], (1, 28, 32), (1, 28, 8), [(32, 8)], 28 * 32 * 8),
    "LSTM": (
        [node("LSTM", "x w r", "all y", hidden_size=32)],
        (28, 1, 12),
        (1, 1, 32),
        [(1, 128, 12), (1, 128, 32)],
        28 * 128 * 44,
    ),
    "GRU": (
        [node("GRU", "x w r", "all y", hidden_size=32)],
        (28, 1, 12),
        (1, 1, 32),
        [(1, 96, 12), (1, 96, 32)],
        28 * 96 * 44,
    ),
    "Softmax": ([node("Softmax", "x", "y")], (1, 10), (1, 10), [], 0),
}


@pytest.mark.parametrize("case", OPERATORS)
def test_macs_of_each_operator_are_those_counted_by_hand(tmp_path: Path, case: str) -> None:
    nodes, x, y, shapes, expected = OPERATORS[case]
    weights = [stored(name, *shape) for name, shape in zip("wr", shapes, strict=False)]
    footprint = footprint_of(tmp_path, nodes, x, y, *weights)
    assert (footprint.macs, footprint.macs_complete) == (expected, True)
    assert footprint.arena_bytes is None


def test_an_open_batch_counts_as_one_image_and_a_fixed_one_is_shared_out(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "h"), node("Relu", "h", "y")]
    for batch in ("N", 16):
        footprint = footprint_of(tmp_path, nodes, (batch, 784), (batch, 10), stored("w", 784, 10))
        assert footprint.macs == 7840
        images = 16 if batch == 16 else 1
        assert footprint.batch == images
        assert footprint.peak_activation_bytes == images * 4 * (784 + 10)


def test_weights_that_are_dequantized_take_no_memory_of_activations(tmp_path: Path) -> None:
    scale = onnx.helper.make_tensor("s", onnx.TensorProto.FLOAT, (), [1.0])
    weights = onnx.helper.make_tensor("q", onnx.TensorProto.INT8, (784, 10), [0] * 7840)
    nodes = [node("DequantizeLinear", "q s", "w"), node("MatMul", "x w", "y")]
    footprint = footprint_of(tmp_path, nodes, (1, 784), (1, 10), scale, weights)
    assert (footprint.macs, footprint.peak_activation_bytes) == (7840, 4 * 794)


def test_what_cannot_be_counted_is_named(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "h"), node("Strange", "h", "i", "my.domain"), node("MatMul", "i v", "y")]
    footprint = footprint_of(tmp_path, nodes, (1, 784), (1, 10), stored("w", 784, 10), stored("v", 10, 10))
    assert (footprint.macs, footprint.macs_complete, footprint.memory_complete) == (7840, False, False)
    assert footprint.notes == [
        "MACs do not count my.domain.Strange x 1, MatMul x 1",
        "memory is without 1 tensors of unknown size",
    ]
    (runtime,) = footprint.runtimes
    assert runtime.text() == "ONNX Runtime: unknown (only with an extension for my.domain.Strange)"


def test_of_two_branches_the_costlier_one_counts_with_what_it_reads_outside(tmp_path: Path) -> None:
    dense = onnx.helper.make_graph([node("MatMul", "h w", "d")], "then", [], [value("d", (1, 10))])
    short = onnx.helper.make_graph([node("Identity", "v", "e")], "else", [], [value("e", (1, 10))])
    nodes = [
        node("Relu", "x", "h"),
        node("If", "c", "y", then_branch=dense, else_branch=short),
    ]
    weights = [stored("w", 784, 10), stored("v", 1, 10)]
    footprint = footprint_of(tmp_path, nodes, (1, 784), (1, 10), *weights, inputs=[value("c", (), "BOOL")])
    assert (footprint.macs, footprint.macs_complete) == (7840, True)
    # In the branch: h is alive, because the branch reads it; the results of the branch and of If; the condition.
    assert footprint.peak_activation_bytes == max(2 * 4 * 784 + 1, 4 * 784 + 2 * 4 * 10 + 1)


def test_a_scan_is_counted_as_often_as_it_runs(tmp_path: Path) -> None:
    body = onnx.helper.make_graph(
        [node("MatMul", "row w", "out"), node("Identity", "state", "next")],
        "body",
        [value("state", (1,)), value("row", (1, 28))],
        [value("next", (1,)), value("out", (1, 5))],
    )
    nodes = [node("Scan", "s x", "last y", body=body, num_scan_inputs=1)]
    footprint = footprint_of(tmp_path, nodes, (30, 1, 28), (30, 1, 5), stored("w", 28, 5), stored("s", 1))
    assert (footprint.macs * footprint.batch, footprint.macs_complete) == (30 * 28 * 5, True)
    assert footprint.notes == ["a call takes 30 images: MACs are those of one, memory is that of the call"]


def test_operators_have_the_version_of_their_opset(tmp_path: Path) -> None:
    footprint = footprint_of(
        tmp_path,
        [node("Relu", "x", "h"), node("Conv", "h w", "y")],
        (1, 1, 3, 3),
        (1, 1, 1, 1),
        stored("w", 1, 1, 3, 3),
    )
    assert [(use.name, use.version) for use in footprint.operators] == [("Conv", 11), ("Relu", 14)]
    assert footprint.opsets == {"ai.onnx": 17, "com.microsoft": 1, "my.domain": 1}


@pytest.mark.parametrize(
    ("opset", "ir", "expected"),
    [
        (17, 8, "from 1.12 (opset 17, IR version 8)"),
        (13, 9, "from 1.16 (opset 13, IR version 9)"),
        (22, 10, "from 1.21 (opset 22, IR version 10)"),
        (24, 10, "from 1.24 (opset 24, IR version 10)"),
    ],
)
def test_the_oldest_onnx_runtime_knows_opset_and_format(tmp_path: Path, opset: int, ir: int, expected: str) -> None:
    footprint = footprint_of(tmp_path, [node("Relu", "x", "y")], (1, 3), (1, 3), opset=opset, ir=ir)
    assert footprint.runtimes[0].text() == f"ONNX Runtime: {expected}"


def test_its_own_operators_are_those_of_onnx_runtime_alone(tmp_path: Path) -> None:
    footprint = footprint_of(tmp_path, [node("QuickGelu", "x", "y", "com.microsoft")], (1, 3), (1, 3))
    assert footprint.runtimes[0].minimum == "1.12"
    assert footprint.runtimes[0].reason.endswith("; com.microsoft.QuickGelu: its own, which other runtimes lack")


@pytest.mark.parametrize("bundle", ["cnn", "small"])
def test_released_files_have_the_macs_of_their_manifest(released: Path, bundle: str) -> None:
    folder = released.parent / bundle
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in manifest["files"].items():
        if name.endswith(".onnx"):
            footprint = read_footprint(folder / name)
            assert footprint.macs == manifest["macs"]
            assert sorted({use.name for use in footprint.operators}) == entry["ops"]
            assert footprint.macs_complete and footprint.memory_complete


def test_a_damaged_file_is_refused(fixtures: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    for content in (b"", b"no model", (fixtures / "good.onnx").read_bytes()[:500]):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"a\.onnx: expected an ONNX "):
            read_footprint(path)
