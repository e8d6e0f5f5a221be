"""The text of a systemd user unit that runs `digitedge camera`, and of the file with its secrets.

See docs/decisions/service.md.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitedge.errors import InputError

MARKER = "# Written by `digitedge service install`; `digitedge service remove` removes it."
# The colon before the program disables the expansion of $NAME in the arguments. 143 is the exit code on SIGTERM, with
# which systemd stops the service; 2 is wrong usage, which a restart does not fix. A hang is ended by SIGKILL, because
# a core file would hold the passwords. EPERM: a program that is refused a system call can do without.
UNIT = """{marker}
[Unit]
Description=digitedge camera reads handwritten digits
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=:{command}
WorkingDirectory={folder}
Environment=PYTHONUNBUFFERED=1
{secrets}Restart=on-failure
RestartSec=5
SuccessExitStatus=143
RestartPreventExitStatus=2
TimeoutStartSec={start_limit}
WatchdogSec={watchdog}
WatchdogSignal=SIGKILL

MemoryMax={memory}
TasksMax={tasks}
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-dma_heap rw
{sandbox}
[Install]
WantedBy=default.target
"""
# Everything that needs a user namespace. Home is readable, because models, images and Python itself may lie there.
SANDBOX = """
PrivateUsers=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
InaccessiblePaths=-%h/.ssh -%h/.gnupg {private}
"""
# How long the first frame may take, and how long the loop may then give no heartbeat, in seconds.
START_LIMIT_S = 90
WATCHDOG_S = 60
MEMORY_MAX = "1G"
TASKS_MAX = 256
_SOURCES = Path(__file__).parents[2]
# Folders that PrivateTmp replaces by empty ones.
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that runs `digitedge camera --headless`.

    Attributes:
        arguments: of the camera, without secrets.
        folder: absolute path of the folder in which it runs.
        readable: files and folders that it reads; of interest is what lies in /tmp.
        writable: existing folders that it writes to.
        secrets: file with secret settings, readable by nobody else; None for no secrets. The service sees nothing of
            its folder, so what the service reads must lie elsewhere.
        is_sandboxed: whether it sees its own file system and has no capabilities, which needs a user namespace.

    Raises:
        InputError: the path of the folder has a line break or ends in a backslash, which a unit cannot express.
    """

    arguments: Sequence[str]
    folder: Path
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    secrets: Path | None = None
    is_sandboxed: bool = True

    def __post_init__(self) -> None:
        for path in filter(None, (self.folder, *self.readable, *self.writable, self.secrets)):
            if re.search(r"[\n\r]|\\$", str(path)):
                raise InputError(
                    f"expected a path without line breaks and final backslash, got {str(path)!r}. Use another one."
                )

    def text(self) -> str:
        """Return the text of the unit."""
        # -P: a random.py of that folder must not hide Python's.
        command = [sys.executable, "-P", "-m", "digitedge", "camera", "--headless", *self.arguments]
        return UNIT.format(
            marker=MARKER,
            command=" ".join(map(quote, command)),
            folder=_escape(self.folder),
            secrets=f"EnvironmentFile={_escape(self.secrets)}\n" if self.secrets else "",
            sandbox=self._sandbox() if self.is_sandboxed else "",
            start_limit=START_LIMIT_S,
            watchdog=WATCHDOG_S,
            memory=MEMORY_MAX,
            tasks=TASKS_MAX,
        )

    def _sandbox(self) -> str:
        python = (Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), _SOURCES)
        readable = {path.resolve() for path in (self.folder, *self.readable, *python)}
        writable = {path.resolve() for path in self.writable}
        private = quote(f"-{self.secrets.parent}") if self.secrets else ""
        return (
            SANDBOX.format(private=private).rstrip(" \n")
            + _paths("ReadWritePaths", (path for path in writable if not _is_temporary(path)))
            + _paths("BindPaths", filter(_is_temporary, writable))
            + _paths("BindReadOnlyPaths", filter(_is_temporary, readable - writable))
            + "\n"
        )


def quote(word: str) -> str:
    r"""Quote a word for a list of words in a unit, such as a command line.

    Source:
        systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers".

    Examples:
        >>> print(quote("rpicam"), quote("50 %"), quote('"a\\b"'))
        rpicam "50 %%" "\"a\\b\""
    """
    return word if re.fullmatch(r"[\w@+=:,./-]+", word) else _in_quotes(word)


def _in_quotes(word: str) -> str:
    for special, escaped in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n"), ("\r", r"\r"), ("%", "%%")):
        word = word.replace(special, escaped)
    return f'"{word}"'


def secrets_text(secrets: Mapping[str, str]) -> str:
    r"""Return the text of an environment file.

    Raises:
        InputError: a value has a line break.

    Source:
        systemd.exec(5), "EnvironmentFile=".

    Examples:
        >>> print(secrets_text({"DIGITEDGE_MQTT": 'mqtt://anna:"$\\@broker'}), end="")
        DIGITEDGE_MQTT="mqtt://anna:\"$\\@broker"
    """
    lines = []
    for name, value in secrets.items():
        if not value.isprintable():
            raise InputError(f"expected a text of one line in {name}, got control characters. Set it again.")
        escaped = value.replace("\\", r"\\").replace('"', r"\"")
        lines.append(f'{name}="{escaped}"\n')
    return "".join(lines)


def _paths(setting: str, paths: Iterable[Path]) -> str:
    """A line of a unit for each path, in quotes, because a colon would separate source and destination."""
    return "".join(f"\n{setting}={_in_quotes(str(path))}" for path in sorted(paths))


def _escape(path: Path) -> str:
    return str(path).replace("%", "%%")


def _is_temporary(path: Path) -> bool:
    return any(path.is_relative_to(folder) and path != folder for folder in TEMPORARY)
