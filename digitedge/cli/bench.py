"""`digitedge bench`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import JsonOption, choose_model, print_json, say
from digitedge.errors import InputError, ModelError

if TYPE_CHECKING:
    from digitedge.benchmark.compare import Comparison

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            help="A bundle, or a .tflite or .onnx file. Default: the newest fit bundle in ./export, else the released.",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Threads; may be given several times. Default: files 1, 2, 4 ... up to the cores, frames 1."
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Measure for some seconds only, with 1 thread unless told; figures vary more."),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="OLD.json",
            help="A report of bench --json to compare with. Exit code 1 if something got slower on the same machine.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast every file of a bundle is here, where a frame's time goes, and what follows from it.

    Each file is measured in a process of its own. Close other programs first.

    Slower or faster is a figure whose five medians in both reports do not overlap, and differ by over a tenth. Figures
    of files that have changed are not judged.

    Examples:
      digitedge bench
      digitedge bench --json > board.json
      digitedge bench export/cnn-1 --quick --threads 1 --threads 4
      digitedge bench --compare board.json
    """
    from digitedge.benchmark.compare import compare, read_report
    from digitedge.benchmark.run import FULL, QUICK, count_steps, find_material, thread_counts
    from digitedge.benchmark.run import bench as measure

    old = None if against is None else read_report(against)
    material = find_material(choose_model(bundle))
    counts = sorted(set(threads or ([1] if quick else thread_counts())))
    frame_counts = counts if threads else [1]
    with typer.progressbar(
        length=count_steps(material, counts, frame_counts), label="measuring", file=sys.stderr
    ) as bar:
        report = measure(
            material,
            QUICK if quick else FULL,
            threads=counts,
            frame_threads=frame_counts,
            tick=lambda: bar.update(1),
        )
    comparison = None
    try:
        comparison = None if old is None else compare(old, report)
    finally:  # whatever comes of the comparison, minutes of measuring are not lost
        _print(report, comparison, as_json)
    failed = [f"{one['file']}: {one['reason']}" for one in report["skipped"] if one["failed"]]
    if failed:
        raise ModelError(f"could not be measured: {'; '.join(dict.fromkeys(failed))}")
    if comparison is not None and not comparison.judged:
        raise InputError(
            f"{against} has no figure in common with this run that could be judged. Compare the same bundle and "
            "--threads."
        )
    if comparison is not None and not comparison.holds:
        raise typer.Exit(1)


def _print(report: dict[str, Any], comparison: "Comparison | None", as_json: bool) -> None:
    from digitedge.benchmark.tables import comparison_text, report_text

    if as_json:
        print_json(report if comparison is None else {**report, "comparison": comparison.to_json()})
    else:
        typer.echo(report_text(report))
        if comparison is not None and comparison.changes:
            typer.echo(f"\n{comparison_text(comparison)}")
    for remark in [*report["remarks"], *(comparison.remarks if comparison else [])]:
        say(f"note: {remark}")
    if comparison is not None:
        slower = f"{len(comparison.slower)} of {len(comparison.judged)} figures got slower"
        say(slower if comparison.same_machine else f"{slower}; not judged, because the machine differs")
