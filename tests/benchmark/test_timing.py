"""Percentiles and blocks of timed calls."""

from digitedge.benchmark.timing import BLOCKS, Latency, time_calls


def test_percentiles_are_measured_values() -> None:
    latency = Latency.of([list(range(100, 50, -1)), list(range(50, 0, -1))])
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms) == (50, 95, 99)
    one = Latency.of([[7.5]])
    assert (one.p50_ms, one.p95_ms, one.p99_ms) == (7.5, 7.5, 7.5)


def test_percentiles_are_over_all_calls_and_medians_of_each_block() -> None:
    latency = Latency.of([[1.0, 2.0, 3.0], [4.0, 5.0, 60.0]])
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms) == (3.0, 60.0, 60.0)
    assert latency.medians_ms == [2.0, 5.0]


def test_the_warm_up_is_not_counted() -> None:
    calls: list[int] = []
    latency = time_calls(lambda: calls.append(1), seconds=0, min_calls=3)
    assert len(calls) == 3 * (BLOCKS + 1)
    assert len(latency.medians_ms) == BLOCKS
    assert 0 <= latency.p50_ms <= latency.p95_ms <= latency.p99_ms
