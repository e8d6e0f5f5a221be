"""The API: readings, events, images, threshold, classification of drawings."""

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from served_page import ServedPage, serve_page

from digitedge.camera import CropSink
from digitedge.camera.sinks import crops
from digitedge.datasets.collection import list_images
from digitedge.utils.opencv import cv2
from digitedge.web.drawing import CANVAS_SIDE


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_api_reading_returns_the_newest_reading_with_the_threshold(served: ServedPage) -> None:
    reading = served.get("/api/reading").json()
    assert reading["schema"] == "digitedge.reading/1"
    assert reading["rows"] == ["77"]
    assert reading["state"] == "live"
    assert reading["threshold"] == served.reader.threshold
    time.sleep(0.2)
    assert served.get("/api/reading").json()["frame"] > reading["frame"]


def test_before_the_first_frame_requests_return_503() -> None:
    with serve_page(is_plugged_in=False) as served:
        for path in ("/api/reading", "/snapshot.jpg", "/stages/grey.jpg"):
            answer = served.get(path)
            assert answer.status_code == 503
            assert answer.json() == {"error": "There is no frame yet. Try again in a second."}
        health = served.get("/healthz")
        assert (health.status_code, health.json()) == (503, {"status": "unavailable", "state": "waiting"})


def test_healthz_follows_the_camera_state() -> None:
    with serve_page() as served:
        served.wait_until_live()
        assert served.get("/healthz").json() == {"status": "ok", "state": "live"}
        served.camera.is_plugged_in = False
        served.wait_for(lambda: served.get("/healthz").json() == {"status": "unavailable", "state": "reconnecting"})
        assert served.get("/healthz").status_code == 503
        assert served.get("/api/reading").json()["state"] == "reconnecting"
        served.camera.is_plugged_in = True
        served.wait_until_live()


def read_events(served: ServedPage, wanted: set[str], limit_s: float = 10.0) -> list[tuple[str, Any]]:
    """Read server-sent events until all wanted kinds have arrived."""
    seen: list[tuple[str, Any]] = []
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


def test_an_event_is_sent_once_and_later_viewers_get_the_history() -> None:
    with serve_page() as served:
        [event] = [data for kind, data in read_events(served, {"row"}) if kind == "row"]
        assert (event["change"], event["text"]) == ("appeared", "77")
        assert event["at"][:2] == "20"
        late = read_events(served, {"history", "state", "threshold", "update"})
        assert late[0] == ("history", [event])
        assert ("state", {"state": "live"}) in late
        assert served.get("/api/history").json() == {"events": [event]}


def test_without_changes_the_event_stream_sends_heartbeats() -> None:
    with serve_page(is_plugged_in=False) as served, served.connect() as client:
        client.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = b""
        while stream.count(b': heartbeat\nevent: state\ndata: {"state": "waiting"}\n\n') < 2:
            part = client.recv(4096)
            assert part, "the stream ended"
            stream += part


def test_updates_are_sent_at_most_ten_times_a_second(served: ServedPage) -> None:
    times = []
    with httpx.stream("GET", served.base + "/api/events", timeout=5) as answer:
        for line in answer.iter_lines():
            if line == "event: update":
                times.append(time.monotonic())
            if len(times) == 10:
                break
    assert times[-1] - times[1] > 8 * 0.095


