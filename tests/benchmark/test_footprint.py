"""MACs, memory, operators and runtimes of .tflite files, against figures counted by hand and by TFLite Micro."""

import json
import random
import sys
from pathlib import Path

import pytest
from tflite_files import G, Op, T, constant, number, write_tflite

from digitedge.benchmark.footprint import Footprint, read_footprint
from digitedge.benchmark.footprint.graph import BITS
from digitedge.benchmark.footprint.memory import Buffer, peak_bytes, plan_arena
from digitedge.benchmark.footprint.tflite import TFLiteGraphs
from digitedge.errors import MissingExtraError, ModelError

# The head of the arena as tflite-micro 0.dev20261023182759 reports it (pip install tflite-micro):
# runtime.Interpreter.from_file(path, arena_size=4_000_000).print_allocations()
MEASURED_ARENA = {
    ("cnn", "float32"): 94_080,
    ("cnn", "int8"): 37_632,
    ("small", "float32"): 31_360,
    ("small", "int8"): 12_544,
}


@pytest.fixture
def export(released: Path) -> Path:
    return released.parent


def single(path: Path, operator: Op, *tensors: T) -> Footprint:
    """Return the footprint of a file with one operator."""
    return read_footprint(write_tflite(path / "one.tflite", G(tensors, [operator])))


OPERATORS = {
    "CONV_2D": ([T((1, 8, 8, 4)), constant(16, 3, 3, 4), T((1, 6, 6, 16))], 6 * 6 * 16 * 3 * 3 * 4),
    "CONV_2D of two groups": ([T((1, 8, 8, 4)), constant(16, 3, 3, 2), T((1, 6, 6, 16))], 6 * 6 * 16 * 3 * 3 * 2),
    "DEPTHWISE_CONV_2D": ([T((1, 8, 8, 4)), constant(1, 5, 5, 4), T((1, 4, 4, 4))], 4 * 4 * 4 * 5 * 5),
    "TRANSPOSE_CONV": (
        [number(0), constant(4, 3, 3, 24), T((1, 28, 28, 24)), T((1, 56, 56, 4))],
        28 * 28 * 24 * 3 * 3 * 4,
    ),
    "CONV_3D": ([T((1, 4, 8, 8, 2)), constant(3, 3, 3, 2, 5), T((1, 2, 6, 6, 5))], 2 * 6 * 6 * 5 * 27 * 2),
    "CONV_3D_TRANSPOSE": (
        [number(0), constant(2, 2, 2, 5, 3), T((1, 2, 4, 4, 3)), T((1, 4, 8, 8, 5))],
        2 * 4 * 4 * 3 * 8 * 5,
    ),
    "FULLY_CONNECTED": ([T((1, 784)), constant(10, 784), T((1, 10))], 7840),
    "FULLY_CONNECTED of int4 weights": ([T((1, 64)), constant(10, 64, dtype="int4"), T((1, 10))], 640),
    "FULLY_CONNECTED at 28 places": ([T((1, 28, 32)), constant(8, 32), T((1, 28, 8))], 28 * 32 * 8),
    "BATCH_MATMUL": ([T((1, 2, 28, 16)), T((1, 2, 16, 20)), T((1, 2, 28, 20))], 2 * 28 * 20 * 16),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (
        [T((1, 28, 12)), constant(32, 12), constant(32, 32), constant(32), T((1, 32), variable=True), T((1, 28, 32))],
        28 * (32 * 12 + 32 * 32),
    ),
    "SVDF": (
        [T((1, 40)), constant(64, 40), constant(64, 10), constant(64), T((1, 640), variable=True), T((1, 64))],
        64 * 40 + 64 * 10,
    ),
    "SOFTMAX": ([T((1, 10)), T((1, 10))], 0),
}


@pytest.mark.parametrize("case", OPERATORS)
def test_macs_of_each_operator_are_those_counted_by_hand(tmp_path: Path, case: str) -> None:
    tensors, expected = OPERATORS[case]
    operator = Op(case.partition(" ")[0], range(len(tensors) - 1), [len(tensors) - 1])
    footprint = single(tmp_path, operator, *tensors)
    assert (footprint.macs, footprint.macs_complete) == (expected, True)


def test_a_transposed_matrix_is_multiplied_along_its_other_side(tmp_path: Path) -> None:
    operator = Op("BATCH_MATMUL", [0, 1], [2], options={"adjX": True}, options_type="BatchMatMulOptions")
    assert single(tmp_path, operator, T((1, 16, 28)), T((1, 16, 20)), T((1, 28, 20))).macs == 28 * 20 * 16


