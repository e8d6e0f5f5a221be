"""`digitedge update`: install the bundle that its maker offers."""

from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import JsonOption, SignatureOption, echo, print_json, print_line

SCHEMA = "digitedge.update/1"
TIMEOUT_S = 600.0  # digitedge.updates.install.TIMEOUT_S, which --help must not import


def update(
    folder: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="The version folder, which is made if it is missing.")
    ],
    source: Annotated[
        str | None,
        typer.Argument(metavar="URL|FOLDER", help="The repository that `digitedge publish` made.", show_default=False),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The root file, whose path `digitedge publish` prints, for the first time. It is never downloaded.",
        ),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Return to the version before; the one that was left is not taken again.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for all downloads together.")] = TIMEOUT_S,
    as_json: JsonOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Install the bundle that a maker offers, unless it is installed and whole; or go back to the one before.

    The new version is checked on this device before the switch, which is one
    move. A camera that was started with --model FOLDER goes on with the new
    version at its next frame. What happened is in FOLDER/log.jsonl.

    Examples:
      digitedge update https://example.org/digits --to ~/digits --root 1.root.json
      digitedge update https://example.org/digits --to ~/digits
      digitedge update /media/stick/digits --to ~/digits
      digitedge update --rollback --to ~/digits
      digitedge camera --model ~/digits
    """
    if (source is None) != rollback:
        raise typer.BadParameter("expected a URL or FOLDER, or --rollback", param_hint="URL")
    if rollback and root is not None:
        raise typer.BadParameter("leave it out with --rollback", param_hint="--root")
    from digitedge.updates.install import install_update, roll_back

    if source is None:
        installed = roll_back(folder, log=echo)
    else:
        installed = install_update(source, folder, root=root, timeout_s=timeout, log=echo)
    if as_json:
        about = {"version": installed.version, "path": str(installed.path), "changed": installed.changed}
        print_json({"schema": SCHEMA, **about})
    else:
        print_line(f"version {installed.version}: {installed.path}")
