"""JSON that lies: wrong types, numbers without end, keys that are missing, doubled or strange, nesting without end."""

import copy
import json
import random
from typing import Any

from fuzz.case import FLOATS, LONG_INTEGERS, TEXTS, damage

# Texts in place of which the JSON has something that Python does not write.
_RAW = {
    "RAW-DIGITS": "1" + "0" * 400,
    "RAW-MANY-DIGITS": "9" * 5000,
    "RAW-EXPONENT": "1e400",
    "RAW-MINUS-ZERO": "-0",
    "RAW-DEEP": "[" * 900 + "]" * 900,
    "RAW-DEEPER": "[" * 200_000 + "]" * 200_000,
    "RAW-SURROGATE": '"\\ud800"',
    "RAW-ZERO": '"a\\u0000b"',
}
_WHOLE = (
    *(b"", b"null", b"[]", b"{}", b"0", b'"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 100_000),
    *(b"NaN", b"1" * 5000, b" " * 1_000_000, b"[]" + b"\0" * 100, b'{"a": 1, "a": 2}', b"[1,]", b"// x\n{}"),
)


def json_lie(rng: random.Random, value: Any) -> tuple[str, str, bytes]:
    """A lie about parsed JSON: its sort, what exactly, and the file."""
    choice = rng.random()
    if choice < 0.1:
        content = rng.choice(_WHOLE)
        return "json another", f"{content[:20]!r}", content
    if choice < 0.2:
        lie, content = damage(rng, json.dumps(value, indent=1).encode())
        return f"json {lie}", "", content
    changed = copy.deepcopy(value)
    lies = [_change(rng, changed) for _ in range(1 if rng.random() < 0.85 else 2)]
    text = json.dumps(changed, indent=2, ensure_ascii=rng.random() < 0.5)
    for mark, raw in _RAW.items():
        text = text.replace(f'"{mark}"', raw)
    content = text.encode("utf-8", "surrogatepass")
    return f"json {' + '.join(lie for lie, _ in lies)}", "; ".join(detail for _, detail in lies), content


def _places(value: Any, path: str = "") -> list[tuple[Any, Any, str]]:
    """Every container with each of its keys, and the path."""
    found = []
    for key in value if isinstance(value, dict) else range(len(value)):
        found.append((value, key, f"{path}/{key}"))
        if isinstance(value[key], dict | list):
            found += _places(value[key], f"{path}/{key}")
    return found


def _change(rng: random.Random, value: Any) -> tuple[str, str]:
    places = _places(value)
    if not places:
        return "empty", ""
    container, key, path = rng.choice(places)
    choice = rng.randrange(10)
    if choice == 0:
        del container[key]
        return "removed", path
    if choice == 1 and isinstance(container, dict):
        new = rng.choice((*TEXTS, "../other", "/etc/passwd", "unknown"))
        container[new] = container.pop(key)
        return "renamed", f"{path} -> {new!r:.30}"
    if choice == 2 and isinstance(container, dict):
        new = rng.choice((*TEXTS, "unknown"))
        container[new] = copy.deepcopy(container[key])
        return "more", f"{path}: {new!r:.30}"
    if choice == 3 and isinstance(container, list):
        container += [container[key]] * rng.choice((1, 1000))
        return "longer", path
    new = rng.choice(
        (*_RAW, *TEXTS, *LONG_INTEGERS, *FLOATS, None, True, False, [], {}, [[]], {"a": 1}, [None], "1", -1.5)
    )
    container[key] = new
    return "value", f"{path}: {new!r:.30}"
