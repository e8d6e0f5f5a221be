"""What works here, what does not, and the line that mends it.

In: nothing but this machine. Out: findings, one after the other, because some take seconds on a Raspberry Pi. One file
per kind of check: packages, screen, cameras, ribbon, port, material.

A library may end the process that imports it (a wheel for another processor, a missing shared object), so each is
imported in a child process first. What needs them all is looked at only when all of them work.
"""

from collections.abc import Iterator
from pathlib import Path

from digitedge.doctor.cameras import check_cameras
from digitedge.doctor.data import check_bundles, check_mnist
from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.packages import check_extras, check_libraries, check_python
from digitedge.doctor.pi_camera import check_ribbon
from digitedge.doctor.port import check_port
from digitedge.doctor.screen import check_screen

__all__ = ["Finding", "Status", "examine"]


def examine(*, port: int, bundles: Path) -> Iterator[Finding]:
    """Look at everything that digitedge needs. Nothing is downloaded, and no camera is started.

    Args:
        port: of this machine, to be free.
        bundles: folder of bundles, such as ./export.
    """
    yield check_python()
    libraries = list(check_libraries())
    yield from libraries
    yield from check_extras()
    yield from check_cameras()
    yield from check_ribbon()
    yield check_port(port)
    broken = sorted({finding.check for finding in libraries if finding.status is Status.PROBLEM})
    if broken:
        yield Finding(
            "skipped", Status.NOTE, f"screen, MNIST and bundles: they need {', '.join(broken)}", "mend those first"
        )
        return
    yield check_screen()
    yield check_mnist()
    yield from check_bundles(bundles)
