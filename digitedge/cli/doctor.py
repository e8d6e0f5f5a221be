"""`digitedge doctor`."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import EXPORT_FOLDER, JsonOption, echo, print_json, print_line

if TYPE_CHECKING:
    from digitedge.doctor import Finding

SCHEMA = "digitedge.doctor/1"
INDENT = " " * 21


def doctor(
    as_json: JsonOption = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that should be free.")] = 8000,
) -> None:
    """Check this machine: Python, packages, cameras, port, screen, data, models; and print how to fix each problem.

    Exits with code 1 if there is a problem; notes are not failures.

    Examples:
      digitedge doctor
      digitedge doctor --json
    """
    from digitedge.doctor import Status, run_checks

    findings = []
    for finding in run_checks(port=port, bundles=EXPORT_FOLDER):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json({"schema": SCHEMA, "findings": [finding.to_dict() for finding in findings]})
    counts = Counter(finding.status for finding in findings)
    echo(", ".join(f"{status}: {counts[status]}" for status in Status))
    if counts[Status.PROBLEM]:
        raise typer.Exit(1)


def _print(finding: "Finding") -> None:
    """Print status, check and the first line of the finding; its details and the fix below."""
    first, *rest = finding.found.splitlines()
    print_line(f"{finding.status:7}  {finding.check:11} {first}")
    for line in rest:
        print_line(f"{INDENT}{line}")
    if finding.fix:
        print_line(f"{INDENT}-> {finding.fix}")
