"""Well-formed .onnx files that lie, made with the protocol buffers of ONNX."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from fuzz.case import FLOATS, LONG_INTEGERS, ROOT, TEXTS, Case, Content, Link, Pipe, Unbuildable, damage, hostile

FILES = (
    *(f"export/{name}/model_{recipe}.onnx" for name in ("cnn", "small") for recipe in ("int8", "float32")),
    *(f"tests/fixtures/{name}.onnx" for name in ("good", "foreign", "wants_zero_to_one")),
)
# Where the weights of a file may be said to lie.
PLACES = (
    *(
        "weights.bin",
        "../weights.bin",
        "../../../../../../../../etc/hostname",
        "/etc/passwd",
        "/dev/zero",
        "/dev/urandom",
    ),
    *(
        "/dev/stdin",
        "/proc/self/mem",
        "",
        ".",
        "/",
        "sub/../weights.bin",
        "link.bin",
        "pipe.bin",
        "missing.bin",
        "a" * 5000,
    ),
    *("file:///etc/passwd", "\x1b[31m.bin", "weights.bin\0.txt", "*/_ORT_MEM_ADDR_/*"),
)
OPERATORS = (
    *(
        "Conv",
        "Gemm",
        "MatMul",
        "Relu",
        "Softmax",
        "MaxPool",
        "GlobalAveragePool",
        "Reshape",
        "Flatten",
        "Transpose",
        "Cast",
    ),
    *(
        "QuantizeLinear",
        "DequantizeLinear",
        "Add",
        "Mul",
        "Div",
        "Concat",
        "Slice",
        "Gather",
        "Squeeze",
        "Unsqueeze",
        "Pad",
    ),
    *(
        "Clip",
        "LSTM",
        "GRU",
        "RNN",
        "Upsample",
        "LRN",
        "TopK",
        "NonZero",
        "NonMaxSuppression",
        "Compress",
        "OneHot",
        "Trilu",
    ),
    *("CumSum", "GatherND", "ScatterND", "ScatterElements", "Einsum", "DFT", "STFT", "HannWindow", "MelWeightMatrix"),
    *(
        "StringNormalizer",
        "TfIdfVectorizer",
        "SequenceAt",
        "SequenceConstruct",
        "ConcatFromSequence",
        "SplitToSequence",
    ),
    *(
        "RandomNormal",
        "RandomUniform",
        "Multinomial",
        "Bernoulli",
        "ImageDecoder",
        "RegexFullMatch",
        "StringSplit",
        "Shape",
    ),
    *("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "ConvTranspose", "DepthToSpace", "SpaceToDepth"),
    *(
        "MaxUnpool",
        "RoiAlign",
        "GridSample",
        "ReverseSequence",
        "BatchNormalization",
        "Attention",
        "Size",
        "Split",
        "Unique",
    ),
    *(
        "Optional",
        "OptionalGetElement",
        "Identity",
        "Where",
        "Mod",
        "BitShift",
        "Det",
        "Col2Im",
        "AffineGrid",
        "Nothing",
    ),
)
GROWING = ("ConstantOfShape", "Expand", "Tile", "Pad", "Resize", "Range", "Reshape", "OneHot", "EyeLike", "HannWindow")

# Of the domain com.microsoft.
MICROSOFT = (
    *("FusedConv", "FusedGemm", "QAttention", "EmbedLayerNormalization", "BeamSearch", "GreedySearch", "Sampling"),
    *("QLinearAdd", "QLinearConcat", "NhwcMaxPool", "MatMulNBits", "DequantizeLinear", "WordConvEmbedding", "Range"),
    *("Tokenizer", "ExpandDims", "CDist", "CropAndResize", "MurmurHash3", "SparseToDenseMatMul", "Inverse", "Rfft"),
)
ATTRIBUTES = (
    *("axis", "group", "kernel_shape", "strides", "pads", "dilations", "auto_pad", "alpha", "to", "perm", "body"),
    *("value", "ceil_mode", "storage_order", "block_size", "allowzero", "activation"),
)


@cache
def content_of(name: str) -> bytes:
    return (ROOT / name).read_bytes()


@cache
def _model_of(name: str) -> Any:
    import onnx

    return onnx.load_model_from_string(content_of(name))


def make_onnx(rng: random.Random) -> Case:
    """Draw a lie about one of the files."""
    import onnx
    from google.protobuf.message import DecodeError

    name = rng.choice(FILES)
    files: dict[str, Content] = {}
    if rng.random() < 0.15:
        lie, content = damage(rng, content_of(name), other=content_of(rng.choice(FILES)))
        return Case(f"bytes: {lie}", name, {"model.onnx": content}, "model.onnx")
    model = onnx.ModelProto()
    model.CopyFrom(_model_of(name))
    lies = []
    try:
        for _ in range(1 if rng.random() < 0.85 else 2):
            lies.append(rng.choice(LIES)(rng, model, files))
        content = model.SerializeToString()
    except (
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        DecodeError,
    ) as exc:  # a value that the field cannot hold
        raise Unbuildable(str(exc)) from exc
    detail = f"{name}: {'; '.join(f'{lie} {detail:.200}' for lie, detail in lies)}"
    return Case(" + ".join(lie for lie, _ in lies), detail, {**files, "model.onnx": content}, "model.onnx")


Lie = tuple[str, str]
Files = dict[str, Content]


def _initializer(rng: random.Random, model: Any) -> tuple[Any, str]:
    """A weight, and where it is used."""
    if not model.graph.initializer:
        raise Unbuildable("no weights")
    tensor = rng.choice(model.graph.initializer)
    for node in model.graph.node:
        if tensor.name in node.input:
            return tensor, f"{node.op_type} input {list(node.input).index(tensor.name)}"
    return tensor, "unused"


def _node(rng: random.Random, model: Any) -> Any:
    if not model.graph.node:
        raise Unbuildable("no node")
    return rng.choice(model.graph.node)


def weight_type(rng: random.Random, model: Any, files: Files) -> Lie:
    tensor, where = _initializer(rng, model)
    old, tensor.data_type = tensor.data_type, rng.choice([*range(26), 100, -1, 2**31 - 1])
    return "weight.type", f"{where}: {old} -> {tensor.data_type}"


def weight_dims(rng: random.Random, model: Any, files: Files) -> Lie:
    tensor, where = _initializer(rng, model)
    dims = list(tensor.dims)
    old = list(dims)
    choice = rng.randrange(5)
    if choice < 2 and dims:
        place = rng.randrange(len(dims))
        dims[place] = rng.choice((hostile(rng, dims[place]), rng.choice(LONG_INTEGERS)))
    elif choice == 2 and dims:
        dims.pop()
    elif choice == 3:
        dims.append(rng.choice((1, 0, hostile(rng), rng.choice(LONG_INTEGERS))))
    else:
        dims = rng.choice(([], [0], [-1], [2**62, 4], [2**32, 2**32], [65536] * 4, [1] * 200, [2**31, 2**31]))
    tensor.ClearField("dims")
    tensor.dims.extend(dims)
    return "weight.dims", f"{where}: {old} -> {dims[:6]}"


def weight_data(rng: random.Random, model: Any, files: Files) -> Lie:
    tensor, where = _initializer(rng, model)
    raw = tensor.raw_data
    choice = rng.randrange(7)
    if choice == 0:
        tensor.raw_data = raw[: rng.choice((0, 1, len(raw) // 2, max(0, len(raw) - 1)))]
        return "weight.data shorter", f"{where}: {len(raw)} -> {len(tensor.raw_data)} bytes"
    if choice == 1:
        tensor.raw_data = raw + bytes(rng.choice((1, 4, 1000)))
        return "weight.data longer", f"{where}: {len(raw)} -> {len(tensor.raw_data)} bytes"
    if choice == 2:
        tensor.ClearField("raw_data")
        return "weight.data missing", f"{where}: {len(raw)} bytes"
    if choice == 3:
        tensor.float_data.extend([rng.choice(FLOATS)] * rng.choice((1, 1000)))
        return "weight.data twice", where
    if choice == 4:
        tensor.ClearField("raw_data")
        field = rng.choice(("float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data"))
        getattr(tensor, field).extend([b"a" if field == "string_data" else 1] * rng.choice((1, 10, 1000)))
        return f"weight.{field}", where
    values = np.array([rng.choice(LONG_INTEGERS) for _ in range(max(1, len(raw) // 8))][:5000], np.int64)
    tensor.raw_data = np.resize(values.view(np.uint8), len(raw)).tobytes()
    return "weight.data values", f"{where}: {values[:3].tolist()}"


def weight_name(rng: random.Random, model: Any, files: Files) -> Lie:
    tensor, where = _initializer(rng, model)
    choice = rng.randrange(4)
    if choice == 0:
        tensor.name = rng.choice((*TEXTS, model.graph.input[0].name, model.graph.output[0].name))
        return "weight.name", f"{where}: {tensor.name!r:.30}"
    if choice == 1:
        model.graph.initializer.add().CopyFrom(tensor)
        return "weight twice", where
    if choice == 2:
        model.graph.initializer.remove(tensor)
        return "weight removed", where
    tensor.segment.begin, tensor.segment.end = rng.choice(LONG_INTEGERS), rng.choice(LONG_INTEGERS)
    return "weight.segment", where


def external_data(rng: random.Random, model: Any, files: Files) -> Lie:
    """Weights that lie elsewhere: in files that are none of the model's, in pipes, beyond the end."""
    tensor, where = _initializer(rng, model)
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    place = rng.choice(PLACES)
    values = {"location": place}
    if rng.random() < 0.7:
        values["offset"] = rng.choice(("0", "1", "-1", "4096", str(2**40), str(2**63), "x", "", "1e3"))
    if rng.random() < 0.7:
        values["length"] = rng.choice((str(size), "0", "-1", str(size + 1), str(2**33), str(2**63), "x"))
    if rng.random() < 0.3:
        values[rng.choice(("checksum", "basepath", "location", "unknown"))] = rng.choice(TEXTS)
    for key, value in values.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    if rng.random() < 0.2:
        tensor.data_location = 0
    if rng.random() < 0.3:
        tensor.ClearField("dims")
        tensor.dims.extend(rng.choice(([2**31], [2**33], [1], [0], [-1])))
    files["weights.bin"] = bytes(size)
    files["link.bin"] = Link(rng.choice(("/etc/passwd", "/dev/zero", "link.bin", "weights.bin")))
    files["pipe.bin"] = Pipe()
    return "external data", f"{where}: {values}"


