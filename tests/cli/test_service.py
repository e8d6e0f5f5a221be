"""`digitedge service` in real processes, with a `systemctl` that always succeeds."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    return tmp_path / "config" / "systemd" / "user" / "digitedge.service"


@pytest.fixture
def service(digitedge: Command, tmp_path: Path) -> Command:
    """Run the command with a unit folder of its own."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\ncase $2 in show) echo active;; esac\n")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": path}
    return lambda *arguments, **others: digitedge("service", *arguments, **environment, **others)


@pytest.mark.slow
def test_service_is_installed_shown_and_removed(service: Command, unit: Path) -> None:
    done = service("install", "--", "demo", "--events")
    assert (done.returncode, done.stdout) == (0, f"installed and started: {unit}\n")
    assert "loginctl enable-linger" in done.stderr
    assert "journalctl --user -u digitedge -f" in done.stderr
    assert "camera --headless demo --events\n" in unit.read_text()
    assert json.loads(service("status", "--json").stdout) == {
        "schema": "digitedge.service/1",
        "name": "digitedge",
        "unit": str(unit),
        "installed": True,
        "active": True,
        "state": "active",
        "log": "journalctl --user -u digitedge -f",
    }
    assert service("status").stdout.splitlines() == [
        f"installed: {unit}",
        "state: active",
        "log: journalctl --user -u digitedge -f",
    ]
    assert service("remove").stdout == f"removed: {unit}\n"
    gone = service("remove")
    assert (gone.returncode, gone.stdout) == (0, f"nothing to remove: there is no {unit}\n")


def test_print_prints_the_unit_without_installing_it(service: Command, tmp_path: Path) -> None:
    done = service("install", "--print", "--name", "desk", "--", "0")
    assert done.returncode == 0
    assert done.stdout.startswith("# Written by `digitedge service install`")
    assert {"Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes"} <= set(done.stdout.split())
    assert f"WorkingDirectory={tmp_path}\n" in done.stdout
    assert not (tmp_path / "config").exists()


def test_secrets_go_into_their_own_file_and_nowhere_else(service: Command, unit: Path, tmp_path: Path) -> None:
    arguments = ["--mqtt=mqtts://anna:s1cret@broker/desk", "rtsp://admin:s2cret@camera/live", "--web", "0.0.0.0:8000"]
    done = service("install", "--", *arguments, "--events")
    assert done.returncode == 0, done.stderr
    assert "camera --headless --web 0.0.0.0:8000 --events\n" in unit.read_text()
    secrets = tmp_path / "config" / "digitedge" / "services" / "digitedge.env"
    assert f"EnvironmentFile={secrets}\n" in unit.read_text()
    lines = secrets.read_text().splitlines()
    assert {'DIGITEDGE_MQTT="mqtts://anna:s1cret@broker/desk"'} <= set(lines)
    assert {'DIGITEDGE_SOURCE="rtsp://admin:s2cret@camera/live"'} <= set(lines)
    token = lines[2].removeprefix("DIGITEDGE_WEB_TOKEN=").strip('"')
    assert len(token) == 22
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != secrets]
    shown = done.stdout + done.stderr + "".join(path.read_text(errors="replace") for path in written)
    assert [word for word in ("s1cret", "s2cret", token) if word in shown] == []
    assert {path.stat().st_mode & 0o777 for path in (unit, secrets)} == {0o600}


def test_secrets_are_taken_from_the_environment_and_kept_until_they_are_given_again(
    service: Command, unit: Path, tmp_path: Path
) -> None:
    secrets = tmp_path / "config" / "digitedge" / "services" / "digitedge.env"
    assert service("install", "--", "0", DIGITEDGE_MQTT='mqtt://anna:"$x\\@broker').returncode == 0
    assert secrets.read_text() == 'DIGITEDGE_MQTT="mqtt://anna:\\"$x\\\\@broker"\n'
    kept = service("install", "--", "1", "--events")
    assert f"DIGITEDGE_MQTT in {secrets}" in kept.stderr
    assert secrets.read_text() == 'DIGITEDGE_MQTT="mqtt://anna:\\"$x\\\\@broker"\n'
    assert "camera --headless 1 --events\n" in unit.read_text()
    assert service("install", "--", "--mqtt", "mqtt://broker").returncode == 0
    assert not secrets.exists()
    assert "camera --headless --mqtt mqtt://broker\n" in unit.read_text()
    assert service("remove").returncode == 0


def test_remove_deletes_the_secrets(service: Command, tmp_path: Path) -> None:
    service("install", "--", "0", DIGITEDGE_MQTT="mqtt://anna:secret@broker")
    service("remove")
    assert [path for path in (tmp_path / "config").rglob("*") if path.is_file()] == []


def test_folders_that_the_camera_writes_to_are_created_and_writable(
    service: Command, unit: Path, tmp_path: Path
) -> None:
    done = service("install", "--", "demo", "--save-crops", "crops", "--record", "films/desk.mkv", "--overwrite")
    assert done.returncode == 0, done.stderr
    assert {f'BindPaths="{tmp_path}/crops"', f'BindPaths="{tmp_path}/films"'} <= set(unit.read_text().splitlines())
    assert (tmp_path / "crops").is_dir()


def test_recording_that_a_second_start_would_refuse_is_wrong_usage(service: Command, unit: Path) -> None:
    done = service("install", "--", "demo", "--record", "desk.mkv")
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert not unit.exists()


def test_unknown_argument_of_the_camera_is_wrong_usage(service: Command, unit: Path) -> None:
    done = service("install", "--", "demo", "--evnts")
    assert done.returncode == 2
    assert "--evnts" in done.stderr
    assert not unit.exists()


def test_name_that_is_a_path_is_wrong_usage(service: Command) -> None:
    assert service("status", "--name", "../desk").returncode == 2


def test_missing_systemctl_is_one_line_and_exit_code_1(digitedge: Command, tmp_path: Path) -> None:
    done = digitedge("service", "install", XDG_CONFIG_HOME=str(tmp_path / "config"), PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: a service needs systemd")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "config").exists()