def test_an_lstm_multiplies_its_weights_in_every_step(tmp_path: Path) -> None:
    weights = [*[constant(32, 28)] * 4, *[constant(32, 32)] * 4]
    states = [T((1, 32), variable=True)] * 2
    tensors = [T((1, 28, 28)), *weights, *[constant(32)] * 4, *states, T((1, 28, 32))]
    inputs = [*range(9), -1, -1, -1, *range(9, 13), -1, -1, 13, 14]
    footprint = single(tmp_path, Op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [15], version=3), *tensors)
    assert footprint.macs == 28 * 4 * (32 * 28 + 32 * 32)
    assert footprint.peak_activation_bytes == 4 * (28 * 28 + 28 * 32 + 2 * 32)  # the states are always there


@pytest.mark.parametrize("name", ["MyLayer", "STABLEHLO_DOT_GENERAL", "RFFT2D"])
def test_an_operator_that_cannot_be_counted_is_named(tmp_path: Path, name: str) -> None:
    graph = G(
        [T((1, 784)), constant(10, 784), T((1, 10)), T((1, 10))],
        [Op("FULLY_CONNECTED", [0, 1], [2]), Op(name, [2], [3])],
    )
    footprint = read_footprint(write_tflite(tmp_path / "a.tflite", graph))
    assert (footprint.macs, footprint.macs_complete) == (7840, False)
    assert footprint.notes == [f"MACs do not count {'custom ' * (name == 'MyLayer')}{name} x 1"]


def test_an_operator_newer_than_the_schema_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ai_edge_litert import schema_py_generated as schema

    path = write_tflite(tmp_path / "a.tflite", G([T((1, 10)), T((1, 10))], [Op("STABLEHLO_CASE", [0], [1])]))
    number = schema.BuiltinOperator.STABLEHLO_CASE
    monkeypatch.delattr(schema.BuiltinOperator, "STABLEHLO_CASE")
    footprint = read_footprint(path)
    assert footprint.notes == [f"MACs do not count builtin operator {number} x 1"]
    assert footprint.runtimes[0].runs is None


def test_a_layer_of_unknown_shape_is_named(tmp_path: Path) -> None:
    footprint = single(tmp_path, Op("FULLY_CONNECTED", [0, 1], [2]), T((1, 4)), constant(10, 4), T((-1, 10)))
    assert (footprint.macs, footprint.macs_complete, footprint.memory_complete) == (0, False, False)
    assert footprint.notes == ["MACs do not count FULLY_CONNECTED x 1", "memory is without 1 tensors of unknown size"]


def loop(tmp_path: Path, *, limit: T, step: int = 1) -> Footprint:
    """Return the footprint of `i = 0; while i < limit: x = dense(x); i += step`."""
    options = {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}
    main = G(
        [T((1, 8)), number(0), T((), "int32"), T((1, 8))],
        [
            Op(
                "WHILE",
                [1, 0],
                [2, 3],
                options=options,
                options_type="WhileOptions",
            )
        ],
    )
    condition = G([T((), "int32"), T((1, 8)), limit, T((), "bool")], [Op("LESS", [0, 2], [3])], inputs=(0, 1))
    body = G(
        [T((), "int32"), T((1, 8)), number(step), constant(8, 8), T((), "int32"), T((1, 8))],
        [Op("ADD", [0, 2], [4]), Op("FULLY_CONNECTED", [1, 3], [5])],
        inputs=(0, 1),
        outputs=(4, 5),
    )
    return read_footprint(write_tflite(tmp_path / "loop.tflite", main, condition, body))


def test_a_loop_that_counts_up_is_counted_as_often_as_it_runs(tmp_path: Path) -> None:
    footprint = loop(tmp_path, limit=number(28))
    assert (footprint.macs, footprint.macs_complete) == (28 * 64, True)
    assert loop(tmp_path, limit=number(28), step=3).macs == 10 * 64
    # At the product: x and the next x, and the counter that was written, inside the loop and outside.
    assert footprint.peak_activation_bytes == 2 * (32 + 32 + 4)


def test_a_loop_of_unknown_length_is_counted_once_and_says_so(tmp_path: Path) -> None:
    footprint = loop(tmp_path, limit=T((), "int32"))
    assert (footprint.macs, footprint.macs_complete) == (64, False)
    assert footprint.notes == ["MACs count WHILE once: the file does not say how often it repeats"]


def test_of_two_branches_the_costlier_one_counts(tmp_path: Path) -> None:
    options = {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2}
    main = G(
        [T((), "bool"), T((1, 8)), T((1, 4))],
        [Op("IF", [0, 1], [2], options=options, options_type="IfOptions")],
        inputs=(0, 1),
    )
    dense = G([T((1, 8)), constant(4, 8), T((1, 4))], [Op("FULLY_CONNECTED", [0, 1], [2])])
    plain = G([T((1, 8)), T((1, 4))], [Op("SLICE", [0], [1])])
    assert read_footprint(write_tflite(tmp_path / "if.tflite", main, dense, plain)).macs == 32


