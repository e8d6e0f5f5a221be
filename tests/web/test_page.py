"""The page in a real browser: Debian's Chromium, driven by Playwright."""

from pathlib import Path
from typing import Any

import pytest
from browser import PHONE, Page, Windows, wait_for
from served_page import ServedPage, serve_page

from digitedge.camera import CropSink
from digitedge.datasets.collection import list_images

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
expect = playwright.expect

# Sum of the pixels of the shown image, to tell one image from another.
PIXELS = """() => {
    const image = document.getElementById("image");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [64, 48];
    canvas.getContext("2d").drawImage(image, 0, 0, 64, 48);
    return canvas.getContext("2d").getImageData(0, 0, 64, 48).data.reduce((sum, value) => sum + value, 0);
}"""


def rows_of(page: Page) -> Any:
    return page.locator("#rows .text")


def test_the_page_shows_rows_state_and_history(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    expect(page.locator("#state")).to_have_text("Live")
    expect(rows_of(page)).to_have_text(["77"])
    expect(page.locator("#rows .confidence")).to_have_text(["100 %"])
    expect(page.locator("#history li .text")).to_have_text(["77"])
    expect(page.locator("#source")).to_have_text("desk")
    wait_for(page, "Number(document.getElementById('fps').textContent) > 5")
    wait_for(page, "document.getElementById('image').naturalWidth === 320")
    assert not page.locator("#empty").is_visible()


def test_without_digits_the_page_shows_a_hint(windows: Windows) -> None:
    with serve_page(digits=0) as served:
        page = windows.open(served.base)
        expect(page.locator("#empty")).to_have_text("No digits in view. Hold a page with dark digits into the light.")
        served.camera.digits = 3
        expect(rows_of(page)).to_have_text(["777"])
        expect(page.locator("#announcement")).to_have_text("7 7 7")  # for screen readers: digits, not a number
        served.camera.digits = 0
        expect(page.locator("#announcement")).to_have_text("7 7 7 is gone")
        expect(page.locator("#history .change")).to_have_text(["gone", "new"])
        page.close()


def test_a_lost_camera_is_shown_until_it_is_back(windows: Windows) -> None:
    with serve_page(is_plugged_in=False) as served:
        page = windows.open(served.base)
        expect(page.locator("#notice")).to_have_text("Waiting for the first frame")
        served.camera.is_plugged_in = True
        expect(page.locator("#state")).to_have_text("Live")
        served.camera.is_plugged_in = False
        expect(page.locator("#state")).to_have_text("Camera lost, reconnecting")
        expect(page.locator("#notice")).to_be_visible()
        served.camera.is_plugged_in = True
        expect(page.locator("#state")).to_have_text("Live")
        page.close()


def test_the_page_reconnects_after_a_restart_of_the_server(windows: Windows) -> None:
    with serve_page(digits=1) as served:
        page = windows.open(served.base)
        expect(rows_of(page)).to_have_text(["7"])
        wait_for(page, "document.getElementById('image').naturalWidth > 0")
        before = page.evaluate(PIXELS)
    expect(page.locator("#state")).to_have_text("Connection lost, reconnecting")
    with serve_page(digits=3, port=served.port):
        expect(page.locator("#state")).to_have_text("Live")
        expect(rows_of(page)).to_have_text(["777"])
        wait_for(page, f"({PIXELS})() !== {before}")
        page.close()
    windows.ignore_failed_requests()


def test_a_restart_with_another_token_is_shown(windows: Windows) -> None:
    with serve_page(host="0.0.0.0") as served:
        page = windows.open(f"{served.base}/?token={served.sink.token}")
        assert page.url == f"{served.base}/"
        expect(page.locator("#state")).to_have_text("Live")
    with serve_page(host="0.0.0.0", port=served.port):
        expect(page.locator("#state")).to_have_text("Token expired")
        expect(page.locator("#notice")).to_contain_text("Open the new URL")
        page.close()
    windows.ignore_failed_requests()


def test_on_a_phone_the_page_does_not_scroll_sideways(windows: Windows) -> None:
    with serve_page(digits=3) as served:
        page = windows.open(served.base, viewport=PHONE, has_touch=True, is_mobile=True)
        expect(rows_of(page)).to_have_text(["777"])
        box = page.locator("#rows").bounding_box()
        assert box["y"] + box["height"] < PHONE["height"], "the rows are out of sight"
        page.locator("#stages summary").click()
        wait_for(page, "[...document.querySelectorAll('[data-stage]')].every((one) => one.naturalWidth > 0)")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        small = "(one) => one.offsetParent && one.getBoundingClientRect().height < 44"
        assert page.evaluate(f"[...document.querySelectorAll('button, .button')].filter({small}).length") == 0
        page.close()


def test_a_digit_drawn_with_the_mouse_is_classified_and_cleared(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    canvas = page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.85 * box["height"], steps=10)
    page.mouse.up()
    expect(page.locator("#drawn")).to_have_text("1")
    expect(page.locator("#drawn-text")).to_contain_text("Read as 1")
    expect(page.locator("#bars .best")).to_contain_text("1")
    assert page.locator("#bars li").count() == 10
    ink = "document.getElementById('crop').getContext('2d').getImageData(0, 0, 28, 28).data[4 * (14 * 28 + 14)]"
    assert page.evaluate(ink) > 200
    page.locator("#clear").click()
    expect(page.locator("#drawn-text")).to_have_text("Nothing is drawn yet.")


def test_a_digit_drawn_with_the_keyboard_is_classified(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    page.locator("#canvas").focus()
    for key in ["ArrowUp"] * 11 + ["Space"] + ["ArrowDown"] * 22 + ["Space", "ArrowRight"]:
        page.keyboard.press(key)
    expect(page.locator("#drawn-text")).to_contain_text("Read as 1")
    expect(page.locator("#drawn-announcement")).to_contain_text("Read as 1")
    page.keyboard.press("Delete")
    expect(page.locator("#drawn")).to_have_text("?")


def test_tab_reaches_all_controls_in_order(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    expect(page.locator("#history li")).to_have_count(1)
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"the focus on {reached[-1]} is invisible"
    assert reached == ["pause", "snapshot", "BUTTON", "threshold", "history", "canvas", "clear", "SUMMARY", "A"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert page.locator("#stages").evaluate("(stages) => stages.open")


def test_pause_freezes_image_and_rows_of_one_viewer(windows: Windows) -> None:
    with serve_page(digits=1) as served:
        page, other = windows.open(served.base), windows.open(served.base)
        expect(rows_of(page)).to_have_text(["7"])
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#paused")).to_contain_text("The reader continues")
        wait_for(page, "document.getElementById('image').src.startsWith('blob:')")
        before = page.evaluate(PIXELS)
        served.camera.digits = 3
        expect(rows_of(other)).to_have_text(["777"])
        page.wait_for_timeout(300)
        assert page.evaluate(PIXELS) == before
        assert page.locator("#snapshot").get_attribute("href") == page.locator("#image").get_attribute("src")
        expect(rows_of(page)).to_have_text(["7"])
        page.locator("#pause").click()
        expect(rows_of(page)).to_have_text(["777"])
        wait_for(page, f"({PIXELS})() !== {before}")
        assert page.locator("#snapshot").get_attribute("href") == "/snapshot.jpg"
        page.close()
        other.close()


def test_all_viewers_share_the_threshold(windows: Windows) -> None:
    with serve_page() as served:
        page, other = windows.open(served.base), windows.open(served.base)
        expect(other.locator("#threshold-shown")).to_have_text("25 %")
        page.locator("#threshold").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#threshold-shown")).to_have_text("27 %")
        expect(other.locator("#threshold-shown")).to_have_text("27 %")
        expect(other.locator("#threshold")).to_have_value("27")
        assert served.reader.threshold == 0.27
        page.locator("#threshold").fill("100")
        expect(other.locator("#empty")).to_be_visible()
        page.close()
        other.close()


def test_stages_are_fetched_only_while_they_are_open(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if "/stages/" in request.url else None)
    expect(page.locator("#state")).to_have_text("Live")
    page.wait_for_timeout(500)
    assert not fetched
    page.locator("#stages summary").click()
    wait_for(page, "[...document.querySelectorAll('[data-stage]')].every((one) => one.naturalWidth > 0)")
    served.wait_for(lambda: page.wait_for_timeout(50) or len(fetched) >= 12)
    page.locator("#stages summary").click()
    page.wait_for_timeout(200)
    count = len(fetched)
    assert count <= 18
    page.wait_for_timeout(1100)
    assert len(fetched) == count


def test_for_a_hidden_page_no_frame_is_encoded(windows: Windows) -> None:
    turn = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with serve_page() as served:
        page = windows.open(served.base)
        expect(rows_of(page)).to_have_text(["77"])
        page.evaluate(turn, True)
        page.wait_for_timeout(500)
        encoded = served.sink.encoded_frames
        served.camera.digits = 3
        page.wait_for_timeout(500)
        assert served.sink.encoded_frames == encoded > 0
        page.evaluate(turn, False)
        expect(rows_of(page)).to_have_text(["777"])
        served.wait_for(lambda: served.sink.encoded_frames > encoded)
        page.close()


def test_the_snapshot_is_downloaded(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    with page.expect_download() as download:
        page.locator("#snapshot").click()
    assert download.value.suggested_filename.startswith("digitedge-")
    expect(page.locator("#state")).to_have_text("Live")


def test_every_control_and_landmark_has_a_name(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base)
    for role, name in (
        ("button", "Pause"),
        ("link", "Save image"),
        ("slider", "Confidence threshold"),
        ("application", "Drawing canvas"),
        ("button", "Clear"),
        ("region", "Live image"),
        ("region", "Reading"),
        ("region", "History"),
        ("region", "Draw a digit"),
        ("list", "Rows of digits, top to bottom"),
    ):
        expect(page.get_by_role(role, name=name, exact=True)).to_have_count(1)
    for role in ("main", "banner", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)


def test_a_row_that_was_read_wrong_is_corrected_and_saved(tmp_path: Path, windows: Windows) -> None:
    with serve_page(crops=CropSink(tmp_path / "crops")) as served:
        page = windows.open(served.base)
        expect(rows_of(page)).to_have_text(["77"])
        page.get_by_role("button", name="Wrong?").click()
        box = page.get_by_role("textbox", name="What does 77 really say?")
        expect(box).to_be_focused()
        expect(box).to_have_value("77")
        page.keyboard.type("123")
        page.keyboard.press("Enter")
        expect(page.locator("#correction-state")).to_have_text(
            "expected 2 characters, one for each digit of 77 (x for what is no digit), got 3"
        )
        box.fill("1x")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#correction-state")).to_have_text(f"Saved 2 digits in {tmp_path / 'crops'}.")
        expect(box).to_be_hidden()
        expect(page.get_by_role("button", name="Wrong?")).to_be_focused()
        page.close()
    images = list_images(tmp_path / "crops")
    assert [(image.label, image.record.predicted, image.record.checked) for image in images] == [
        (1, 7, True),
        (None, 7, True),
    ]
    windows.ignore_failed_requests()


def test_without_a_folder_for_crops_a_correction_is_refused_in_one_line(served: ServedPage, windows: Windows) -> None:
    page = windows.open(served.base, viewport=PHONE)
    page.get_by_role("button", name="Wrong?").click()
    expect(page.locator("#correction-state")).to_contain_text("start digitedge camera with --save-crops DIR")
    expect(page.locator("#correction")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    windows.ignore_failed_requests()
