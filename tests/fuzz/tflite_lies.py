"""Well-formed .tflite files that lie: every field of the schema gets values that the file does not bear out."""

import copy
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from fuzz.case import FLOATS, INTEGERS, LONG_INTEGERS, ROOT, Case, Unbuildable, damage, hostile

FILES = (
    *(f"export/{name}/model_{recipe}.tflite" for name in ("cnn", "small") for recipe in ("int8", "float32")),
    *("export/small/model_float16.tflite", "export/small/model_dynamic.tflite"),
    *(f"tests/fixtures/{name}.tflite" for name in ("good", "foreign", "gives_logits", "wants_zero_to_one")),
)
OPERATORS = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
TYPES = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}
OPTIONS = {number: name for name, number in vars(schema.BuiltinOptions).items() if isinstance(number, int) and number}
OPTIONS_2 = {
    number: name for name, number in vars(schema.BuiltinOptions2).items() if isinstance(number, int) and number
}
# Operators whose work or memory follows from the values of an operand.
GROWING = (
    *("RESHAPE", "BROADCAST_TO", "FILL", "TILE", "RANGE", "PAD", "PADV2", "MIRROR_PAD", "RESIZE_BILINEAR", "ONE_HOT"),
    *("RESIZE_NEAREST_NEIGHBOR", "GATHER", "GATHER_ND", "SCATTER_ND", "SLICE", "STRIDED_SLICE", "TRANSPOSE_CONV"),
    *("EXPAND_DIMS", "TRANSPOSE", "TOPK_V2", "SPLIT", "SPLIT_V", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "CUMSUM"),
    *("REVERSE_V2", "REVERSE_SEQUENCE", "DYNAMIC_UPDATE_SLICE", "SEGMENT_SUM", "UNSORTED_SEGMENT_SUM", "BUCKETIZE"),
    *("EMBEDDING_LOOKUP", "HASHTABLE_LOOKUP", "SPARSE_TO_DENSE", "BATCH_MATMUL", "CONV_3D", "CONCATENATION", "PACK"),
)


@cache
def content_of(name: str) -> bytes:
    return (ROOT / name).read_bytes()


@cache
def _model_of(name: str) -> Any:
    return schema.ModelT.InitFromPackedBuf(content_of(name), 0)


def read_model(name: str) -> Any:
    """The objects of a file, to be changed."""
    return copy.deepcopy(_model_of(name))


def pack(model: Any, identifier: bytes = b"TFL3") -> bytes:
    """The bytes of a model; `Unbuildable` where a number has no room in its field."""
    builder = flatbuffers.Builder(1024)
    try:
        builder.Finish(model.Pack(builder), identifier)
    except Exception as exc:  # of struct, NumPy and flatbuffers, which check only some of what they write
        raise Unbuildable(str(exc)) from exc
    return bytes(builder.Output())


def make_tflite(rng: random.Random) -> Case:
    """Draw a lie about one of the files."""
    name = rng.choice(FILES)
    if rng.random() < 0.2:
        lie, content = damage(rng, content_of(name), other=content_of(rng.choice(FILES)))
        return Case(f"bytes: {lie}", name, {"model.tflite": content}, "model.tflite")
    model = read_model(name)
    lies = [rng.choice(LIES)(rng, model)]
    if rng.random() < 0.15:
        try:
            lies.append(rng.choice(LIES)(rng, model))
        except (TypeError, IndexError, AttributeError, ValueError) as exc:  # the first lie has taken away what it needs
            raise Unbuildable(str(exc)) from exc
    identifier = b"TFL3" if rng.random() < 0.99 else rng.choice((b"TFL2", b"\0\0\0\0", b"\xff\xff\xff\xff"))
    content = pack(model, identifier)
    detail = f"{name}: {'; '.join(f'{lie} {detail}' for lie, detail in lies)}"
    return Case(" + ".join(lie for lie, _ in lies), detail, {"model.tflite": content}, "model.tflite")


Lie = tuple[str, str]
"""Sort and detail."""


