"""Logins in addresses, tokens and passphrases: shown nowhere, and hidden in the list of processes."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

# Environment variables that hold an address, and those that are secret as a whole.
ADDRESS_VARIABLES = ("DIGITEDGE_SOURCE", "DIGITEDGE_MQTT")
TOKEN_VARIABLES = ("DIGITEDGE_WEB_TOKEN", "DIGITEDGE_KEY_PASSPHRASE")
# A shorter password is hidden with its address only: alone, it is in half of all words.
MIN_LENGTH = 4
# A scheme, or a user without one; the rest. C:/me@home is a path.
_ADDRESS = re.compile(r"([\w+.-]{2,}:[/\\]*|[\w+.-]+:(?![/\\]))(.*)", re.DOTALL)
_LOGIN = re.compile(r"\A.+(?:@|%40)", re.DOTALL)
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
    scheme, rest = found.groups()
    rest = _LOGIN.sub("***@", rest)
    return scheme + (_QUERY.sub("***", rest, count=1) if scheme.endswith(("/", "\\")) else rest)


def has_secret(address: str) -> bool:
    """Whether `hide_secret` would hide something."""
    return hide_secret(address) != address


def hide_in_message(message: str) -> str:
    """Hide in a message the secrets of the command line and the environment of this process, which it may quote.

    A library may quote a whole address, or only its query or password, also percent-encoded or as Python writes it.
    """
    addresses = _addresses([*sys.argv[1:], *(os.environ.get(name, "") for name in ADDRESS_VARIABLES)])
    hidden = {address: hide_secret(address) for address in addresses}
    tokens = [os.environ.get(name, "") for name in TOKEN_VARIABLES]
    for secret in [*tokens, *(part for address in addresses for part in _secret_parts(address))]:
        hidden |= dict.fromkeys((secret, unquote(secret), quote(secret, safe=""), repr(secret)[1:-1]), "***")
    for secret in sorted(hidden, key=len, reverse=True):  # the longest first, because it may contain the others
        if len(secret) >= MIN_LENGTH:
            message = message.replace(secret, hidden[secret])
    return message


def _addresses(words: Iterable[str]) -> list[str]:
    """The addresses with secrets among words, also that of --mqtt=ADDRESS."""
    return [address for word in words if has_secret(address := re.sub(r"^--[\w-]+=", "", word))]


def _secret_parts(address: str) -> Iterator[str]:
    """What may be the password of an address, and its query."""
    if found := _ADDRESS.fullmatch(address):
        rest = found[2]
        for end in re.finditer("@|%40", rest):  # any, because a password may contain them, and so may the rest
            user, _, password = rest[: end.start()].partition(":")
            yield password or user
        if query := _QUERY.search(_LOGIN.sub("", rest)):
            yield query[0]


def hide_command_line() -> bool:
    """Overwrite the secrets of this process in the list of processes (Linux); False if there are none.

    Until then, for the time that Python takes to start, every user of the machine can read them.

    Source:
        proc(5): `arg_start` and `arg_end` are fields 48 and 49 of /proc/self/stat.
    """
    addresses = _addresses(sys.orig_argv)
    with suppress(OSError, IndexError, ValueError):  # another system, or a /proc that is not permitted
        if addresses:
            fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()  # from field 3
            start, end = int(fields[48 - 3]), int(fields[49 - 3])
            with open("/proc/self/mem", "r+b", buffering=0) as memory:
                memory.seek(start)
                line = memory.read(end - start)
                for address in addresses:
                    shown, hidden = os.fsencode(address), os.fsencode(hide_secret(address))
                    line = line.replace(shown, hidden[: len(shown)].ljust(len(shown)))
                memory.seek(start)
                memory.write(line)
    return bool(addresses)
