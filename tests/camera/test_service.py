"""Units as systemd parses them, and a `systemctl` on the PATH that records its arguments."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digitedge.camera import service
from digitedge.camera.service import MARKER, install, remove, service_state, unit_text
from digitedge.errors import DigitEdgeError, InputError

Systemctl = Callable[..., None]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in
  {refuse}) echo "{answer}" >&2; exit 1;;
  *" show "*) echo {state};;
esac
"""
SYSTEMD = Path("/lib/systemd/systemd")
# Words that a shell, systemd or Python could misinterpret.
SPECIAL_WORDS = ["50 %", "%h", "$HOME", "${HOME}x", 'say "7"', r"\d{6}$", "it's", "", ";", "über", "#", "-", "--events"]


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    """Put a systemctl on the PATH that succeeds, except with arguments that match `refuse`."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def write(*, refuse: str = "nothing", answer: str = "Job failed.", state: str = "active") -> None:
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "systemctl").write_text(SYSTEMCTL.format(refuse=refuse, answer=answer, state=state))
        (tmp_path / "bin" / "systemctl").chmod(0o755)

    write()
    return write


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Folder of the user's units, which does not exist yet."""
    return tmp_path / "config" / "systemd" / "user"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder for all users; those of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def calls(tmp_path: Path) -> list[str]:
    return [line.removeprefix("--user ") for line in (tmp_path / "bin" / "calls").read_text().splitlines()]


def test_unit_starts_this_python_in_this_folder(tmp_path: Path) -> None:
    lines = unit_text(["rpicam", "--events"], tmp_path).splitlines()
    assert lines[0] == MARKER
    assert f"ExecStart=:{sys.executable} -P -m digitedge camera --headless rpicam --events" in lines
    assert f"WorkingDirectory={tmp_path}" in lines
    assert {"Restart=on-failure", "RestartSec=5", "StartLimitIntervalSec=0", "SuccessExitStatus=143"} <= set(lines)


