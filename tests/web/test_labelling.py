"""The API of the labelling page: what it serves, what it writes, and what it refuses."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from labelled_folder import classifier, crops_of, labels_in, make_folder

from digitedge.datasets.label_session import LabelSession, LabelSummary
from digitedge.errors import DataError, InputError
from digitedge.utils.opencv import cv2
from digitedge.web import Address
from digitedge.web.label_routes import MAX_CHANGES, MAX_THUMBNAILS
from digitedge.web.labelling import LabellingPage, serve_labelling


class Client:
    """A program that uses the page."""

    def __init__(self, page: LabellingPage, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{page.address.port}"
        self.folder = folder
        self.page = page

    def images(self) -> dict[str, Any]:
        return httpx.get(f"{self.base}/api/images").json()

    def id_of(self, name: str) -> int:
        return next(image["id"] for image in self.images()["images"] if image["name"] == name)

    def change(self, *changes: Any, session: str | None = None, **options: Any) -> httpx.Response:
        body = {"session": session or self.images()["session"], "changes": changes}
        return httpx.post(f"{self.base}/api/labels", json=body, **options)


@contextmanager
def serve(folder: Path) -> Iterator[Client]:
    make_folder(folder)
    with LabellingPage(Address(0), LabelSession(folder, classifier())) as page:
        yield Client(page, folder)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serve(tmp_path / "crops") as client:
        yield client


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One page for all tests that are refused; at the end no label has changed."""
    with serve(tmp_path_factory.mktemp("labels") / "crops") as client:
        before = labels_in(client.folder)
        yield client
        assert labels_in(client.folder) == before
        assert not client.page.done.is_set()


def test_images_come_by_doubt_and_their_thumbnails_are_the_crops(client: Client) -> None:
    content = client.images()
    assert content["folder"] == "crops"
    assert {image["name"] for image in content["images"][:2]} == {"1/000010.png", "8/000011.png"}
    id = client.id_of("7/000007.png")
    thumbnails = httpx.get(f"{client.base}/api/thumbnails?ids={id},9999").json()
    assert thumbnails["9999"] is None
    png = b64decode(thumbnails[str(id)].removeprefix("data:image/png;base64,"))
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE), crops_of([7])[0])


def test_a_change_is_written_before_it_is_answered(client: Client) -> None:
    id = client.id_of("1/000010.png")
    answer = client.change({"id": id, "label": 7, "checked": True}).json()
    assert answer["problems"] == []
    assert [(image["name"], image["checked"]) for image in answer["images"]] == [("7/000010.png", True)]
    assert labels_in(client.folder)["000010.png"] == (7, True)


def test_an_image_that_is_gone_is_told_and_the_others_are_written(client: Client) -> None:
    gone, there = client.id_of("0/000000.png"), client.id_of("1/000010.png")
    session = client.images()["session"]
    (client.folder / "0/000000.png").unlink()
    changes = ({"id": id, "label": 7, "checked": True} for id in (gone, there))
    answer = client.change(*changes, session=session).json()
    assert [problem["id"] for problem in answer["problems"]] == [gone]
    assert answer["problems"][0]["message"].startswith("0/000000.png is not there any more")
    assert labels_in(client.folder)["000010.png"] == (7, True)


def test_a_page_of_an_earlier_start_changes_nothing(unchanged: Client) -> None:
    answer = unchanged.change({"id": 0, "label": 7, "checked": True}, session="0123456789abcdef")
    assert (answer.status_code, answer.json()["error"].partition(".")[0]) == (
        409,
        "This page belongs to an earlier start of digitedge label",
    )
    assert httpx.post(f"{unchanged.base}/api/done", content=b"other").status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"id": 0, "label": 10, "checked": True},
        {"id": 0, "label": "7", "checked": True},
        {"id": 0, "label": "../../x", "checked": True},
        {"id": "../crops/7/000007.png", "label": 7, "checked": True},
        {"id": 0, "label": 7},
        {"id": 0, "label": 7, "checked": 1},
        7,
    ],
)
def test_what_is_no_change_is_422(unchanged: Client, change: Any) -> None:
    answer = unchanged.change(change)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("Expected {")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 10_000, b'{"session": "", "changes": NaN}'])
