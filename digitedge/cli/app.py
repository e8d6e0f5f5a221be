"""The `digitedge` program: every command, and the one place where errors become a line and an exit code.

A command is imported and built when it runs: building all of them took a third as long as all the rest of
`digitedge --help` together. So the lines of the list of commands stand here, and a test holds them to what the
commands say.
"""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from digitedge import __version__
from digitedge.errors import DigitEdgeError

_WORKSHOP = "Workshop (needs the extra: pip install 'digitedge\\[train]')"
_EDGE = "Edge"

# Command -> panel of the list, and its line there. Its module in this package is called as the command is.
COMMANDS = {
    "train": (_WORKSHOP, "Train a digit classifier on MNIST, or on rendered digits with --data synthetic."),
    "export": (
        _WORKSHOP,
        "Export a trained model to TFLite and ONNX, shrink it, and prove that every file answers like the original.",
    ),
    "verify": (
        _EDGE,
        "Compare every file of a bundle with the Keras original on the test images, or one model with another.",
    ),
    "eval": (
        _EDGE,
        "Measure how good a bundle is: accuracy, robustness, confidence; or how well whole images are read.",
    ),
    "bench": (
        _EDGE,
        "Measure how fast every file of a bundle is here, where a frame's time goes, and what follows from it.",
    ),
    "predict": (
        _EDGE,
        "Read the digits in images: a line per image with its rows, or one JSON reading per line.",
    ),
    "camera": (_EDGE, "Read handwritten digits live: from a webcam, Pi camera, stream, video or images."),
    "service": (_EDGE, "Run `digitedge camera` in the background and keep it running (Linux)."),
    "info": (
        _EDGE,
        "Print what a bundle says of itself: origin, files, figures, verdict. Its hashes are checked on the way.",
    ),
    "doctor": (
        _EDGE,
        "Look at this machine: Python, packages, screen, cameras, port, data, models. Says what mends a problem.",
    ),
    "demo": (
        _WORKSHOP,
        "Train shortly, export, verify, and read a rendered clip: the whole way in a few minutes.",
    ),
    "data": (_WORKSHOP, "Find, fetch and look at MNIST."),
}


class _OnDemand(TyperCommand):
    """A command's line in the list; the command itself, from its module's `app`, once it is to run."""

    def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Hand over to the command."""
        command = get_command(import_module(f"digitedge.cli.{self.name}").app)
        return command.make_context(info_name, args, parent, **extra)


class _Program(TyperGroup):
    """Turns our own errors and the system's into one line and exit code 1. Bugs keep their traceback."""

    def __init__(self, **settings: Any) -> None:
        lines = {name: _OnDemand(name, help=line, rich_help_panel=panel) for name, (panel, line) in COMMANDS.items()}
        super().__init__(**settings | {"commands": lines})

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except DigitEdgeError as exc:
            typer.echo(f"error: {exc}", err=True)
            raise typer.Exit(1) from exc
        except BrokenPipeError:
            raise  # as after `| head -1`: typer ends quietly
        except OSError as exc:  # a full disk behind stdout, a folder that may not be looked into, too long a name
            about = f"{exc.filename}: " if exc.filename else ""
            typer.echo(f"error: {about}{exc.strerror or exc}", err=True)
            raise typer.Exit(1) from exc


app = typer.Typer(
    cls=_Program,
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
