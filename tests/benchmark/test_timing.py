import pytest

from digitedge.benchmark.timing import BLOCKS, Latency, percentile, time_calls
from digitedge.errors import InputError


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)], ids=str)
def test_percentiles_of_1_to_100(share: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), share) == expected


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert [percentile([7.5], share) for share in (0.01, 0.5, 1)] == [7.5] * 3


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.1), ([1.0], float("nan"))], ids=str)
def test_no_values_and_no_share_are_refused(values: list[float], share: float) -> None:
    with pytest.raises(InputError, match="takes values and a share over 0 to 1"):
        percentile(values, share)


def test_percentiles_are_over_all_calls_and_medians_of_each_block() -> None:
    latency = Latency.of([[1.0, 2.0, 3.0], [4.0, 5.0, 60.0]])
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms) == (3.0, 60.0, 60.0)
    assert latency.medians_ms == [2.0, 5.0]


def test_the_warm_up_is_timed_but_not_counted() -> None:
    calls: list[int] = []
    latency = time_calls(lambda: calls.append(1), seconds=0, least=3)
    assert len(calls) == 3 * (BLOCKS + 1)
    assert len(latency.medians_ms) == BLOCKS
    assert 0 <= latency.p50_ms <= latency.p95_ms <= latency.p99_ms
