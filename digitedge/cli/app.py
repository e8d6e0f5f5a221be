"""The `digitedge` program: every command, and the one place where errors become a line and an exit code."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from digitedge import __version__
from digitedge.cli import bench, camera, data, demo, doctor, eval, export, info, predict, service, train, verify
from digitedge.errors import DigitEdgeError


class _Group(TyperGroup):
    """Turns our own errors and the system's into one line and exit code 1. Bugs keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except DigitEdgeError as exc:
            typer.echo(f"error: {exc}", err=True)
            raise typer.Exit(1) from exc
        except BrokenPipeError:
            raise  # as after `| head -1`: typer ends quietly
        except (
            OSError
        ) as exc:  # a full disk behind stdout, a folder that may not be looked into, a name that is too long
            about = f"{exc.filename}: " if exc.filename else ""
            typer.echo(f"error: {about}{exc.strerror or exc}", err=True)
            raise typer.Exit(1) from exc


app = typer.Typer(
    cls=_Group,
    help="Train a digit reader, shrink it, prove that it still is the same, and run it in front of a camera.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"digitedge {__version__}")
        raise typer.Exit


@app.callback()
def digitedge(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train a digit reader, shrink it, prove that it still is the same, and run it in front of a camera."""


_WORKSHOP = "Workshop (needs the extra: pip install 'digitedge\\[train]')"
_EDGE = "Edge"

app.command(rich_help_panel=_WORKSHOP, cls=train.TrainCommand)(train.train)
app.command(rich_help_panel=_WORKSHOP)(export.export)
app.command(rich_help_panel=_EDGE)(verify.verify)
app.command(rich_help_panel=_EDGE)(bench.bench)
app.command(rich_help_panel=_EDGE)(predict.predict)
app.command(rich_help_panel=_EDGE)(camera.camera)
app.add_typer(eval.app, rich_help_panel=_EDGE)
app.command(rich_help_panel=_EDGE)(info.info)
app.command(rich_help_panel=_EDGE)(doctor.doctor)
app.add_typer(service.service, rich_help_panel=_EDGE)
app.command(rich_help_panel=_WORKSHOP)(demo.demo)
app.add_typer(data.data, rich_help_panel=_WORKSHOP)
