"""Units as systemd parses, verifies and rates them."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitedge.bundle.trusted_keys import trusted_folder
from digitedge.camera.service import ServiceFiles
from digitedge.camera.systemd_unit import MARKER, Unit, secrets_text
from digitedge.errors import InputError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")

SYSTEMD = Path("/lib/systemd/systemd")
# Words that a shell, systemd or Python could misinterpret.
SPECIAL_WORDS = ["50 %", "%h", "$HOME", "${HOME}x", 'say "7"', r"\d{6}$", "it's", "", ";", "über", "#", "-", "--events"]
# Of `systemd-analyze security`: 0 to 10, the worst. An unprotected unit has 9.6.
MAX_EXPOSURE = 4

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (apt install systemd)"
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder for all users; those of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def analyze(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder)}
    return subprocess.run(["systemd-analyze", *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_unit_starts_this_python_in_this_folder(tmp_path: Path) -> None:
    lines = Unit(["rpicam", "--events"], tmp_path).text().splitlines()
    assert lines[0] == MARKER
    assert f"ExecStart=:{sys.executable} -P -m digitedge camera --headless rpicam --events" in lines
    assert f"WorkingDirectory={tmp_path}" in lines
    assert {"Restart=on-failure", "RestartSec=5", "StartLimitIntervalSec=0", "SuccessExitStatus=143"} <= set(lines)


@needs_analyze
@pytest.mark.parametrize("is_sandboxed", [True, False])
def test_systemd_verifies_the_unit(tmp_path: Path, is_sandboxed: bool) -> None:
    path = tmp_path / "digitedge.service"
    folders = [tmp_path / "a: b%h" / "crops", Path('/srv/50 % "x"')]
    unit = Unit(SPECIAL_WORDS, tmp_path, [], folders, secrets=tmp_path / "my secrets.env", is_sandboxed=is_sandboxed)
    path.write_text(unit.text())
    done = analyze("verify", "--user", path, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_analyze
def test_exposure_of_the_unit_is_low(tmp_path: Path) -> None:
    path = tmp_path / "digitedge.service"
    rate = ("security", "--offline=true", f"--threshold={10 * MAX_EXPOSURE}", path)
    path.write_text(Unit(["rpicam", "--web", "0.0.0.0:8000"], tmp_path, writable=[tmp_path]).text())
    done = analyze(*rate, folder=tmp_path)
    assert done.returncode == 0, done.stdout
    path.write_text(Unit([], tmp_path, is_sandboxed=False).text())
    assert analyze(*rate, folder=tmp_path).returncode != 0


def test_paths_in_temporary_folders_are_mounted_into_the_private_one() -> None:
    unit = Unit(
        [], Path("/tmp/desk"), [Path("/tmp/model.tflite"), Path("/opt/x")], [Path("/tmp/desk/crops"), Path("/srv")]
    )
    lines = unit.text().splitlines()
    assert {'BindReadOnlyPaths="/tmp/desk"', 'BindReadOnlyPaths="/tmp/model.tflite"'} <= set(lines)
    assert {'BindPaths="/tmp/desk/crops"', 'ReadWritePaths="/srv"', "PrivateTmp=yes"} <= set(lines)
    assert not [line for line in lines if "/opt/x" in line]


def test_the_unit_closes_the_folder_of_the_secrets_and_not_that_of_the_trusted_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DIGITEDGE_CONFIG", raising=False)
    secrets = ServiceFiles.of("desk", tmp_path).secrets
    text = Unit(["--require-signature", "--web", "0.0.0.0:8000"], tmp_path, secrets=secrets).text()
    (line,) = [line for line in text.splitlines() if line.startswith("InaccessiblePaths=")]
    closed = [Path(word.removeprefix("-")) for word in shlex.split(line.partition("=")[2])]
    assert secrets.parent in closed
    assert trusted_folder().is_relative_to(tmp_path)
    assert not [path for path in closed if trusted_folder().is_relative_to(path)]


def test_secret_with_a_line_break_is_an_error() -> None:
    with pytest.raises(InputError, match="one line in DIGITEDGE_MQTT") as caught:
        secrets_text({"DIGITEDGE_MQTT": "mqtt://anna:sec\nret@broker"})
    assert "anna" not in str(caught.value)


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
    unit.write_text(Unit(SPECIAL_WORDS, folder).text())
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
        Unit([], tmp_path / name)