def ends(rng: random.Random, model: Any, files: Files) -> Lie:
    side = rng.choice(("input", "output"))
    values = getattr(model.graph, side)
    if not values:
        raise Unbuildable("no end")
    value = values[0]
    choice = rng.randrange(8)
    if choice == 0:
        value.type.tensor_type.elem_type = rng.choice([*range(26), 100])
        return f"{side}.type", f"{value.type.tensor_type.elem_type}"
    if choice == 1:
        dims = value.type.tensor_type.shape.dim
        if dims:
            rng.choice(dims).dim_value = rng.choice((hostile(rng), rng.choice(LONG_INTEGERS)))
        return f"{side}.dim", str([dim.dim_value for dim in dims])
    if choice == 2:
        dims = value.type.tensor_type.shape.dim
        if dims:
            rng.choice(dims).dim_param = rng.choice(TEXTS)
        return f"{side}.dim_param", ""
    if choice == 3:
        value.ClearField("type")
        return f"{side}.type missing", ""
    if choice == 4:
        value.type.tensor_type.ClearField("shape")
        return f"{side}.shape missing", ""
    if choice == 5:
        value.name = rng.choice(TEXTS)
        return f"{side}.name", f"{value.name!r:.30}"
    if choice == 6:
        if rng.random() < 0.5:
            values.add().CopyFrom(value)
        else:
            del values[:]
        return f"{side}s", f"{len(values)}"
    value.ClearField("type")
    kind = rng.randrange(4)
    if kind == 0:
        value.type.sequence_type.elem_type.tensor_type.elem_type = 1
    elif kind == 1:
        value.type.map_type.key_type = 7
        value.type.map_type.value_type.tensor_type.elem_type = 1
    elif kind == 2:
        value.type.optional_type.elem_type.tensor_type.elem_type = 1
    else:
        value.type.sparse_tensor_type.elem_type = 1
    return f"{side}.kind", str(kind)


