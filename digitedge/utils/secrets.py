"""Logins and tokens in addresses: shown nowhere, and hidden in the list of processes."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path

# An option, such as in --mqtt=ADDRESS; a scheme, or a user without one; the rest. C:/me@home is a path.
_ADDRESS = re.compile(r"(--[\w-]+=)?([\w+.-]{2,}:[/\\]*|[\w+.-]+:(?![/\\]))(.*)", re.DOTALL)
_LOGIN = re.compile(r".+(?:@|%40)", re.DOTALL)
_QUERY = re.compile(r"(?<=[?#=&;|\s]).+", re.DOTALL)


def hide_secret(address: str) -> str:
    """Return an address without its login, and without its query and what looks like an option.

    Misspelt addresses too, because they end up in messages. What is not an address is returned unchanged.

    Examples:
        >>> hide_secret("rtsp://anna:s/e?c@ret@camera/live"), hide_secret("rtsp:anna:secret@camera")
        ('rtsp://***@camera/live', 'rtsp:***@camera')
        >>> hide_secret("http://[::1]/video?user=anna&password=secret"), hide_secret("me@home.mp4")
        ('http://[::1]/video?***', 'me@home.mp4')
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return address
    option, scheme, rest = found.groups("")
    rest = _LOGIN.sub("***@", rest)
    return option + scheme + (_QUERY.sub("***", rest, count=1) if scheme.endswith(("/", "\\")) else rest)


def has_secret(address: str) -> bool:
    """Whether `hide_secret` would hide something."""
    return hide_secret(address) != address


def hide_in_message(message: str) -> str:
    """Hide in a message the secrets of the command line of this process, which it may quote."""
    for word in filter(has_secret, sys.argv[1:]):
        message = message.replace(word, hide_secret(word))
    return message


def hide_command_line() -> bool:
    """Overwrite the secrets of this process in the list of processes (Linux); False if there are none.

    Until then, for the time that Python takes to start, every user of the machine can read them.

    Source:
        proc(5): `arg_start` and `arg_end` are fields 48 and 49 of /proc/self/stat.
    """
    words = [os.fsencode(word) for word in sys.orig_argv if has_secret(word)]
    with suppress(OSError, IndexError, ValueError):  # another system, or a /proc that is not permitted
        if words:
            fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()  # from field 3
            start, end = int(fields[48 - 3]), int(fields[49 - 3])
            with open("/proc/self/mem", "r+b", buffering=0) as memory:
                memory.seek(start)
                line = memory.read(end - start)
                for word in words:
                    hidden = os.fsencode(hide_secret(os.fsdecode(word)))
                    line = line.replace(word, hidden[: len(word)].ljust(len(word)))
                memory.seek(start)
                memory.write(line)
    return bool(words)
