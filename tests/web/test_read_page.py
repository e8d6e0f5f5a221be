"""The page of the server in a real browser: it reads a file, shows what came, and fits a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PHONE, Windows, wait_for

pytest.importorskip("python_multipart", reason="needs digitedge[serve]")
pytest.importorskip("prometheus_client", reason="needs digitedge[serve]")
from reading_server import Served, serve

expect = pytest.importorskip("playwright.sync_api", reason="needs playwright").expect

PAGE = Path(__file__).parents[2] / "demos/page.jpg"
ROWS = ["4270583", "9717343", "6972930"]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.mark.slow
def test_a_file_is_read_and_shown_with_its_boxes(served: Served, windows: Windows) -> None:
    page = windows.open(served.base)
    expect(page.locator("#state")).to_have_text("Ready")
    page.set_input_files("#file", PAGE)
    expect(page.locator("#pages .rows")).to_have_text(ROWS)
    expect(page.locator(".box")).to_have_count(21)
    wait_for(page, "document.querySelector('#image').naturalWidth === 960")
    first = page.locator(".box").first.bounding_box()
    image = page.locator("#image").bounding_box()
    scale = image["width"] / 960
    assert abs(first["x"] - image["x"] - 198 * scale) < 2
    assert abs(first["y"] - image["y"] - 222 * scale) < 2
    page.get_by_text("JSON", exact=True).click()
    expect(page.locator("#answer")).to_contain_text('"source":"page.jpg"')
    page.get_by_label("Minimum confidence").fill("1")
    page.get_by_label("Minimum confidence").press("Tab")
    expect(page.locator("#pages .rows")).to_have_text(["No digits."])
    page.get_by_label("Rotate").select_option("90")
    expect(page.locator("#answer")).to_contain_text('"rotated":90')


def test_what_cannot_be_read_is_told(served: Served, windows: Windows, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no image")
    page = windows.open(served.base)
    page.set_input_files("#file", tmp_path / "note.txt")
    expect(page.get_by_role("alert")).to_contain_text("note.txt: expected an image")
    expect(page.locator("#state")).to_have_text("Not read")
    expect(page.locator("#figure")).to_be_hidden()
    windows.ignore_failed_requests()


@pytest.mark.slow
def test_it_fits_a_phone_and_everything_can_be_tapped(served: Served, windows: Windows) -> None:
    page = windows.open(served.base, viewport=PHONE, has_touch=True, is_mobile=True)
    page.set_input_files("#file", PAGE)
    expect(page.locator("#pages .rows")).to_have_text(ROWS)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = "(one) => one.getBoundingClientRect().height < 44"
    controls = "[...document.querySelectorAll('.button, select, #threshold, summary')]"
    assert page.evaluate(f"{controls}.filter({small}).map((one) => one.id)") == []
