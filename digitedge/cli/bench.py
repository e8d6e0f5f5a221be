"""`digitedge bench`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import (
    MODEL_HELP,
    JsonOption,
    SignatureOption,
    choose_model,
    echo,
    parse_path,
    print_json,
    print_text,
)
from digitedge.errors import InputError, ModelError

if TYPE_CHECKING:
    from digitedge.benchmark.compare import ReportComparison


def bench(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=parse_path,
            metavar="MODEL",
            help=f"{MODEL_HELP} Several make one table; of a bundle among them, the file that runs by default.",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Thread count; repeatable. Default: 1, 2, 4 ... up to the cores for files, 1 for frames and for "
            "several models.",
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
    _require_signature: SignatureOption = None,
) -> None:
    """Measure the speed of every file of a bundle and of the stages of reading a frame, and recommend a file.

    Of each file, it also prints MACs, memory of activations, operators with
    their versions, and which runtimes know them. Several models are compared
    in one table, without frames. Files of others need not be digitedge's: what
    cannot run is listed with what its file says.

    Each file is measured in a process of its own. Close other programs first.

    A figure counts as slower or faster if the five block medians of both
    reports do not overlap and differ by more than a tenth. Figures of files
    that have changed are not compared.

    Examples:
      digitedge bench
      digitedge bench --json > board.json
      digitedge bench export/cnn-1 --quick --threads 1 --threads 4
      digitedge bench --compare board.json
      digitedge bench export/small other.tflite mnist.onnx
    """
    from digitedge.benchmark.compare import compare_reports, read_report
    from digitedge.benchmark.run import FULL, QUICK, count_steps, find_target, run_benchmark, thread_counts

    if models and len(models) > 1:
        if old_report is not None:
            raise typer.BadParameter("expected one model with it, got several", param_hint="--compare")
        _side_by_side(models, sorted(set(threads or [1])), quick=quick, as_json=as_json)
        return
    old = None if old_report is None else read_report(old_report)
    target = find_target(choose_model(models[0] if models else None, name_it="digitedge bench "))
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
    _check_measured(report["skipped"])
    if comparison is not None and not comparison.compared:
        raise InputError(
            f"{old_report} has no figure that can be compared with this run. Use its bundle and --threads."
        )
    if comparison is not None and not comparison.passed:
        raise typer.Exit(1)


def _side_by_side(models: list[Path], threads: list[int], *, quick: bool, as_json: bool) -> None:
    from digitedge.benchmark.run import FULL, QUICK
    from digitedge.benchmark.side_by_side import compare_models, find_files, models_text

    files = find_files(models)
    with typer.progressbar(length=len(files) * len(threads), label="measuring", file=sys.stderr) as bar:
        report = compare_models(files, QUICK if quick else FULL, threads=threads, on_progress=lambda: bar.update(1))
    if as_json:
        print_json(report)
    else:
        print_text(models_text(report))
    for note in report["notes"]:
        echo(f"note: {note}")
    _check_measured([row for row in report["models"] if row["reason"]])


def _check_measured(skipped: list[dict[str, Any]]) -> None:
    failed = [f"{row['file']}: {row['reason']}" for row in skipped if row["failed"]]
    if failed:
        raise ModelError(f"could not be measured: {'; '.join(dict.fromkeys(failed))}")


def _print(report: dict[str, Any], comparison: "ReportComparison | None", as_json: bool) -> None:
    from digitedge.benchmark.tables import comparison_text, report_text

    if as_json:
        print_json(report if comparison is None else {**report, "comparison": comparison.to_dict()})
    else:
        print_text(report_text(report))
        if comparison is not None and comparison.changes:
            print_text(f"\n{comparison_text(comparison)}")
    for note in [*report["notes"], *(comparison.notes if comparison else [])]:
        echo(f"note: {note}")
    if comparison is not None:
        slower = f"{len(comparison.slower)} of {len(comparison.compared)} figures got slower"
        echo(slower if comparison.same_machine else f"{slower}; no failure, because the machine differs")
