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
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from processes import start

from digitedge.camera import Frame, MqttSink, Sink, Source, Update, run
from digitedge.camera.sinks.mqtt import MAX_QUEUE, parse_broker
from digitedge.errors import InputError
from digitedge.reader import Reader

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed (pip install '.[mqtt]')")
from mqtt_broker import MOSQUITTO, Listener, Mosquitto, retained, wait_for

Page = Callable[[int], Frame]
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    server = Mosquitto(tmp_path)
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def fast_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry to connect soon."""
    monkeypatch.setattr("digitedge.camera.sinks.mqtt.RETRY_S", 0.2)


class Script(Source):
    """Frames with the times of a video of 25 fps; functions between them are called."""

    def __init__(self, *steps: Frame | Callable[[], None]) -> None:
        super().__init__("script")
        self._steps = steps

    def _frames(self) -> Generator[Frame]:
        number = 0
        for step in self._steps:
            if callable(step):
                step()
            else:
                self.time = number / 25
                number += 1
                yield step


class Repeat:
    """Passes each update with events on to another sink many times."""

    def __init__(self, sink: Sink, times: int) -> None:
        self.sink = sink
        self.times = times

    def show(self, update: Update) -> bool:
        return all([self.sink.show(update) for _ in range(self.times if update.events else 0)])


def reading_events(listener: Listener) -> list[tuple[str, str]]:
    events = [json.loads(text) for text in listener.of("digitedge/row")]
    return [(event["change"], event["text"]) for event in events]


def address(server: Mosquitto, login: str = "") -> str:
    return f"mqtt://{login}127.0.0.1:{server.port}"


@needs_mosquitto
def test_rows_are_published_as_events_and_as_a_retained_state(server: Mosquitto, page: Page, sevens: Reader) -> None:
    server.start()
    messages: list[str] = []
    with Listener(server.port) as listener:
        with MqttSink(address(server), log=messages.append) as sink:
            wait_for(lambda: listener.of("digitedge/availability") == ["online"])
            run(Script(*[page(1)] * 20, *[page(3)] * 45), sevens, [sink])
            wait_for(lambda: len(reading_events(listener)) == 2)
        wait_for(lambda: listener.of("digitedge/availability") == ["online", "offline"])
        assert reading_events(listener) == [("appeared", "7"), ("changed", "777")]
        states = [json.loads(text) for text in listener.of("digitedge/state")]
    assert [state["rows"] for state in states] == [[], ["7"], ["777"]]
    assert {(state["schema"], state["state"]) for state in states} == {("digitedge.state/1", "live")}
    assert [row["text"] for row in states[-1]["stable"]] == ["777"]
    kept = retained(server)
    assert kept == {"digitedge/availability": "offline", "digitedge/state": json.dumps(states[-1])}
    assert messages == [f"mqtt: connected to mqtt://127.0.0.1:{server.port}"]


@needs_mosquitto
def test_restarted_broker_gets_the_retained_messages_again(server: Mosquitto, page: Page, sevens: Reader) -> None:
    server.start()
    messages: list[str] = []
    reconnect_s: list[float] = []

    def restart() -> None:
        server.start()
        started = time.monotonic()
        wait_for(lambda: len(messages) == 3)
        reconnect_s.append(time.monotonic() - started)
        listener.wait_until_subscribed()  # events are not retained: who is not there yet misses them

    with Listener(server.port) as listener, MqttSink(address(server), log=messages.append) as sink:
        wait_for(lambda: messages)
        steps = [*[page(1)] * 20, server.kill, *[page(3)] * 45, restart, *[page(3)] * 2]
        run(Script(*steps), sevens, [sink])
        wait_for(lambda: ("changed", "777") in reading_events(listener))
        assert reading_events(listener) == [("appeared", "7"), ("changed", "777")]
        kept = retained(server)
    assert kept["digitedge/availability"] == "online"
    assert json.loads(kept["digitedge/state"])["rows"] == ["777"]
    assert [line.split(" mqtt://")[0] for line in messages] == [
        "mqtt: connected to",
        "mqtt: lost the connection to",
        "mqtt: connected to",
    ]
    assert reconnect_s[0] < 5


@needs_mosquitto
def test_loop_does_not_wait_for_a_broker_that_comes_later(
    server: Mosquitto, page: Page, sevens: Reader, fast_retry: None
) -> None:
    messages: list[str] = []
    with MqttSink(address(server), log=messages.append) as sink:
        started = time.monotonic()
        run(Script(*[page(1)] * 20), sevens, [sink])
        assert time.monotonic() - started < 4
        wait_for(lambda: messages)
        server.start()
        wait_for(lambda: len(messages) == 2)
        with Listener(server.port) as listener:
            run(Script(page(1)), sevens, [sink])
            wait_for(lambda: reading_events(listener) == [("appeared", "7")])
    assert messages[0].startswith(f"mqtt: no connection to {address(server)}: [Errno ")
    assert messages[0].endswith("Connection refused. Trying again.")


def test_end_does_not_wait_for_a_missing_broker(page: Page, sevens: Reader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts the connection and sends nothing
        for port in (silent.getsockname()[1], 9):
            with MqttSink(f"mqtt://127.0.0.1:{port}") as sink:
                run(Script(*[page(1)] * 20), sevens, [sink])
                started = time.monotonic()
            assert time.monotonic() - started < 1.5


@needs_mosquitto
@pytest.mark.parametrize("events", [1, 50, 3 * MAX_QUEUE])
def test_hanging_broker_does_not_delay_the_end_and_gets_offline_later(
    server: Mosquitto, page: Page, sevens: Reader, events: int
) -> None:
    server.start()
    messages: list[str] = []
    with MqttSink(address(server), log=messages.append) as sink:
        wait_for(lambda: messages)
        server.signal(signal.SIGSTOP)
        started = time.monotonic()
        run(Script(*[page(1)] * 20), sevens, [Repeat(sink, events)])
        assert time.monotonic() - started < 4
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    server.signal(signal.SIGCONT)
    wait_for(lambda: retained(server).get("digitedge/availability") == "offline")


@needs_mosquitto
def test_oldest_events_are_dropped_and_counted_when_the_queue_is_full(
    server: Mosquitto, page: Page, sevens: Reader, fast_retry: None
) -> None:
    messages: list[str] = []

    with MqttSink(address(server), log=messages.append) as sink:
        run(Script(*[page(1)] * 20), sevens, [Repeat(sink, MAX_QUEUE + 5)])
        server.start()
        with Listener(server.port) as listener:
            wait_for(lambda: any("connected to" in line for line in messages))
            run(Script(page(1)), sevens, [sink])
            wait_for(lambda: len(listener.of("digitedge/row")) == MAX_QUEUE)
    assert messages[-1].endswith("; the oldest 5 row events were dropped meanwhile")


@needs_mosquitto
def test_broker_publishes_offline_when_the_program_is_killed(server: Mosquitto) -> None:
    server.start()
    program = f"""
        import time
        from digitedge.camera import MqttSink
        with MqttSink("{address(server)}/kitchen/meter"):
            time.sleep(60)
    """
    with Listener(server.port, "kitchen/meter/availability") as listener:
        with start([sys.executable, "-c", textwrap.dedent(program)]):
            wait_for(lambda: len(listener.messages) == 1)
        wait_for(lambda: len(listener.messages) == 2)
        assert [text for _, text in listener.messages] == ["online", "offline"]
    assert retained(server, "kitchen/#") == {"kitchen/meter/availability": "offline"}


@needs_mosquitto
@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_login_is_used_and_a_refused_one_is_logged_once_without_the_password(
    server: Mosquitto, fast_retry: None, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "anna", "s@cret/1"], check=True)
    server.start("allow_anonymous false", f"password_file {passwords}")
    messages: list[str] = []
    with Listener(server.port, login=("anna", "s@cret/1")) as listener:
        with MqttSink(address(server, "anna:wrong@"), log=messages.append):
            wait_for(lambda: messages)
            time.sleep(0.6)  # two more tries
        assert listener.messages == []
        with MqttSink(address(server, "anna:s%40cret%2F1@"), log=messages.append):
            wait_for(lambda: listener.messages)
    assert messages == [
        f"mqtt: {address(server)} refused the login: Not authorized. Are user and password right? Trying again.",
        f"mqtt: connected to {address(server)}",
    ]


@needs_mosquitto
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")  # paho does not close a refused one
def test_mqtts_checks_the_certificate(server: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    server.start("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    messages: list[str] = []
    url = f"mqtts://127.0.0.1:{server.port}"
    with MqttSink(url, log=messages.append):
        wait_for(lambda: messages)
    assert "certificate verify failed" in messages.pop()
    wait_for(lambda: not any(thread.name.startswith("paho") for thread in threading.enumerate()))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with MqttSink(url, log=messages.append):
        wait_for(lambda: messages)
    assert messages == [f"mqtt: connected to {url}"]


CONNACK = b"\x20\x02\x00\x00"
LARGE = b"\x30\xff\xff\xff\x7f"  # the header of a message of 256 MB


@contextlib.contextmanager
def odd_broker(*answers: bytes, silent: bool = False) -> Iterator[tuple[str, list[int]]]:
    """A server that gives each connection these answers, then closes it or says nothing; with what it could send."""
    sent: list[int] = []
    end = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(1000)
            for part in answers:
                connection.sendall(part)
                sent.append(len(part))
            end.wait(8 if silent else 0)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                thread = threading.Thread(target=answer, args=(listener.accept()[0],))
                thread.start()
                threads.append(thread)

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield f"mqtt://127.0.0.1:{listener.getsockname()[1]}", sent
        finally:
            end.set()
            listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            for thread in (acceptor, *threads):
                thread.join(10)


@pytest.mark.parametrize(
    ("answers", "silent", "reason"),
    [
        ([], False, "no answer of a broker at {url}: it closed the connection"),
        ([], True, "no answer of a broker at {url}: it was silent for too long"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], False, "no answer of a broker at {url}: it sent a packet of 84 bytes"),
        ([b"\xf0\x02ab"], True, "no answer of a broker at {url}: it does not speak MQTT"),
        ([CONNACK, b"\xf0\x00"], True, "lost the connection to {url}: it does not speak MQTT"),
        ([CONNACK], True, "lost the connection to {url}: it was silent for too long"),
        (
            [CONNACK, LARGE],
            True,
            "lost the connection to {url}: it sent a packet of 268,435,455 bytes, where 2",
        ),
    ],
    ids=["closed", "silent", "http", "garbage", "garbage later", "silent later", "large"],
)
def test_a_broker_that_drops_is_silent_or_sends_garbage_is_logged_once(
    answers: list[bytes], silent: bool, reason: str, fast_retry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitedge.camera.sinks.mqtt.KEEPALIVE_S", 1)
    messages: list[str] = []
    with odd_broker(*answers, silent=silent) as (url, _), MqttSink(url, log=messages.append):
        wait_for(lambda: any(reason.format(url=url) in line for line in messages))
        if CONNACK not in answers:  # else it is connected and lost again and again
            time.sleep(0.5)  # more tries
            assert len(messages) == 1


def test_a_large_packet_is_not_received(fast_retry: None) -> None:
    megabyte = bytes(1 << 20)
    with odd_broker(CONNACK, LARGE, *[megabyte] * 64) as (url, sent), MqttSink(url):
        wait_for(lambda: len(sent) >= 2)
        time.sleep(0.3)
        assert sum(sent) < 20 * len(megabyte)  # what the buffers of the system take


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
def test_broker_address_is_parsed(
    url: str, host: str, port: int, login: tuple[str | None, str | None], prefix: str
) -> None:
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
        "mqtt://anna:secret@pi/rooms/%2B",
        "mqtt://anna:secret@pi/two%0Alines",
        "mqtt://anna:secret@pi/two\nlines",
        "mqtt://anna:secret@pi/nul%00",
        "mqtt://anna:secret@pi/%1b[31m",
        "mqtt://anna:secret@pi/%ff",
        "mqtt://anna:secret@pi/\udcff",
        "mqtt://anna:secret@pi/$SYS/broker",
        "mqtt://anna:secret@pi/" + "x" * (65_535 - len("/availability") + 1),
        "mqtt://anna:secret@pi/" + "%C3%BC" * 32_765,
        f"mqtt://anna:{'secret' * 11_000}@pi",
        "mqtt://anna:secret%ff@pi",
        "",
    ],
)
def test_invalid_address_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(InputError, match=r"expected the address of a broker as mqtt://.* got ") as caught:
        MqttSink(url)
    received = str(caught.value).partition(" got ")[2]
    assert "secret" not in received
    assert "ret@" not in received


def test_the_longest_topic_is_accepted() -> None:
    topic = "x" * (65_535 - len("/availability"))
    assert parse_broker(f"mqtt://pi/{topic}").prefix == topic


def test_password_is_not_in_the_text_of_a_broker() -> None:
    broker = parse_broker("mqtt://anna:secret@pi")
    assert "secret" not in f"{broker} {broker!r}"
