"""Stages and their clock."""

import pytest

from digitedge.vision import Stage, StageClock


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the system's clock by one that shows the only item of this list."""
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    return now


def test_stages_are_strings_in_the_order_of_the_pipeline() -> None:
    assert [stage.value for stage in Stage][:2] == ["grey", "ink"]
    assert Stage("split_merge") is Stage.SPLIT_MERGE
    assert f"{Stage.SPLIT_MERGE}" == "split_merge"


def test_clock_has_all_stages_in_their_order_and_starts_at_zero() -> None:
    assert list(StageClock().ms.items()) == [(stage, 0.0) for stage in Stage]


def test_times_of_a_stage_that_runs_twice_are_added(seconds: list[float]) -> None:
    clock = StageClock()
    for duration_s in (0.5, 0.25):
        with clock.measure(Stage.MASK):
            seconds[0] += duration_s
    assert clock.ms[Stage.MASK] == 750
    assert sum(clock.ms.values()) == 750


def test_time_of_an_inner_stage_counts_only_for_the_inner_stage(seconds: list[float]) -> None:
    clock = StageClock()
    with clock.measure(Stage.SPLIT_MERGE):
        seconds[0] += 1
        with clock.measure(Stage.CROPS):
            seconds[0] += 2
            with clock.measure(Stage.PREDICTIONS):
                seconds[0] += 4
            seconds[0] += 8
        seconds[0] += 16
        with clock.measure(Stage.CROPS):
            seconds[0] += 32
        seconds[0] += 64
    with clock.measure(Stage.DECISIONS):
        seconds[0] += 128
    measured = {stage: ms for stage, ms in clock.ms.items() if ms}
    assert measured == {
        Stage.SPLIT_MERGE: 81_000,
        Stage.CROPS: 42_000,
        Stage.PREDICTIONS: 4_000,
        Stage.DECISIONS: 128_000,
    }
    assert sum(clock.ms.values()) == 255_000


def test_stage_inside_itself_counts_once(seconds: list[float]) -> None:
    clock = StageClock()
    with clock.measure(Stage.CROPS):
        seconds[0] += 1
        with clock.measure(Stage.CROPS):
            seconds[0] += 2
    assert clock.ms[Stage.CROPS] == 3_000


def test_stage_that_raises_is_measured_and_the_outer_one_stays_exact(seconds: list[float]) -> None:
    clock = StageClock()
    with clock.measure(Stage.SPLIT_MERGE):
        seconds[0] += 1
        with pytest.raises(ZeroDivisionError), clock.measure(Stage.CROPS):
            seconds[0] += 2
            _ = 1 / 0
        seconds[0] += 4
    assert (clock.ms[Stage.SPLIT_MERGE], clock.ms[Stage.CROPS]) == (5_000, 2_000)
