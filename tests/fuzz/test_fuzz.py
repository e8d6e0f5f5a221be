import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.case import CODE_MARK, ROOT
from fuzz.corpus import CORPUS, MAKERS, corpus
from fuzz.kinds import KINDS, raw_characters
from fuzz.runner import FAILURES, Input, Result, run_batch
from fuzz.traps import TRAPS
from fuzz.worker import make_case

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="wants /proc")

TRAP_SEED = "traps"
QUICK = [kind for kind in MAKERS if not KINDS[kind].tensorflow]


def number_of(trap: str) -> int:
    return next(number for number in range(1000) if make_case(KINDS["trap"], TRAP_SEED, number).lie == trap)


def run_traps(*traps: str, hang_s: float = 10.0) -> list[Result]:
    return list(run_batch(["trap"], [("trap", number_of(trap)) for trap in traps], TRAP_SEED, hang_s=hang_s))


def failed(results: list[Result]) -> str:
    """A line for each failure."""
    return "\n".join(
        f"{one.outcome} {one.error} {one.place}: {one.kind} {one.number}, {one.lie}: {one.message}"
        for one in results
        if one.outcome in FAILURES
    )


def run_main(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    command = [sys.executable, "-m", "fuzz", "--kinds", "trap", "--seed", TRAP_SEED, *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_no_case_of_the_corpus_gets_through() -> None:
    cases: list[Input] = [(kind, number) for kind in QUICK for number in range(len(corpus(kind)))]
    results = list(run_batch(QUICK, cases, CORPUS))
    assert len(results) == len(cases) > 300
    assert failed(results) == ""
    assert {one.kind for one in results if one.outcome == "refused"} == set(QUICK)


@pytest.mark.slow
def test_no_keras_case_of_the_corpus_gets_through() -> None:
    cases: list[Input] = [("keras", number) for number in range(len(corpus("keras")))]
    assert failed(list(run_batch(["keras"], cases, CORPUS))) == ""
    assert not CODE_MARK.exists()


def test_every_outcome_is_told_apart() -> None:
    traps = ("works", "refused", "traceback", "memory", "crash", "works")
    results = run_traps(*traps)
    assert [one.outcome for one in results] == list(traps)
    assert (results[2].error, results[2].message) == ("KeyError", "'traceback'")
    assert results[3].peak_mb > 700
    assert (results[4].error, results[4].reproduced) == ("SIGSEGV", True)
    assert set(traps) < set(TRAPS)


@pytest.mark.slow
def test_a_hang_is_ended() -> None:
    (result,) = run_traps("hang", hang_s=1.0)
    assert result.outcome == "hang"
    assert 1.0 <= result.seconds < 5.0


@pytest.mark.slow
def test_a_crash_is_blamed_on_the_input_that_planted_it() -> None:
    results = run_traps("works", "plants a crash", "refused", "works", "meets it")
    assert [one.lie for one in results if one.outcome == "crash"] == ["plants a crash"]


def test_a_campaign_fails_if_an_input_does(tmp_path: Path) -> None:
    done = run_main("--only", number_of("traceback"), number_of("works"), "--keep", tmp_path, "--jobs", "1")
    assert done.returncode == 1, done.stderr
    assert "KeyError" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    counts = report["counts"]["trap"]
    assert (counts["works"], counts["traceback"]) == (1, 1)
    assert [one["lie"] for one in report["failures"]] == ["traceback"]
    assert (tmp_path / f"trap-{TRAP_SEED}-{number_of('traceback')}" / "trap").is_file()


def test_a_campaign_without_failures_holds(tmp_path: Path) -> None:
    done = run_main("--only", number_of("works"), number_of("refused"), "--keep", tmp_path, "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.weight and not kind.tensorflow])
def test_an_input_is_the_same_in_every_run(kind: str) -> None:
    first, again, other = (make_case(KINDS[kind], seed, 3) for seed in ("1", "1", "2"))
    assert first == again
    assert first != other


def test_control_characters_in_output_are_found() -> None:
    assert not raw_characters("7 3\tnaïve\n")
    assert "x1b" in raw_characters("error: \x1b[31mred")
