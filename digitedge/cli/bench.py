"""`digitedge bench`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import MODEL_HELP, JsonOption, choose_model, echo, parse_path, print_json
from digitedge.errors import InputError, ModelError

if TYPE_CHECKING:
    from digitedge.benchmark.compare import ReportComparison


def bench(
    bundle: Annotated[Path | None, typer.Argument(parser=parse_path, metavar="BUNDLE", help=MODEL_HELP)] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Thread count; repeatable. Default: 1, 2, 4 ... up to the cores for files, 1 for frames."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure for a few seconds, with 1 thread by default; less precise.")
    ] = False,
    old_report: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="OLD.json",
            help="Compare with a report of bench --json. Exit code 1 if something got slower on the same machine.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the speed of every file of a bundle and of the stages of reading a frame, and recommend a file.

    Each file is measured in a process of its own. Close other programs first.

    A figure counts as slower or faster if the five block medians of both
    reports do not overlap and differ by more than a tenth. Figures of files
    that have changed are not compared.

    Examples:
      digitedge bench
      digitedge bench --json > board.json
      digitedge bench export/cnn-1 --quick --threads 1 --threads 4
      digitedge bench --compare board.json
    """
    from digitedge.benchmark.compare import compare_reports, read_report
    from digitedge.benchmark.run import FULL, QUICK, count_steps, find_target, run_benchmark, thread_counts

    old = None if old_report is None else read_report(old_report)
    target = find_target(choose_model(bundle))
    counts = sorted(set(threads or ([1] if quick else thread_counts())))
    frame_counts = counts if threads else [1]
    steps = count_steps(target, counts, frame_counts)
    with typer.progressbar(length=steps, label="measuring", file=sys.stderr) as bar:
        report = run_benchmark(
            target,
            QUICK if quick else FULL,
            threads=counts,
            frame_threads=frame_counts,
            on_progress=lambda: bar.update(1),
        )
    comparison = None
    try:
        comparison = None if old is None else compare_reports(old, report)
    finally:  # a bug in the comparison must not lose minutes of measuring
        _print(report, comparison, as_json)
    failed = [f"{row['file']}: {row['reason']}" for row in report["skipped"] if row["failed"]]
    if failed:
        raise ModelError(f"could not be measured: {'; '.join(dict.fromkeys(failed))}")
    if comparison is not None and not comparison.compared:
        raise InputError(
            f"{old_report} has no figure that can be compared with this run. Use its bundle and --threads."
        )
    if comparison is not None and not comparison.passed:
        raise typer.Exit(1)


def _print(report: dict[str, Any], comparison: "ReportComparison | None", as_json: bool) -> None:
    from digitedge.benchmark.tables import comparison_text, report_text

    if as_json:
        print_json(report if comparison is None else {**report, "comparison": comparison.to_dict()})
    else:
        typer.echo(report_text(report))
        if comparison is not None and comparison.changes:
            typer.echo(f"\n{comparison_text(comparison)}")
    for note in [*report["notes"], *(comparison.notes if comparison else [])]:
        echo(f"note: {note}")
    if comparison is not None:
        slower = f"{len(comparison.slower)} of {len(comparison.compared)} figures got slower"
        echo(slower if comparison.same_machine else f"{slower}; no failure, because the machine differs")
