"""The ribbon camera of a Raspberry Pi: through `rpicam-vid`, or through picamera2."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from digitedge.doctor.finding import Finding, Status
from digitedge.utils.subprocesses import run_python

BOARD = Path("/proc/device-tree/model")  # where Linux names the board that it runs on
PROGRAMS = ("rpicam-hello", "libcamera-hello")  # each comes with its `-vid`; the second is its name before 2024
LOOK_LIMIT_S = 10.0


def check_ribbon(board: Path = BOARD, *, limit_s: float = LOOK_LIMIT_S) -> Iterator[Finding]:
    """Look for both ways; where this is no Raspberry Pi, only for those that are installed."""
    is_pi = board.is_file() and "Raspberry Pi" in board.read_text(errors="replace")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is not None:
        yield _listed(program, limit_s)
    elif is_pi:
        yield Finding("rpicam", Status.NOTE, "rpicam-vid is not installed", "sudo apt install rpicam-apps")
    if is_pi or _has_picamera2():
        yield _check_picamera2()


def _listed(program: str, limit_s: float) -> Finding:
    """Let the program list the cameras."""
    name = Path(program).name
    reinstall = "sudo apt install --reinstall rpicam-apps"
    try:
        done = subprocess.run([program, "--list-cameras"], capture_output=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        mend = "end the program that uses the camera, or restart the machine"
        return Finding("rpicam", Status.PROBLEM, f"{name} does not answer within {limit_s:g} s", mend)
    except OSError as exc:
        return Finding("rpicam", Status.PROBLEM, f"{name} does not start: {exc.strerror}", reinstall)
    said = (done.stdout + done.stderr).decode(errors="replace")
    cameras = re.findall(r"^\s*\d+ : (\w+(?: \[.*?\])?)", said, re.MULTILINE)
    if cameras:
        return Finding("rpicam", Status.OK, f"{name} lists {', '.join(cameras)}")
    if "no cameras available" in said.lower():
        mend = "shut down, seat the ribbon at both ends, start, and look with: rpicam-hello --list-cameras"
        return Finding("rpicam", Status.NOTE, f"{name} lists no camera", mend)
    last = said.strip().splitlines()[-1:] or [f"code {done.returncode}"]
    return Finding("rpicam", Status.PROBLEM, f"{name} fails: {last[0].strip()}", reinstall)


def _check_picamera2() -> Finding:
    """Import picamera2 in a child process. It comes from apt only, and its simplejpeg may be built for NumPy 1."""
    if not _has_picamera2():
        mend = (
            "sudo apt install python3-picamera2, then a venv that sees it: python3 -m venv --system-site-packages .venv"
        )
        return Finding("picamera2", Status.NOTE, "this Python has no picamera2; rpicam needs none", mend)
    answer = run_python("import picamera2")
    if answer.works:
        return Finding("picamera2", Status.OK, "can be imported")
    misfit = "binary incompatibility" in answer.text or "multiarray" in answer.text
    mend = "pip install --force-reinstall simplejpeg" if misfit else "sudo apt install --reinstall python3-picamera2"
    return Finding("picamera2", Status.PROBLEM, f"cannot be imported: {answer.text}", mend)


def _has_picamera2() -> bool:
    return importlib.util.find_spec("picamera2") is not None
