"""`digitedge doctor`."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import EXPORT_FOLDER, JsonOption, print_json, say

if TYPE_CHECKING:
    from digitedge.doctor import Finding

app = typer.Typer(add_completion=False)

SCHEMA = "digitedge.doctor/1"
INDENT = " " * 21


@app.command()
def doctor(
    as_json: JsonOption = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that should be free.")] = 8000,
) -> None:
    """Look at this machine: Python, packages, screen, cameras, port, data, models. Says what mends a problem.

    Exit code 1 when there is a problem; notes are worth knowing, and no failure.

    Examples:
      digitedge doctor
      digitedge doctor --json
    """
    from digitedge.doctor import Status, examine

    findings = []
    for finding in examine(port=port, bundles=EXPORT_FOLDER):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json({"schema": SCHEMA, "findings": [finding.to_json() for finding in findings]})
    counts = Counter(finding.status for finding in findings)
    say(", ".join(f"{status}: {counts[status]}" for status in Status))
    if counts[Status.PROBLEM]:
        raise typer.Exit(1)


def _print(finding: "Finding") -> None:
    """Status, check, what was found; its further lines and the mending line below."""
    first, *rest = finding.found.splitlines()
    typer.echo(f"{finding.status:7}  {finding.check:11} {first}")
    for line in rest:
        typer.echo(f"{INDENT}{line}")
    if finding.mend:
        typer.echo(f"{INDENT}-> {finding.mend}")
