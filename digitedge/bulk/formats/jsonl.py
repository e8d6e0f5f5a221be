"""JSON Lines: one object a page, as `predict --json` prints it, and why a page could not be read."""

import json
from collections.abc import Sequence

from digitedge.reader.page_result import PageResult


def encode_jsonl(results: Sequence[PageResult]) -> bytes:
    r"""Return a line of ASCII for each page; each ends with "\n", so files can be concatenated.

    Examples:
        >>> encode_jsonl([PageResult("desk.jpg", None)])[:54]
        b'{"schema": "digitedge.reading/1", "source": "desk.jpg"'
    """
    return "".join(json.dumps(result.to_dict(), allow_nan=False) + "\n" for result in results).encode()
