"""Uninvited guests: without the token, from other sites, too long, too slow, too many."""

import time

import httpx
import pytest

from digitedge.errors import InputError
from digitedge.web import Address, WebPage, connection
from digitedge.web.drawing import SIDE

TOKEN = "a-token-for-this-test"
PATHS = [
    "/",
    "/page.js",
    "/api/reading",
    "/api/events",
    "/api/history",
    "/stream.mjpg",
    "/snapshot.jpg",
    "/steps/grey.jpg",
]


@pytest.fixture(scope="module")
def guarded(serve):
    """A page for the whole network."""
    with serve(host="0.0.0.0", token=TOKEN) as guarded:
        guarded.wait_for(lambda: guarded.get("/healthz").status_code == 200)
        yield guarded


def test_beyond_this_machine_a_token_is_made_and_part_of_the_address(serve) -> None:
    with serve(host="0.0.0.0") as one, serve(host="0.0.0.0") as other:
        assert one.page.url.endswith(f":{one.port}/?token={one.page.token}")
        assert len(one.page.token) >= 20
        assert one.page.token != other.page.token
    with serve() as local:
        assert local.page.token is None
        assert local.page.url == f"{local.base}/"


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/healthz/"])
def test_nothing_is_served_without_the_token(guarded, path: str) -> None:
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert "as digitedge printed it" in answer.json()["error"]
    assert TOKEN not in answer.text + str(answer.headers)


@pytest.mark.parametrize("host", ["x/healthz?", "x/healthz#", "x/healthz"])
@pytest.mark.parametrize("path", ["/", "/api/reading", "/snapshot.jpg"])
def test_the_name_of_the_host_is_no_path(guarded, path: str, host: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert guarded.send(request.encode()).startswith((b"HTTP/1.1 401", b"HTTP/1.1 400"))


@pytest.mark.parametrize("token", ["", "short", "a token", "a+b&c=dddd", "ü" * 9])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="expected a token of 8 or more letters"):
        WebPage(Address(0), None, token=token)


def test_health_is_open_and_says_nothing_else(guarded) -> None:
    assert guarded.get("/healthz").json() == {"status": "ok", "state": "live"}


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "%C3%A9%FF%00", "é" * 50])
def test_a_wrong_token_is_refused_whatever_it_is_made_of(guarded, wrong: str) -> None:
    assert guarded.get(f"/api/reading?token={wrong}").status_code == 401
    raw = wrong.encode("latin-1", "replace")
    for header in (b"Authorization: Bearer " + raw, b"Cookie: digitedge_%d=" % guarded.port + raw):
        answer = guarded.send(b"GET /api/reading HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 401")


def test_the_token_counts_in_the_address_in_a_header_and_in_a_cookie(guarded) -> None:
    assert guarded.get(f"/api/reading?token={TOKEN}").status_code == 200
    assert guarded.get("/api/reading", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/api/reading", cookies={f"digitedge_{guarded.port}": TOKEN}).status_code == 200
    assert guarded.get(f"/api/reading?token=wrong&token={TOKEN}").status_code == 200


def test_opening_the_address_leaves_a_strict_cookie_and_leads_to_the_clean_address(guarded) -> None:
    answer = guarded.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    with httpx.Client(base_url=guarded.base, follow_redirects=True) as browser:
        assert "<h1>digitedge</h1>" in browser.get(f"/?token={TOKEN}").text
        assert browser.get("/api/reading").status_code == 200


def test_a_browser_without_the_token_gets_a_sentence(guarded) -> None:
    answer = guarded.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "<p>This page needs its whole address" in answer.text
    assert '<a href="/">' in answer.text  # by which a browser that came from another site brings its strict cookie


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", "", "192.168.0.9"])
def test_a_local_page_answers_to_its_own_names_only(served, host: str) -> None:
    assert served.get("/healthz", headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:99", "LOCALHOST"])
def test_a_local_page_answers_to_all_names_of_this_machine(served, host: str) -> None:
    assert served.get("/healthz", headers={"Host": host}).status_code == 200


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
@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/threshold"), ("POST", "/api/classify")])
def test_pages_of_other_sites_write_nothing(served, method: str, path: str, headers: dict) -> None:
    answer = httpx.request(method, served.base + path, headers=headers, json={"threshold": 0.9})
    assert answer.status_code == 403
    assert served.reader.threshold != 0.9


def test_this_page_may_write(served) -> None:
    headers = {"Origin": served.base, "Sec-Fetch-Site": "same-origin"}
    answer = httpx.put(served.base + "/api/threshold", headers=headers, json={"threshold": 0.25})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/page/index.html", 404),
        ("GET", "/steps/..%2fgrey.jpg", 404),
        ("POST", "/", 405),
        ("DELETE", "/api/threshold", 405),
        ("GET", "/api/classify", 405),
        ("TRACE", "/", 405),
        ("BREW", "/api/reading", 405),
    ],
)
def test_unknown_paths_and_methods_are_refused_in_a_sentence(served, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, served.base + path)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_body_that_is_too_long_is_refused_with_or_without_a_length(served) -> None:
    long = b"\1" * (SIDE * SIDE)
    assert httpx.post(served.base + "/api/classify", content=iter([long, b"\1"])).status_code == 413
    for path in ("/api/classify", "/api/threshold"):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n"
        with served.connect() as bare:
            bare.sendall(head.encode())
            assert bare.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /?" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"a" * 12_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,  # a browser that expects https
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["query", "headers", "endless", "tls", "no host", "two hosts", "length", "chunk"],
)
def test_a_request_that_is_none_is_refused_without_a_traceback(served, request_line: bytes) -> None:
    answer = served.send(request_line)
    assert answer[:10] == b"HTTP/1.1 4"
    assert b"Traceback" not in answer
    assert served.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "start", [b"", b"GET / HT", b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"]
)
def test_a_request_that_drips_in_is_cut_off(served, monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    monkeypatch.setattr(connection, "REQUEST_S", 0.6)
    with served.connect() as bare:
        bare.sendall(start)
        started = time.monotonic()
        with pytest.raises((ConnectionError, EOFError)):
            while time.monotonic() < started + 5:
                bare.sendall(b"x")
                time.sleep(0.1)
                bare.settimeout(0.01)
                try:
                    if not bare.recv(100):
                        raise EOFError
                except TimeoutError:
                    pass
        assert 0.4 < time.monotonic() - started < 3


def test_idle_connections_make_room_for_those_who_ask(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 5)
    with serve() as served:
        idle = [served.connect() for _ in range(20)]
        time.sleep(0.3)
        assert served.get("/page.css").status_code == 200
        for bare in idle:
            bare.close()
        watching = [served.connect() for _ in range(5)]
        for bare in watching:
            bare.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert bare.recv(100).startswith(b"HTTP/1.1 200")
        assert served.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 503")
        for bare in watching:
            bare.close()


def test_nobody_hears_of_what_hostile_clients_do(capfd: pytest.CaptureFixture[str], serve) -> None:
    with serve(host="0.0.0.0", token=TOKEN) as guarded:
        guarded.send(b"\0\0\0\r\n\r\n")
        guarded.get(f"/?token={TOKEN}")
        with guarded.connect() as bare:
            bare.sendall(b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n")
            bare.sendall(f"Authorization: Bearer {TOKEN}\r\n\r\nabc".encode())
            time.sleep(0.1)
        time.sleep(0.2)
    assert capfd.readouterr().err == ""
