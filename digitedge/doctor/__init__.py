"""Checks of this machine: what works, what does not, and the command that fixes it.

In: nothing but this machine. Out: findings, one after the other, because some take seconds on a Raspberry Pi. Packages
with machine code may crash the process that imports them, so each is first imported in a child process. Checks that
need them run only if all of them work.
"""

from collections.abc import Iterator
from pathlib import Path

from digitedge.doctor.cameras import check_cameras
from digitedge.doctor.data import check_bundles, check_mnist
from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.packages import check_extras, check_libraries, check_python
from digitedge.doctor.pi_camera import check_pi_camera
from digitedge.doctor.port import check_port
from digitedge.doctor.screen import check_screen

__all__ = ["Finding", "Status", "run_checks"]


def run_checks(*, port: int, bundles: Path) -> Iterator[Finding]:
    """Check everything that digitedge needs: a free port, the bundles in a folder. No download, no camera started."""
    yield check_python()
    libraries = list(check_libraries())
    yield from libraries
    yield from check_extras()
    yield from check_cameras()
    yield from check_pi_camera()
    yield check_port(port)
    broken = sorted({finding.check for finding in libraries if finding.status is Status.PROBLEM})
    if broken:
        found = f"screen, MNIST and bundles: they need {', '.join(broken)}"
        yield Finding("skipped", Status.NOTE, found, "fix those first")
        return
    yield check_screen()
    yield check_mnist()
    yield from check_bundles(bundles)
