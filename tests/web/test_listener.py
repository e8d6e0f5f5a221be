"""The listener: floods of connections and of requests, and viewers who come meanwhile."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from served_page import ServedPage, serve_page

from digitedge.web import connection, listener

TOKEN = "a-token-for-this-test"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
REQUEST = HEAD + b"\r\n"
KNOWN_REQUEST = b"GET /page.css HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % TOKEN.encode()


@contextmanager
def guests(
    served: ServedPage, count: int, data: bytes = b"", *, address: str = "127.0.0.1"
) -> Iterator[list[socket.socket]]:
    """Open connections from an address, send the same on each, and hold them open."""
    with ExitStack() as stack:
        held = [stack.enter_context(served.connect(address=address)) for _ in range(count)]
        for one in held:
            with suppress(ConnectionError):  # evicted by those after it
                one.sendall(data)
        yield held


def is_closed(client: socket.socket) -> bool:
    client.settimeout(0.05)
    try:
        return not client.recv(1)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("data", [b"", HEAD], ids=["silent", "half a head"])
def test_a_guest_who_opens_connections_evicts_its_own_oldest_and_no_other_guest(
    monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(listener, "MAX_SILENT", 10)
    with (
        serve_page(host="0.0.0.0", token=TOKEN) as served,
        guests(served, 2, data, address="127.0.0.2") as others,
        guests(served, 40, data) as held,
    ):
        served.wait_for(lambda: sum(map(is_closed, held)) == 32)
        assert [is_closed(one) for one in held] == [True] * 32 + [False] * 8
        assert not any(map(is_closed, others))
        assert served.send(KNOWN_REQUEST).startswith(b"HTTP/1.1 200")
        assert served.send(KNOWN_REQUEST, address="127.0.0.2").startswith(b"HTTP/1.1 200")


def test_requests_beyond_the_rate_of_guests_wait_and_those_with_the_token_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "GUEST_BURST", 5)
    monkeypatch.setattr(listener, "GUESTS_PER_S", 10)
    with serve_page(host="0.0.0.0", token=TOKEN) as served, guests(served, 15, REQUEST) as held:
        started = time.monotonic()
        assert served.send(KNOWN_REQUEST).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 0.5
        assert all(one.recv(100) for one in held)
        assert 0.7 < time.monotonic() - started < 3  # ten at ten a second


def test_addresses_are_admitted_round_robin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "GUEST_BURST", 1)
    monkeypatch.setattr(listener, "GUESTS_PER_S", 5)
    with serve_page(host="0.0.0.0", token=TOKEN) as served, guests(served, 40, REQUEST):
        started = time.monotonic()
        assert b"HTTP/1.1 " in served.send(REQUEST, address="127.0.0.2")
        assert time.monotonic() - started < 2  # not after the 40


def test_a_request_that_is_evicted_gets_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "GUEST_BURST", 1)
    monkeypatch.setattr(listener, "GUESTS_PER_S", 0.01)
    monkeypatch.setattr(listener, "MAX_WAITING", 3)
    with serve_page(host="0.0.0.0", token=TOKEN) as served, guests(served, 6, REQUEST) as held:
        answers = [one.recv(1000) for one in held[:3]]
        assert b"HTTP/1.1 503" in answers[1]
        assert b"HTTP/1.1 503" in answers[2]
        assert not any(map(is_closed, held[4:]))


def test_beyond_the_rate_of_connections_the_system_holds_them_until_there_is_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "ACCEPT_BURST", 5)
    monkeypatch.setattr(listener, "ACCEPTS_PER_S", 20)
    with serve_page(host="0.0.0.0", token=TOKEN) as served, guests(served, 15):
        started = time.monotonic()
        assert served.send(KNOWN_REQUEST).startswith(b"HTTP/1.1 200")
        assert 0.3 < time.monotonic() - started < 3


def test_a_head_in_single_bytes_is_answered() -> None:
    with serve_page() as served, served.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in REQUEST:
            client.sendall(bytes([byte]))
            time.sleep(0.001)
        assert client.recv(100).startswith(b"HTTP/1.1 ")


def test_a_connection_serves_one_request(served: ServedPage) -> None:
    answer = served.send(REQUEST * 3)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer.lower()


def test_above_the_limit_uploads_are_aborted_and_streams_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 5)
    upload = b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 78400\r\n\r\nabc"
    watch = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serve_page() as served:
        with guests(served, 20, upload):
            time.sleep(0.2)
            assert served.get("/page.css").status_code == 200
        with guests(served, 5, watch) as watching:
            assert all(client.recv(100).startswith(b"HTTP/1.1 200") for client in watching)
            with served.connect() as late, pytest.raises(TimeoutError):
                late.settimeout(0.3)
                late.sendall(REQUEST)
                late.recv(100)
            assert all(client.recv(100) for client in watching)


def test_one_address_cannot_take_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS_PER_ADDRESS", 3)
    watch = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % TOKEN.encode()
    with serve_page(host="0.0.0.0", token=TOKEN) as served, guests(served, 3, watch) as watching:
        assert all(client.recv(100).startswith(b"HTTP/1.1 200") for client in watching)
        assert served.send(KNOWN_REQUEST, address="127.0.0.2").startswith(b"HTTP/1.1 200")
        with served.connect() as late, pytest.raises(TimeoutError):
            late.settimeout(0.3)
            late.sendall(KNOWN_REQUEST)
            late.recv(100)
