"""The server of readings: the same results as `predict`, limits, hostile uploads, and workers that die."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hostile_uploads import FILES, pdf, png
from reading_server import Served, serve, spec

from digitedge import Reader
from digitedge.reader.read_options import ReadOptions
from digitedge.web.serve import ServeLimits, UploadReader
from digitedge.web.serve.read_upload import Upload

pytest.importorskip("python_multipart", reason="needs digitedge[serve]")
pytest.importorskip("prometheus_client", reason="needs digitedge[serve]")

PAGE = Path(__file__).parents[2] / "demos/page.jpg"
TOKEN = "a-token-for-this-test"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(pages=5) as served:
        yield served


def readings(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [json.loads(line) | {"ms": None} for line in response.text.splitlines()]


def expected(name: str = "", **options: Any) -> dict[str, Any]:
    reader = Reader(threshold=options.pop("threshold", 0.25))
    return ReadOptions(**options).read(reader, cv2.imread(str(PAGE)), source=name).to_dict() | {"ms": None}


def test_a_raw_body_and_a_form_give_the_json_of_predict(served: Served) -> None:
    raw = served.read(PAGE.read_bytes(), "?name=a/b\\page.jpg", headers={"Content-Type": "image/jpeg"})
    assert raw.headers["content-type"] == "application/json"
    assert readings(raw) == [expected("page.jpg")]
    form = served.read(files={"any": ("../page.jpg", PAGE.read_bytes())})
    assert readings(form) == [expected("page.jpg")]
    assert readings(served.read(PAGE.read_bytes())) == [expected()]
    assert len(expected()["rows"]) > 2


def test_an_image_of_one_pixel_has_no_digits(served: Served) -> None:
    assert readings(served.read(png(1, 1, data=b"\0\0")))[0]["digits"] == []


def test_options_hold_for_one_request(served: Served) -> None:
    turned = served.read(PAGE.read_bytes(), "?rotate=180")
    assert readings(turned)[0]["rotated"] == 180
    strict = served.read(files={"file": ("page.jpg", PAGE.read_bytes())}, data={"threshold": "1"})
    assert readings(strict)[0]["digits"] == []
    assert readings(served.read(PAGE.read_bytes())) == [expected()]
    for query in ("?rotate=45", "?threshold=2", "?threshold=nan", "?threshold=x"):
        assert served.read(PAGE.read_bytes(), query).status_code == 422


def test_a_document_gives_a_line_for_each_page(served: Served) -> None:
    pages = [cv2.imread(str(PAGE), cv2.IMREAD_GRAYSCALE), np.full((300, 200), 200, np.uint8)]
    tiff = cv2.imencodemulti(".tif", pages)[1].tobytes()
    response = served.read(tiff, "?name=two.tif")
    assert response.headers["content-type"] == "application/x-ndjson"
    first, second = readings(response)
    assert (first["source"], first["page"], second["page"]) == ("two.tif", 1, 2)
    assert (first["rows"], second["rows"]) == (expected()["rows"], [])
    assert served.read(cv2.imencodemulti(".tif", pages[1:] * 6)[1].tobytes()).status_code == 413
    one = served.read(cv2.imencodemulti(".tif", pages[:1])[1].tobytes())
    assert one.headers["content-type"] == "application/json"
    assert one.json()["page"] is None


def test_a_page_that_cannot_be_read_is_a_line_beside_the_others(served: Served) -> None:
    pages = [np.full((300, 200), 200, np.uint8)] * 2
    tiff = bytearray(cv2.imencodemulti(".tif", pages)[1].tobytes())
    first = int.from_bytes(tiff[4:8], "little")
    count = int.from_bytes(tiff[first : first + 2], "little")
    next_place = first + 2 + 12 * count
    tiff[next_place : next_place + 4] = (2**31 - 1).to_bytes(4, "little")  # the second directory is not there
    good, bad = (json.loads(line) for line in served.read(bytes(tiff), "?name=cut.tif").text.splitlines())
    assert (good["page"], "error" in good) == (1, False)
    assert (bad["page"], bad["source"], bad["digits"]) == (2, "cut.tif", [])
    assert bad["error"]["kind"] == "damaged"
    assert bad["error"]["message"].startswith("cut.tif")


def test_a_pdf_is_read_page_by_page(served: Served) -> None:
    pytest.importorskip("pypdfium2", reason="needs digitedge[pdf]")
    assert [reading["page"] for reading in readings(served.read(pdf(3)))] == [1, 2, 3]
    assert readings(served.read(pdf(1)))[0]["page"] == 1
    assert served.read(pdf(6)).status_code == 413


@pytest.mark.parametrize(
    ("request_bytes", "statuses"),
    [
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"y" * 10_000), b"431"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"y" * 20_000), b"431"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nab", b"413"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\nab", b"400"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nabcdef", b"415"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET /v1/read HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
    ],
    ids=["headers", "huge headers", "two lengths", "huge length", "negative", "short length", "chunks", "get"],
)
def test_a_broken_request_is_4xx_in_two_seconds(served: Served, request_bytes: bytes, statuses: bytes) -> None:
    started = time.monotonic()
    with served.connect(request_bytes) as client:
        assert client.recv(100).split()[1] == statuses
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_get_4xx_in_two_seconds_and_cost_no_worker(served: Served, name: str) -> None:
    started = time.monotonic()
    response = served.read(FILES[name], "?name=desk.jpg")
    assert time.monotonic() - started < 2
    assert response.status_code in (413, 415, 422), response.text
    error = response.json()["error"]
    assert "desk.jpg" in error
    assert "upload" not in error, "names a path of the server"
    assert "DIGITEDGE_" not in error, "which the client cannot set"
    assert served.metric("digitedge_worker_restarts_total") == 0


def multipart(*parts: bytes, end: bytes = b"--x--\r\n") -> dict[str, Any]:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end
    return {"content": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


FILE_PART = b'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nabc'
NESTED_PART = b'Content-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n'


@pytest.mark.parametrize(
    "request_of",
    [
        multipart(),
        multipart(FILE_PART, FILE_PART),
        multipart(FILE_PART, end=b""),
        multipart(NESTED_PART),
        multipart(b"no header"),
        multipart(*[b'Content-Disposition: form-data; name="a"\r\n\r\nb'] * 5000),
        multipart(b"X: " + b"y" * 1_000_000 + b"\r\n\r\n"),
        multipart(b'Content-Disposition: form-data; name="a"\r\n\r\n' + b"b" * 5000),
        multipart(b"\r\n" * 1_000_000),
        {"content": b"abc", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"", "headers": {"Content-Type": "image/png"}},
    ],
    ids=["none", "two", "cut", "nested", "headless", "many", "header", "field", "crlf", "boundary", "empty"],
)
def test_a_broken_form_is_400_in_two_seconds(served: Served, request_of: dict[str, Any]) -> None:
    started = time.monotonic()
    response = served.read(**request_of)
    assert response.status_code == 400, response.text
    assert "Expected" in response.json()["error"]
    assert time.monotonic() - started < 2


def test_a_body_above_the_limit_is_413_and_its_answer_is_read_by_the_client() -> None:
    with serve(body_bytes=100_000) as served:
        assert served.read(bytes(5_000_000)).status_code == 413
        assert served.read(iter([bytes(50_000)] * 10)).status_code == 413  # chunked: the length is not known before
        assert served.read(bytes(100), headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.slow
def test_a_slow_body_is_408_in_two_seconds(served: Served) -> None:
    started = time.monotonic()
    with served.connect(b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nabc") as client:
        assert client.recv(100).startswith(b"HTTP/1.1 408")
    assert 1 < time.monotonic() - started < 2
    assert served.metric("digitedge_requests_now") == 0


@pytest.mark.slow
def test_a_body_that_stands_still_later_is_408_in_two_seconds(served: Served) -> None:
    head = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    with served.connect(head + bytes(300_000)) as client:
        started = time.monotonic()
        assert client.recv(100).startswith(b"HTTP/1.1 408")
    assert 1 < time.monotonic() - started < 2


@pytest.mark.slow
def test_a_body_over_a_slow_line_is_read(served: Served) -> None:
    def slowly(bytes_per_s: int = 30_000, parts: int = 25) -> Iterator[bytes]:
        for _ in range(parts):
            time.sleep(0.1)
            yield bytes(bytes_per_s // 10)

    assert served.read(slowly()).status_code == 415, "it is no image, and nothing else"


@pytest.mark.slow
def test_requests_beyond_the_room_are_429_before_their_body_is_read() -> None:
    def head(size: int) -> bytes:
        return b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size

    def wait_for(requests: int, served: Served) -> None:
        while served.metric("digitedge_requests_now") < requests:
            time.sleep(0.01)

    with serve(requests_per_worker=2, held_bytes=6000) as served, served.connect(head(5000)):
        wait_for(1, served)
        assert served.read(bytes(1001)).status_code == 429  # too many bytes
        assert served.read(bytes(1000)).status_code == 415
        with served.connect(head(100)):
            wait_for(2, served)
            response = served.read(b"a")  # too many requests
            assert (response.status_code, response.headers["retry-after"]) == (429, "1")
            assert served.read(bytes(5_000_000)).status_code == 429  # and the client reads it


@dataclass(frozen=True)
class DangerousReader(UploadReader):
    """Does to its process what a hostile file would do."""

    def _read_pages(self, reader: Reader, upload: Upload, path: Path) -> Any:
        if upload.content == b"crash":
            os.abort()
        if upload.content.startswith(b"once") and not (mark := Path(upload.content[4:].decode())).exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if upload.content == b"hang":
            time.sleep(60)
        if upload.content == b"eat":
            np.ones(10**10, np.uint8)
        return super()._read_pages(reader, upload, path)


@pytest.mark.slow
def test_an_upload_is_not_blamed_for_a_process_that_was_killed_before(tmp_path: Path) -> None:
    others = multiprocessing.active_children()
    with serve(reader=DangerousReader(spec())) as served:
        for _ in range(2):
            (process,) = set(multiprocessing.active_children()) - set(others)
            process.kill()
            process.join()
            assert readings(served.read(PAGE.read_bytes())) == [expected()]
        killed_once = served.read(b"once%s" % bytes(tmp_path / "mark"))
        assert killed_once.status_code == 415, "it is no image, and nothing else"
        assert served.metric("digitedge_worker_restarts_total") == 3
        assert served.metric("digitedge_workers_ready") == 1


@pytest.mark.slow
def test_a_worker_that_crashes_or_hangs_costs_one_request_only() -> None:
    with serve(reader=DangerousReader(spec(), limits=ServeLimits(time_s=1.0))) as served:
        messages = {
            b"crash": "ended the processes",
            b"hang": "within 1 s",
            b"eat": "more memory than",
        }
        for content, message in messages.items():
            with ThreadPoolExecutor() as pool:
                bad = pool.submit(served.read, content, "?name=bad.png")
                good = pool.submit(served.read, PAGE.read_bytes())
            assert bad.result().status_code == (413 if content == b"eat" else 422)
            assert message in bad.result().json()["error"]
            assert readings(good.result()) == [expected()]
        assert served.metric("digitedge_worker_restarts_total") == 3


def test_beyond_this_machine_the_token_is_needed_but_for_healthz() -> None:
    with serve(host="0.0.0.0", token=TOKEN) as served:
        assert served.get("/healthz").status_code == 200
        for path in ("/", "/metrics", "/openapi.json"):
            assert served.get(path).status_code == 401
        refused = served.read(bytes(5_000_000))
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        known = {"Authorization": f"Bearer {TOKEN}"}
        assert readings(served.read(PAGE.read_bytes(), headers=known)) == [expected()]
        cross_site = served.read(PAGE.read_bytes(), headers=known | {"Origin": "http://elsewhere"})
        assert cross_site.status_code == 403


def test_metrics_count_requests_pages_and_digits(served: Served) -> None:
    before = {name: served.metric(f"digitedge_{name}_total") for name in ("pages", "digits")}
    served.read(PAGE.read_bytes())
    assert served.metric("digitedge_pages_total") == before["pages"] + 1
    assert served.metric("digitedge_digits_total") == before["digits"] + len(expected()["digits"])
    assert served.metric("digitedge_workers_ready") == 1
    assert 'digitedge_requests_total{status="200"}' in served.get("/metrics").text


def test_the_description_of_the_api_is_openapi_and_holds_for_answers(served: Served) -> None:
    description = served.get("/openapi.json").json()
    pytest.importorskip("openapi_spec_validator").validate(description)
    schema = {"$ref": "#/components/schemas/Reading", "components": description["components"]}
    validator = pytest.importorskip("jsonschema").Draft202012Validator(schema)
    validator.validate(served.read(PAGE.read_bytes()).json())
    assert not validator.is_valid({"digits": 3})
    statuses = set(description["paths"]["/v1/read"]["post"]["responses"])
    assert {"200", "400", "401", "403", "408", "413", "415", "422", "429"} == statuses
