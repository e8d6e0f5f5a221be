"""The parts of an ONNX file, counted in its bytes before protobuf makes objects of them.

An empty node takes 2 bytes in a file and a hundred in memory, so a small file of nothing else would take gigabytes.

Source:
    https://protobuf.dev/programming-guides/encoding/ and the field numbers of onnx.proto.
"""

from digitedge.runtime.checks.problems import InvalidPart

MAX_FIELDS = 200_000
"""Fields of all messages of a model, without the numbers of its weights."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
# The kinds of messages that may hold many others: field number -> kind of the message in it.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function", 20: "training"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {6: "graph", 11: "graph"},
}


def count_fields(content: bytes) -> int:
    """Count the fields of the messages of a model: nodes, attributes, names, tensors and so on.

    Raises:
        InvalidPart: more than `MAX_FIELDS`.
        IndexError: the file is cut short.
    """
    count = 0
    waiting = [("model", 0, len(content))]
    while waiting:
        kind, place, end = waiting.pop()
        while place < end:
            tag, place = _varint(content, place)
            field, wire_type = tag >> 3, tag & 7
            if wire_type == _VARINT:
                _, place = _varint(content, place)
            elif wire_type == _BYTES:
                length, place = _varint(content, place)
                if (child := _CHILDREN[kind].get(field)) is not None:
                    waiting.append((child, place, min(place + length, end)))
                place += length
            elif wire_type in (_FIXED32, _FIXED64):
                place += 4 if wire_type == _FIXED32 else 8
            else:
                raise InvalidPart("it is damaged")
            count += 1
            if count > MAX_FIELDS:
                raise InvalidPart(f"expected at most {MAX_FIELDS:,} parts, got more")
    return count


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and the place behind it."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise InvalidPart("it is damaged")
