"""`digitedge camera` as a systemd user service, which starts with the machine and again after a failure.

A user unit needs no root, has the user's permission for the camera, and finds the user's virtual environment. It cannot
wait for the network, which is a system unit: a stream that cannot be reached yet ends the program, and systemd starts
it again every five seconds.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from digitedge.errors import DigitEdgeError, InputError
from digitedge.utils.files import write_text

MARKER = "# Written by `digitedge service install`; `digitedge service remove` removes it."
# The colon before the program disables the expansion of $NAME in the arguments. 143 is the exit code on SIGTERM, with
# which systemd stops the service; 2 is wrong usage, which a restart does not fix.
UNIT = """{marker}
[Unit]
Description=digitedge camera reads handwritten digits
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=:{command}
WorkingDirectory={folder}
Environment=PYTHONUNBUFFERED=1
Restart=on-failure
RestartSec=5
SuccessExitStatus=143
RestartPreventExitStatus=2

[Install]
WantedBy=default.target
"""
SYSTEMCTL_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class ServiceState:
    """Path of the unit file, whether it exists, and ActiveState of systemd.

    `state` is "active", "activating" (before the next start), "inactive" or "failed".
    """

    unit: Path
    installed: bool
    state: str

    @property
    def active(self) -> bool:
        """Whether the service runs."""
        return self.state == "active"


def unit_text(arguments: Sequence[str], folder: Path) -> str:
    """Return the text of a unit that runs `digitedge camera --headless` with arguments in a folder.

    Raises:
        InputError: the path of the folder has a line break or ends in a backslash, which a unit cannot express.
    """
    if re.search(r"[\n\r]|\\$", str(folder)):
        raise InputError(
            f"expected a folder without line breaks and final backslash, got {str(folder)!r}. Use another one."
        )
    # -P: a random.py of that folder must not hide Python's.
    command = [sys.executable, "-P", "-m", "digitedge", "camera", "--headless", *arguments]
    return UNIT.format(
        marker=MARKER, command=" ".join(map(quote, command)), folder=str(folder.absolute()).replace("%", "%%")
    )


def quote(word: str) -> str:
    r"""Quote a word for the command line of a unit.

    Source:
        systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers".

    Examples:
        >>> print(quote("rpicam"), quote("50 %"), quote('"a\\b"'))
        rpicam "50 %%" "\"a\\b\""
    """
    if re.fullmatch(r"[\w@+=:,./-]+", word):
        return word
    for special, escaped in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n"), ("\r", r"\r"), ("%", "%%")):
        word = word.replace(special, escaped)
    return f'"{word}"'


def install(name: str, text: str, units: Path) -> Path:
    """Write `text` as NAME.service into the folder of the user's units, and start it, now and at every login.

    Returns the path. If systemd fails, the former unit is restored.

    Raises:
        DigitEdgeError: no systemd, a unit of that name from another program, or systemd rejects the unit.
    """
    path = _own_unit(name, units)
    _systemctl("show-environment")  # fails here if systemd cannot be reached
    old = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        write_text(path, text)
        path.chmod(0o600)  # the camera's arguments may hold a password
        _systemctl("daemon-reload")
        _systemctl("enable", path.name)
        _systemctl("restart", path.name)  # `enable --now` would not restart a running one
    except BaseException:
        _restore(path, old)
        raise
    return path


def remove(name: str, units: Path) -> bool:
    """Stop a service and delete its unit; False if there was none.

    Raises:
        DigitEdgeError: no systemd, or a unit of that name from another program.
    """
    path = _own_unit(name, units)
    if not path.exists():
        return False
    _systemctl("disable", "--now", path.name)
    path.unlink()
    _systemctl("daemon-reload")
    return True


def service_state(name: str, units: Path) -> ServiceState:
    """Return the state of a service.

    Raises:
        DigitEdgeError: it is installed, and systemd cannot be reached.
    """
    path = units / f"{name}.service"
    if not path.exists():
        return ServiceState(path, installed=False, state="inactive")
    state = _systemctl("show", "--property=ActiveState", "--value", path.name)
    return ServiceState(path, installed=True, state=state)


def _own_unit(name: str, units: Path) -> Path:
    """Return the path of a unit file, which digitedge must have written if it exists."""
    path = units / f"{name}.service"
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARKER):
        raise DigitEdgeError(f"{path} was not written by digitedge, so it is kept. Choose another name with --name.")
    return path


def _restore(path: Path, old: str | None) -> None:
    """Undo an install. Further errors are suppressed, because the first one explains more."""
    if old is None:
        with suppress(DigitEdgeError):
            _systemctl("disable", "--now", path.name)
        path.unlink(missing_ok=True)
    else:
        write_text(path, old)
    with suppress(DigitEdgeError):
        _systemctl("daemon-reload")
        if old is not None:
            _systemctl("restart", path.name)


def _systemctl(*words: str) -> str:
    """Run `systemctl --user` and return its output."""
    program = shutil.which("systemctl")
    if program is None:
        raise DigitEdgeError(
            "a service needs systemd, and systemctl is not installed. Start it yourself: digitedge camera --headless"
        )
    request = f"systemctl --user {' '.join(words)}"
    try:
        done = subprocess.run([program, "--user", *words], capture_output=True, text=True, timeout=SYSTEMCTL_LIMIT_S)
    except subprocess.TimeoutExpired as exc:
        raise DigitEdgeError(f"{request} does not exit within {SYSTEMCTL_LIMIT_S:g} s. Try again.") from exc
    if done.returncode == 0:
        return done.stdout.strip()
    reason = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[0].rstrip(".")
    if re.search(r"connect to .*bus|not been booted with systemd", reason):
        raise DigitEdgeError(
            f"your systemd cannot be reached: {reason}. Log in as the user who is to run it, not through sudo or su, "
            "or run: export XDG_RUNTIME_DIR=/run/user/$(id -u)"
        )
    raise DigitEdgeError(f"{request} failed: {reason}. See: journalctl --user -n 20")