def test_a_body_that_is_no_json_of_this_form_is_422(unchanged: Client, body: bytes) -> None:
    assert httpx.post(f"{unchanged.base}/api/labels", content=body).status_code == 422


def test_too_many_changes_or_thumbnails_are_refused(unchanged: Client) -> None:
    many = [{"id": 0, "label": 7, "checked": True}] * (MAX_CHANGES + 1)
    assert unchanged.change(*many).status_code == 422
    assert httpx.post(f"{unchanged.base}/api/labels", content=b"x" * 1_000_000).status_code == 413
    ids = ",".join(map(str, range(MAX_THUMBNAILS + 1)))
    assert httpx.get(f"{unchanged.base}/api/thumbnails?ids={ids}").status_code == 422


@pytest.mark.parametrize("ids", ["", "-1", "../7/000007.png", "1,,2", "1e3", "%C2%B2"])
def test_thumbnails_are_named_by_numbers_alone(unchanged: Client, ids: str) -> None:
    assert httpx.get(f"{unchanged.base}/api/thumbnails?ids={ids}").status_code == 422


@pytest.mark.parametrize(
    "path", ["/7/000007.png", "/collection.json", "/..%2fcrops/collection.json", "/page/label.html"]
)
def test_files_of_the_folder_have_no_path_on_the_page(unchanged: Client, path: str) -> None:
    assert httpx.get(unchanged.base + path).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_other_sites_can_neither_change_labels_nor_end_the_page(unchanged: Client, headers: dict[str, str]) -> None:
    session = unchanged.images()["session"]
    assert unchanged.change({"id": 0, "label": 7, "checked": True}, session=session, headers=headers).status_code == 403
    done = httpx.post(f"{unchanged.base}/api/done", content=session.encode(), headers=headers)
    assert done.status_code == 403
    assert httpx.get(f"{unchanged.base}/api/images", headers={"Host": "evil.example"}).status_code == 400


def test_beyond_this_machine_everything_needs_the_token(tmp_path: Path) -> None:
    session = LabelSession(make_folder(tmp_path), classifier())
    with LabellingPage(Address(0, "0.0.0.0"), session) as page:
        base = f"http://127.0.0.1:{page.address.port}"
        assert page.url.endswith(f"?token={page.token}")
        for path in ("/", "/label.js", "/api/images", "/api/thumbnails?ids=0"):
            assert httpx.get(base + path).status_code == 401
        for path in ("/api/labels", "/api/done"):
            assert httpx.post(base + path, content=b"{}").status_code == 401
        assert httpx.get(f"{base}/api/images?token={page.token}").status_code == 200


def test_a_damaged_collection_is_told_on_the_page(client: Client) -> None:
    (client.folder / "collection.json").write_text("{")
    answer = httpx.get(f"{client.base}/api/images")
    assert answer.status_code == 409
    assert "collection.json: expected JSON" in answer.json()["error"]


def test_done_ends_the_page_with_a_summary(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "crops")
    lines: list[str] = []
    summaries: list[LabelSummary] = []

    def serve() -> None:
        summaries.append(serve_labelling(folder, classifier(), address=Address(0), log=lines.append))

    thread = threading.Thread(target=serve)
    thread.start()
    while not lines and thread.is_alive():
        thread.join(0.05)
    base = lines[0].removeprefix("page: ").rstrip("/")
    content = httpx.get(f"{base}/api/images").json()
    change = {"id": content["images"][0]["id"], "label": None, "checked": True}
    httpx.post(f"{base}/api/labels", json={"session": content["session"], "changes": [change]})
    assert httpx.post(f"{base}/api/done", content=content["session"].encode()).json() == {"status": "done"}
    thread.join(5)
    assert summaries == [LabelSummary(images=12, checked=1, relabelled=1)]


def test_a_folder_without_digits_and_a_port_in_use_are_one_line(client: Client, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected images of digits, got none"):
        serve_labelling(tmp_path / "empty", classifier())
    with pytest.raises(InputError, match="is in use by another program"):
        serve_labelling(client.folder, classifier(), address=client.page.address)
