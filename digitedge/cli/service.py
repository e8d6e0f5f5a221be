"""`digitedge service install`, `status` and `remove`."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from digitedge.cli.common import JsonOption, echo, print_json

app = typer.Typer(
    add_completion=False,
    help="Run `digitedge camera` in the background and keep it running (Linux).",
    no_args_is_help=True,
)

SCHEMA = "digitedge.service/1"


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{,99}", name):
        raise typer.BadParameter(f"expected letters, digits, dots, dashes, got {name!r}", param_hint="--name")
    return name


NameOption = Annotated[
    str, typer.Option("--name", callback=_check_name, help="Name of the service; one for each camera.")
]


@app.command()
def install(
    ctx: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- ARGUMENTS", help="Arguments of digitedge camera.", show_default=False),
    ] = None,
    name: NameOption = "digitedge",
    print_only: Annotated[bool, typer.Option("--print", help="Print the unit without installing it.")] = False,
) -> None:
    """Start `digitedge camera --headless` in this folder, now and at every login; after a failure it is restarted.

    Examples:
      digitedge service install
      digitedge service install -- rpicam --events --expect-length 6
      digitedge service install --print -- rtsp://192.168.1.20/stream
    """
    from digitedge.bundle.signature import is_signature_required
    from digitedge.camera.service import install, unit_text

    arguments = arguments or []
    _check_arguments(ctx, arguments)
    # The service does not see the variable of this shell, which _check_arguments has set if it is asked for.
    if is_signature_required() and "--require-signature" not in arguments:
        arguments = ["--require-signature", *arguments]
    text = unit_text(arguments, Path.cwd())
    if print_only:
        typer.echo(text, nl=False)
        return
    path = install(name, text, _units())
    typer.echo(f"installed and started: {path}")
    echo("to start it with the machine, before anyone logs in: loginctl enable-linger")
    echo(f"log: {_log(name)}")


@app.command()
def status(name: NameOption = "digitedge", as_json: JsonOption = False) -> None:
    """Print whether the service is installed and running, and the command that shows its log.

    Examples:
      digitedge service status
      digitedge service status --name desk --json
    """
    from digitedge.camera.service import service_state

    found = service_state(name, _units())
    if as_json:
        state = {"installed": found.installed, "active": found.active, "state": found.state}
        print_json({"schema": SCHEMA, "name": name, "unit": str(found.unit), **state, "log": _log(name)})
        return
    typer.echo(f"installed: {found.unit}" if found.installed else f"not installed: there is no {found.unit}")
    typer.echo(f"state: {found.state}")
    if found.installed:
        typer.echo(f"log: {_log(name)}")


@app.command()
def remove(name: NameOption = "digitedge") -> None:
    """Stop the service and delete its unit.

    Examples:
      digitedge service remove
    """
    from digitedge.camera.service import remove

    units = _units()
    unit = units / f"{name}.service"
    typer.echo(f"removed: {unit}" if remove(name, units) else f"nothing to remove: there is no {unit}")


def _check_arguments(ctx: typer.Context, arguments: list[str]) -> None:
    """Parse the arguments with the camera command, so that wrong usage is reported now and not in a log."""
    if "--window" in arguments:
        raise typer.BadParameter("a service has no screen, so it takes no --window")
    program: Any = ctx.find_root().command  # a group of commands
    program.get_command(ctx, "camera").make_context("digitedge camera", list(arguments))


def _units() -> Path:
    """Return the folder of this user's units."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _log(name: str) -> str:
    return f"journalctl --user -u {name} -f"
