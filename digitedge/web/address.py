"""Where the page is served: from what the user types to a socket that listens, and the address to open."""

import errno
import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from digitedge.errors import InputError

LOCAL = "127.0.0.1"
HIGHEST_PORT = 65535
# Never reached: a datagram socket that is connected to it only learns by which of our addresses it would go out.
_ELSEWHERE = ("192.0.2.1", 9)


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on; port 0 is any free one."""

    port: int
    host: str = LOCAL

    @property
    def url(self) -> str:
        """What to type into a browser, here or on another machine of the network.

        Examples:
            >>> Address(8000).url, Address(8000, "::1").url
            ('http://127.0.0.1:8000/', 'http://[::1]:8000/')
        """
        is_any = _is_numeric(self.host) and ip_address(self.host).is_unspecified
        host = _own_host() if is_any else self.host
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


def parse_address(text: str) -> Address:
    """Read an address as it is typed.

    Raises:
        InputError: it is neither PORT nor HOST:PORT.

    Examples:
        >>> parse_address("8000")
        Address(port=8000, host='127.0.0.1')
        >>> parse_address("[::]:8000")
        Address(port=8000, host='::')
    """
    found = re.fullmatch(r"(?:(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]]+)):)?([0-9]{1,5})", text)
    if found is None or int(found[3]) > HIGHEST_PORT:
        raise InputError(
            f"expected a port or HOST:PORT, such as 8000, 0.0.0.0:8000 (every network of this machine) or [::1]:8000, "
            f"got {text!r}"
        )
    return Address(int(found[3]), found[1] or found[2] or LOCAL)


def listen(address: Address) -> socket.socket:
    """Open a socket that listens.

    Raises:
        InputError: the port is taken, or not for us, or the host is none of this machine.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        both = address.host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(where, family=family, dualstack_ipv6=both)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {address.port} of {address.host} is taken by another program. "
                f"Choose another port, such as {_next_port(address.port)}, or 0 for any free one."
            ) from exc
        if exc.errno == errno.EACCES:
            raise InputError(f"port {address.port} is for administrators only. Choose one from 1024, or 0.") from exc
        raise InputError(f"cannot listen on {address.host}: {_reason(exc)}. Use 127.0.0.1 or 0.0.0.0.") from exc


def _next_port(port: int) -> int:
    return port + 1 if port < HIGHEST_PORT else port - 1


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).partition(" (while")[0]


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _own_host() -> str:
    """This machine in its network: the address by which it would reach others, else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