def test_a_threshold_is_set_for_all_viewers() -> None:
    with serve_page() as served:
        answer = httpx.put(served.base + "/api/threshold", json={"threshold": 0.4})
        assert answer.json() == {"threshold": 0.4}
        assert served.reader.threshold == 0.4
        assert ("threshold", {"threshold": 0.4}) in read_events(served, {"threshold"})
        assert httpx.post(served.base + "/api/threshold", json={"threshold": 1}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"0.4", b"{}", b'{"threshold": NaN}', b'{"threshold": 2}', b'{"threshold": true}', b"\xff", b"[" * 190],
)
def test_an_invalid_threshold_is_422_and_changes_nothing(served: ServedPage, body: bytes) -> None:
    before = served.reader.threshold
    answer = httpx.put(served.base + "/api/threshold", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith('Expected {"threshold": X}')
    assert served.reader.threshold == before


def classify(served: ServedPage, ink: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return httpx.post(served.base + "/api/classify", content=ink, headers=headers)


def test_a_drawing_returns_digit_probabilities_and_crop(served: ServedPage) -> None:
    drawing = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    cv2.line(drawing, (140, 40), (140, 240), 255, 22)
    answer = classify(served, drawing.tobytes()).json()
    assert answer["digit"] == 1
    assert answer["confidence"] == max(answer["probabilities"]) > 0.9
    assert abs(sum(answer["probabilities"]) - 1) < 0.02  # the int8 softmax has steps of 1/256
    crop = np.frombuffer(b64decode(answer["crop"]), np.uint8).reshape(28, 28)
    assert 12 <= crop.sum(axis=0).argmax() <= 15


@pytest.mark.parametrize(
    ("ink", "status"),
    [
        (b"", 422),
        (b"\0" * CANVAS_SIDE**2, 422),
        (b"\1" * 9, 422),
        (b"\1" * (CANVAS_SIDE**2 + 1), 413),
    ],
)
def test_an_invalid_drawing_returns_an_error_message(served: ServedPage, ink: bytes, status: int) -> None:
    answer = classify(served, ink)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_the_snapshot_is_the_frame_with_boxes(served: ServedPage) -> None:
    answer = served.get("/snapshot.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith('inline; filename="digitedge-')
    image = decode(answer.content).astype(int)
    assert image.shape == (240, 320, 3)
    assert ((image[..., 1] - image[..., 2]) > 60).any(), "no green box"


@pytest.mark.parametrize("name", ["grey", "ink", "mask", "lines", "candidates", "crops"])
def test_every_stage_is_a_jpeg(served: ServedPage, name: str) -> None:
    answer = served.get(f"/stages/{name}.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert decode(answer.content).size


def test_an_unknown_stage_is_404_and_lists_the_stages(served: ServedPage) -> None:
    answer = served.get("/stages/nix.jpg")
    assert (answer.status_code, "grey, ink" in answer.json()["error"]) == (404, True)


def test_the_page_files_have_security_headers(served: ServedPage) -> None:
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")):
        answer = served.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' blob: data:")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_a_head_request_of_a_stream_ends(served: ServedPage) -> None:
    for path in ("/stream.mjpg", "/api/events"):
        assert httpx.head(served.base + path, timeout=3).status_code == 200


def correct(served: ServedPage, **correction: Any) -> httpx.Response:
    return httpx.post(served.base + "/api/corrections", json=correction)


def test_a_correction_moves_what_was_saved_with_the_wrong_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crops, "COLLECT_S", 0.2)
    with serve_page(crops=CropSink(tmp_path)) as served:
        served.wait_for(lambda: served.get("/api/history").json()["events"])
        [row] = served.get("/api/reading").json()["stable"]
        served.wait_for(lambda: len(list(tmp_path.glob("7/*.png"))) == 2)
        answer = correct(served, text="77", time=row["time"], right=" 1X")
        assert answer.json() == {"saved": 2, "folder": str(tmp_path)}
        again = correct(served, text="77", time=row["time"], right="17")
        assert again.json()["saved"] == 2
    images = list_images(tmp_path)
    assert [(image.label, image.path.name, image.record.checked) for image in images] == [
        (1, "000001.png", True),
        (7, "000002.png", True),
    ]


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        ({"text": "77", "time": 0, "right": "7"}, "expected 2 characters, one for each digit of 77"),
        ({"text": "77", "time": 0, "right": "7a"}, "expected digits, and x for what is no digit, got '7a'"),
        ({"text": "77", "time": 0, "right": "\u0667\u0667"}, "expected digits"),
        ({"text": "77", "time": 0, "right": ""}, "expected digits"),
        ({"text": "12", "time": 99, "right": "13"}, "the crops of 12 are not known"),
        ({"text": "77", "right": "78"}, "Expected {"),
        ({"text": 77, "time": 0, "right": "78"}, "Expected {"),
    ],
)
def test_a_correction_that_fits_no_row_saves_nothing(
    correcting: ServedPage, correction: dict[str, Any], message: str
) -> None:
    answer = correct(correcting, **correction)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(message)


@pytest.fixture(scope="module")
def correcting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    with serve_page(crops=CropSink(tmp_path_factory.mktemp("crops"))) as served:
        yield served


def test_without_a_folder_for_crops_corrections_are_409(served: ServedPage) -> None:
    for answer in (served.get("/api/corrections"), correct(served, text="77", time=1.0, right="78")):
        assert answer.status_code == 409
        assert "--save-crops DIR" in answer.json()["error"]
