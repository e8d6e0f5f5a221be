"""The board and the camera programs of a Raspberry Pi.

Imports neither NumPy nor OpenCV, so that `digitedge doctor` can use it where those are broken.
"""

import re
import shutil
import subprocess
from pathlib import Path

from digitedge.errors import CameraError

BOARD = Path("/proc/device-tree/model")  # where Linux states the name of the board
LIST_LIMIT_S = 10.0


def is_raspberry_pi(board: Path = BOARD) -> bool:
    """Tell whether this machine is a Raspberry Pi."""
    return board.is_file() and "Raspberry Pi" in board.read_text(errors="replace")


def find_rpicam(name: str) -> str | None:
    """Find the camera program `rpicam-NAME` ("vid" or "hello") on the PATH, or `libcamera-NAME` as before 2024."""
    return shutil.which(f"rpicam-{name}") or shutil.which(f"libcamera-{name}")


def list_cameras(program: str, *, limit_s: float = LIST_LIMIT_S) -> list[str]:
    """List the ribbon cameras of this Raspberry Pi with the program at the path of `rpicam-hello`.

    Returns:
        Sensor and largest mode of each camera, such as "imx219 [3280x2464 10-bit RGGB]"; empty where there is none.

    Raises:
        CameraError: the program fails. The message is the last line of its output.
        OSError: it does not start.
        subprocess.TimeoutExpired: it takes longer than `limit_s`.
    """
    done = subprocess.run([program, "--list-cameras"], capture_output=True, timeout=limit_s)
    output = (done.stdout + done.stderr).decode(errors="replace")
    cameras = re.findall(r"^\s*\d+ : (\w+(?: \[.*?\])?)", output, re.MULTILINE)
    if not cameras and "no cameras available" not in output.lower():
        lines = output.strip().splitlines()
        raise CameraError(lines[-1].strip() if lines else f"code {done.returncode}")
    return cameras