def test_systemd_verifies_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (apt install systemd)")
    (tmp_path / "digitedge.service").write_text(unit_text(SPECIAL_WORDS, tmp_path))
    command = ["systemd-analyze", "verify", "--user", str(tmp_path / "digitedge.service")]
    done = subprocess.run(
        command, env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_parses_the_words_and_the_folder_unchanged(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systemd prints what it has parsed, but not for root."""
    if not SYSTEMD.exists():
        pytest.skip("systemd is not installed (apt install systemd)")
    python, folder = open_folder / "50 % of $HOME" / "python", open_folder / 'my %h "$x" \\ desk'
    for path in (python.parent, folder, open_folder / "systemd" / "user" / "default.target.wants"):
        path.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    unit = open_folder / "systemd" / "user" / "digitedge.service"
    unit.write_text(unit_text(SPECIAL_WORDS, folder))
    (unit.parent / "default.target.wants" / unit.name).symlink_to(unit)
    environment = os.environ | {"XDG_CONFIG_HOME": str(open_folder), "XDG_RUNTIME_DIR": str(open_folder)}
    done = subprocess.run(
        [SYSTEMD, "--user", "--test"],
        env=environment,
        user=65534 if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        timeout=60,
    )
    _, found, parsed = done.stdout.partition("Unit digitedge.service")
    parsed = parsed.partition("-> Unit ")[0]
    if not found or "Command Line: " not in parsed:
        pytest.skip(f"systemd --user --test does not run here: {done.stderr.strip()[-200:]}")
    fields = {key: value.strip() for key, _, value in (line.partition(":") for line in parsed.splitlines())}
    assert fields["\t\tWorkingDirectory"] == str(folder)
    words = shlex.split(fields["\t\t\tCommand Line"].replace(r"\$", "$"))
    assert words == [str(python), "-P", "-m", "digitedge", "camera", "--headless", *SPECIAL_WORDS]


@pytest.mark.parametrize("name", ["two\nlines", "last backslash\\"])
def test_folder_that_a_unit_cannot_name_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="without line breaks and final backslash"):
        unit_text([], tmp_path / name)


def test_install_writes_the_unit_then_starts_it(systemctl: Systemctl, tmp_path: Path, units: Path) -> None:
    path = install("desk", unit_text([], tmp_path), units)
    assert path == units / "desk.service"
    assert path.read_text() == unit_text([], tmp_path)
    expected = ["show-environment", "daemon-reload", "enable desk.service", "restart desk.service"]
    assert calls(tmp_path) == expected
    assert list(units.iterdir()) == [path]


@pytest.mark.parametrize("refuse", ['*"daemon-reload"*', "*enable*", "*restart*"])
def test_failed_install_leaves_no_unit(systemctl: Systemctl, tmp_path: Path, units: Path, refuse: str) -> None:
    systemctl(refuse=refuse)
    with pytest.raises(DigitEdgeError, match=r"failed: Job failed\. See: journalctl"):
        install("digitedge", unit_text([], tmp_path), units)
    assert list(units.iterdir()) == []
    assert calls(tmp_path)[-2:] == ["disable --now digitedge.service", "daemon-reload"]


def test_failed_install_restores_the_former_unit(systemctl: Systemctl, tmp_path: Path, units: Path) -> None:
    old = unit_text(["0"], tmp_path)
    path = install("digitedge", old, units)
    systemctl(refuse="*restart*")
    with pytest.raises(DigitEdgeError):
        install("digitedge", unit_text(["1"], tmp_path), units)
    assert path.read_text() == old


def test_unit_of_another_program_is_kept(systemctl: Systemctl, tmp_path: Path, units: Path) -> None:
    units.mkdir(parents=True)
    (units / "digitedge.service").write_text("[Unit]\nDescription=mine\n")
    for change in (lambda: install("digitedge", unit_text([], tmp_path), units), lambda: remove("digitedge", units)):
        with pytest.raises(DigitEdgeError, match="was not written by digitedge, so it is kept"):
            change()
    assert (units / "digitedge.service").read_text() == "[Unit]\nDescription=mine\n"
    assert not (tmp_path / "bin" / "calls").exists()


def test_remove_stops_the_service_and_returns_false_the_second_time(
    systemctl: Systemctl, tmp_path: Path, units: Path
) -> None:
    path = install("digitedge", unit_text([], tmp_path), units)
    assert remove("digitedge", units)
    assert not path.exists()
    assert calls(tmp_path)[-2:] == ["disable --now digitedge.service", "daemon-reload"]
    assert not remove("digitedge", units)


def test_state_is_that_of_systemd(systemctl: Systemctl, tmp_path: Path, units: Path) -> None:
    missing = service_state("digitedge", units)
    assert (missing.installed, missing.active, missing.state) == (False, False, "inactive")
    install("digitedge", unit_text([], tmp_path), units)
    assert service_state("digitedge", units).active
    systemctl(state="failed")
    failed = service_state("digitedge", units)
    assert (failed.installed, failed.active, failed.state) == (True, False, "failed")


@pytest.mark.parametrize(
    "answer",
    [
        "Failed to connect to bus: No medium found",
        "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS not defined",
        "System has not been booted with systemd as init system (PID 1). Can't operate.",
    ],
)
def test_missing_user_bus_is_an_error_and_nothing_is_written(
    systemctl: Systemctl, tmp_path: Path, units: Path, answer: str
) -> None:
    systemctl(refuse="*", answer=answer.replace("$", r"\$"))
    with pytest.raises(DigitEdgeError, match="your systemd cannot be reached: ") as caught:
        install("digitedge", unit_text([], tmp_path), units)
    assert "not through sudo or su" in str(caught.value)
    assert not units.exists()


def test_missing_systemctl_is_an_error(tmp_path: Path, units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DigitEdgeError, match="needs systemd, and systemctl is not installed"):
        install("digitedge", unit_text([], tmp_path), units)
    assert not units.exists()


def test_systemctl_that_hangs_is_an_error(
    systemctl: Systemctl, tmp_path: Path, units: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "systemctl").write_text("#!/bin/sh\nexec sleep 30\n")
    monkeypatch.setattr(service, "SYSTEMCTL_LIMIT_S", 0.2)
    with pytest.raises(DigitEdgeError, match="does not exit within"):
        install("digitedge", unit_text([], tmp_path), units)
    assert not units.exists()
