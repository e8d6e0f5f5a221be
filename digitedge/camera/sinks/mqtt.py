"""Readings for a message broker (MQTT), such as that of a home automation: three topics under one prefix.

    PREFIX/availability   "online" or "offline", retained; when we vanish, the broker itself says offline
    PREFIX/state          {"schema": "digitedge.state/1", "state": "live", "rows": ["2026"], "stable": [...]}, retained
    PREFIX/reading        {"event": "reading", "change": "appeared", "text": "2026", ...}: one for each row event

A broker comes and goes as it likes, and the camera does not care: a thread of paho-mqtt connects again and again, and
what was retained is published anew each time, because a broker that was started again has forgotten it.
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
from urllib.parse import SplitResult, unquote, urlsplit

from digitedge.camera.loop import Update
from digitedge.errors import InputError, require

PORTS = {"mqtt": 1883, "mqtts": 8883}
PREFIX = "digitedge"
# Row events that wait for the broker at most; then the oldest give way.
WAITING = 1000
# Seconds: between two tries to connect; without a word, after half as long again, the broker gives us up for lost; and
# how long the end waits for it.
RETRY_S, KEEPALIVE_S, END_S = 1, 10, 0.5


@dataclass(frozen=True, slots=True)
class Broker:
    """Where messages go.

    Attributes:
        host: name or address.
        port: of the broker, 1 to 65535.
        has_tls: whether the connection is encrypted, and the broker's certificate checked.
        user: None for no login.
        password: None for none.
        prefix: of the topics.
    """

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
    """Read the address of a broker: mqtt[s]://[user:password@]host[:port][/topic].

    Raises:
        InputError: it is none. The message shows neither user nor password.

    Examples:
        >>> broker = parse_broker("mqtts://anna:p%40ss@broker.local/kitchen/meter")
        >>> str(broker), broker.password, broker.prefix
        ('mqtts://broker.local:8883', 'p@ss', 'kitchen/meter')
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")  # as the resolver does, which would raise in a thread
    except ValueError as exc:
        raise _refusal("a host or port that is none") from exc
    if parts.scheme not in PORTS:
        raise _refusal(f"a scheme {parts.scheme!r}" if "://" in url else "something without mqtt://")
    if not host or re.search(r"\s", host) or port == 0:
        raise _refusal("no host" if not host else "a host or port that is none")
    prefix = unquote(parts.path).strip("/") or PREFIX
    if re.search("[?#]", url) or re.search("[+#\0]", prefix):
        raise _refusal("one with ?, # or a topic with +")
    return Broker(host, port or PORTS[parts.scheme], parts.scheme == "mqtts", *_login(parts), prefix)


def _login(parts: SplitResult) -> tuple[str | None, str | None]:
    user, password = (None if text is None else unquote(text) for text in (parts.username, parts.password))
    return user, password


def _refusal(came: str) -> InputError:
    return InputError(
        f"expected the address of a broker as mqtt://[user:password@]host[:port][/topic], or mqtts://, got {came}. In "
        "a password write %, /, ?, #, @ and : as %25, %2F, %3F, %23, %40 and %3A."
    )


class Mqtt:
    """Publishes what the loop reads, while in the `with` block."""

    def __init__(self, url: str, *, log: Callable[[str], object] = lambda line: None) -> None:
        """Name a broker; it need not be there yet.

        Args:
            url: see `parse_broker`.
            log: gets a line when the broker is connected, cannot be reached, is lost, or refuses the login; once each.

        Raises:
            InputError: the address is none.
            MissingExtraError: paho-mqtt is not installed.
        """
        self._broker = parse_broker(url)
        self._log = log
        self._client = _client(self._broker)
        self._client.will_set(self._topic("availability"), "offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._lock = threading.Lock()  # so that of two states the newer one is published last
        self._is_connected = self._is_over = False
        self._trouble = "new"
        self._seen: object = None
        self._state: str | None = None
        self._events: deque[str] = deque(maxlen=WAITING)
        self._dropped = 0

    def show(self, update: Update) -> bool:
        """See `Output`."""
        seen = update.state, [(row.text, row.time) for row in update.stable]  # boxes tremble in every frame
        with self._lock:
            if seen != self._seen:
                self._seen, self._state = seen, state_of(update)
                self._publish_state()
            for event in update.events:
                self._dropped += len(self._events) == WAITING
                self._events.append(json.dumps(event.to_dict(), allow_nan=False))
            self._publish_events()
        return True

    def __enter__(self) -> Self:
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye, for END_S at most. A thread of paho that still tries to connect ends with that try."""
        latest = time.monotonic() + END_S
        with self._lock:
            self._is_over = True
            self._publish_events()
        if self._is_connected:
            self._say_goodbye()
        self._client.disconnect()
        end = threading.Thread(target=self._client.loop_stop, name="mqtt end", daemon=True)
        end.start()
        end.join(max(0.1, latest - time.monotonic()))

    def _say_goodbye(self) -> None:
        with suppress(RuntimeError, ValueError):  # paho's words for a connection just lost, and for a full queue
            goodbye = self._publish("availability", "offline", retain=True)
            goodbye.wait_for_publish(END_S)
            if goodbye.is_published():
                return
        # Past all that waits in paho: after a farewell without it, the broker would leave us online for ever.
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
            self._publish("reading", self._events.popleft())

    def _on_connect(self, client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        """Publish what the broker may have forgotten; events wait for the next update, after those sent before."""
        if reason.is_failure:
            advice = "Are user and password right?"
            self._remark("refused", f"mqtt: {self._broker} refused the login: {reason}. {advice} Trying again.")
            return
        if self._is_over:
            client.disconnect()
            return
        with self._lock:
            self._is_connected = True
            self._publish("availability", "online", retain=True)
            self._publish_state()
            dropped, self._dropped = self._dropped, 0
        lost = f"; the oldest {dropped} row events were dropped meanwhile" if dropped else ""
        self._remark("", f"mqtt: connected to {self._broker}{lost}")

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        # paho calls this while it handles the error, and does not hand it on.
        self._remark("away", f"mqtt: no connection to {self._broker}: {sys.exc_info()[1]}. Trying again.")

    def _on_disconnect(self, _client: object, _data: object, _flags: object, _reason: Any, _properties: object) -> None:
        was_connected, self._is_connected = self._is_connected, False
        if was_connected and not self._is_over:
            self._remark("away", f"mqtt: lost the connection to {self._broker}. Trying again.")

    def _remark(self, trouble: str, line: str) -> None:
        """Tell of a trouble and of its end, once each."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._log(line)


def _client(broker: Broker) -> Any:
    """A client of paho that is not connected yet."""
    mqtt = require("paho.mqtt.client", extra="mqtt")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.max_queued_messages_set(2 * WAITING)  # where the broker is silent, but not lost yet
    client.reconnect_delay_set(RETRY_S, RETRY_S)
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    if broker.has_tls:
        client.tls_set()
    return client


def state_of(update: Update) -> str:
    """What frames agree on, as JSON, schema "digitedge.state/1"."""
    stable = [row.to_dict() for row in update.stable]
    rows = [row.text for row in update.stable]
    state = {"schema": "digitedge.state/1", "state": str(update.state), "rows": rows, "stable": stable}
    return json.dumps(state, allow_nan=False)