def test_a_graph_that_runs_itself_is_refused(tmp_path: Path) -> None:
    graph = G([T((1, 8)), T((1, 8))], [Op("CALL", [0], [1], options={"subgraph": 0}, options_type="CallOptions")])
    with pytest.raises(ModelError, match="at most 16 subgraphs inside each other"):
        read_footprint(write_tflite(tmp_path / "a.tflite", graph))


def test_macs_are_those_of_one_image_of_a_fixed_batch(tmp_path: Path) -> None:
    footprint = single(tmp_path, Op("FULLY_CONNECTED", [0, 1], [2]), T((16, 784)), constant(10, 784), T((16, 10)))
    assert (footprint.macs, footprint.batch) == (7840, 16)
    assert footprint.peak_activation_bytes == 4 * 16 * (784 + 10)


def test_the_height_of_an_image_without_a_batch_is_no_batch(tmp_path: Path) -> None:
    assert single(tmp_path, Op("MEAN", [0], [1]), T((28, 28)), T((1, 10))).batch == 1


def test_the_peak_is_at_the_operator_with_most_alive(tmp_path: Path) -> None:
    graph = G(
        [T((1, 100), "int8"), T((1, 200), "int8"), T((1, 50), "int8"), T((1, 200), "int8"), constant(1, 900)],
        [Op("RELU", [0], [1]), Op("MEAN", [1], [2]), Op("ADD", [1, 2, 4], [3])],
        outputs=(3,),
    )
    footprint = read_footprint(write_tflite(tmp_path / "a.tflite", graph))
    assert footprint.peak_activation_bytes == 200 + 50 + 200  # at ADD: the constant does not count
    assert footprint.arena_bytes == 208 + 64 + 208


def test_int4_values_are_packed(tmp_path: Path) -> None:
    footprint = single(tmp_path, Op("RELU", [0], [1]), T((1, 33), "int4"), T((1, 33), "int8"))
    assert footprint.peak_activation_bytes == 17 + 33


def test_unpacked_weights_are_in_the_memory_and_said(tmp_path: Path) -> None:
    graph = G(
        [T((1, 8)), constant(4, 8, dtype="float16"), T((4, 8)), T((1, 4))],
        [Op("DEQUANTIZE", [1], [2], version=3), Op("FULLY_CONNECTED", [0, 2], [3])],
    )
    footprint = read_footprint(write_tflite(tmp_path / "a.tflite", graph))
    assert footprint.macs == 32
    assert footprint.peak_activation_bytes == 4 * (8 + 32 + 4)
    assert footprint.notes == ["memory includes 128 bytes of weights that the model unpacks as it runs"]


def test_open_dimensions_beside_the_batch_are_said(tmp_path: Path) -> None:
    footprint = single(
        tmp_path, Op("RELU", [0], [1]), T((1, 1, 8), signature=(-1, -1, 8)), T((1, 8), signature=(-1, 8))
    )
    assert footprint.notes == ["1 tensors have an open dimension, counted as 1, as LiteRT does"]


def test_the_arena_is_not_smaller_than_the_peak() -> None:
    rng = random.Random(5)
    for _ in range(20):
        buffers = []
        for _ in range(30):
            first = rng.randrange(20)
            buffers.append(Buffer(rng.randrange(1, 500), first, first + rng.randrange(4)))
        assert peak_bytes(buffers) <= plan_arena(buffers) <= sum(buffer.bytes + 15 for buffer in buffers)
    apart = [Buffer(100, step, step) for step in range(9)]
    assert (peak_bytes(apart), plan_arena(apart)) == (100, 112)


def test_a_gap_between_two_buffers_is_used() -> None:
    # 64 and 48 bytes alive together; the first leaves a gap for the 32 bytes that come when it is no longer needed.
    assert plan_arena([Buffer(64, 0, 1), Buffer(48, 1, 3), Buffer(32, 2, 3)]) == 64 + 48


@pytest.mark.parametrize(("bundle", "recipe"), MEASURED_ARENA)
def test_the_arena_is_what_tflite_micro_allocates(export: Path, bundle: str, recipe: str) -> None:
    footprint = read_footprint(export / bundle / f"model_{recipe}.tflite")
    assert footprint.arena_bytes == footprint.peak_activation_bytes == MEASURED_ARENA[bundle, recipe]