def _graph(rng: random.Random, model: Any) -> Any:
    if not model.subgraphs:
        raise Unbuildable("no graph")
    return rng.choice(model.subgraphs)


def _operator(rng: random.Random, model: Any) -> tuple[Any, str]:
    """An operator and its name."""
    graph = _graph(rng, model)
    if not graph.operators:
        raise Unbuildable("no operator")
    operator = rng.choice(graph.operators)
    return operator, name_of(model, operator)


def name_of(model: Any, operator: Any) -> str:
    if not 0 <= operator.opcodeIndex < len(model.operatorCodes):
        return "?"
    return OPERATORS.get(model.operatorCodes[operator.opcodeIndex].builtinCode, "?")


def _tensor(rng: random.Random, model: Any) -> tuple[Any, str]:
    """A tensor, and its place: that of an operand, which tells more than its number."""
    graph = _graph(rng, model)
    if not graph.tensors:
        raise Unbuildable("no tensor")
    number = rng.randrange(len(graph.tensors))
    for operator in graph.operators or []:
        for side, indices in (("input", operator.inputs), ("output", operator.outputs)):
            places = [] if indices is None else [int(index) for index in indices]
            if number in places:
                return graph.tensors[number], f"{name_of(model, operator)} {side} {places.index(number)}"
    return graph.tensors[number], "unused"