def node_operands(rng: random.Random, model: Any, files: Files) -> Lie:
    node = _node(rng, model)
    side = rng.choice(("input", "input", "output"))
    names = list(getattr(node, side))
    old = list(names)
    everything = [name for one in model.graph.node for name in (*one.input, *one.output)]
    choice = rng.randrange(7)
    place = rng.randrange(len(names)) if names else 0
    if choice == 0 and names:
        names[place] = ""
        what = "empty"
    elif choice == 1 and names:
        names[place] = rng.choice(("missing", *TEXTS))
        what = "outside"
    elif choice == 2 and names:
        names[place] = rng.choice(everything)
        what = "another"
    elif choice == 3 and names and node.output:
        names[place] = rng.choice((*node.output, *node.input))
        what = "of the other side"
    elif choice == 4 and names:
        names.pop(place)
        what = "fewer"
    elif choice == 5:
        names += rng.choice(([""], [rng.choice(everything)], [rng.choice(everything)] * 100))
        what = "more"
    else:
        names = []
        what = "none"
    node.ClearField(side)
    getattr(node, side).extend(names)
    return f"node.{side} {what}", f"{node.op_type}: {old!s:.60} -> {names!s:.60}"


def node_kind(rng: random.Random, model: Any, files: Files) -> Lie:
    node = _node(rng, model)
    old = node.op_type
    choice = rng.randrange(5)
    if choice < 2:
        node.op_type = rng.choice((*OPERATORS, *GROWING))
        return "node.op_type", f"{old} -> {node.op_type}"
    if choice == 2:
        node.domain = rng.choice(("com.microsoft", "ai.onnx.ml", "my.domain", "ai.onnx.preview.training", *TEXTS))
        if rng.random() < 0.5:
            entry = model.opset_import.add()
            entry.domain, entry.version = node.domain, rng.choice((1, 0, -1, 999))
        return "node.domain", f"{old}: {node.domain!r:.30}"
    if choice == 3:
        node.domain = "com.microsoft"
        node.op_type = rng.choice(MICROSOFT)
        entry = model.opset_import.add()
        entry.domain, entry.version = "com.microsoft", 1
        return "node.op_type (com.microsoft)", f"{old} -> {node.op_type}"
    node.overload = rng.choice(TEXTS)
    return "node.overload", old


