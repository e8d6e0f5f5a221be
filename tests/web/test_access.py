"""Access control and limits: token, cross-site requests, hosts, and requests that are too long, slow or many."""

import time
from collections.abc import Iterator

import httpx
import pytest
from served_page import ServedPage, serve_page

from digitedge import Reader
from digitedge.errors import InputError
from digitedge.web import Address, WebSink, connection, listener
from digitedge.web.drawing import CANVAS_SIDE

TOKEN = "a-token-for-this-test"
PATHS = [
    "/",
    "/page.js",
    "/api/reading",
    "/api/events",
    "/api/history",
    "/stream.mjpg",
    "/snapshot.jpg",
    "/stages/grey.jpg",
]


@pytest.fixture(scope="module")
def guarded() -> Iterator[ServedPage]:
    """A page for the whole network."""
    with serve_page(host="0.0.0.0", token=TOKEN) as guarded:
        guarded.wait_until_live()
        yield guarded


def test_beyond_this_machine_the_url_contains_a_new_token() -> None:
    with serve_page(host="0.0.0.0") as one, serve_page(host="0.0.0.0") as other:
        assert one.sink.url.endswith(f":{one.port}/?token={one.sink.token}")
        assert len(one.sink.token) >= 20
        assert one.sink.token != other.sink.token
    with serve_page() as local:
        assert local.sink.token is None
        assert local.sink.url == f"{local.base}/"


@pytest.mark.parametrize("path", [*PATHS, "/api/corrections", "/nowhere", "/healthz/"])
def test_a_request_without_the_token_is_401_on_every_path(guarded: ServedPage, path: str) -> None:
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert "digitedge printed" in answer.json()["error"]
    assert TOKEN not in answer.text + str(answer.headers)


@pytest.mark.parametrize("host", ["x/healthz?", "x/healthz#", "x/healthz"])
@pytest.mark.parametrize("path", ["/", "/api/reading", "/snapshot.jpg"])
def test_a_path_in_the_host_header_does_not_bypass_the_token(guarded: ServedPage, path: str, host: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert guarded.send(request.encode()).startswith((b"HTTP/1.1 401", b"HTTP/1.1 400"))


@pytest.mark.parametrize("token", ["", "short", "a token", "a+b&c=dddd", "ü" * 9])
def test_an_invalid_token_raises_input_error(token: str) -> None:
    with pytest.raises(InputError, match="expected a token of 8 or more letters"):
        WebSink(Address(0), Reader(), token=token)


def test_healthz_needs_no_token_and_returns_only_the_state(guarded: ServedPage) -> None:
    assert guarded.get("/healthz").json() == {"status": "ok", "state": "live"}


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "%C3%A9%FF%00", "é" * 50])
def test_a_wrong_token_is_401_in_url_header_and_cookie(guarded: ServedPage, wrong: str) -> None:
    assert guarded.get(f"/api/reading?token={wrong}").status_code == 401
    raw = wrong.encode("latin-1", "replace")
    for header in (b"Authorization: Bearer " + raw, b"Cookie: digitedge_%d=" % guarded.port + raw):
        answer = guarded.send(b"GET /api/reading HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 401")


def test_the_token_is_accepted_in_url_header_and_cookie(guarded: ServedPage) -> None:
    assert guarded.get(f"/api/reading?token={TOKEN}").status_code == 200
    assert guarded.get("/api/reading", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/api/reading", cookies={f"digitedge_{guarded.port}": TOKEN}).status_code == 200
    assert guarded.get(f"/api/reading?token=wrong&token={TOKEN}").status_code == 200


def test_the_url_with_the_token_sets_a_strict_cookie_and_redirects_to_the_url_without_it(guarded: ServedPage) -> None:
    answer = guarded.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    with httpx.Client(base_url=guarded.base, follow_redirects=True) as browser:
        assert "<h1>digitedge</h1>" in browser.get(f"/?token={TOKEN}").text
        assert browser.get("/api/reading").status_code == 200


def test_a_browser_without_the_token_gets_an_html_message(guarded: ServedPage) -> None:
    answer = guarded.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "<p>The token is missing or wrong." in answer.text
    assert '<a href="/">' in answer.text  # after a link from another site, this brings the strict cookie


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "[",
        "",
        "192.168.0.9",
        "[::2]",
        "[::1",
        "www.localhost",
    ],
)
def test_a_local_page_refuses_other_hosts(served: ServedPage, host: str) -> None:
    assert served.get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]", "[::1]:99", "LOCALHOST"])