@pytest.mark.parametrize("bundle", ["cnn", "small"])
def test_released_files_have_the_macs_and_runtimes_of_their_manifest(export: Path, bundle: str) -> None:
    manifest = json.loads((export / bundle / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in manifest["files"].items():
        if not name.endswith(".tflite"):
            continue
        footprint = read_footprint(export / bundle / name)
        packing = 28 * 28 * (24 if bundle == "cnn" else 8) * 3 * 3 * 3  # zeros: docs/decisions/channel-packing.md
        assert footprint.macs == manifest["macs"] + packing * ("int8" in name)
        assert sorted({use.name for use in footprint.operators}) == entry["ops"]
        litert = footprint.runtimes[0]
        assert f"{litert.name} {litert.minimum}" == entry["minimum_runtime"]
        assert footprint.macs_complete and footprint.memory_complete


def supported(footprint: Footprint) -> dict[str, str]:
    return {one.name: one.text().removeprefix(f"{one.name}: ") for one in footprint.runtimes}


def test_runtimes_of_an_int8_file(released: Path) -> None:
    found = supported(read_footprint(released / "model_int8.tflite"))
    assert found["LiteRT or TensorFlow Lite"] == "from 1.14.0 (QUANTIZE 1)"
    assert found["TFLite Micro"] == "yes (a kernel for every operator)"
    assert found["CMSIS-NN"].startswith("yes (kernels for CONV_2D, ")
    assert found["Ethos-U55 or U65"] == "yes (Vela leaves DEQUANTIZE to the CPU)"  # as Vela 5.2.0 does


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        ("float16", "no kernel for DEQUANTIZE of float16 weights"),
        ("dynamic", "no kernel for CONV_2D of float values with int8 weights"),
    ],
)
def test_what_tflite_micro_refused_is_not_promised(released: Path, recipe: str, reason: str) -> None:
    found = supported(read_footprint(released / f"model_{recipe}.tflite"))
    assert found["TFLite Micro"].startswith(f"no ({reason}")
    assert "CMSIS-NN" not in found
    assert found["Ethos-U55 or U65"].startswith("no (")


@pytest.mark.parametrize(
    ("operator", "version", "stated", "expected"),
    [
        ("FULLY_CONNECTED", 12, None, "from 2.17.0 (FULLY_CONNECTED 12)"),
        ("FULLY_CONNECTED", 1, "2.9.0", "from 2.9.0 (as its converter states)"),
        ("FULLY_CONNECTED", 12, "2.9.0", "from 2.17.0 (FULLY_CONNECTED 12)"),
        ("FULLY_CONNECTED", 99, None, "unknown (no list has FULLY_CONNECTED 99)"),
        ("STABLEHLO_DOT_GENERAL", 1, None, "unknown (no list has STABLEHLO_DOT_GENERAL 1)"),
        ("BROADCAST_TO", 1, None, "unknown (no list has BROADCAST_TO 1)"),
        ("FlexErf", 1, None, "unknown (only with an extension for custom FlexErf)"),
    ],
)
def test_the_oldest_runtime_knows_every_version(
    tmp_path: Path, operator: str, version: int, stated: str | None, expected: str
) -> None:
    graph = G([T((1, 4)), constant(2, 4), T((1, 2))], [Op(operator, [0, 1], [2], version=version)])
    path = write_tflite(tmp_path / "a.tflite", graph, runtime=stated)
    assert supported(read_footprint(path))["LiteRT or TensorFlow Lite"] == expected


def test_an_operator_without_a_kernel_in_tflite_micro_is_named(tmp_path: Path) -> None:
    footprint = single(tmp_path, Op("GELU", [0], [1]), T((1, 4)), T((1, 4)))
    assert supported(footprint)["TFLite Micro"] == "no (no kernel for GELU)"


def test_every_type_of_the_schema_has_a_size_or_none() -> None:
    from ai_edge_litert import schema_py_generated as schema

    names = {name.lower() for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
    assert names - BITS.keys() == {"string", "resource", "variant"}


def test_a_damaged_file_is_refused_or_read_but_never_a_crash(released: Path, tmp_path: Path) -> None:
    content = (released / "model_int8.tflite").read_bytes()
    path, rng, refused = tmp_path / "damaged.tflite", random.Random(1), 0
    for _ in range(40):
        changed = bytearray(content[: rng.randrange(len(content))] if rng.random() < 0.3 else content)
        for _ in range(10):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        path.write_bytes(changed)
        try:
            read_footprint(path)
        except ModelError:
            refused += 1
    assert refused > 5


@pytest.mark.parametrize("content", [b"", b"no model", b"\x18\0\0\0TFL3"], ids=["empty", "text", "cut"])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.tflite: expected a TFLite file"):
        read_footprint(path)


def test_without_the_package_one_line_says_what_to_install(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtraError, match=r"^ai-edge-litert, which reads \.tflite files, is not installed"):
        read_footprint(fixtures / "good.tflite")


def test_a_file_without_a_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="got one without"):
        TFLiteGraphs(write_tflite(tmp_path / "a.tflite").read_bytes(), tmp_path)