def tensor_type(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    old, tensor.type = tensor.type, rng.choice([*range(22), 50, 127, -1])
    return "tensor.type", f"{where}: {TYPES.get(old)} -> {TYPES.get(tensor.type, tensor.type)}"


def tensor_shape(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    shape = [] if tensor.shape is None else [int(size) for size in tensor.shape]
    old = list(shape)
    choice = rng.randrange(7)
    if choice < 3 and shape:
        place = rng.randrange(len(shape))
        shape[place] = hostile(rng, shape[place])
    elif choice == 3 and shape:
        shape.pop(rng.randrange(len(shape)))
    elif choice == 4:
        shape.insert(rng.randint(0, len(shape)), hostile(rng, 1))
    elif choice == 5:
        rng.shuffle(shape)
    else:
        shape = rng.choice(
            ([], [0], [-1], [2**31 - 1] * 4, [65536] * 4, [1] * 9, [1] * 70, [2**16, 2**16, 2**16, 2**16])
        )
    tensor.shape = np.array(shape, np.int32)
    return "tensor.shape", f"{where}: {old} -> {shape}"


def tensor_shape_signature(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    size = rng.choice((0, 1, 2, 4, 5, 9))
    signature = [rng.choice((-1, 1, 28, hostile(rng))) for _ in range(size)]
    tensor.shapeSignature = np.array(signature, np.int32)
    return "tensor.shape_signature", f"{where}: {signature}"


def tensor_buffer(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    old = tensor.buffer
    tensor.buffer = rng.choice((0, 0, rng.randrange(len(model.buffers) + 1), len(model.buffers), 2**31, 2**32 - 1))
    return "tensor.buffer", f"{where}: {old} -> {tensor.buffer} of {len(model.buffers)}"


def tensor_flags(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    choice = rng.randrange(5)
    if choice == 0:
        tensor.isVariable = True
        return "tensor.is_variable", where
    if choice == 1:
        tensor.hasRank = not tensor.hasRank
        return "tensor.has_rank", where
    if choice == 2:
        tensor.externalBuffer = rng.choice((1, 2, 2**31, 2**32 - 1))
        return "tensor.external_buffer", f"{where}: {tensor.externalBuffer}"
    if choice == 3:
        variant = schema.VariantSubTypeT()
        variant.shape, variant.type = np.array([hostile(rng)], np.int32), rng.randrange(20)
        tensor.variantTensors = [variant] * rng.choice((1, 3))
        return "tensor.variant_tensors", where
    tensor.name = rng.choice((None, b"", b"\xff\xfe", b"a" * 100_000, b"a\nb\x1b[31m"))
    return "tensor.name", f"{where}: {tensor.name!s:.20}"


def tensor_quantization(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    if tensor.quantization is None:
        tensor.quantization = schema.QuantizationParametersT()
    quantization = tensor.quantization
    count = 0 if quantization.scale is None else len(quantization.scale)
    choice = rng.randrange(8)
    if choice == 0:
        values = [rng.choice(FLOATS) for _ in range(max(count, 1))]
        quantization.scale = np.array(values, np.float32)
        return "quantization.scale", f"{where}: {values[:3]}"
    if choice == 1:
        number = rng.choice((0, 1, 2, max(0, count - 1), count + 1, 16, 1000))
        quantization.scale = np.full(number, 0.1, np.float32)
        return "quantization.scale count", f"{where}: {count} -> {number}"
    if choice == 2:
        values = [rng.choice(LONG_INTEGERS) for _ in range(max(count, 1))]
        quantization.zeroPoint = np.array(values, np.int64)
        return "quantization.zero_point", f"{where}: {values[:3]}"
    if choice == 3:
        number = rng.choice((0, 1, 2, max(0, count - 1), count + 1, 1000))
        quantization.zeroPoint = np.zeros(number, np.int64)
        return "quantization.zero_point count", f"{where}: {count} -> {number}"
    if choice == 4:
        quantization.quantizedDimension = hostile(rng, quantization.quantizedDimension)
        return "quantization.dimension", f"{where}: {quantization.quantizedDimension}"
    if choice == 5:
        tensor.quantization = None
        return "quantization missing", where
    if choice == 6:
        blockwise = schema.BlockwiseQuantizationT()
        blockwise.scales, blockwise.zeroPoints = hostile(rng), hostile(rng)
        blockwise.blockSize = hostile(rng)
        quantization.detailsType, quantization.details = schema.QuantizationDetails.BlockwiseQuantization, blockwise
        return "quantization.blockwise", f"{where}: {blockwise.scales}, {blockwise.zeroPoints}, {blockwise.blockSize}"
    custom = schema.CustomQuantizationT()
    custom.custom = np.frombuffer(rng.randbytes(5), np.uint8)
    quantization.detailsType = rng.choice((1, 2, 3, 9))
    quantization.details = custom
    return "quantization.details", f"{where}: type {quantization.detailsType}"


def tensor_sparsity(rng: random.Random, model: Any) -> Lie:
    tensor, where = _tensor(rng, model)
    sparsity = schema.SparsityParametersT()
    rank = rng.choice((0, 1, 2, 4, 8))
    sparsity.traversalOrder = np.array([rng.choice((*range(rank), hostile(rng))) for _ in range(rank)], np.int32)
    if rng.random() < 0.5:
        sparsity.blockMap = np.array([hostile(rng) for _ in range(rng.choice((0, 1, 2)))], np.int32)
    sparsity.dimMetadata = []
    for _ in range(rng.choice((rank, rank, 0, 1, rank + 1))):
        dimension = schema.DimensionMetadataT()
        dimension.format, dimension.denseSize = rng.choice((0, 0, 1, 5)), hostile(rng)
        if dimension.format == 1 and rng.random() < 0.8:
            for side in ("Segments", "Indices"):
                vector = schema.Int32VectorT()
                vector.values = np.array([hostile(rng) for _ in range(rng.choice((0, 1, 4)))], np.int32)
                setattr(dimension, f"array{side}Type", rng.choice((1, 1, 1, 2, 3)))
                setattr(dimension, f"array{side}", vector)
        sparsity.dimMetadata.append(dimension)
    tensor.sparsity = sparsity
    return "tensor.sparsity", f"{where}: rank {rank}"


def buffer_data(rng: random.Random, model: Any) -> Lie:
    filled = [index for index, one in enumerate(model.buffers) if one.data is not None and len(one.data)]
    if not filled:
        raise Unbuildable("no buffer")
    number = rng.choice(filled)
    buffer = model.buffers[number]
    where = _users(model, number)
    size = len(buffer.data)
    choice = rng.randrange(5)
    if choice == 0:
        keep = rng.choice((0, 1, size // 2, size - 1))
        buffer.data = buffer.data[:keep]
        return "buffer.data shorter", f"{where}: {size} -> {keep} bytes"
    if choice == 1:
        buffer.data = np.concatenate([buffer.data, np.zeros(rng.choice((1, 4, 1000)), np.uint8)])
        return "buffer.data longer", f"{where}: {size} -> {len(buffer.data)} bytes"
    if choice == 2:
        buffer.data = None
        return "buffer.data missing", f"{where}: {size} bytes"
    if choice == 3:
        values = np.array([hostile(rng) for _ in range(max(1, size // 4))][:5000], np.int32)
        buffer.data = np.resize(values.view(np.uint8), size)
        return "buffer.data values", f"{where}: {values[:4].tolist()}"
    buffer.offset, buffer.size = (rng.choice((0, 1, 2, 100, size, 2**31, 2**63, 2**64 - 1)) for _ in range(2))
    if rng.random() < 0.5:
        buffer.data = None
    return "buffer.offset", f"{where}: offset {buffer.offset}, size {buffer.size}"


def _users(model: Any, buffer: int) -> str:
    for graph in model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            if tensor.buffer == buffer:
                for operator in graph.operators:
                    if operator.inputs is not None and number in operator.inputs:
                        return f"{name_of(model, operator)} input {list(operator.inputs).index(number)}"
    return "unused"


def small_operand(rng: random.Random, model: Any) -> Lie:
    """New values for a constant of a few integers: a shape, axes, paddings."""
    places = []
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            for side, index in enumerate([] if operator.inputs is None else operator.inputs):
                tensor = graph.tensors[index] if 0 <= index < len(graph.tensors) else None
                if tensor is not None and tensor.type == 2 and 0 < tensor.buffer < len(model.buffers):
                    places.append((operator, side, tensor))
    if not places:
        raise Unbuildable("no operand of integers")
    operator, side, tensor = rng.choice(places)
    buffer = model.buffers[tensor.buffer]
    old = (
        [] if buffer.data is None else np.frombuffer(bytes(buffer.data)[: len(buffer.data) // 4 * 4], np.int32).tolist()
    )
    values = [hostile(rng, value) if rng.random() < 0.5 else value for value in old[:64]] or [hostile(rng)]
    buffer.data = np.array(values, np.int32).view(np.uint8)
    return "operand values", f"{name_of(model, operator)} input {side}: {old[:6]} -> {values[:6]}"


def operator_operands(rng: random.Random, model: Any) -> Lie:
    graph = _graph(rng, model)
    operator, name = _operator(rng, model)
    side = rng.choice(("inputs", "inputs", "outputs"))
    found = getattr(operator, side)
    indices = [] if found is None else [int(index) for index in found]
    old = list(indices)
    choice = rng.randrange(9)
    place = rng.randrange(len(indices)) if indices else 0
    count = len(graph.tensors)
    if choice == 0 and indices:
        indices[place] = -1
        what = "-1"
    elif choice == 1 and indices:
        indices[place] = rng.choice((count, count + 1, -2, 2**31 - 1, -(2**31), 10**6))
        what = "outside"
    elif choice in (2, 3) and indices:
        indices[place] = rng.randrange(count)
        what = "another"
    elif choice == 4 and indices:
        other = operator.outputs if side == "inputs" else operator.inputs
        if other is None or not len(other):
            raise Unbuildable("nothing on the other side")
        indices[place] = int(rng.choice(list(other)))
        what = "of the other side"
    elif choice == 5 and indices:
        indices.pop(place)
        what = "fewer"
    elif choice == 6:
        indices.insert(place, rng.choice((-1, rng.randrange(count))))
        what = "more"
    elif choice == 7:
        indices = rng.choice(([], [rng.randrange(count)] * 50, [-1] * 3))
        what = "others"
    else:
        indices = [rng.randrange(count) for _ in indices]
        what = "shuffled"
    setattr(operator, side, np.array(indices, np.int32))
    return f"operator.{side} {what}", f"{name}: {old} -> {indices[:6]}"


def operator_order(rng: random.Random, model: Any) -> Lie:
    graph = _graph(rng, model)
    if not graph.operators:
        raise Unbuildable("no operator")
    first, second = (rng.randrange(len(graph.operators)) for _ in range(2))
    names = f"{name_of(model, graph.operators[first])}, {name_of(model, graph.operators[second])}"
    choice = rng.randrange(4)
    if choice == 0:
        graph.operators[first], graph.operators[second] = graph.operators[second], graph.operators[first]
        return "operators swapped", names
    if choice == 1:
        graph.operators.pop(first)
        return "operator removed", names
    if choice == 2:
        graph.operators.insert(second, copy.deepcopy(graph.operators[first]))
        return "operator twice", names
    graph.operators = rng.choice(([], None))
    return "operators removed", ""


def operator_code(rng: random.Random, model: Any) -> Lie:
    choice = rng.randrange(6)
    operator, name = _operator(rng, model)
    if choice == 0:
        operator.opcodeIndex = rng.choice(
            (rng.randrange(len(model.operatorCodes)), len(model.operatorCodes), 2**31, 2**32 - 1)
        )
        return "operator.opcode_index", f"{name}: {operator.opcodeIndex} ({name_of(model, operator)})"
    code = model.operatorCodes[operator.opcodeIndex % len(model.operatorCodes)]
    if choice in (1, 2, 3):
        code.builtinCode = rng.choice([*OPERATORS, 250, 127, -1, 2**31 - 1])
        code.deprecatedBuiltinCode = max(-128, min(code.builtinCode, 127))
        return "code.builtin", f"{name} -> {OPERATORS.get(code.builtinCode, code.builtinCode)}"
    if choice == 4:
        code.version = rng.choice((0, 1, 2, 3, 5, 8, 99, -1, 2**31 - 1))
        return "code.version", f"{name}: {code.version}"
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = rng.choice((None, b"", b"\xff", b"FlexAdd", b"TFLite_Detection_PostProcess", b"a" * 5000))
    return "code.custom", f"{name} -> {code.customCode!s:.30}"


def options_value(rng: random.Random, model: Any) -> Lie:
    operator, name = _operator(rng, model)
    if operator.builtinOptions is None or not vars(operator.builtinOptions):
        raise Unbuildable("no options")
    key = rng.choice(list(vars(operator.builtinOptions)))
    old = getattr(operator.builtinOptions, key)
    if isinstance(old, bool):
        value: Any = not old
    elif isinstance(old, float):
        value = rng.choice(FLOATS)
    elif isinstance(old, int):
        value = hostile(rng, old) if rng.random() < 0.8 else rng.randrange(10)
    else:
        value = np.array([hostile(rng) for _ in range(rng.choice((0, 1, 4, 9)))], np.int32)
    setattr(operator.builtinOptions, key, value)
    return "options.value", f"{name}.{key}: {old} -> {value}"


def options_type(rng: random.Random, model: Any) -> Lie:
    operator, name = _operator(rng, model)
    choice = rng.randrange(4)
    if choice == 0:
        operator.builtinOptionsType, operator.builtinOptions = 0, None
        return "options missing", name
    if choice == 1:  # the bytes of one, called another
        operator.builtinOptionsType = rng.choice([*OPTIONS, 200])
        return "options.type", f"{name}: called {OPTIONS.get(operator.builtinOptionsType)}"
    if choice == 2:
        operator.builtinOptionsType = rng.choice(list(OPTIONS))
        operator.builtinOptions = getattr(schema, f"{OPTIONS[operator.builtinOptionsType]}T")()
        return "options of another", f"{name}: {OPTIONS[operator.builtinOptionsType]}"
    operator.builtinOptions2Type = rng.choice(list(OPTIONS_2))
    operator.builtinOptions2 = getattr(schema, f"{OPTIONS_2[operator.builtinOptions2Type]}T")()
    return "options 2", f"{name}: {OPTIONS_2[operator.builtinOptions2Type]}"


def operator_extras(rng: random.Random, model: Any) -> Lie:
    operator, name = _operator(rng, model)
    choice = rng.randrange(5)
    if choice == 0:
        operator.customOptions = np.frombuffer(rng.randbytes(rng.choice((1, 100))), np.uint8)
        return "operator.custom_options", name
    if choice == 1:
        operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = (
            rng.choice((0, 1, 2, 1000, 2**31, 2**63, 2**64 - 1)) for _ in range(2)
        )
        place = f"{operator.largeCustomOptionsOffset}, {operator.largeCustomOptionsSize}"
        return "operator.large_custom_options", f"{name}: {place}"
    if choice == 2:
        operator.intermediates = np.array([hostile(rng) for _ in range(rng.choice((1, 5)))], np.int32)
        return "operator.intermediates", f"{name}: {operator.intermediates}"
    if choice == 3:
        operator.mutatingVariableInputs = [rng.random() < 0.5 for _ in range(rng.choice((1, 50)))]
        return "operator.mutating_inputs", name
    operator.debugMetadataIndex = hostile(rng)
    return "operator.debug_metadata", f"{name}: {operator.debugMetadataIndex}"


def graph_ends(rng: random.Random, model: Any) -> Lie:
    graph = _graph(rng, model)
    side = rng.choice(("inputs", "outputs"))
    count = len(graph.tensors)
    found = getattr(graph, side)
    old = [] if found is None else [int(index) for index in found]
    number = rng.randrange(count)
    new = rng.choice(([], [-1], [count], [2**31 - 1], [-(2**31)], old * 2, [*old, number], [number], [number] * 20))
    setattr(graph, side, np.array(new, np.int32))
    return f"graph.{side}", f"{old} -> {new[:5]} of {count}"


def graphs(rng: random.Random, model: Any) -> Lie:
    choice = rng.randrange(5)
    if choice == 0:
        model.subgraphs = rng.choice(([], None))
        return "graphs missing", ""
    if choice == 1:
        model.subgraphs.append(copy.deepcopy(model.subgraphs[0]))
        return "graph twice", ""
    if choice == 2:
        model.subgraphs.insert(rng.randrange(2), schema.SubGraphT())
        return "graph empty", ""
    graph = model.subgraphs[0]
    if choice == 3:
        graph.tensors = rng.choice(([], None, graph.tensors[:-1], graph.tensors[: len(graph.tensors) // 2]))
        return "graph.tensors fewer", f"{len(graph.tensors or [])}"
    model.buffers = rng.choice(([], None, model.buffers[:-1], model.buffers[:1]))
    return "buffers fewer", f"{len(model.buffers or [])}"


def control_flow(rng: random.Random, model: Any) -> Lie:
    """An operator that runs graphs, among them its own."""
    graph = model.subgraphs[0]
    name = rng.choice(("WHILE", "IF", "CALL_ONCE", "CALL", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE"))
    graphs_in_all = rng.choice((1, 2, 3))
    while len(model.subgraphs) < graphs_in_all:
        model.subgraphs.append(copy.deepcopy(graph))
    numbers = [rng.choice((0, 1, 2, -1, graphs_in_all, 2**31 - 1)) for _ in range(2)]
    options: Any
    if name == "WHILE":
        options = schema.WhileOptionsT()
        options.condSubgraphIndex, options.bodySubgraphIndex = numbers
    elif name == "IF":
        options = schema.IfOptionsT()
        options.thenSubgraphIndex, options.elseSubgraphIndex = numbers
    elif name == "CALL_ONCE":
        options = schema.CallOnceOptionsT()
        options.initSubgraphIndex = numbers[0]
    elif name == "CALL":
        options = schema.CallOptionsT()
        options.subgraph = max(0, numbers[0])
    elif name == "STABLEHLO_WHILE":
        options = schema.StablehloWhileOptionsT()
        options.condSubgraphIndex, options.bodySubgraphIndex = numbers
    else:
        options = schema.StableHLOCompositeOptionsT()
        options.name, options.decompositionSubgraphIndex = b"odml.x", numbers[0]
    ends = [int(index) for index in graph.inputs], [int(index) for index in graph.outputs]
    inputs = rng.choice((ends[0], [], [rng.randrange(len(graph.tensors))], ends[1]))
    outputs = rng.choice((ends[0], [], [rng.randrange(len(graph.tensors))], ends[1]))
    place = rng.choice((0, len(graph.operators)))
    add_operator(model, graph, name, inputs, outputs, options, place=place)
    return "control flow", f"{name}: graphs {numbers} of {graphs_in_all}"


def extra_operator(rng: random.Random, model: Any) -> Lie:
    """One more operator of any kind, over tensors that are there and constants that are made for it."""
    graph = model.subgraphs[0]
    number = rng.choice(list(OPERATORS))
    name = rng.choice(GROWING) if rng.random() < 0.6 else OPERATORS[number]
    values = [rng.choice((hostile(rng), 1, 2, 28, 2**15)) for _ in range(rng.choice((1, 2, 4, 8)))]
    shape = rng.choice(([len(values)], [len(values)], [], [len(values) // 2, 2]))
    constant = add_tensor(model, graph, shape, rng.choice((2, 2, 2, 4, 0)), values)
    result = add_tensor(model, graph, rng.choice(([1, 10], [], [1, 28, 28, 1])), rng.choice((0, 2, 9, 3)), None)
    places = [rng.randrange(len(graph.tensors)) for _ in range(rng.choice((0, 0, 1, 2)))]
    operands = [rng.choice((0, places[0] if places else 0, constant)), constant, *places]
    outputs = [result] if rng.random() < 0.7 else [int(index) for index in graph.outputs]
    options = options_for(name) if rng.random() < 0.8 else None
    place = rng.choice((0, len(graph.operators), rng.randint(0, len(graph.operators))))
    add_operator(model, graph, name, operands, outputs, options, place=place, version=rng.choice((1, 1, 2, 3)))
    return "operator more", f"{name}: operands {operands}, values {values}"


def options_for(name: str) -> Any:
    """The default options of a built-in operator; None if it has none."""
    kind = next((one for one in OPTIONS.values() if one.lower() == f"{name.replace('_', '').lower()}options"), None)
    return getattr(schema, f"{kind}T")() if kind else None


def add_tensor(model: Any, graph: Any, shape: list[int], kind: int, values: list[int] | None) -> int:
    """Add a tensor of a type, a constant if there are values; returns its index."""
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.name = np.array(shape, np.int32), kind, b"added"
    if values is not None:
        buffer = schema.BufferT()
        dtype = {2: np.int32, 4: np.int64, 0: np.float32}[kind]
        buffer.data = np.array(values).astype(dtype).view(np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def add_operator(
    model: Any,
    graph: Any,
    name: str,
    inputs: list[int],
    outputs: list[int],
    options: Any,
    *,
    place: int,
    version: int = 1,
) -> None:
    """Add a built-in operator at a place in the order of the graph."""
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        if hasattr(schema.BuiltinOptions, kind):
            operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, kind), options
        else:
            operator.builtinOptions2Type, operator.builtinOptions2 = getattr(schema.BuiltinOptions2, kind), options
    graph.operators.insert(place, operator)


def signatures(rng: random.Random, model: Any) -> Lie:
    if not model.signatureDefs:
        entry = schema.SignatureDefT()
        entry.signatureKey, entry.inputs, entry.outputs = b"serving_default", [schema.TensorMapT()], []
        model.signatureDefs = [entry]
    entry = model.signatureDefs[0]
    choice = rng.randrange(6)
    if choice == 0:
        side = rng.choice((entry.inputs, entry.outputs)) or [schema.TensorMapT()]
        side[0].tensorIndex = rng.choice((1, 2, 1000, 2**31, 2**32 - 1))
        return "signature.tensor", f"{side[0].tensorIndex}"
    if choice == 1:
        side = rng.choice((entry.inputs, entry.outputs)) or [schema.TensorMapT()]
        side[0].name = rng.choice((None, b"", b"\xff\xfe", b"a" * 100_000, b"a\nb\x1b[31m"))
        return "signature.name", f"{side[0].name!s:.20}"
    if choice == 2:
        entry.subgraphIndex = rng.choice((1, 2, 2**31, 2**32 - 1))
        return "signature.graph", f"{entry.subgraphIndex}"
    if choice == 3:
        entry.signatureKey = rng.choice((None, b"", b"\xff\xfe", b"a" * 1000))
        return "signature.key", f"{entry.signatureKey!s:.20}"
    if choice == 4:
        model.signatureDefs = rng.choice(([], None, [entry, copy.deepcopy(entry)], [schema.SignatureDefT()]))
        return "signatures", f"{len(model.signatureDefs or [])}"
    entry.inputs, entry.outputs = rng.choice(
        ((None, entry.outputs), (entry.inputs, None), (entry.inputs * 2, entry.outputs))
    )
    return "signature.ends", ""


def metadata(rng: random.Random, model: Any) -> Lie:
    entry = schema.MetadataT()
    entry.name = rng.choice((None, b"min_runtime_version", b"\xff\xfe", b"TFLITE_METADATA", b"stablehlo_version"))
    entry.buffer = rng.choice((0, 1, len(model.buffers), 2**31, 2**32 - 1))
    model.metadata = rng.choice(([entry], [*(model.metadata or []), entry], [entry] * 100))
    if rng.random() < 0.3:
        model.version = rng.choice(INTEGERS) % 2**32
    if rng.random() < 0.3:
        model.description = rng.choice((b"\xff", b"a" * 10**6))
    return "metadata", f"{entry.name!r} buffer {entry.buffer}, version {model.version}"


def external_buffers(rng: random.Random, model: Any) -> Lie:
    group = schema.ExternalBufferGroupT()
    group.name = rng.choice((b"/etc/passwd", b"../../x", b"", None))
    buffer = schema.ExternalBufferT()
    buffer.id, buffer.group = rng.choice((0, 1, 2**32 - 1)), rng.choice((0, 1, 2**32 - 1))
    buffer.offset, buffer.length = (rng.choice((0, 1, 1000, 2**63, 2**64 - 1)) for _ in range(2))
    buffer.packing = rng.choice((None, b"", b"unpacked", b"x" * 1000))
    model.externalBufferGroups, model.externalBuffers = [group], [buffer]
    tensor, where = _tensor(rng, model)
    tensor.externalBuffer = buffer.id
    return "external buffers", f"{where}: group {group.name}, {buffer.offset}, {buffer.length}"


def many(rng: random.Random, model: Any) -> Lie:
    """Very many of something small."""
    graph = model.subgraphs[0]
    count = rng.choice((1000, 20_000))
    choice = rng.randrange(4)
    if choice == 0:
        graph.operators += [graph.operators[-1]] * count
        return "many operators", f"{count}"
    if choice == 1:
        graph.tensors += [graph.tensors[0]] * count
        return "many tensors", f"{count}"
    if choice == 2:
        model.subgraphs += [schema.SubGraphT()] * count
        return "many graphs", f"{count}"
    model.buffers += [schema.BufferT()] * count
    return "many buffers", f"{count}"


LIES: tuple[Callable[[random.Random, Any], Lie], ...] = (
    *(tensor_type, tensor_type, tensor_shape, tensor_shape, tensor_shape, tensor_shape_signature, tensor_buffer),
    *(tensor_flags, tensor_quantization, tensor_quantization, tensor_sparsity, buffer_data, small_operand),
    *(operator_operands, operator_operands, operator_operands, operator_order, operator_code, operator_code),
    *(options_value, options_value, options_type, operator_extras, graph_ends, graphs, control_flow, extra_operator),
    *(extra_operator, signatures, metadata, external_buffers, many),
)
"""All lies; a common one stands more than once."""
