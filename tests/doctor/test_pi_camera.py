import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from digitedge.doctor.finding import Status
from digitedge.doctor.pi_camera import check_pi_camera

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rpicam-hello is Linux's")

LISTED = """\
Available cameras
-----------------
0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
1 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)
"""


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """The file in which a Raspberry Pi states its name."""
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    return tmp_path / "model"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a program called rpicam-hello on the PATH."""

    def install(script: str) -> None:
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        (tmp_path / "rpicam-hello").write_text(script)
        (tmp_path / "rpicam-hello").chmod(0o755)

    return install


def test_ribbon_cameras_are_listed(tmp_path: Path, program: Callable[[str], None]) -> None:
    program(f"#!/bin/sh\ntest \"$*\" = --list-cameras && cat <<'END'\n{LISTED}END\n")
    (finding,) = check_pi_camera(tmp_path / "no board")
    assert finding.status is Status.OK
    assert finding.found == ("rpicam-hello lists imx708_wide [4608x2592 10-bit RGGB], imx219 [3280x2464 10-bit RGGB]")


@pytest.mark.parametrize(
    ("script", "status", "found", "fix"),
    [
        ("#!/bin/sh\necho 'No cameras available!'\n", Status.NOTE, "lists no camera", "seat the ribbon"),
        ("#!/bin/sh\nexec sleep 30\n", Status.PROBLEM, "does not answer within 0.3 s", "restart"),
        ("#!/bin/sh\necho libcamera.so.0.3: missing >&2; exit 127\n", Status.PROBLEM, "libcamera.so", "--reinstall"),
        ("#!/bin/sh\nexit 3\n", Status.PROBLEM, "code 3", "--reinstall"),
        ("#!/no/such/shell\n", Status.PROBLEM, "does not start", "--reinstall"),
    ],
    ids=["no camera", "hangs", "shared object", "silent", "no program"],
)
def test_a_failing_rpicam_is_reported_with_its_fix(
    tmp_path: Path, program: Callable[[str], None], script: str, status: Status, found: str, fix: str
) -> None:
    program(script)
    (finding,) = check_pi_camera(tmp_path / "no board", limit_s=0.3)
    assert finding.status is status
    assert found in finding.found
    assert fix in str(finding.fix)


def test_missing_programs_are_notes_on_a_raspberry_pi(
    board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = list(check_pi_camera(board))
    assert [(finding.check, finding.status) for finding in findings] == [
        ("rpicam", Status.NOTE),
        ("picamera2", Status.NOTE),
    ]
    assert findings[0].fix == "sudo apt install rpicam-apps"
    assert "--system-site-packages" in str(findings[1].fix)


def test_missing_programs_are_not_reported_on_other_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "model").write_bytes(b"Another board\0")
    assert list(check_pi_camera(tmp_path / "no board")) == []
    assert list(check_pi_camera(tmp_path / "model")) == []


@pytest.mark.parametrize(
    ("code", "status", "fix"),
    [
        ("", Status.OK, None),
        (
            "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility. Expected 96, got 88')",
            Status.PROBLEM,
            "pip install --force-reinstall simplejpeg",
        ),
        ("import libcamera_missing", Status.PROBLEM, "sudo apt install --reinstall python3-picamera2"),
    ],
    ids=["works", "another NumPy", "broken"],
)
def test_picamera2_is_imported_in_a_child_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: Status, fix: str | None
) -> None:
    (tmp_path / "picamera2.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    (finding,) = check_pi_camera(tmp_path / "no board")
    assert (finding.check, finding.status, finding.fix) == ("picamera2", status, fix)
