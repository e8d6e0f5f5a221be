"""The port of the live page."""

import socket

from digitedge.doctor.finding import Finding, Status


def check_port(port: int) -> Finding:
    """Check that a port is free. One in use is a note: it may be digitedge itself that serves there."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).partition(" (while")[0]
        found = f"{port} cannot be used on 127.0.0.1: {reason}"
        return Finding("port", Status.NOTE, found, "stop the program that uses it, or use another from 1024 to 65535")
    return Finding("port", Status.OK, f"{port} is free on 127.0.0.1")