def test_a_local_page_accepts_all_names_of_this_machine(served: ServedPage, host: str) -> None:
    assert served.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_page_on_ipv6_localhost_is_served() -> None:
    try:
        with serve_page(host="::1") as served:
            url = served.sink.url
            assert url == f"http://[::1]:{served.port}/"
            served.wait_for(lambda: httpx.get(f"{url}healthz").status_code == 200)
    except InputError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/threshold"), ("POST", "/api/classify"), ("POST", "/api/corrections")]
)
def test_cross_site_writes_are_403(served: ServedPage, method: str, path: str, headers: dict[str, str]) -> None:
    answer = httpx.request(method, served.base + path, headers=headers, json={"threshold": 0.9})
    assert answer.status_code == 403
    assert served.reader.threshold != 0.9


def test_same_origin_writes_are_accepted(served: ServedPage) -> None:
    headers = {"Origin": served.base, "Sec-Fetch-Site": "same-origin"}
    answer = httpx.put(served.base + "/api/threshold", headers=headers, json={"threshold": 0.25})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/page/index.html", 404),
        ("GET", "/stages/..%2fgrey.jpg", 404),
        ("POST", "/", 405),
        ("DELETE", "/api/threshold", 405),
        ("GET", "/api/classify", 405),
        ("TRACE", "/", 405),
        ("BREW", "/api/reading", 405),
    ],
)
def test_unknown_paths_and_methods_return_an_error_message(
    served: ServedPage, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, served.base + path)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_too_long_body_is_413_with_and_without_content_length(served: ServedPage) -> None:
    long = b"\1" * (CANVAS_SIDE * CANVAS_SIDE)
    assert httpx.post(served.base + "/api/classify", content=iter([long, b"\1"])).status_code == 413
    for path in ("/api/classify", "/api/threshold"):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n"
        with served.connect() as client:
            client.sendall(head.encode())
            assert client.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /?" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"a" * 12_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,  # TLS, from a browser that expects https
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["query", "headers", "endless", "tls", "no host", "two hosts", "length", "chunk"],
)
def test_a_malformed_request_is_4xx_without_a_traceback(served: ServedPage, request_line: bytes) -> None:
    answer = served.send(request_line)
    assert answer[:10] == b"HTTP/1.1 4"
    assert b"Traceback" not in answer
    assert served.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "start", [b"", b"GET / HT", b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"]
)
def test_a_slow_request_is_aborted_at_the_deadline(
    served: ServedPage, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(listener, "HEAD_LIMIT_S", 0.6)
    monkeypatch.setattr(connection, "BODY_LIMIT_S", 0.6)
    with served.connect() as client:
        client.sendall(start)
        started = time.monotonic()
        with pytest.raises((ConnectionError, EOFError)):
            while time.monotonic() < started + 5:
                client.sendall(b"x")
                time.sleep(0.1)
                client.settimeout(0.01)
                try:
                    if not client.recv(100):
                        raise EOFError
                except TimeoutError:
                    pass
        assert 0.4 < time.monotonic() - started < 3


def test_hostile_clients_leave_no_output_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with serve_page(host="0.0.0.0", token=TOKEN) as guarded:
        guarded.send(b"\0\0\0\r\n\r\n")
        guarded.get(f"/?token={TOKEN}")
        with guarded.connect() as client:
            client.sendall(b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n")
            client.sendall(f"Authorization: Bearer {TOKEN}\r\n\r\nabc".encode())
            time.sleep(0.1)
        time.sleep(0.2)
    assert capfd.readouterr().err == ""
