"""`digitedge camera` as a systemd user service, which starts with the machine and again after a failure.

A user unit needs no root, has the user's permission for the camera, and finds the user's virtual environment. It cannot
wait for the network, which is a system unit: a stream that cannot be reached yet ends the program, and systemd starts
it again every five seconds. See docs/decisions/service.md.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from digitedge.camera.systemd_unit import MARKER, Unit, secrets_text
from digitedge.errors import DigitEdgeError
from digitedge.utils.files import read_regular_file, write_text
from digitedge.utils.text import printable

# Longer than START_LIMIT_S, because `restart` waits for the first frame.
SYSTEMCTL_LIMIT_S = 120.0
MAX_FILE_BYTES = 1 << 20
# With these codes systemd reports that it cannot set up a sandbox: USER, CAPABILITIES and NAMESPACE of systemd.exec(5).
SANDBOX_CODES = {"217", "218", "226"}


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """The files of a service, which nobody else can read: its unit, and its secrets if there are any."""

    unit: Path
    secrets: Path

    @classmethod
    def of(cls, name: str, config: Path) -> "ServiceFiles":
        """Return the paths for the name of a service, in the folder of the user's settings (~/.config)."""
        # A folder of its own, because the unit closes it: the trusted keys lie beside it.
        secrets = config / "digitedge" / "services" / f"{name}.env"
        return cls(config / "systemd" / "user" / f"{name}.service", secrets)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """Path of the unit file, whether it exists, and ActiveState of systemd.

    `state` is "active", "activating" (before the first frame), "inactive" or "failed".
    """

    unit: Path
    installed: bool
    state: str

    @property
    def active(self) -> bool:
        """Whether the service runs."""
        return self.state == "active"


def read_secrets(files: ServiceFiles) -> dict[str, str]:
    """Return the secrets of an installed service; none if it has no file.

    Raises:
        DigitEdgeError: the file cannot be read, or is not an environment file.
    """
    text = _read(files.secrets) or ""
    try:
        words = shlex.split(text, comments=True)
    except ValueError as exc:
        raise DigitEdgeError(f'{files.secrets}: expected NAME="value" in every line, got {exc}. Correct it.') from exc
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def install(
    files: ServiceFiles, unit: Unit, secrets: Mapping[str, str], *, log: Callable[[str], object] = lambda line: None
) -> None:
    """Write a unit and its secrets, and start it, now and at every login. It has started when a frame was read.

    If systemd fails, the former files are restored. Where it cannot set up the sandbox, `log` gets a line and the unit
    runs without it.

    Raises:
        InputError: a secret with control characters.
        DigitEdgeError: no systemd, a unit of that name from another program, or the service does not start.
    """
    _check_own(files)
    _systemctl("show-environment")  # fails here if systemd cannot be reached
    unit = replace(unit, secrets=files.secrets if secrets else None)
    contents = {files.secrets: secrets_text(secrets) if secrets else None, files.unit: unit.text()}
    former = {path: _read(path) for path in contents}
    try:
        _write(contents)
        try:
            _start(files.unit.name)
        except DigitEdgeError:
            if not _lacks_sandbox(files.unit.name):
                raise
            _write({files.unit: replace(unit, is_sandboxed=False).text()})
            _start(files.unit.name)
            log(
                "note: systemd cannot give this service a file system of its own here, because the machine does not "
                "allow user namespaces. It can read and write what you can."
            )
    except BaseException:
        _restore(files.unit, former)
        raise


def remove(files: ServiceFiles) -> bool:
    """Stop a service and delete its files; False if there was none.

    Raises:
        DigitEdgeError: no systemd, or a unit of that name from another program.
    """
    _check_own(files)
    is_installed = files.unit.exists()
    if is_installed:
        _systemctl("disable", "--now", files.unit.name)
        files.unit.unlink()
    files.secrets.unlink(missing_ok=True)
    if is_installed:
        _systemctl("daemon-reload")
    return is_installed


def service_state(files: ServiceFiles) -> ServiceState:
    """Return the state of a service.

    Raises:
        DigitEdgeError: it is installed, and systemd cannot be reached.
    """
    if not files.unit.exists():
        return ServiceState(files.unit, installed=False, state="inactive")
    state = _systemctl("show", "--property=ActiveState", "--value", files.unit.name)
    return ServiceState(files.unit, installed=True, state=state)


def _check_own(files: ServiceFiles) -> None:
    """Check that digitedge has written the unit, if it exists."""
    text = _read(files.unit)
    if text is not None and not text.startswith(MARKER):
        raise DigitEdgeError(
            f"{files.unit} was not written by digitedge, so it is kept. Choose another name with --name."
        )


def _start(name: str) -> None:
    _systemctl("daemon-reload")
    _systemctl("enable", name)
    try:
        _systemctl("restart", name)  # `enable --now` would not restart a running one
    except DigitEdgeError as exc:  # most often the camera's own, which is in the log
        raise DigitEdgeError(f"{exc}, or run the same in the foreground: digitedge camera --headless") from exc


def _lacks_sandbox(name: str) -> bool:
    """Whether a service did not start because systemd could not set up its sandbox."""
    with suppress(DigitEdgeError):
        return _systemctl("show", "--property=ExecMainStatus", "--value", name) in SANDBOX_CODES
    return False


def _restore(unit: Path, former: Mapping[Path, str | None]) -> None:
    """Undo an install. Further errors are suppressed, because the first one explains more."""
    was_installed = former[unit] is not None
    if not was_installed:
        with suppress(DigitEdgeError):
            _systemctl("disable", "--now", unit.name)
    _write(former)
    with suppress(DigitEdgeError):
        _systemctl("daemon-reload")
        if was_installed:
            _systemctl("restart", unit.name)


def _read(path: Path) -> str | None:
    """Return the text of a file; None if there is none."""
    if not path.exists():
        return None
    return read_regular_file(path, max_bytes=MAX_FILE_BYTES, error=DigitEdgeError).decode("utf-8", errors="replace")


def _write(contents: Mapping[Path, str | None]) -> None:
    """Write files that nobody else can read at any moment, and delete those without a text."""
    for path, text in contents.items():
        if text is None:
            path.unlink(missing_ok=True)
        else:
            write_text(path, text, is_private=True)


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
    reason = printable((done.stderr.strip().splitlines() or [f"code {done.returncode}"])[0].rstrip("."))
    if re.search(r"connect to .*bus|not been booted with systemd", reason):
        raise DigitEdgeError(
            f"your systemd cannot be reached: {reason}. Log in as the user who is to run it, not through sudo or su, "
            "or run: export XDG_RUNTIME_DIR=/run/user/$(id -u)"
        )
    raise DigitEdgeError(f"{request} failed: {reason}. See: journalctl --user -n 20")
