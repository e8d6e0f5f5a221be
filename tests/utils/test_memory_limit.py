import pytest

from digitedge.errors import InputError
from digitedge.utils.memory_limit import MEMORY_VARIABLE, memory_limit


@pytest.mark.parametrize(
    ("value", "expected"), [("", 450_000_000), ("1", 1_000_000), ("999999999", 999_999_999 * 10**6)]
)
def test_the_limit_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, value)
    assert memory_limit() == expected


@pytest.mark.parametrize("value", ["1234567890", "9" * 5000, "0", "-5", "1.5", "²", "lots"])
def test_another_value_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, value)
    with pytest.raises(InputError, match=f"{MEMORY_VARIABLE}: expected megabytes such as 450, got '{value}'"):
        memory_limit()
