"""The ribbon camera of a Raspberry Pi: rpicam-vid and picamera2."""

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

from digitedge.doctor.finding import Finding, Status
from digitedge.errors import CameraError
from digitedge.utils.raspberry_pi import BOARD, LIST_LIMIT_S, find_rpicam, is_raspberry_pi, list_cameras
from digitedge.utils.subprocesses import run_python


def check_pi_camera(board: Path = BOARD, *, limit_s: float = LIST_LIMIT_S) -> Iterator[Finding]:
    """Check both programs; on other machines than a Raspberry Pi only if they are installed."""
    is_pi = is_raspberry_pi(board)
    program = find_rpicam("hello")
    if program is not None:
        yield _check_rpicam(program, limit_s)
    elif is_pi:
        yield Finding("rpicam", Status.NOTE, "rpicam-vid is not installed", "sudo apt install rpicam-apps")
    if is_pi or _has_picamera2():
        yield _check_picamera2()


def _check_rpicam(program: str, limit_s: float) -> Finding:
    name = Path(program).name
    reinstall = "sudo apt install --reinstall rpicam-apps"
    try:
        cameras = list_cameras(program, limit_s=limit_s)
    except subprocess.TimeoutExpired:
        release = "end the program that uses the camera, or restart the machine"
        return Finding("rpicam", Status.PROBLEM, f"{name} does not answer within {limit_s:g} s", release)
    except OSError as exc:
        return Finding("rpicam", Status.PROBLEM, f"{name} does not start: {exc.strerror}", reinstall)
    except CameraError as exc:
        return Finding("rpicam", Status.PROBLEM, f"{name} fails: {exc}", reinstall)
    if not cameras:
        seat = "shut down, seat the ribbon at both ends, start, and look with: rpicam-hello --list-cameras"
        return Finding("rpicam", Status.NOTE, f"{name} lists no camera", seat)
    return Finding("rpicam", Status.OK, f"{name} lists {', '.join(cameras)}")


def _check_picamera2() -> Finding:
    """Import picamera2 in a child process. It comes from apt only, and its simplejpeg may be built for NumPy 1."""
    if not _has_picamera2():
        fix = "sudo apt install python3-picamera2, then a venv with it: python3 -m venv --system-site-packages .venv"
        return Finding("picamera2", Status.NOTE, "this Python has no picamera2; rpicam does not need it", fix)
    result = run_python("import picamera2")
    if result.succeeded:
        return Finding("picamera2", Status.OK, "can be imported")
    fix = "sudo apt install --reinstall python3-picamera2"
    if "binary incompatibility" in result.text or "multiarray" in result.text:
        fix = "pip install --force-reinstall simplejpeg"
    return Finding("picamera2", Status.PROBLEM, f"cannot be imported: {result.text}", fix)


def _has_picamera2() -> bool:
    return importlib.util.find_spec("picamera2") is not None
