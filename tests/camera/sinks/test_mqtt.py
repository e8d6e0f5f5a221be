import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitedge.camera import Source, run
from digitedge.camera.sinks.mqtt import WAITING, Mqtt, parse_broker
from digitedge.errors import InputError

mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed (pip install 'digitedge[mqtt]')")
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


class Server:
    """A real broker on this machine, which can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def start(self, *options: str) -> None:
        lines = [f"listener {self.port} 127.0.0.1", "user root", *(options or ["allow_anonymous true"])]
        (self._folder / "mosquitto.conf").write_text("\n".join(lines))
        command = [MOSQUITTO, "-c", str(self._folder / "mosquitto.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the next try to connect come soon."""
    monkeypatch.setattr("digitedge.camera.sinks.mqtt.RETRY_S", 0.2)


class Listener:
    """Somebody else who is connected to the broker, and connects again as often as needed."""

    def __init__(self, port: int, topic: str = "digitedge/#", *, login: tuple[str, str] | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        self.retained: dict[str, str] = {}
        self._topic = topic
        self._ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(1, 1)
        if login:
            self._client.username_pw_set(*login)
        self._client.connect_async("127.0.0.1", port)

    def _hear(self, _client, _data, message) -> None:
        text = message.payload.decode()
        self.heard.append((message.topic, text))
        if message.retain:
            self.retained[message.topic] = text

    def of(self, topic: str) -> list[str]:
        return [text for name, text in self.heard if name == topic]

    def __enter__(self) -> "Listener":
        self._client.loop_start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def retained(server: Server, topic: str = "digitedge/#") -> dict[str, str]:
    """What somebody hears who comes now."""
    with Listener(server.port, topic) as listener:
        time.sleep(0.1)
        return listener.retained


def wait_for(holds, limit_s: float = 8.0) -> None:
    latest = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < latest, "it did not come to that"
        time.sleep(0.02)


class Script(Source):
    """Frames of 25 a second that are there as fast as they are read; what is no frame is called in its turn."""

    def __init__(self, *scenes):
        super().__init__("script")
        self._scenes = scenes

    def _frames(self):
        number = 0
        for frame in self._scenes:
            if callable(frame):
                frame()
            else:
                self.time = number / 25
                number += 1
                yield frame


class Often:
    """Shows the one event of a run again and again."""

    def __init__(self, output, times):
        self.output = output
        self.times = times

    def show(self, update):
        return all([self.output.show(update) for _ in range(self.times if update.events else 0)])


def reading_events(listener: Listener) -> list[tuple[str, str]]:
    events = [json.loads(text) for text in listener.of("digitedge/reading")]
    return [(event["change"], event["text"]) for event in events]


def address(server: Server, login: str = "") -> str:
    return f"mqtt://{login}127.0.0.1:{server.port}"


@needs_mosquitto
def test_rows_are_published_as_events_and_as_a_retained_state(server, page, sevens) -> None:
    server.start()
    told: list[str] = []
    with Listener(server.port) as listener:
        with Mqtt(address(server), log=told.append) as output:
            wait_for(lambda: listener.of("digitedge/availability") == ["online"])
            run(Script(*[page(1)] * 20, *[page(3)] * 45), sevens, [output])
            wait_for(lambda: len(reading_events(listener)) == 2)
        wait_for(lambda: listener.of("digitedge/availability") == ["online", "offline"])
        assert reading_events(listener) == [("appeared", "7"), ("changed", "777")]
        states = [json.loads(text) for text in listener.of("digitedge/state")]
    assert [state["rows"] for state in states] == [[], ["7"], ["777"]]
    assert {(state["schema"], state["state"]) for state in states} == {("digitedge.state/1", "live")}
    assert [row["text"] for row in states[-1]["stable"]] == ["777"]
    kept = retained(server)
    assert kept == {"digitedge/availability": "offline", "digitedge/state": json.dumps(states[-1])}
    assert told == [f"mqtt: connected to mqtt://127.0.0.1:{server.port}"]


@needs_mosquitto
def test_a_broker_that_is_killed_and_started_again_gets_everything_again(server, page, sevens) -> None:
    server.start()
    told: list[str] = []
    waited: list[float] = []

    def back() -> None:
        server.start()
        started = time.monotonic()
        wait_for(lambda: len(told) == 3)
        waited.append(time.monotonic() - started)

    with Listener(server.port) as listener, Mqtt(address(server), log=told.append) as output:
        wait_for(lambda: told)
        steps = [*[page(1)] * 20, server.kill, *[page(3)] * 45, back, *[page(3)] * 2]
        run(Script(*steps), sevens, [output])
        wait_for(lambda: ("changed", "777") in reading_events(listener))
        assert reading_events(listener) == [("appeared", "7"), ("changed", "777")]
        kept = retained(server)
    assert kept["digitedge/availability"] == "online"
    assert json.loads(kept["digitedge/state"])["rows"] == ["777"]
    assert [line.split(" mqtt://")[0] for line in told] == [
        "mqtt: connected to",
        "mqtt: lost the connection to",
        "mqtt: connected to",
    ]
    assert waited[0] < 5


@needs_mosquitto
def test_a_broker_may_come_later_and_the_loop_does_not_wait(server, page, sevens, impatient) -> None:
    told: list[str] = []
    with Mqtt(address(server), log=told.append) as output:
        started = time.monotonic()
        run(Script(*[page(1)] * 20), sevens, [output])
        assert time.monotonic() - started < 4
        wait_for(lambda: told)
        server.start()
        wait_for(lambda: len(told) == 2)
        with Listener(server.port) as listener:
            run(Script(page(1)), sevens, [output])
            wait_for(lambda: reading_events(listener) == [("appeared", "7")])
    assert told[0].startswith(f"mqtt: no connection to {address(server)}: [Errno ")
    assert told[0].endswith("Connection refused. Trying again.")


def test_without_a_broker_the_end_comes_at_once(page, sevens) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never says a word
        for port in (silent.getsockname()[1], 9):
            with Mqtt(f"mqtt://127.0.0.1:{port}") as output:
                run(Script(*[page(1)] * 20), sevens, [output])
                started = time.monotonic()
            assert time.monotonic() - started < 1.5


@needs_mosquitto
@pytest.mark.parametrize("events", [1, 50, 3 * WAITING])
def test_a_broker_that_hangs_holds_up_nobody_and_hears_goodbye_when_it_goes_on(server, page, sevens, events) -> None:
    server.start()
    told: list[str] = []
    with Mqtt(address(server), log=told.append) as output:
        wait_for(lambda: told)
        server.signal(signal.SIGSTOP)
        started = time.monotonic()
        run(Script(*[page(1)] * 20), sevens, [Often(output, events)])
        assert time.monotonic() - started < 4
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    server.signal(signal.SIGCONT)
    wait_for(lambda: retained(server).get("digitedge/availability") == "offline")


@needs_mosquitto
def test_only_so_many_events_wait_and_the_remark_counts_the_others(server, page, sevens, impatient) -> None:
    told: list[str] = []

    with Mqtt(address(server), log=told.append) as output:
        run(Script(*[page(1)] * 20), sevens, [Often(output, WAITING + 5)])
        server.start()
        with Listener(server.port) as listener:
            wait_for(lambda: any("connected to" in line for line in told))
            run(Script(page(1)), sevens, [output])
            wait_for(lambda: len(listener.of("digitedge/reading")) == WAITING)
    assert told[-1].endswith("; the oldest 5 row events were dropped meanwhile")


@needs_mosquitto
def test_when_the_program_is_killed_the_broker_says_offline(server) -> None:
    server.start()
    program = f"""
        import time
        from digitedge.camera.sinks.mqtt import Mqtt
        with Mqtt("{address(server)}/kitchen/meter"):
            time.sleep(60)
    """
    with Listener(server.port, "kitchen/meter/availability") as listener:
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
        try:
            wait_for(lambda: len(listener.heard) == 1)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        wait_for(lambda: len(listener.heard) == 2)
        assert [text for _, text in listener.heard] == ["online", "offline"]
    assert retained(server, "kitchen/#") == {"kitchen/meter/availability": "offline"}


@needs_mosquitto
@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_a_login_is_used_and_a_refused_one_is_said_once_without_the_password(server, impatient, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "anna", "s@cret/1"], check=True)
    server.start("allow_anonymous false", f"password_file {passwords}")
    told: list[str] = []
    with Listener(server.port, login=("anna", "s@cret/1")) as listener:
        with Mqtt(address(server, "anna:wrong@"), log=told.append):
            wait_for(lambda: told)
            time.sleep(0.6)  # two more tries
        assert listener.heard == []
        with Mqtt(address(server, "anna:s%40cret%2F1@"), log=told.append):
            wait_for(lambda: listener.heard)
    assert told == [
        f"mqtt: {address(server)} refused the login: Not authorized. Are user and password right? Trying again.",
        f"mqtt: connected to {address(server)}",
    ]


