"""Python code in a child process: its output, or the reason of its failure in one line."""

import json

import pytest

from digitedge.errors import ModelError
from digitedge.utils.subprocesses import ChildResult, call_in_new_process, run_python


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print('a'); print('b')", ChildResult(True, "a\nb")),
        ("print('a'); raise ValueError('too large')", ChildResult(False, "ValueError: too large")),
        ("raise SystemExit(3)", ChildResult(False, "it exited with code 3")),
        ("import os; os.abort()", ChildResult(False, "it crashed (Aborted)")),
    ],
    ids=["output", "exception", "exit code", "crash"],
)
def test_result_is_the_output_or_the_reason_of_the_failure(code: str, expected: ChildResult) -> None:
    assert run_python(code) == expected


def test_error_in_the_child_is_a_model_error_with_its_own_message() -> None:
    with pytest.raises(ModelError, match=r"^json\.decoder\.JSONDecodeError: Expecting value"):
        call_in_new_process(json.loads, "x")