def node_order(rng: random.Random, model: Any, files: Files) -> Lie:
    nodes = list(model.graph.node)
    if not nodes:
        raise Unbuildable("no node")
    choice = rng.randrange(5)
    place = rng.randrange(len(nodes))
    name = nodes[place].op_type
    if choice == 0:
        nodes.pop(place)
    elif choice == 1:
        nodes.insert(rng.randrange(len(nodes)), nodes[place])
    elif choice == 2:
        rng.shuffle(nodes)
    elif choice == 3:
        nodes.reverse()
    else:
        nodes = []
    what = ("removed", "twice", "shuffled", "reversed", "all removed")[choice]
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    return f"node {what}", name


def attribute_value(rng: random.Random, model: Any, files: Files) -> Lie:
    nodes = [node for node in model.graph.node if node.attribute]
    if not nodes:
        raise Unbuildable("no attribute")
    node = rng.choice(nodes)
    attribute = rng.choice(node.attribute)
    choice = rng.randrange(6)
    if choice < 3:
        if attribute.type == 7:  # INTS
            values = [rng.choice((value, hostile(rng, value), rng.choice(LONG_INTEGERS))) for value in attribute.ints]
            values = rng.choice((values, values, values * 2, values[:-1], []))
            attribute.ClearField("ints")
            attribute.ints.extend(values)
            return "attribute.ints", f"{node.op_type}.{attribute.name}: {values[:8]}"
        if attribute.type == 2:
            attribute.i = rng.choice((hostile(rng, attribute.i), rng.choice(LONG_INTEGERS)))
            return "attribute.int", f"{node.op_type}.{attribute.name}: {attribute.i}"
        if attribute.type == 1:
            attribute.f = rng.choice(FLOATS)
            return "attribute.float", f"{node.op_type}.{attribute.name}: {attribute.f}"
        attribute.s = rng.choice((b"", b"SAME_UPPER", b"VALID", b"\xff\xfe", b"a" * 10_000))
        return "attribute.string", f"{node.op_type}.{attribute.name}: {attribute.s[:20]!r}"
    if choice == 3:
        attribute.type = rng.choice((*range(15), 99))
        return "attribute.type", f"{node.op_type}.{attribute.name}: {attribute.type}"
    if choice == 4:
        name = attribute.name
        node.attribute.remove(attribute)
        return "attribute removed", f"{node.op_type}.{name}"
    attribute.name = rng.choice(("axis", "value", "shape", "to", "kernel_shape", "body", *TEXTS))
    return "attribute.name", f"{node.op_type}.{attribute.name:.20}"


