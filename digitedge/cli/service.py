"""`digitedge service install`, `status` and `remove`."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import JsonOption, echo, print_json, print_line, print_text, usage_error

if TYPE_CHECKING:
    from digitedge.camera.systemd_unit import Unit

app = typer.Typer(
    add_completion=False,
    help="Run `digitedge camera` in the background and keep it running (Linux).",
    no_args_is_help=True,
)

SCHEMA = "digitedge.service/1"
# Parameters of `digitedge camera` that may hold a password, and the environment variables that set them.
SECRETS = {"source": "DIGITEDGE_SOURCE", "mqtt": "DIGITEDGE_MQTT"}
WEB_TOKEN = "DIGITEDGE_WEB_TOKEN"


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
    """Start `digitedge camera --headless` in this folder, now and at every login.

    After a failure, or when it hangs, it is started again. DIGITEDGE_SOURCE, DIGITEDGE_MQTT, DIGITEDGE_WEB_TOKEN and
    addresses with passwords are kept in a file that only you can read, until they are given again or it is removed.

    Examples:
      digitedge service install
      digitedge service install -- rpicam --events --expect-length 6
      digitedge service install --print -- rtsp://192.168.1.20/stream
    """
    from digitedge.bundle.signature import is_signature_required
    from digitedge.camera.service import ServiceFiles, install, read_secrets
    from digitedge.utils.files import check_writable

    arguments = arguments or []
    parameters = _parse(ctx, arguments)
    # The service does not see the variable of this shell, which `_parse` has set if it is asked for.
    if is_signature_required() and "--require-signature" not in arguments:
        arguments = ["--require-signature", *arguments]
    files = ServiceFiles.of(name, _config())
    former = read_secrets(files)
    visible, secrets = _separate_secrets(arguments, parameters, former)
    unit = _plan_unit(visible, parameters, files.secrets if secrets else None)
    if print_only:
        print_text(unit.text().rstrip("\n"))
        return
    for folder in unit.writable:
        check_writable(folder)
    install(files, unit, secrets, log=echo)
    print_line(f"installed and started: {files.unit}")
    if secrets:
        echo(f"secrets, in a file that only you can read: {', '.join(secrets)} in {files.secrets}")
    echo("to start it with the machine, before anyone logs in: loginctl enable-linger")
    echo(f"log: {_log(name)}")


@app.command()
def status(name: NameOption = "digitedge", as_json: JsonOption = False) -> None:
    """Print whether the service is installed and running, and the command that shows its log.

    Examples:
      digitedge service status
      digitedge service status --name desk --json
    """
    from digitedge.camera.service import ServiceFiles, service_state

    found = service_state(ServiceFiles.of(name, _config()))
    if as_json:
        state = {"installed": found.installed, "active": found.active, "state": found.state}
        print_json({"schema": SCHEMA, "name": name, "unit": str(found.unit), **state, "log": _log(name)})
        return
    print_line(f"installed: {found.unit}" if found.installed else f"not installed: there is no {found.unit}")
    print_line(f"state: {found.state}")
    if found.installed:
        print_line(f"log: {_log(name)}")


@app.command()
def remove(name: NameOption = "digitedge") -> None:
    """Stop the service and delete its unit and its secrets.

    Examples:
      digitedge service remove
    """
    from digitedge.camera.service import ServiceFiles, remove

    files = ServiceFiles.of(name, _config())
    print_line(f"removed: {files.unit}" if remove(files) else f"nothing to remove: there is no {files.unit}")


def _parse(ctx: typer.Context, arguments: list[str]) -> dict[str, Any]:
    """Parse the arguments with the camera command, so that wrong usage is reported now and not in a log."""
    if "--window" in arguments:
        raise typer.BadParameter("a service has no screen, so it takes no --window")
    program: Any = ctx.find_root().command  # a group of commands
    parameters: dict[str, Any] = (
        program.get_command(ctx, "camera").make_context("digitedge camera", arguments[:]).params
    )
    if parameters["record"] and not parameters["overwrite"]:
        raise typer.BadParameter("a service starts again and again, so --record needs --overwrite")
    return parameters


def _separate_secrets(
    arguments: list[str], parameters: dict[str, Any], former: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the arguments without secrets, and the secrets by the names of their variables.

    Secrets are addresses with a login or a query, and whatever the environment has. Those of the installed service are
    kept, unless they are given again.
    """
    from digitedge.utils.secrets import has_secret

    secrets = former | {name: os.environ[name] for name in (*SECRETS.values(), WEB_TOKEN) if os.environ.get(name)}
    for parameter, name in SECRETS.items():
        value = parameters[parameter]
        forms = [["--mqtt", value], [f"--mqtt={value}"]] if parameter == "mqtt" else [[value]]
        for form in forms:
            at = next((at for at in range(len(arguments)) if arguments[at : at + len(form)] == form), None)
            if at is not None:
                secrets.pop(name, None)
                if has_secret(value):
                    secrets[name] = value
                    arguments = arguments[:at] + arguments[at + len(form) :]
    if parameters["web"] is not None and not _is_local(parameters["web"]):
        secrets.setdefault(WEB_TOKEN, token_urlsafe(16))  # a new one at each start would stand in the log
    return arguments, secrets


def _is_local(web: str) -> bool:
    from digitedge.web import parse_address

    with usage_error("--web"):
        host = parse_address(web).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plan_unit(arguments: list[str], parameters: dict[str, Any], secrets: Path | None) -> "Unit":
    """Return the unit, with the paths that the arguments name."""
    from digitedge.camera.systemd_unit import Unit

    folder = Path.cwd()
    writable = [parameters["record"] and parameters["record"].parent, parameters["save_crops"]]
    readable = [parameters["model"], *([Path(parameters["source"])] if parameters["source"] else [])]
    return Unit(
        arguments,
        folder,
        readable=[folder / path for path in readable if path and (folder / path).exists()],
        writable=[folder / path for path in writable if path],
        secrets=secrets,
    )


def _config() -> Path:
    """Return the folder of this user's settings."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _log(name: str) -> str:
    return f"journalctl --user -u {name} -f"
