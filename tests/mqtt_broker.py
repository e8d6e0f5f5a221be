"""A real MQTT broker on this machine, and a client that keeps what it is told."""

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from processes import start

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Mosquitto:
    """A real broker on this machine, which can be killed and restarted on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._folder = folder
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        lines = [f"listener {self.port} 127.0.0.1", "user root", *(options or ["allow_anonymous true"])]
        (self._folder / "mosquitto.conf").write_text("\n".join(lines))
        command = [str(MOSQUITTO), "-c", self._folder / "mosquitto.conf"]
        program = start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._process = self._running.enter_context(program)
        wait_for(self._answers)

    def kill(self) -> None:
        self._running.close()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Listener:
    """Another client of the broker, which keeps all messages and reconnects as often as needed."""

    def __init__(self, port: int, topic: str = "digitedge/#", *, login: tuple[str, str] | None = None) -> None:
        self.messages: list[tuple[str, str]] = []
        self.retained: dict[str, str] = {}
        self._topic = topic
        self._ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_disconnect = lambda *_: self._ready.clear()
        self._client.on_message = self._keep
        self._client.reconnect_delay_set(1, 1)
        if login:
            self._client.username_pw_set(*login)
        self._client.connect_async("127.0.0.1", port)

    def _keep(self, _client: object, _data: object, message: Any) -> None:
        text = message.payload.decode()
        self.messages.append((message.topic, text))
        if message.retain:
            self.retained[message.topic] = text

    def of(self, topic: str) -> list[str]:
        return [text for name, text in self.messages if name == topic]

    @property
    def is_ready(self) -> bool:
        """Whether it is connected and subscribed."""
        return self._ready.is_set()

    def wait_until_subscribed(self) -> None:
        assert self._ready.wait(8)

    def __enter__(self) -> "Listener":
        self._client.loop_start()
        self.wait_until_subscribed()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def retained(broker: Mosquitto, topic: str = "digitedge/#") -> dict[str, str]:
    """The messages that a new client receives."""
    with Listener(broker.port, topic) as listener:
        time.sleep(0.1)
        return listener.retained


def wait_for(condition: Callable[[], object], limit_s: float = 8.0) -> None:
    latest = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < latest, "the condition was not met in time"
        time.sleep(0.02)