def attribute_more(rng: random.Random, model: Any, files: Files) -> Lie:
    from onnx import helper

    node = _node(rng, model)
    name = rng.choice(ATTRIBUTES)
    value = rng.choice(
        (
            [rng.choice(LONG_INTEGERS) for _ in range(rng.choice((1, 2, 4)))],
            rng.choice(LONG_INTEGERS),
            "SAME_LOWER",
            1e38,
        )
    )
    attribute = helper.make_attribute(name, value)
    if rng.random() < 0.1:
        attribute.ref_attr_name = "x"
    node.attribute.append(attribute)
    return "attribute more", f"{node.op_type}.{name} = {value}"


def operand_values(rng: random.Random, model: Any, files: Files) -> Lie:
    """New values for a weight of a few integers: a shape, axes, paddings."""
    places = [tensor for tensor in model.graph.initializer if tensor.data_type in (6, 7) and len(tensor.dims) <= 1]
    if not places:
        raise Unbuildable("no operand of integers")
    tensor = rng.choice(places)
    count = max(1, tensor.dims[0] if tensor.dims else 1)
    values = [rng.choice((hostile(rng), rng.choice(LONG_INTEGERS), -1, 1, 10)) for _ in range(count)]
    dtype = np.int32 if tensor.data_type == 6 else np.int64
    tensor.ClearField("int64_data")
    tensor.ClearField("int32_data")
    tensor.raw_data = np.array(values, np.int64).astype(dtype).tobytes()
    users = [node.op_type for node in model.graph.node if tensor.name in node.input]
    return "operand values", f"{users[:1]}: {values[:6]}"


def growing_node(rng: random.Random, model: Any, files: Files) -> Lie:
    """One more node whose result is as large as a constant says, before the first or after the last."""
    from onnx import helper, numpy_helper

    graph = model.graph
    name = rng.choice((*GROWING, *OPERATORS)) if rng.random() < 0.3 else rng.choice(GROWING)
    sizes = rng.choice(
        ([2**31], [2**16, 2**16], [2**40], [10**6, 1000], [2**62, 4], [-1], [0], [28] * 6, [2**14, 2**14], [8000, 8000])
    )
    constant = numpy_helper.from_array(np.array(sizes, np.int64), "lie_sizes")
    scalars = [
        numpy_helper.from_array(np.array(value, np.int64), f"lie_{i}") for i, value in enumerate((0, sizes[0], 1))
    ]
    graph.initializer.extend([constant, *scalars])
    source = rng.choice((graph.input[0].name, graph.output[0].name if graph.output else "", "lie_sizes"))
    if name == "ConstantOfShape":
        inputs = ["lie_sizes"]
    elif name == "Range":
        inputs = ["lie_0", "lie_1", "lie_2"]
    elif name == "Resize":
        inputs = [source, "", "", "lie_sizes"]
    else:
        inputs = [source, "lie_sizes"]
    node = helper.make_node(name, inputs, ["lie_result"])
    used = rng.random() < 0.6
    if used:  # through its size, so that it is not left out
        graph.node.insert(0, node)
        graph.node.insert(1, helper.make_node("Size", ["lie_result"], ["lie_size"]))
        graph.node.insert(2, helper.make_node("Cast", ["lie_size"], ["lie_float"], to=1))
        last = graph.node[-1]
        hidden = "lie_old_output"
        shown = last.output[0]
        last.output[0] = hidden
        graph.node.append(helper.make_node("Add", [hidden, "lie_float"], [shown]))
    else:
        graph.node.insert(rng.choice((0, len(graph.node))), node)
        if rng.random() < 0.5:
            graph.output[0].name = "lie_result"
    return "node more", f"{name}: {sizes}{' used' if used else ''}"


