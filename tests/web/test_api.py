"""What programs get: readings, events, images, and answers about drawings."""

import json
import time
from base64 import b64decode

import httpx
import numpy as np
import pytest

from digitedge.utils.opencv import cv2
from digitedge.web.drawing import SIDE


def decode(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_the_newest_reading_comes_with_the_threshold(served) -> None:
    reading = served.get("/api/reading").json()
    assert reading["schema"] == "digitedge.reading/1"
    assert reading["rows"] == ["77"]
    assert reading["state"] == "live"
    assert reading["threshold"] == served.reader.threshold
    time.sleep(0.2)
    assert served.get("/api/reading").json()["frame"] > reading["frame"]


def test_before_the_first_frame_everything_says_so(serve) -> None:
    with serve(is_plugged_in=False) as served:
        for path in ("/api/reading", "/snapshot.jpg", "/steps/grey.jpg"):
            answer = served.get(path)
            assert answer.status_code == 503
            assert answer.json() == {"error": "There is no frame yet. Try again in a second."}
        health = served.get("/healthz")
        assert (health.status_code, health.json()) == (503, {"status": "unwell", "state": "waiting"})


def test_health_follows_the_camera(serve) -> None:
    with serve() as served:
        served.wait_for(lambda: served.get("/healthz").status_code == 200)
        assert served.get("/healthz").json() == {"status": "ok", "state": "live"}
        served.desk.is_plugged_in = False
        served.wait_for(lambda: served.get("/healthz").json() == {"status": "unwell", "state": "reconnecting"})
        assert served.get("/healthz").status_code == 503
        assert served.get("/api/reading").json()["state"] == "reconnecting"
        served.desk.is_plugged_in = True
        served.wait_for(lambda: served.get("/healthz").status_code == 200)


def read_events(served, wanted: set[str], limit_s: float = 10.0) -> list[tuple[str, dict]]:
    """Server-sent events until all wanted kinds have come."""
    seen: list[tuple[str, dict]] = []
    end = time.monotonic() + limit_s
    with httpx.stream("GET", served.base + "/api/events", timeout=5) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                seen.append((name, json.loads(line[6:])))
            if wanted <= {kind for kind, _ in seen}:
                return seen
            assert time.monotonic() < end, f"only {seen}"
    return seen


def test_rows_are_told_once_and_late_comers_get_the_history(serve) -> None:
    with serve() as served:
        [event] = [data for kind, data in read_events(served, {"reading"}) if kind == "reading"]
        assert (event["change"], event["text"]) == ("appeared", "77")
        assert event["at"][:2] == "20"
        late = read_events(served, {"history", "state", "threshold", "update"})
        assert late[0] == ("history", [event])
        assert ("state", {"state": "live"}) in late
        assert served.get("/api/history").json() == {"events": [event]}


def test_while_nothing_is_new_there_is_a_sign_of_life(serve) -> None:
    with serve(is_plugged_in=False) as served, served.connect() as bare:
        bare.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = b""
        while stream.count(b': still here\nevent: state\ndata: {"state": "waiting"}\n\n') < 2:
            piece = bare.recv(4096)
            assert piece, "the stream ended"
            stream += piece


def test_updates_come_at_most_ten_times_a_second(served) -> None:
    times = []
    with httpx.stream("GET", served.base + "/api/events", timeout=5) as answer:
        for line in answer.iter_lines():
            if line == "event: update":
                times.append(time.monotonic())
            if len(times) == 10:
                break
    assert times[-1] - times[1] > 8 * 0.095


def test_a_threshold_is_set_for_everyone(serve) -> None:
    with serve() as served:
        answer = httpx.put(served.base + "/api/threshold", json={"threshold": 0.4})
        assert answer.json() == {"threshold": 0.4}
        assert served.reader.threshold == 0.4
        assert ("threshold", {"threshold": 0.4}) in read_events(served, {"threshold"})
        assert httpx.post(served.base + "/api/threshold", json={"threshold": 1}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"0.4", b"{}", b'{"threshold": NaN}', b'{"threshold": 2}', b'{"threshold": true}', b"\xff", b"[" * 190],
)
def test_any_other_threshold_is_refused(served, body: bytes) -> None:
    before = served.reader.threshold
    answer = httpx.put(served.base + "/api/threshold", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith('Expected {"threshold": X}')
    assert served.reader.threshold == before


def classify(served, ink: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return httpx.post(served.base + "/api/classify", content=ink, headers=headers)


def test_a_drawing_is_classified_and_its_crop_is_shown(served) -> None:
    drawing = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(drawing, (140, 40), (140, 240), 255, 22)
    answer = classify(served, drawing.tobytes()).json()
    assert answer["digit"] == 1
    assert answer["confidence"] == max(answer["probabilities"]) > 0.9
    assert abs(sum(answer["probabilities"]) - 1) < 0.02  # the int8 softmax has steps of 1/256
    crop = np.frombuffer(b64decode(answer["crop"]), np.uint8).reshape(28, 28)
    assert 12 <= crop.sum(axis=0).argmax() <= 15


@pytest.mark.parametrize(
    ("ink", "status"), [(b"", 422), (b"\0" * SIDE * SIDE, 422), (b"\1" * 9, 422), (b"\1" * (SIDE * SIDE + 1), 413)]
)
def test_any_other_drawing_is_refused(served, ink: bytes, status: int) -> None:
    answer = classify(served, ink)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_snapshot_is_the_image_with_its_boxes(served) -> None:
    answer = served.get("/snapshot.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith('inline; filename="digitedge-')
    image = decode(answer.content).astype(int)
    assert image.shape == (240, 320, 3)
    assert ((image[..., 1] - image[..., 2]) > 60).any(), "no green box"


@pytest.mark.parametrize("name", ["grey", "light", "binary", "lines", "candidates", "crops"])
def test_every_step_is_a_image(served, name: str) -> None:
    answer = served.get(f"/steps/{name}.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert decode(answer.content).size


def test_an_unknown_step_is_named_with_those_that_are(served) -> None:
    answer = served.get("/steps/nix.jpg")
    assert (answer.status_code, "grey, light" in answer.json()["error"]) == (404, True)


def test_the_page_and_its_files_come_with_strict_headers(served) -> None:
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")):
        answer = served.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' blob: data:")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_a_head_of_a_stream_ends(served) -> None:
    for path in ("/stream.mjpg", "/api/events"):
        assert httpx.head(served.base + path, timeout=3).status_code == 200
