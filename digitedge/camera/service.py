"""`digitedge camera` as a systemd user service: it starts with the machine, and again after a failure.

A user's unit, not the system's: it needs no root, runs with the user's own permission for the camera, and finds the
user's virtual environment. Such a unit cannot be ordered after units of the system, so none waits for the network: a
stream that cannot be reached yet ends the program, and five seconds later systemd starts it again, without end.
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

MARKER = "# Written by `digitedge service install`; `digitedge service remove` takes it away."
# The colon before the program says that no $NAME in the arguments is replaced.
# 143 is how digitedge ends on SIGTERM, which is how systemd stops it; 2 is wrong usage, which no restart mends.
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
LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service stands.

    Attributes:
        name: of the unit, without `.service`.
        unit: its file, whether it is there or not.
        installed: whether it is there.
        state: in systemd's words: "active", "activating" (it waits for its next start), "inactive" or "failed".
    """

    name: str
    unit: Path
    installed: bool
    state: str

    @property
    def active(self) -> bool:
        """Whether it runs."""
        return self.state == "active"


def unit_text(arguments: Sequence[str], folder: Path) -> str:
    """Write the unit that runs `digitedge camera --headless` with these arguments in `folder`.

    Raises:
        InputError: the path of the folder has a line break or ends in a backslash, which a unit cannot say.
    """
    if re.search(r"[\n\r]|\\$", str(folder)):
        raise InputError(
            f"expected a folder without a line break or a last backslash, got {str(folder)!r}. Call it in another one."
        )
    # -P: no module of that folder, such as a random.py, in place of Python's.
    command = [sys.executable, "-P", "-m", "digitedge", "camera", "--headless", *arguments]
    return UNIT.format(
        marker=MARKER, command=" ".join(map(quote, command)), folder=str(folder.absolute()).replace("%", "%%")
    )


def quote(word: str) -> str:
    r"""Write a word as the command line of a unit takes it.

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
    """Write a unit and start it, now and at every login; or leave everything as it was.

    Args:
        name: of the unit, without `.service`.
        text: from `unit_text`.
        units: folder of the user's units.

    Returns:
        The file of the unit.

    Raises:
        DigitEdgeError: no systemd, another program's unit of that name, or systemd refuses it.
    """
    path = _own_unit(name, units)
    _systemctl("show-environment")  # is anybody there?
    old = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        write_text(path, text)
        path.chmod(0o600)  # the camera's arguments may hold a password
        _systemctl("daemon-reload")
        _systemctl("enable", path.name)
        _systemctl("restart", path.name)  # starts it too; `enable --now` would leave one that runs as it was
    except BaseException:
        _take_back(path, old)
        raise
    return path


def remove(name: str, units: Path) -> bool:
    """Stop a service and take its unit away.

    Returns:
        False if there was none.

    Raises:
        DigitEdgeError: no systemd, or another program's unit of that name.
    """
    path = _own_unit(name, units)
    if not path.exists():
        return False
    _systemctl("disable", "--now", path.name)
    path.unlink()
    _systemctl("daemon-reload")
    return True


def state(name: str, units: Path) -> ServiceState:
    """Say how a service stands.

    Raises:
        DigitEdgeError: it is installed, and no systemd answers.
    """
    path = units / f"{name}.service"
    if not path.exists():
        return ServiceState(name, path, installed=False, state="inactive")
    shown = _systemctl("show", "--property=ActiveState", "--value", path.name)
    return ServiceState(name, path, installed=True, state=shown)


def _own_unit(name: str, units: Path) -> Path:
    """The file of a unit, if it is ours or not there.

    Raises:
        DigitEdgeError: another program, or a person, wrote it.
    """
    path = units / f"{name}.service"
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARKER):
        raise DigitEdgeError(f"{path} was not written by digitedge, so it stays. Choose another name with --name.")
    return path


def _take_back(path: Path, old: str | None) -> None:
    """Undo an install, as far as systemd lets us: the error that led here says more than another one would."""
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
    """Ask the systemd of this user.

    Raises:
        DigitEdgeError: it is not here, does not answer, or refuses.
    """
    program = shutil.which("systemctl")
    if program is None:
        raise DigitEdgeError(
            "a service needs systemd, and there is no systemctl here. Start this yourself: digitedge camera --headless"
        )
    request = f"systemctl --user {' '.join(words)}"
    try:
        done = subprocess.run([program, "--user", *words], capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired as exc:
        raise DigitEdgeError(f"{request} does not end within {LIMIT_S:g} s. Try again.") from exc
    if done.returncode == 0:
        return done.stdout.strip()
    reason = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[0].rstrip(".")
    if re.search(r"connect to .*bus|not been booted with systemd", reason):
        raise DigitEdgeError(
            f"your systemd cannot be reached: {reason}. Log in as the user who is to run it, not through sudo or su, "
            "or run: export XDG_RUNTIME_DIR=/run/user/$(id -u)"
        )
    raise DigitEdgeError(f"{request} failed: {reason}. See: journalctl --user -n 20")