def control_flow(rng: random.Random, model: Any, files: Files) -> Lie:
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    trips = rng.choice((0, -1, 1, 10**9, 2**62))
    kind = rng.choice(("Loop", "If", "Scan", "nested"))
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(trips, np.int64), "lie_trips"),
            numpy_helper.from_array(np.array(True), "lie_true"),
        ]
    )
    if kind == "nested":
        depth = rng.choice((10, 20, 28))  # protocol buffers read no more than 100 levels
        body = helper.make_graph(
            [helper.make_node("Identity", ["lie_true"], ["lie_b"])],
            "b",
            [],
            [helper.make_tensor_value_info("lie_b", TensorProto.BOOL, [])],
        )
        for _ in range(depth):
            node = helper.make_node(
                "If", ["lie_true"], ["lie_b"], then_branch=body, else_branch=body if depth < 12 else None
            )
            body = helper.make_graph([node], "b", [], [helper.make_tensor_value_info("lie_b", TensorProto.BOOL, [])])
        graph.node.extend(body.node)
        return "control flow nested", f"{depth}"
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["lie_true"], ["lie_c"]),
            helper.make_node("Add", ["lie_v", "lie_v"], ["lie_w"]),
            helper.make_node("Concat", ["lie_v", "lie_v"], ["lie_x"], axis=0),
        ],
        "body",
        [
            helper.make_tensor_value_info("lie_i", TensorProto.INT64, []),
            helper.make_tensor_value_info("lie_k", TensorProto.BOOL, []),
            helper.make_tensor_value_info("lie_v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("lie_c", TensorProto.BOOL, []),
            helper.make_tensor_value_info(rng.choice(("lie_w", "lie_x")), TensorProto.FLOAT, None),
        ],
    )
    start = "lie_start"
    graph.initializer.append(numpy_helper.from_array(np.ones(4, np.float32), start))
    attributes: dict[str, Any] = {"body": body}
    if kind == "If":
        attributes = {"then_branch": body, "else_branch": body}
    if kind == "Scan":
        attributes["num_scan_inputs"] = rng.choice((1, 0, -1, 2**40))
    node = helper.make_node(kind, ["lie_trips", "lie_true", start], ["lie_end"], **attributes)
    graph.node.insert(0, node)
    graph.node.insert(1, helper.make_node("ReduceMax", ["lie_end"], ["lie_max"], keepdims=0))
    last = graph.node[-1]
    shown = last.output[0]
    last.output[0] = "lie_old_output"
    graph.node.append(helper.make_node("Mul", ["lie_old_output", "lie_max"], [shown]))
    return "control flow", f"{kind}: {trips} trips, gives {body.output[1].name}"


def functions(rng: random.Random, model: Any, files: Files) -> Lie:
    from onnx import helper

    calls = rng.choice((["lie"], ["lie", "lie"], ["other"], []))
    nodes = [
        helper.make_node(one, ["a"], ["b"] if number == 0 else [f"b{number}"], domain="lies")
        for number, one in enumerate(calls)
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("lies", 1)]
    names = rng.choice((["lie"], ["lie", "lie"], ["lie", "other"]))
    for name in names:
        model.functions.append(helper.make_function("lies", name, ["a"], ["b"], nodes, opsets))
    model.opset_import.append(helper.make_opsetid("lies", 1))
    node = _node(rng, model)
    node.op_type, node.domain = "lie", "lies"
    return "functions", f"{names} call {calls}"


