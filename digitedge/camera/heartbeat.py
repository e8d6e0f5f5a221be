"""Heartbeats for systemd, which starts a program again that stops sending them (Type=notify, WatchdogSec)."""

import os
import re
import socket
import time
from contextlib import suppress

# Seconds between two heartbeats at least. A live source without a new frame is reported as often, see
# `capture.HEARTBEAT_S`.
PERIOD_S = 1.0
# How long systemd may take to receive one, in seconds. A lost heartbeat is followed by another.
SEND_LIMIT_S = 1.0


class Heartbeat:
    """Sends READY=1 with the first beat and WATCHDOG=1 with later ones, at most once in PERIOD_S.

    Without systemd, so without NOTIFY_SOCKET in the environment, nothing is sent.

    Source:
        sd_notify(3): a datagram to a Unix socket, whose name may be abstract ("@...").
    """

    def __init__(self) -> None:
        self._address = re.sub("^@", "\0", os.environ.get("NOTIFY_SOCKET", ""))
        self._last: float | None = None

    def beat(self) -> None:
        """Tell systemd that a frame, or the state of the source, has passed through the whole loop."""
        now = time.monotonic()
        if not self._address or (self._last is not None and now - self._last < PERIOD_S):
            return
        message = b"READY=1" if self._last is None else b"WATCHDOG=1"
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(SEND_LIMIT_S)
            sender.sendto(message, self._address)
            self._last = now
