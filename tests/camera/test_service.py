"""Services with a `systemctl` on the PATH that records its arguments; a child process watches the files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from digitedge.camera import service
from digitedge.camera.service import ServiceFiles, install, read_secrets, remove, service_state
from digitedge.camera.systemd_unit import Unit
from digitedge.errors import DigitEdgeError

Systemctl = Callable[..., None]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in
  {refuse}) echo "{answer}" >&2; exit 1;;
  *" show "*) echo {state};;
esac
"""
SECRETS = {"DIGITEDGE_MQTT": "mqtt://anna:s%40cret@broker"}
# Installs a service, then again while systemctl refuses it, in a process whose umask hides nothing. At every file
# operation of Python, all files of the folder are looked at. Then the same in a process that ends at operation 1, and
# so on, as if it was killed.
WATCHED_INSTALL = """
import os, sys
from pathlib import Path
from digitedge.camera.service import ServiceFiles, install
from digitedge.camera.systemd_unit import Unit
from digitedge.errors import DigitEdgeError
config, program = Path(sys.argv[1]), Path(sys.argv[2])
script = program.read_text()
count, last, is_watching = 0, 0, False
def look(event):
    for path in config.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o077:
            print(f"{path.name} has mode {path.stat().st_mode & 0o777:o} at {event}", flush=True)
def watch(event, arguments):
    global is_watching, count
    if is_watching and event in ("open", "os.rename", "os.chmod", "os.remove", "subprocess.Popen"):
        is_watching = False
        look(event)
        count += 1
        if count == last:
            os._exit(9)
        is_watching = True
def run():
    global is_watching
    program.write_text(script)
    files = ServiceFiles.of("desk", config)
    is_watching = True
    install(files, Unit(["0"], config.parent), {"DIGITEDGE_MQTT": "mqtt://anna:one@broker"})
    program.write_text(script.replace("*nothing*", "*restart*"))
    try:
        install(files, Unit(["1"], config.parent), {"DIGITEDGE_MQTT": "mqtt://anna:two@broker"})
    except DigitEdgeError:
        pass
    is_watching = False
os.umask(0)
sys.addaudithook(watch)
run()
total = count
for last in range(1, total, 7):
    count = 0
    child = os.fork()
    if not child:
        run()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    look(f"the end at operation {last}")
last = 0
run()
print("operations:", total)
"""


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    """Put a systemctl on the PATH that succeeds, except with arguments that match `refuse`."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def write(*, refuse: str = "*nothing*", answer: str = "Job failed.", state: str = "active") -> None:
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "systemctl").write_text(SYSTEMCTL.format(refuse=refuse, answer=answer, state=state))
        (tmp_path / "bin" / "systemctl").chmod(0o755)

    write()
    return write


@pytest.fixture
def files(tmp_path: Path) -> ServiceFiles:
    """Files of a service in a folder of settings that does not exist yet."""
    return ServiceFiles.of("digitedge", tmp_path / "config")


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit([], tmp_path)


def calls(tmp_path: Path) -> list[str]:
    return [line.removeprefix("--user ") for line in (tmp_path / "bin" / "calls").read_text().splitlines()]


def test_install_writes_unit_and_secrets_then_starts_the_service(
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles
) -> None:
    install(files, Unit(["0"], tmp_path), SECRETS)
    expected = Unit(["0"], tmp_path, secrets=files.secrets).text()
    assert files.unit.read_text() == expected
    assert read_secrets(files) == SECRETS
    assert "s%40cret" not in expected
    assert calls(tmp_path) == [
        "show-environment",
        "daemon-reload",
        "enable digitedge.service",
        "restart digitedge.service",
    ]
    assert {path for path in (tmp_path / "config").rglob("*") if path.is_file()} == {files.unit, files.secrets}


def test_service_without_secrets_has_no_file_for_them(systemctl: Systemctl, files: ServiceFiles, unit: Unit) -> None:
    install(files, unit, SECRETS)
    install(files, unit, {})
    assert not files.secrets.exists()
    assert "EnvironmentFile" not in files.unit.read_text()


def test_nobody_else_can_read_the_files_at_any_moment_even_if_an_install_is_killed(
    systemctl: Systemctl, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", WATCHED_INSTALL, tmp_path / "config", tmp_path / "bin" / "systemctl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("operations: "), done.stdout + done.stderr
    assert int(done.stdout.split()[1]) > 30
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "config").rglob("desk.*")}
    assert modes == {"desk.service": 0o600, "desk.env": 0o600}
    assert read_secrets(ServiceFiles.of("desk", tmp_path / "config")) == {"DIGITEDGE_MQTT": "mqtt://anna:one@broker"}


def test_unit_of_an_older_version_that_others_can_read_is_closed(
    systemctl: Systemctl, files: ServiceFiles, unit: Unit
) -> None:
    files.unit.parent.mkdir(parents=True)
    files.unit.write_text(unit.text().replace("--headless", "--headless rtsp://anna:secret@camera"))
    files.unit.chmod(0o644)
    systemctl(refuse="*restart*")
    with pytest.raises(DigitEdgeError):
        install(files, unit, {})
    assert "secret" in files.unit.read_text()
    assert files.unit.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("refuse", ['*"daemon-reload"*', "*enable*", "*restart*"])
def test_failed_install_leaves_no_file(
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles, unit: Unit, refuse: str
) -> None:
    systemctl(refuse=refuse)
    with pytest.raises(DigitEdgeError, match=r"failed: Job failed\. See: journalctl"):
        install(files, unit, SECRETS)
    assert [path for path in (tmp_path / "config").rglob("*") if path.is_file()] == []
    assert calls(tmp_path)[-2:] == ["disable --now digitedge.service", "daemon-reload"]


def test_failed_install_restores_the_former_unit_and_its_secrets(
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles
) -> None:
    install(files, Unit(["0"], tmp_path), SECRETS)
    old = files.unit.read_text()
    systemctl(refuse="*restart*")
    with pytest.raises(DigitEdgeError):
        install(files, Unit(["1"], tmp_path), {"DIGITEDGE_MQTT": "mqtt://other"})
    assert files.unit.read_text() == old
    assert read_secrets(files) == SECRETS


def test_service_runs_without_a_sandbox_where_systemd_cannot_set_one_up(
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles, unit: Unit
) -> None:
    program = tmp_path / "bin" / "systemctl"
    refusal = f'case "$*" in *restart*) grep -q PrivateUsers {files.unit} && exit 1;; *ExecMain*) echo 226;; esac\n'
    program.write_text("#!/bin/sh\n" + refusal + "exit 0\n")
    lines: list[str] = []
    install(files, unit, SECRETS, log=lines.append)
    text = files.unit.read_text()
    assert "ProtectSystem" not in text
    assert {"NoNewPrivileges=yes", "SystemCallFilter=@system-service", "[Install]"} <= set(text.splitlines())
    assert [line.partition(" here")[0] for line in lines] == [
        "note: systemd cannot give this service a file system of its own"
    ]


def test_unit_of_another_program_is_kept(systemctl: Systemctl, tmp_path: Path, files: ServiceFiles, unit: Unit) -> None:
    files.unit.parent.mkdir(parents=True)
    files.unit.write_text("[Unit]\nDescription=mine\n")
    for change in (lambda: install(files, unit, {}), lambda: remove(files)):
        with pytest.raises(DigitEdgeError, match="was not written by digitedge, so it is kept"):
            change()
    assert files.unit.read_text() == "[Unit]\nDescription=mine\n"
    assert not (tmp_path / "bin" / "calls").exists()


def test_pipe_in_place_of_the_unit_is_an_error(systemctl: Systemctl, files: ServiceFiles, unit: Unit) -> None:
    files.unit.parent.mkdir(parents=True)
    os.mkfifo(files.unit)
    with pytest.raises(DigitEdgeError, match="expected a regular file"):
        install(files, unit, {})


def test_damaged_file_of_secrets_is_an_error(files: ServiceFiles) -> None:
    files.secrets.parent.mkdir(parents=True)
    files.secrets.write_text('DIGITEDGE_MQTT="mqtt://anna:secret')
    with pytest.raises(DigitEdgeError, match="expected NAME=") as caught:
        read_secrets(files)
    assert "anna" not in str(caught.value)


def test_remove_stops_the_service_and_returns_false_the_second_time(
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles, unit: Unit
) -> None:
    install(files, unit, SECRETS)
    assert remove(files)
    assert [path for path in (tmp_path / "config").rglob("*") if path.is_file()] == []
    assert calls(tmp_path)[-2:] == ["disable --now digitedge.service", "daemon-reload"]
    assert not remove(files)


def test_remove_deletes_secrets_without_a_unit(systemctl: Systemctl, files: ServiceFiles) -> None:
    """As an install leaves them that was killed before it wrote the unit."""
    files.secrets.parent.mkdir(parents=True)
    files.secrets.write_text('DIGITEDGE_MQTT="mqtt://anna:secret@broker"')
    assert not remove(files)
    assert not files.secrets.exists()


def test_state_is_that_of_systemd(systemctl: Systemctl, files: ServiceFiles, unit: Unit) -> None:
    missing = service_state(files)
    assert (missing.installed, missing.active, missing.state) == (False, False, "inactive")
    install(files, unit, {})
    assert service_state(files).active
    systemctl(state="failed")
    failed = service_state(files)
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
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles, unit: Unit, answer: str
) -> None:
    systemctl(refuse="*", answer=answer.replace("$", r"\$"))
    with pytest.raises(DigitEdgeError, match="your systemd cannot be reached: ") as caught:
        install(files, unit, {})
    assert "not through sudo or su" in str(caught.value)
    assert not files.unit.parent.exists()


def test_missing_systemctl_is_an_error(
    tmp_path: Path, files: ServiceFiles, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DigitEdgeError, match="needs systemd, and systemctl is not installed"):
        install(files, unit, {})
    assert not files.unit.parent.exists()


def test_systemctl_that_hangs_is_an_error(
    systemctl: Systemctl, tmp_path: Path, files: ServiceFiles, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "systemctl").write_text("#!/bin/sh\nexec sleep 30\n")
    monkeypatch.setattr(service, "SYSTEMCTL_LIMIT_S", 0.2)
    with pytest.raises(DigitEdgeError, match="does not exit within"):
        install(files, unit, {})
    assert not files.unit.parent.exists()