def versions(rng: random.Random, model: Any, files: Files) -> Lie:
    choice = rng.randrange(4)
    if choice == 0:
        model.opset_import[0].version = rng.choice((*range(27), 99, *LONG_INTEGERS))
        return "opset", f"{model.opset_import[0].version}"
    if choice == 1:
        del model.opset_import[:]
        return "opset missing", ""
    if choice == 2:
        model.opset_import.add().version = rng.choice((1, 5, 13, 99))
        return "opset twice", ""
    model.ir_version = rng.choice((*range(14), 99, *LONG_INTEGERS))
    return "ir_version", f"{model.ir_version}"


def sparse(rng: random.Random, model: Any, files: Files) -> Lie:
    from onnx import numpy_helper

    tensor, where = _initializer(rng, model)
    entry = model.graph.sparse_initializer.add()
    count = rng.choice((0, 1, 4))
    entry.values.CopyFrom(numpy_helper.from_array(np.ones(count, np.float32), tensor.name))
    indices = np.array([rng.choice(LONG_INTEGERS) for _ in range(rng.choice((count, count + 1, 0)))], np.int64)
    entry.indices.CopyFrom(numpy_helper.from_array(indices, ""))
    entry.dims.extend(rng.choice((list(tensor.dims), [2**31, 2**31], [-1], [0], [])))
    if rng.random() < 0.7:
        model.graph.initializer.remove(tensor)
    return "sparse", f"{where}: {indices.tolist()} of {list(entry.dims)}"


def texts(rng: random.Random, model: Any, files: Files) -> Lie:
    choice = rng.randrange(7)
    text = rng.choice(TEXTS)
    if choice == 0:
        model.producer_name = model.domain = text
    elif choice == 1:
        _node(rng, model).name = text
    elif choice == 2:
        model.graph.name = text
    elif choice == 3:
        for _ in range(rng.choice((1, 2, 1000))):
            entry = model.metadata_props.add()
            entry.key, entry.value = text, rng.choice(TEXTS)
    elif choice == 4:
        entry = model.graph.quantization_annotation.add()
        entry.tensor_name = text
    elif choice == 5:
        value = model.graph.value_info.add()
        value.name = rng.choice((text, *(_node(rng, model).output or [text])))
        value.type.tensor_type.elem_type = rng.choice((1, 7, 8, 99))
        value.type.tensor_type.shape.dim.add().dim_value = rng.choice(LONG_INTEGERS)
    else:
        model.training_info.add().initialization.name = text
    return "text", f"{choice}: {text!r:.30}"


def graph_missing(rng: random.Random, model: Any, files: Files) -> Lie:
    choice = rng.randrange(4)
    if choice == 0:
        model.ClearField("graph")
    elif choice == 1:
        del model.graph.initializer[:]
    elif choice == 2:
        last = model.graph.node[-1]
        for _ in range(rng.choice((1000, 10_000))):
            model.graph.node.add().CopyFrom(last)
    else:
        name = model.graph.node[-1].output[0]
        for number in range(rng.choice((1000, 10_000))):
            node = model.graph.node.add()
            node.op_type = "Identity"
            node.input.append(name)
            name = f"lie_{number}"
            node.output.append(name)
    return f"graph {('missing', 'without weights', 'with one node many times', 'with a chain')[choice]}", ""


LIES: tuple[Callable[[random.Random, Any, Files], Lie], ...] = (
    *(
        weight_type,
        weight_dims,
        weight_dims,
        weight_data,
        weight_data,
        weight_name,
        external_data,
        external_data,
        ends,
        ends,
    ),
    *(
        node_operands,
        node_operands,
        node_kind,
        node_kind,
        node_order,
        attribute_value,
        attribute_value,
        attribute_value,
    ),
    *(attribute_more, operand_values, growing_node, growing_node, control_flow, functions, versions, sparse, texts),
    graph_missing,
)
"""All lies; a common one stands more than once."""
