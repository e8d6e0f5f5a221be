"""Sizes in an ONNX graph that would depend on the image: how long a loop runs, how large a result is.

A trial sees only some images. A file could behave on these and ask for gigabytes on another, so what decides about
sizes must come from constants and shapes.
"""

from collections.abc import Iterable
from typing import Any

from digitedge.runtime.checks.problems import InvalidPart

# Inputs, by place, that decide about the size of the result or about the work; None for all of them.
_SIZES: dict[str, range | None] = {
    **dict.fromkeys(("ConstantOfShape", "Range", "EyeLike"), None),
    **dict.fromkeys(("Expand", "Tile", "Reshape", "Pad", "Slice", "OneHot", "Split", "TopK", "Trilu"), range(1, 8)),
    **dict.fromkeys(("Resize", "Upsample", "CenterCropPad", "MaxUnpool", "Col2Im", "SplitToSequence"), range(1, 8)),
    **dict.fromkeys(("BlackmanWindow", "HannWindow", "HammingWindow", "StringNormalizer"), None),
    **dict.fromkeys(("Loop", "If"), range(0, 2)),
}
# Results that are known before the image is.
_SHAPES = ("Shape", "Size")


def check_sizes(graph: Any, from_image: Iterable[str]) -> None:
    """Check that no size of a graph is computed from the image.

    Args:
        graph: the graph.
        from_image: names of the values, from outside of it, that depend on the image.

    Raises:
        InvalidPart: one is.
    """
    dependent = set(from_image)
    for node in graph.node:
        places = _SIZES.get(node.op_type, range(0))
        deciding = [name for place, name in enumerate(node.input) if places is None or place in places]
        if any(name in dependent for name in deciding):
            raise InvalidPart(f"{node.op_type} whose size or length is computed from the image")
        if node.op_type == "Loop" and not (node.input and node.input[0]):
            raise InvalidPart("a Loop without a number of rounds")
        depends = any(name in dependent for name in node.input)
        for attribute in node.attribute:
            for body in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                # The first input of a loop's body counts the rounds; the others may come from the image.
                inner = [one.name for one in body.input]
                check_sizes(body, dependent | set(inner[1:] if node.op_type == "Loop" else inner))
                depends = depends or any(name in dependent for inside in body.node for name in inside.input)
        if depends and node.op_type not in _SHAPES:
            dependent.update(name for name in node.output if name)
