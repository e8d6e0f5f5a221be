"""The labelling page in a real browser: by keyboard, by mouse, and on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import PHONE, Page, Windows, wait_for
from labelled_folder import DIGITS, classifier, labels_in, make_folder

from digitedge.datasets.label_session import LabelSession
from digitedge.utils.opencv import cv2
from digitedge.web import Address
from digitedge.web.labelling import LabellingPage

expect = pytest.importorskip("playwright.sync_api", reason="needs playwright").expect


class Served:
    """A page of a collection."""

    def __init__(self, page: LabellingPage, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.url = page.url

    @property
    def labels(self) -> dict[str, tuple[int | None, bool]]:
        return labels_in(self.folder)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    folder = make_folder(tmp_path / "crops")
    with LabellingPage(Address(0), LabelSession(folder, classifier())) as page:
        yield Served(page, folder)


def tiles(page: Page) -> Any:
    return page.locator(".crop-tile")


def open_page(windows: Windows, served: Served, **options: Any) -> Page:
    page = windows.open(served.url, **options)
    expect(tiles(page)).to_have_count(len(served.labels))
    wait_for(page, "[...document.querySelectorAll('.crop-tile img')].every((one) => one.naturalWidth === 28)")
    return page


def test_keys_correct_confirm_and_take_back_labels(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    expect(page.locator("#progress-text")).to_have_text("0 of 12 checked")
    tiles(page).first.focus()
    right = page.locator("#model-text").inner_text().split("reads ")[1][0]
    first, second = (page.locator("#name").inner_text(), right)
    page.keyboard.press(second)
    expect(page.locator("#progress-text")).to_have_text("1 of 12 checked")
    expect(tiles(page).nth(1)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.keyboard.press(" ")
    expect(page.locator("#progress-text")).to_have_text("4 of 12 checked")
    expect(page.locator("#state")).to_have_text("Saved")
    assert served.labels[first[2:]] == (int(right), True)
    assert [label for label, _ in served.labels.values()].count(None) == 1
    page.keyboard.press("u")
    page.keyboard.press("Control+z")
    page.keyboard.press("u")
    page.keyboard.press("u")
    page.keyboard.press("u")  # one more than there is
    expect(page.locator("#progress-text")).to_have_text("0 of 12 checked")
    expect(page.locator("#undo")).to_be_disabled()
    expect(page.locator("#state")).to_have_text("Saved")
    expect(tiles(page).first).to_be_focused()
    assert served.labels[first[2:]] == (int(first[0]), False)
    assert not any(checked for _, checked in served.labels.values())


def test_arrows_and_tab_move_and_the_focus_is_visible(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    tiles(page).first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles(page).nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(tiles(page).nth(2)).to_be_focused()
    expect(tiles(page).nth(2)).to_have_attribute("aria-selected", "true")
    assert tiles(page).nth(2).evaluate("(one) => getComputedStyle(one).outlineStyle") != "none"
    page.keyboard.press("ArrowDown")
    below, above = (tiles(page).nth(2 + step).bounding_box() for step in (8, 0))
    assert below["x"] == above["x"]
    expect(tiles(page).nth(10)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    expect(tiles(page).first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tiles(page).first).to_be_focused()
    page.keyboard.press("End")
    expect(tiles(page).last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#announcement")).to_have_text("That was the last one.")


def test_on_a_phone_a_tap_opens_a_pad_of_digits(served: Served, windows: Windows) -> None:
    page = open_page(windows, served, viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("#pad")).to_be_hidden()
    tiles(page).first.tap()
    expect(page.locator("#pad")).to_be_visible()
    name = page.locator("#name").text_content()
    small = "(one) => one.offsetParent && one.getBoundingClientRect().height < 44"
    assert page.evaluate(f"[...document.querySelectorAll('button')].filter({small}).map((one) => one.id)") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="5", exact=True).tap()
    expect(page.locator("#progress-text")).to_have_text("1 of 12 checked")
    expect(tiles(page).nth(1)).to_have_attribute("aria-selected", "true")
    pad = page.locator("#pad").bounding_box()
    assert pad["y"] > PHONE["height"] / 2, "the pad covers more than half of the screen"
    tile = tiles(page).nth(1).bounding_box()
    assert tile["y"] + tile["height"] < pad["y"], "the pad covers the crop"
    expect(page.locator("#state")).to_have_text("Saved")
    assert served.labels[name[2:]] == (5, True)
    page.get_by_role("button", name="Undo").tap()
    page.get_by_role("button", name="Close").tap()
    expect(page.locator("#pad")).to_be_hidden()
    expect(page.locator("#progress-text")).to_have_text("0 of 12 checked")


def test_the_filter_shows_one_digit_and_counts_follow_the_labels(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    filter = page.get_by_role("group", name="Show the digits labelled")
    filter.get_by_role("button", name="8: 2", exact=True).click()
    expect(tiles(page)).to_have_count(2)
    expect(page.locator("#crops-title")).to_have_text("Digits labelled 8")
    tiles(page).first.focus()
    page.keyboard.press("3")
    expect(filter.get_by_role("button", name="3: 2", exact=True)).to_have_count(1)
    expect(tiles(page)).to_have_count(2)  # it stays in sight until the filter is chosen again
    filter.get_by_role("button", name="no digit: 0", exact=True).click()
    expect(page.locator("#none")).to_be_visible()
    filter.get_by_role("button", name="All: 12", exact=True).click()
    expect(tiles(page)).to_have_count(12)


def test_many_digits_are_shown_page_by_page_and_confirmed_together(tmp_path: Path, windows: Windows) -> None:
    folder = make_folder(tmp_path / "crops")
    for index in range(80):
        crop = np.zeros((28, 28), np.uint8)
        crop[4:24, 12:15] = 255 - index
        cv2.imwrite(str(folder / f"1/1{index:05d}.png"), crop)
    with LabellingPage(Address(0), LabelSession(folder, classifier())) as label_page:
        page = windows.open(label_page.url)
        expect(page.locator("#page")).to_have_text("Page 1 of 2")
        expect(tiles(page)).to_have_count(60)
        page.get_by_role("button", name="All 60 unchecked ones on this page are right").click()
        expect(page.locator("#page")).to_have_text("Page 2 of 2")
        expect(page.locator("#progress-text")).to_have_text("60 of 92 checked")
        expect(page.locator("#state")).to_have_text("Saved")
        assert sum(checked for _, checked in labels_in(folder).values()) == 60
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#page")).to_have_text("Page 1 of 2")
        expect(tiles(page).last).to_be_focused()
        page.keyboard.press("u")
        expect(page.locator("#progress-text")).to_have_text("0 of 92 checked")
        expect(page.locator("#state")).to_have_text("Saved")
        assert not any(checked for _, checked in labels_in(folder).values())
        page.close()


def test_an_image_that_is_gone_is_told_and_nothing_else_is_lost(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    tiles(page).first.focus()
    gone = page.locator("#name").inner_text()
    (served.folder / gone).unlink()
    page.keyboard.press("5")
    expect(page.locator("#problem")).to_contain_text(f"{gone} is not there any more")
    page.keyboard.press("x")
    expect(page.locator("#progress-text")).to_have_text("1 of 12 checked")
    expect(page.locator("#state")).to_have_text("Saved")
    assert sum(checked for _, checked in served.labels.values()) == 1


def test_a_label_that_cannot_be_written_is_told_and_can_be_set_again(served: Served, windows: Windows) -> None:
    (served.folder / "x").touch()  # a file in place of the folder
    page = open_page(windows, served)
    tiles(page).first.focus()
    page.keyboard.press("x")
    expect(page.locator("#problem")).to_contain_text("cannot write")
    expect(page.locator("#progress-text")).to_have_text("0 of 12 checked")
    expect(tiles(page).first).to_have_attribute("aria-label", "Labelled 1. It was not saved. Not checked.")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("7")
    expect(page.locator("#progress-text")).to_have_text("1 of 12 checked")
    expect(tiles(page).first).to_have_attribute("aria-label", re.compile("^Labelled 7.*Checked"))
    expect(page.locator("#state")).to_have_text("Saved")
    assert sorted(served.labels.values()).count((7, True)) == 1


@pytest.mark.slow
def test_labels_wait_while_the_connection_is_lost(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    tiles(page).first.focus()
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Connection lost, retrying")
    page.context.set_offline(False)
    expect(page.locator("#state")).to_have_text("Saved")
    assert sum(checked for _, checked in served.labels.values()) == 2
    windows.ignore_failed_requests()


def test_a_page_of_an_earlier_start_says_so(tmp_path: Path, windows: Windows) -> None:
    folder = make_folder(tmp_path / "crops")
    with LabellingPage(Address(0), LabelSession(folder, classifier())) as first:
        page = windows.open(first.url)
        expect(tiles(page)).to_have_count(12)
    with LabellingPage(first.address, LabelSession(folder, classifier())):
        tiles(page).first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#problem")).to_contain_text("belongs to an earlier start")
        expect(page.locator("#state")).to_have_text("Not saved")
        assert not any(checked for _, checked in labels_in(folder).values())
        page.reload()
        expect(page.locator("#state")).to_have_text("Saved")
        page.close()
    windows.ignore_failed_requests()


def test_done_ends_the_page(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    tiles(page).first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#ended-text")).to_have_text("1 of 12 digits are checked.")
    assert served.page.done.wait(5)


def test_everything_has_a_name_and_the_colours_follow_the_system(served: Served, windows: Windows) -> None:
    page = open_page(windows, served)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for role, name in (
        ("listbox", "All digits"),
        ("complementary", "Which digit is this?"),
        ("group", "Set the label"),
        ("button", "Done"),
        ("progressbar", "0 of 12 checked"),
    ):
        expect(page.get_by_role(role, name=name, exact=True)).to_have_count(1)
    expect(page.get_by_role("option")).to_have_count(len(DIGITS))
    expect(tiles(page).first).to_have_attribute("aria-label", "Labelled 1. The model reads 7, 100 %. Not checked.")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
