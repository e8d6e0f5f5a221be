"""Readings for an MQTT broker, such as that of a home automation: three topics under one prefix.

    PREFIX/availability   "online" or "offline", retained; the last will is "offline"
    PREFIX/state          {"schema": "digitedge.state/1", "state": "live", "rows": ["2026"], "stable": [...]}, retained
    PREFIX/row            {"event": "row", "change": "appeared", "text": "2026", ...}: one for each row event

A thread of paho-mqtt reconnects as often as needed, and retained messages are published again after each connection,
because a restarted broker may have lost them.
"""

import json
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from digitedge.camera.loop import Update
from digitedge.errors import InputError, require
from digitedge.utils.text import printable

PORTS = {"mqtt": 1883, "mqtts": 8883}
PREFIX = "digitedge"
# How many row events wait for the broker at most; then the oldest are dropped.
MAX_QUEUE = 1000
QUEUE_FULL = 15  # paho's MQTT_ERR_QUEUE_SIZE
# Seconds between two tries to connect.
RETRY_S = 1
# The broker publishes the last will after one and a half times this silence, in seconds.
KEEPALIVE_S = 10
# How long the end waits for the broker, in seconds.
END_S = 0.5
# Length of a topic, a user or a password at most, in bytes of UTF-8 (MQTT 3.1.1, section 1.5.3).
MAX_TEXT_BYTES = 65_535
# Length of a packet of the broker at most, in bytes after its header. A client that only publishes gets CONNACK, PUBACK
# and PINGRESP, which have 2 or 0; paho itself would keep 256 MB.
MAX_PACKET_BYTES = 2
# Why a connection ended, by the reason that paho gives.
DISCONNECT_REASONS = {
    "Keep alive timeout": "it was silent for too long",
    "Unspecified error": "it closed the connection",
    "Protocol error": "it does not speak MQTT",
}


@dataclass(frozen=True, slots=True)
class Broker:
    """Address of a broker, login and prefix of the topics; TLS checks the broker's certificate."""

    host: str
    port: int
    has_tls: bool
    user: str | None
    password: str | None = field(repr=False)
    prefix: str = PREFIX

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.has_tls else 'mqtt'}://{host}:{self.port}"


def parse_broker(url: str) -> Broker:
    """Parse the address of a broker: mqtt[s]://[user:password@]host[:port][/topic].

    Raises:
        InputError: an invalid address. The message shows neither user nor password.

    Examples:
        >>> broker = parse_broker("mqtts://anna:p%40ss@broker.local/kitchen/meter")
        >>> str(broker), broker.password, broker.prefix
        ('mqtts://broker.local:8883', 'p@ss', 'kitchen/meter')
    """
    if printable(url) != url:  # urlsplit would leave out a line break without a word
        raise _invalid("one with a control character")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")  # as the resolver does, which would raise in a thread
    except ValueError as exc:
        raise _invalid("an invalid host or port") from exc
    if parts.scheme not in PORTS:
        raise _invalid(f"a scheme {parts.scheme!r}" if "://" in url else "something without mqtt://")
    if not host or re.search(r"\s", host) or port == 0:
        raise _invalid("an invalid host or port" if host else "no host")
    if re.search("[?#]", url):
        raise _invalid("one with ? or #")
    try:
        prefix = unquote(parts.path, errors="strict").strip("/") or PREFIX
        user, password = (
            None if text is None else unquote(text, errors="strict") for text in (parts.username, parts.password)
        )
    except UnicodeDecodeError as exc:
        raise _invalid("one with % before what is not UTF-8") from exc
    if re.search(r"[+#]|^\$", prefix) or printable(prefix) != prefix:
        raise _invalid("a topic with +, # or a control character, or that starts with $, which is the broker's")
    longest = max(len((text or "").encode()) for text in (f"{prefix}/availability", user, password))
    if longest > MAX_TEXT_BYTES:
        raise _invalid(f"a topic, user or password of {longest:,} bytes, more than {MAX_TEXT_BYTES:,}")
    return Broker(host, port or PORTS[parts.scheme], parts.scheme == "mqtts", user, password, prefix)


def _invalid(received: str) -> InputError:
    return InputError(
        f"expected the address of a broker as mqtt://[user:password@]host[:port][/topic], or mqtts://, got {received}. "
        "In a password write %, /, ?, #, @ and : as %25, %2F, %3F, %23, %40 and %3A."
    )


