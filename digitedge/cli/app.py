"""The `digitedge` program: all commands, and the conversion of errors into one line and an exit code."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from digitedge.cli import collect, data, eval, service, trust
from digitedge.cli.adapt import adapt
from digitedge.cli.bench import bench
from digitedge.cli.bulk import bulk
from digitedge.cli.camera import camera
from digitedge.cli.common import print_line
from digitedge.cli.demo import demo
from digitedge.cli.doctor import doctor
from digitedge.cli.export import export
from digitedge.cli.info import info
from digitedge.cli.label import label
from digitedge.cli.predict import predict
from digitedge.cli.publish import publish
from digitedge.cli.report_error import report_error
from digitedge.cli.serve import serve
from digitedge.cli.sign import sign
from digitedge.cli.train import TrainCommand, train
from digitedge.cli.update import update
from digitedge.cli.verify import verify
from digitedge.errors import install_command
from digitedge.utils.secrets import hide_in_message
from digitedge.utils.text import printable

TRAIN_PANEL = f"Train and export ({install_command('train')})".replace("[", "\\[")  # not markup
EDGE_PANEL = "Run on the edge"
TRUST_PANEL = f"Sign and update ({install_command('trust')})".replace("[", "\\[")

_UsageError: Any = typer.BadParameter.__mro__[1]  # typer does not export it


class _Program(TyperGroup):
    """Turns every error into one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what typer says of wrong usage may quote an address with a password."""
        try:
            return super().invoke(ctx)
        except _UsageError as exc:
            exc.message = printable(hide_in_message(exc.message))
            raise

    def main(self, *args: Any, **extra: Any) -> Any:
        """Parse the command line and run a command."""
        try:
            return super().main(*args, **extra)
        except Exception as exc:
            report_error(exc)
        sys.exit(1)


app = typer.Typer(
    cls=_Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=TrainCommand, rich_help_panel=TRAIN_PANEL)(train)
app.command(rich_help_panel=TRAIN_PANEL)(export)
app.command(rich_help_panel=EDGE_PANEL)(verify)
app.add_typer(eval.app, name="eval", rich_help_panel=EDGE_PANEL)
app.command(rich_help_panel=EDGE_PANEL)(bench)
app.command(rich_help_panel=EDGE_PANEL)(predict)
app.command(rich_help_panel=EDGE_PANEL)(bulk)
app.command(rich_help_panel=EDGE_PANEL)(camera)
app.command(rich_help_panel=EDGE_PANEL)(serve)
app.command(rich_help_panel=EDGE_PANEL)(adapt)
app.add_typer(collect.app, name="collect", rich_help_panel=EDGE_PANEL)
app.command(rich_help_panel=EDGE_PANEL)(label)
app.add_typer(service.app, name="service", rich_help_panel=EDGE_PANEL)
app.command(rich_help_panel=EDGE_PANEL)(info)
app.add_typer(trust.app, name="trust", rich_help_panel=TRUST_PANEL)
app.command(rich_help_panel=TRUST_PANEL)(sign)
app.command(rich_help_panel=TRUST_PANEL)(publish)
app.command(rich_help_panel=TRUST_PANEL)(update)
app.command(rich_help_panel=EDGE_PANEL)(doctor)
app.command(rich_help_panel=TRAIN_PANEL)(demo)
app.add_typer(data.app, name="data", rich_help_panel=TRAIN_PANEL)


def _print_version(requested: bool) -> None:
    if requested:
        from digitedge.utils.version import __version__

        print_line(f"digitedge {__version__}")
        raise typer.Exit


@app.callback()
def digitedge(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train a digit classifier, export it, verify the exported files, and read digits with a camera."""