@needs_mosquitto
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")  # paho leaves a refused one to Python's collector
def test_mqtts_is_encrypted_and_checks_the_certificate(server, tmp_path: Path, monkeypatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    server.start("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    told: list[str] = []
    url = f"mqtts://127.0.0.1:{server.port}"
    with Mqtt(url, log=told.append):
        wait_for(lambda: told)
    assert "certificate verify failed" in told.pop()
    wait_for(lambda: not any(thread.name.startswith("paho") for thread in threading.enumerate()))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Mqtt(url, log=told.append):
        wait_for(lambda: told)
    assert told == [f"mqtt: connected to {url}"]


@pytest.mark.parametrize(
    ("url", "host", "port", "login", "prefix"),
    [
        ("mqtt://pi", "pi", 1883, (None, None), "digitedge"),
        ("mqtts://pi/", "pi", 8883, (None, None), "digitedge"),
        ("mqtt://pi:1234/a/b/", "pi", 1234, (None, None), "a/b"),
        ("mqtt://anna@[::1]", "::1", 1883, ("anna", None), "digitedge"),
        ("mqtt://a%3Ab:%2F%23%25@pi/m%C3%BCller", "pi", 1883, ("a:b", "/#%"), "müller"),
    ],
)
def test_addresses_are_understood(url: str, host: str, port: int, login: tuple, prefix: str) -> None:
    broker = parse_broker(url)
    assert (broker.host, broker.port, (broker.user, broker.password), broker.prefix) == (host, port, login, prefix)
    assert broker.has_tls == url.startswith("mqtts")


@pytest.mark.parametrize(
    "url",
    [
        "pi",
        "anna:secret@pi",
        "http://anna:secret@pi",
        "mqtt://anna:secret@",
        "mqtt:///topic",
        "mqtt://anna:secret",
        "mqtt://anna:sec/ret@pi",
        "mqtt://anna:sec#ret@pi",
        "mqtt://anna:sec?ret@pi",
        "mqtt://anna:secret@pi:0",
        "mqtt://anna:secret@pi:99999",
        "mqtt://anna:secret@my pi",
        "mqtt://anna:secret@pi..local",
        "mqtt://anna:secret@[::1",
        "mqtt://anna:secret@pi/rooms/+",
        "mqtt://anna:secret@pi/rooms/%23",
        "",
    ],
)
def test_a_wrong_address_is_refused_at_once_and_its_password_not_shown(url: str) -> None:
    with pytest.raises(InputError, match=r"expected the address of a broker as mqtt://.* got ") as caught:
        Mqtt(url)
    came = str(caught.value).partition(" got ")[2]
    assert "secret" not in came
    assert "ret@" not in came


def test_a_password_is_shown_nowhere() -> None:
    broker = parse_broker("mqtt://anna:secret@pi")
    assert "secret" not in f"{broker} {broker!r}"
