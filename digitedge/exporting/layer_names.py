"""Layer names in converted graphs.

TensorFlow makes the names of a graph unique by numbers at their ends: the scopes of the layers `conv2d` and `conv2d_1`
become `conv2d_1` and `conv2d_1_2`, so that a scope no longer says which layer it is. `marked_layers` ends each layer's
name with a dot while a model is converted; what follows the dot is TensorFlow's.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import onnx

from digitedge.errors import InputError

WRAPPER = "contract_"
"""Beginning of the names of the layers that digitedge puts around a third-party model."""
_MARKED = re.compile(r"(.+)\.(_\d+)?")
_FUSION = re.compile(r"^(Conv[A-Za-z]+Fusion_(?:Mul_|Add_)?[WB]_)+")  # what ONNX Runtime puts before a name
_WITH_WEIGHTS = re.compile(r"/(convolution|depthwise|separable|MatMul|einsum)[^/]*$")
_FUSED = re.compile(r"/(Relu|BiasAdd|Squeeze|Clip)[^/]*$")  # what follows the operator that names the layer
_KINDS_WITH_WEIGHTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")

Path = tuple[str, ...]


class NamedOperator(NamedTuple):
    """What a graph says of an operator: names that may hold its layer, the best first, and the operators it reads."""

    names: Sequence[str]
    inputs: Sequence[int]


@contextmanager
def marked_layers(model: keras.Model) -> Iterator[None]:
    """End the names of all layers with a dot while the block runs."""
    layers = {id(layer): layer for layer in model._flatten_layers()}.values()
    names = [layer.name for layer in layers]
    try:
        for layer in layers:
            layer.name += "."
        yield
    finally:
        for layer, name in zip(layers, names, strict=True):
            layer.name = name


def layers_of(operators: Sequence[NamedOperator]) -> list[list[str]]:
    """Name the layers that each operator computes, the main one first; more than one where layers were fused.

    Layers of a nested model are called `encoder/conv2d`. Without marks, as in files from elsewhere, the scope of an
    operator is its layer, or its own name. An operator without a layer belongs to that of its first input.

    Examples:
        >>> layers_of([NamedOperator(["net._1/conv2d._1/Relu;net._1/conv2d._1/convolution"], []),
        ...     NamedOperator(["net._1/dense._1/MatMul"], [0]), NamedOperator(["Identity:0"], [1])])
        [['conv2d'], ['dense'], ['dense']]
    """
    marked = any(_marked_path(part) for one in operators for name in one.names for part in name.split(";"))
    paths: list[list[Path]] = []
    for one in operators:
        own = _paths(one.names, marked)
        inherited = next((paths[index] for index in one.inputs if index < len(paths) and paths[index]), [])
        paths.append(own or inherited)
    every = [path for found in paths for path in found if len(path) > 1 and not path[-1].startswith(WRAPPER)]
    scopes = {path[:length] for path in every for length in range(1, len(path))}
    every = [path for path in every if path not in scopes]  # an operator beside the layers of a nested model
    shared = min((len(path) for path in every), default=1) - 1
    root = next((place for place in range(shared) if len({path[place] for path in every}) > 1), shared)
    return [["/".join(path[root:] or path[-1:]) for path in found] for found in paths]


def tflite_layers(model: Any) -> list[list[str]]:
    """Name the layers of every operator of a .tflite file, a `ModelT` of its schema; see `layers_of`."""
    graph = model.subgraphs[0]
    makers = {int(tensor): index for index, one in enumerate(graph.operators) for tensor in one.outputs}
    named = [
        NamedOperator(
            [(graph.tensors[one.outputs[0]].name or b"").decode()],
            [makers[tensor] for tensor in one.inputs if tensor in makers],
        )
        for one in graph.operators
    ]
    return layers_of(named)


def onnx_layers(proto: onnx.ModelProto) -> list[list[str]]:
    """Name the layers of every node of an .onnx file; see `layers_of`."""
    constants = {one.name for one in proto.graph.initializer}
    makers = {name: index for index, node in enumerate(proto.graph.node) for name in node.output}
    named = []
    for node in proto.graph.node:
        held = [name for name in node.input if name in constants and "/" in name]
        names = [*held, node.name] if node.op_type in _KINDS_WITH_WEIGHTS or "/" not in node.name else [node.name]
        named.append(NamedOperator(names, [makers[name] for name in node.input if name in makers]))
    return layers_of(named)


def name_folded(proto: onnx.ModelProto, model: keras.Model) -> None:
    """Rename convolutions that tf2onnx named after the batch normalization folded into them; layers are marked."""
    folded = {
        layer.name: layer._inbound_nodes[0].parent_nodes[0].operation.name
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer._inbound_nodes
    }
    readers: dict[str, list[str]] = {}
    for node in proto.graph.node:
        for tensor in node.input:
            readers.setdefault(tensor, []).append(node.name)
    for index, node in enumerate(proto.graph.node):
        if node.op_type not in _KINDS_WITH_WEIGHTS:
            continue
        scopes = [node.name] if "/" in node.name else readers.get(node.output[0], [])
        for scope in scopes:
            parts = scope.split("/")
            found = [place for place, part in enumerate(parts) if part.rpartition(".")[0] + "." in folded]
            if found:
                layer = folded[parts[found[0]].rpartition(".")[0] + "."]
                node.name = "/".join([*parts[: found[0]], layer, f"convolution_{index}"])
                break


def choose_kept(wanted: Sequence[str], layers: Sequence[Sequence[str]]) -> list[int]:
    """Find the operators of layers that are to stay in float; a nested model's name stands for all its layers.

    Args:
        wanted: names of layers.
        layers: those of each operator, see `layers_of`.

    Raises:
        InputError: a name that no layer has.

    Examples:
        >>> choose_kept(["encoder"], [["encoder/conv2d", "encoder/re_lu"], ["dense"]])
        [0]
    """
    known = list(dict.fromkeys(layer for found in layers for layer in found))
    for name in wanted:
        if not any(_is_within(layer, name) for layer in known):
            raise InputError(f"expected the name of a layer to keep in float, got {name!r}. It has: {', '.join(known)}")
    return [
        index
        for index, found in enumerate(layers)
        if any(_is_within(layer, name) for layer in found for name in wanted)
    ]


def _is_within(layer: str, name: str) -> bool:
    """Whether a layer is the named one or lies in it: the parts of the name follow each other in its path."""
    return bool(name) and f"/{name}/" in f"/{layer}/"


def _paths(names: Sequence[str], marked: bool) -> list[Path]:
    """The layers in some names, the one with the weights first, each once."""
    parts = [part for name in names for part in name.split(";")]
    parts.sort(key=lambda part: 0 if _WITH_WEIGHTS.search(part) else 2 if _FUSED.search(part) else 1)
    paths = [_marked_path(part) if marked else _scope(part) for part in parts]
    return list(dict.fromkeys(path for path in paths if path))


def _marked_path(name: str) -> Path:
    return tuple(match[1] for part in _FUSION.sub("", name).split("/") if (match := _MARKED.fullmatch(part)))


def _scope(name: str) -> Path:
    parts = [part for part in name.split("/") if part]
    return tuple(parts[:-1] or parts)
