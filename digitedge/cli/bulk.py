"""`digitedge bulk`: read any number of documents."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    AdaptationOption,
    ForceOption,
    JsonOption,
    ModelOption,
    PreprocessOption,
    SignatureOption,
    ThresholdOption,
    choose_model,
    describe_reader,
    echo,
    print_json,
    print_text,
    usage_error,
)
from digitedge.cli.selection import (
    FlipOption,
    LengthOption,
    PatternOption,
    RoiOption,
    RotateOption,
    build_read_options,
)

if TYPE_CHECKING:
    from digitedge.bulk.progress import Progress

RESULT_PANEL = "What is written"
ENGINE_PANEL = "Where it runs"
LINE_EVERY_S = 30.0
"""Between two lines of progress where there is no terminal."""


def bulk(
    documents: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            show_default=False,
            help="Images, PDF, TIFF, zip and tar files, folders with all that is in them, patterns, addresses such as "
            "s3://bucket/scans, or '-' for a list on standard input.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", show_default=False, help="Folder for the results; new, or resumed."),
    ],
    as_parquet: Annotated[
        bool, typer.Option("--parquet", rich_help_panel=RESULT_PANEL, help="Parquet instead of JSON Lines.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", rich_help_panel=RESULT_PANEL, help="Also CSV: a line for each row of digits.")
    ] = False,
    as_alto: Annotated[
        bool, typer.Option("--alto", rich_help_panel=RESULT_PANEL, help="Also ALTO: XML for each page, in zip files.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, rich_help_panel=ENGINE_PANEL, help="Processes. Default: one for each core."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            rich_help_panel=ENGINE_PANEL,
            help="Read on a Dask cluster: the address of its scheduler, such as tcp://10.0.0.1:8786.",
        ),
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="When resuming, also read again what has pages with an error.")
    ] = False,
    forget_missing: Annotated[
        bool,
        typer.Option("--forget-missing", help="When resuming, drop results of documents that are not there any more."),
    ] = False,
    as_json: JsonOption = False,
    rotate: RotateOption = "auto",
    flip: FlipOption = None,
    roi: RoiOption = None,
    expect_length: LengthOption = None,
    pattern: PatternOption = None,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    adaptation: AdaptationOption = True,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Read any number of documents on all cores or on a cluster, into a folder of results.

    A page that cannot be read is a row with its error. The same command again goes on where it was interrupted, and
    reads again what has changed.

    Examples:
      digitedge bulk scans/ --out results
      digitedge bulk archive.zip 'boxes/*.pdf' --out results --csv
      find . -name '*.tif' | digitedge bulk - --out results --workers 4
      digitedge bulk s3://bucket/scans --out results --scheduler tcp://10.0.0.1:8786
    """
    from digitedge.bulk.formats import FORMATS
    from digitedge.bulk.run import Job, run_job
    from digitedge.bulk.worker import keep_freed_memory, prepare_process, run_task
    from digitedge.engines import open_engine

    options = build_read_options(rotate, flip, roi, expect_length, pattern)
    if scheduler is not None and workers is not None:
        raise typer.BadParameter("leave out --workers: a cluster has its own", param_hint="--scheduler")
    chosen = {"parquet" if as_parquet else "jsonl": True, "csv": as_csv, "alto": as_alto}
    formats = tuple(name for name, is_chosen in chosen.items() if is_chosen)
    for name in formats:
        FORMATS[name].check_installed()
    reader = describe_reader(
        choose_model(model), adapted=adaptation, force=force, preprocess=preprocess, threshold=threshold
    )
    prepare = prepare_process if scheduler is None else keep_freed_memory
    engine = open_engine(run_task, scheduler=scheduler, workers=workers, prepare=prepare, log=echo)
    with usage_error("IN..."), _show_progress() as progress:
        summary = run_job(
            Job(tuple(documents), reader, options, formats),
            out,
            engine,
            list_file=sys.stdin,
            retry_errors=retry_errors,
            forget_missing=forget_missing,
            on_progress=progress.show,
            log=progress.log,
        )
    if as_json:
        print_json(summary.to_dict())
    else:
        print_text(summary.text())
    echo(f"results: {out}")
    if summary.totals.set_aside:
        raise typer.Exit(1)


@contextmanager
def _show_progress() -> "Iterator[_Lines | _Bar]":
    """A bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    with _Bar() as bar:
        yield bar


class _Lines:
    """Prints a line of progress every LINE_EVERY_S."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, progress: "Progress") -> None:
        if time.monotonic() - self._last >= LINE_EVERY_S:
            self._last = time.monotonic()
            echo(str(progress))

    def log(self, line: str) -> None:
        echo(line)


class _Bar:
    """Shows a bar, and lines above it."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(stderr=True, highlight=False)
        self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task("counting pages", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: "Progress") -> None:
        self._bar.update(self._task, total=progress.pages, completed=progress.done, description=str(progress))

    def log(self, line: str) -> None:
        self._bar.stop()  # its line is removed
        echo(line)
        self._bar.start()