class MqttSink:
    """Publishes readings, while in the `with` block."""

    def __init__(self, url: str, *, log: Callable[[str], object] = lambda line: None) -> None:
        """Name a broker, which may come later, by its address as in `parse_broker`.

        `log` gets a line when the broker is connected, cannot be reached, does not answer, is lost or refuses the
        login; once each.

        Raises:
            InputError: an invalid address.
            MissingExtraError: paho-mqtt is not installed.
        """
        self._broker = parse_broker(url)
        self._log = log
        self._client = _make_client(self._broker, self._on_large_packet)
        self._client.will_set(self._topic("availability"), "offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._lock = threading.Lock()  # so that the newer of two states is published last
        self._is_connected = self._is_closing = self._is_refused = False
        self._large_packet = ""
        self._status = "new"
        self._published: object = None
        self._state: str | None = None
        self._events: deque[str] = deque(maxlen=MAX_QUEUE)
        self._dropped = 0

    def show(self, update: Update) -> bool:
        """See `Sink`."""
        content = update.state, [(row.text, row.time) for row in update.stable]  # boxes change with every frame
        with self._lock:
            if content != self._published:
                self._published, self._state = content, state_json(update)
                self._publish_state()
            for event in update.events:
                self._dropped += len(self._events) == MAX_QUEUE
                self._events.append(json.dumps(event.to_dict(), allow_nan=False))
            self._publish_events()
        return True

    def __enter__(self) -> Self:
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        """Publish "offline" and disconnect, within END_S. A thread of paho that is connecting ends with that try."""
        latest = time.monotonic() + END_S
        with self._lock:
            self._is_closing = True
            self._publish_events()
        if self._is_connected:
            self._publish_offline()
        self._client.disconnect()
        end = threading.Thread(target=self._client.loop_stop, name="mqtt end", daemon=True)
        end.start()
        end.join(max(0.1, latest - time.monotonic()))

    def _publish_offline(self) -> None:
        with suppress(RuntimeError, ValueError):  # raised by paho: connection just lost; queue full
            message = self._publish("availability", "offline", retain=True)
            message.wait_for_publish(END_S)
            if message.is_published():
                return
        # QoS 0 bypasses paho's queue. Without this message a regular disconnect leaves us online.
        self._client.publish(self._topic("availability"), "offline", qos=0, retain=True)

    def _topic(self, name: str) -> str:
        return f"{self._broker.prefix}/{name}"

    def _publish(self, name: str, text: str, *, retain: bool = False) -> Any:
        return self._client.publish(self._topic(name), text, qos=1, retain=retain)

    def _publish_state(self) -> None:
        if self._is_connected and self._state is not None:
            self._publish("state", self._state, retain=True)

    def _publish_events(self) -> None:
        while self._is_connected and self._events:
            self._dropped += self._publish("row", self._events.popleft()).rc == QUEUE_FULL

    def _on_connect(self, client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        """Publish the retained messages; events follow with the next update, after those sent before."""
        self._is_refused = reason.is_failure
        if reason.is_failure:
            advice = "Are user and password right?"
            self._log_once("refused", f"mqtt: {self._broker} refused the login: {reason}. {advice} Trying again.")
            return
        if self._is_closing:
            client.disconnect()
            return
        with self._lock:
            self._is_connected = True
            self._publish("availability", "online", retain=True)
            self._publish_state()
            dropped, self._dropped = self._dropped, 0
        lost = f"; the oldest {dropped} row events were dropped meanwhile" if dropped else ""
        self._log_once("", f"mqtt: connected to {self._broker}{lost}")

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        # paho calls this while it handles the exception, and does not pass it on.
        self._log_once("away", f"mqtt: no connection to {self._broker}: {sys.exc_info()[1]}. Trying again.")

    def _on_disconnect(self, _client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        was_connected, self._is_connected = self._is_connected, False
        why = self._large_packet or DISCONNECT_REASONS.get(str(reason), str(reason))
        is_refused, self._is_refused, self._large_packet = self._is_refused, False, ""
        if self._is_closing or is_refused:
            return
        if was_connected:
            self._log_once("away", f"mqtt: lost the connection to {self._broker}: {why}. Trying again.")
        else:
            self._log_once("mute", f"mqtt: no answer of a broker at {self._broker}: {why}. Trying again.")

    def _on_large_packet(self, size: int) -> None:
        self._large_packet = f"it sent a packet of {size:,} bytes, where {MAX_PACKET_BYTES} at most were expected"

    def _log_once(self, status: str, line: str) -> None:
        """Log a line when the status of the connection has changed."""
        if status != self._status:
            self._status = status
            self._log(line)


def _make_client(broker: Broker, on_large_packet: Callable[[int], None]) -> Any:
    mqtt = require("paho.mqtt.client", extra="mqtt")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    receive = client._sock_recv

    def receive_small(size: int) -> bytes:
        """Receive up to `size` bytes, which is 1 in the header of a packet and else what is missing of it."""
        if size > MAX_PACKET_BYTES:
            on_large_packet(size)
            raise ConnectionError  # paho disconnects
        return bytes(receive(size))

    client._sock_recv = receive_small  # paho has no option for it
    client.max_queued_messages_set(2 * MAX_QUEUE)  # while the broker is silent, but not yet lost
    client.reconnect_delay_set(RETRY_S, RETRY_S)
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    if broker.has_tls:
        client.tls_set()
    return client


def state_json(update: Update) -> str:
    """Return the state of the source and the stable rows as JSON, schema "digitedge.state/1"."""
    rows = {"rows": [row.text for row in update.stable], "stable": [row.to_dict() for row in update.stable]}
    return json.dumps({"schema": "digitedge.state/1", "state": str(update.state)} | rows, allow_nan=False)
