"""The page in a real browser: Debian's Chromium, moved by Playwright."""

import shutil
import time
from collections.abc import Iterator

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="wants playwright")

CHROMIUM = shutil.which("chromium")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LIMIT_MS = 8000
# The sum of all pixels of the image that is shown: tells one image from another.
PIXELS = """() => {
    const image = document.getElementById("image");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [64, 48];
    canvas.getContext("2d").drawImage(image, 0, 0, 64, 48);
    return canvas.getContext("2d").getImageData(0, 0, 64, 48).data.reduce((sum, value) => sum + value, 0);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("wants chromium: apt install chromium")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Open an address in a window of its own; errors in its console fail the test."""
    errors: list[str] = []
    contexts = []

    def open_page(url: str, *, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(LIMIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    open_page.errors = errors
    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def expect(locator):
    return playwright.expect(locator)


def wait_for(page, holds: str) -> None:
    """Wait until an expression is true; Playwright's own wait_for_function needs eval, which our policy forbids."""
    end = time.monotonic() + LIMIT_MS / 1000
    while not page.evaluate(holds):
        assert time.monotonic() < end, f"waited in vain for {holds}"
        page.wait_for_timeout(50)


def rows_of(page):
    return page.locator("#rows .text")


def test_rows_state_and_history_appear(served, opened) -> None:
    page = opened(served.base)
    expect(page.locator("#state")).to_have_text("Live")
    expect(rows_of(page)).to_have_text(["77"])
    expect(page.locator("#rows .sure")).to_have_text(["99 %"])
    expect(page.locator("#history li .text")).to_have_text(["77"])
    expect(page.locator("#source")).to_have_text("desk")
    wait_for(page, "Number(document.getElementById('fps').textContent) > 5")
    wait_for(page, "document.getElementById('image').naturalWidth === 320")
    assert not page.locator("#empty").is_visible()


def test_without_digits_the_page_says_what_to_do(serve, opened) -> None:
    with serve(digits=0) as served:
        page = opened(served.base)
        expect(page.locator("#empty")).to_have_text("No digits in view. Hold a page with dark digits into the light.")
        served.desk.digits = 3
        expect(rows_of(page)).to_have_text(["777"])
        expect(page.locator("#spoken")).to_have_text("7 7 7")  # a screen reader says digits, not a number
        served.desk.digits = 0
        expect(page.locator("#spoken")).to_have_text("7 7 7 is gone")
        expect(page.locator("#history .change")).to_have_text(["gone", "new"])
        page.close()


def test_a_lost_camera_is_said_and_comes_back(serve, opened) -> None:
    with serve(is_plugged_in=False) as served:
        page = opened(served.base)
        expect(page.locator("#notice")).to_have_text("Waiting for the first image")
        served.desk.is_plugged_in = True
        expect(page.locator("#state")).to_have_text("Live")
        served.desk.is_plugged_in = False
        expect(page.locator("#state")).to_have_text("Camera lost, trying again")
        expect(page.locator("#notice")).to_be_visible()
        served.desk.is_plugged_in = True
        expect(page.locator("#state")).to_have_text("Live")
        page.close()


def test_the_page_comes_back_by_itself_when_the_server_does(serve, opened) -> None:
    with serve(digits=1) as served:
        page = opened(served.base)
        expect(rows_of(page)).to_have_text(["7"])
        wait_for(page, "document.getElementById('image').naturalWidth > 0")
        before = page.evaluate(PIXELS)
    expect(page.locator("#state")).to_have_text("Connection lost, trying again")
    with serve(digits=3, port=served.port):
        expect(page.locator("#state")).to_have_text("Live")
        expect(rows_of(page)).to_have_text(["777"])
        wait_for(page, f"({PIXELS})() !== {before}")
        page.close()
    opened.errors[:] = [error for error in opened.errors if "Failed to load resource" not in error]


def test_a_restart_with_another_token_is_said(serve, opened) -> None:
    with serve(host="0.0.0.0") as served:
        page = opened(f"{served.base}/?token={served.page.token}")
        assert page.url == f"{served.base}/"
        expect(page.locator("#state")).to_have_text("Live")
    with serve(host="0.0.0.0", port=served.port):
        expect(page.locator("#state")).to_have_text("Address out of date")
        expect(page.locator("#notice")).to_contain_text("Open the new address")
        page.close()
    opened.errors[:] = [error for error in opened.errors if "Failed to load resource" not in error]


def test_a_phone_needs_no_scrolling_to_the_side(serve, opened) -> None:
    with serve(digits=3) as served:
        page = opened(served.base, viewport=PHONE, has_touch=True, is_mobile=True)
        expect(rows_of(page)).to_have_text(["777"])
        box = page.locator("#rows").bounding_box()
        assert box["y"] + box["height"] < PHONE["height"], "the rows are out of sight"
        page.locator("#steps summary").click()
        wait_for(page, "[...document.querySelectorAll('[data-step]')].every((one) => one.naturalWidth > 0)")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        small = "(one) => one.getBoundingClientRect().height < 44"
        assert page.evaluate(f"[...document.querySelectorAll('button, .button')].filter({small}).length") == 0
        page.close()


def test_a_digit_is_drawn_with_the_mouse_and_cleared(served, opened) -> None:
    page = opened(served.base)
    slate = page.locator("#slate")
    slate.scroll_into_view_if_needed()
    box = slate.bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.85 * box["height"], steps=10)
    page.mouse.up()
    expect(page.locator("#drawn")).to_have_text("1")
    expect(page.locator("#drawn-words")).to_contain_text("Reads as 1")
    expect(page.locator("#bars .best")).to_contain_text("1")
    assert page.locator("#bars li").count() == 10
    ink = "document.getElementById('crop').getContext('2d').getImageData(0, 0, 28, 28).data[4 * (14 * 28 + 14)]"
    assert page.evaluate(ink) > 200
    page.locator("#clear").click()
    expect(page.locator("#drawn-words")).to_have_text("Nothing is drawn yet.")


def test_a_digit_is_drawn_with_the_keyboard_alone(served, opened) -> None:
    page = opened(served.base)
    page.locator("#slate").focus()
    for key in ["ArrowUp"] * 11 + ["Space"] + ["ArrowDown"] * 22 + ["Space", "ArrowRight"]:
        page.keyboard.press(key)
    expect(page.locator("#drawn-words")).to_contain_text("Reads as 1")
    expect(page.locator("#drawn-spoken")).to_contain_text("Reads as 1")
    page.keyboard.press("Delete")
    expect(page.locator("#drawn")).to_have_text("?")


def test_tab_reaches_everything_in_order(served, opened) -> None:
    page = opened(served.base)
    expect(page.locator("#history li")).to_have_count(1)
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"the focus on {reached[-1]} is not seen"
    assert reached == ["pause", "snapshot", "threshold", "history", "slate", "clear", "SUMMARY", "A"]
    for _ in range(1):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert page.locator("#steps").evaluate("(steps) => steps.open")


def test_pause_holds_the_image_and_rows_of_this_viewer_only(serve, opened) -> None:
    with serve(digits=1) as served:
        page, other = opened(served.base), opened(served.base)
        expect(rows_of(page)).to_have_text(["7"])
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#paused")).to_contain_text("The reader goes on")
        wait_for(page, "document.getElementById('image').src.startsWith('blob:')")
        before = page.evaluate(PIXELS)
        served.desk.digits = 3
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


def test_the_threshold_is_shared_by_all_viewers(serve, opened) -> None:
    with serve() as served:
        page, other = opened(served.base), opened(served.base)
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


def test_steps_are_fetched_only_while_they_are_open(served, opened) -> None:
    page = opened(served.base)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if "/steps/" in request.url else None)
    expect(page.locator("#state")).to_have_text("Live")
    page.wait_for_timeout(500)
    assert not fetched
    page.locator("#steps summary").click()
    wait_for(page, "[...document.querySelectorAll('[data-step]')].every((one) => one.naturalWidth > 0)")
    served.wait_for(lambda: page.wait_for_timeout(50) or len(fetched) >= 12)
    page.locator("#steps summary").click()
    page.wait_for_timeout(200)
    count = len(fetched)
    assert count <= 18
    page.wait_for_timeout(1100)
    assert len(fetched) == count


def test_a_page_that_nobody_sees_costs_nothing(serve, opened) -> None:
    turn = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with serve() as served:
        page = opened(served.base)
        expect(rows_of(page)).to_have_text(["77"])
        page.evaluate(turn, True)
        page.wait_for_timeout(500)
        encoded = served.page.encoded
        served.desk.digits = 3
        page.wait_for_timeout(500)
        assert served.page.encoded == encoded > 0
        page.evaluate(turn, False)
        expect(rows_of(page)).to_have_text(["777"])
        served.wait_for(lambda: served.page.encoded > encoded)
        page.close()


def test_a_snapshot_is_downloaded(served, opened) -> None:
    page = opened(served.base)
    with page.expect_download() as download:
        page.locator("#snapshot").click()
    assert download.value.suggested_filename.startswith("digitedge-")
    expect(page.locator("#state")).to_have_text("Live")


def test_every_control_and_landmark_has_a_name(served, opened) -> None:
    page = opened(served.base)
    for role, name in (
        ("button", "Pause"),
        ("link", "Save image"),
        ("slider", "Least confidence"),
        ("application", "Drawing field"),
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
