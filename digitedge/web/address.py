"""The address of the page: parsed from the command line, listened on, and shown as a URL."""

import errno
import re
import socket
from dataclasses import dataclass
from functools import lru_cache

from digitedge.errors import InputError

LOCALHOST = "127.0.0.1"
MAX_PORT = 65535
# Reserved for documentation (RFC 5737). A datagram socket connected to it sends nothing, but knows its own address.
_REMOTE_ADDRESS = ("192.0.2.1", 9)


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on; port 0 chooses a free one."""

    port: int
    host: str = LOCALHOST

    @property
    def url(self) -> str:
        """What to type into a browser, on this machine or on another one of the network.

        Examples:
            >>> Address(8000).url, Address(8000, "::1").url
            ('http://127.0.0.1:8000/', 'http://[::1]:8000/')
        """
        is_any = not self.host.strip("0.:")  # 0.0.0.0, :: and their other spellings
        return f"http://{bracketed(_lan_address() if is_any else self.host)}:{self.port}/"


def parse_address(text: str) -> Address:
    """Parse PORT or HOST:PORT.

    Raises:
        InputError: it is neither.

    Examples:
        >>> parse_address("8000")
        Address(port=8000, host='127.0.0.1')
        >>> parse_address("[::]:8000")
        Address(port=8000, host='::')
    """
    found = re.fullmatch(r"(?:(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]]+)):)?([0-9]{1,5})", text)
    if found is None or int(found[3]) > MAX_PORT:
        raise InputError(
            f"expected a port or HOST:PORT, such as 8000, 0.0.0.0:8000 (every network of this machine) or [::1]:8000, "
            f"got {text!r}"
        )
    return Address(int(found[3]), found[1] or found[2] or LOCALHOST)


def listen(address: Address) -> socket.socket:
    """Open a listening socket.

    Raises:
        InputError: the port is in use or not permitted, or the host is not one of this machine.
    """
    port, host = address.port, address.host
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(where, family=family, dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6())
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            other = port + 1 if port < MAX_PORT else port - 1
            raise InputError(
                f"port {port} of {host} is in use by another program. Choose another port, such as {other}, or 0 for "
                "any free one."
            ) from exc
        if exc.errno == errno.EACCES:
            raise InputError(f"port {port} is for administrators only. Choose one from 1024, or 0.") from exc
        reason = (exc.strerror or str(exc)).partition(" (while")[0]
        raise InputError(f"cannot listen on {host}: {reason}. Use 127.0.0.1 or 0.0.0.0.") from exc


def bracketed(host: str) -> str:
    """Write a host as in a URL and a Host header: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


@lru_cache(maxsize=1024)
def network(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network that one machine has in IPv6.

    Examples:
        >>> network("192.168.0.7"), network("::ffff:192.168.0.7"), network("2001:db8:1:2:3:4:5:6")
        ('192.168.0.7', '192.168.0.7', '2001:db8:1:2::')
    """
    host = host.partition("%")[0]
    if ":" not in host:
        return host
    packed = socket.inet_pton(socket.AF_INET6, host)
    if packed[:12] == b"\0" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8))


def _lan_address() -> str:
    """The address of this machine in its network, else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_REMOTE_ADDRESS)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
