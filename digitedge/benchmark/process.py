"""A function of this room in a process of its own."""

import json
import re
from typing import Any

from digitedge.doctor.child import ask_child
from digitedge.errors import ModelError

# A slow board may take minutes for what a laptop does in seconds; only what hangs takes this long.
LIMIT_S = 900.0


def in_new_process(function: str, /, *arguments: Any, **options: Any) -> Any:
    """Call a function in a fresh Python.

    Args:
        function: its dotted name; what it returns must be JSON.
        arguments: strings, numbers and tuples of them.
        options: as above.

    Raises:
        ModelError: it failed or crashed; the message is its own.

    Examples:
        >>> in_new_process("math.gcd", 12, 18)
        6
    """
    module, _, name = function.rpartition(".")
    code = f"import json; from {module} import {name}; print(json.dumps({name}(*{arguments!r}, **{options!r})))"
    answer = ask_child(code, limit_s=LIMIT_S)
    if not answer.works:
        raise ModelError(re.sub(r"^digitedge\.errors\.\w+: ", "", answer.text))
    return json.loads(answer.text.splitlines()[-1])
