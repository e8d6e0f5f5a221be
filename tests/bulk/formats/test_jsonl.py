"""JSON Lines: a line a page, whatever its name holds."""

import json

import pytest
from page_results import RESULTS, digit

from digitedge.bulk.formats.jsonl import encode_jsonl
from digitedge.reader.page_result import PageResult
from digitedge.reader.reading import Reading


def test_every_page_is_a_line_that_ends() -> None:
    content = encode_jsonl(RESULTS)
    assert content.endswith(b"\n")
    assert [json.loads(line) for line in content.splitlines()] == [result.to_dict() for result in RESULTS]
    assert encode_jsonl(RESULTS[:3]) + encode_jsonl(RESULTS[3:]) == content


def test_a_confidence_that_is_no_number_is_refused() -> None:
    reading = Reading((digit(1, 0, 0, float("nan")),), ("1",), 9, 9, 1.0)
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_jsonl([PageResult("a.png", None, reading)])
