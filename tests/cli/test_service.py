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
    return lambda *arguments: digitedge("service", *arguments, XDG_CONFIG_HOME=str(tmp_path / "config"), PATH=path)


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
    assert f"WorkingDirectory={tmp_path}\n" in done.stdout
    assert not (tmp_path / "config").exists()


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
