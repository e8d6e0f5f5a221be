import importlib.util
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Windows
from served_page import ServedPage, serve_page

# These tests need digitedge[web].
collect_ignore_glob = [] if all(map(importlib.util.find_spec, ("starlette", "uvicorn"))) else ["test_*.py"]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    """One page for all tests of a file that do not change it."""
    with serve_page() as served:
        served.wait_until_live()
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium: apt install chromium")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def windows(browser: Any) -> Iterator[Windows]:
    windows = Windows(browser)
    yield windows
    for context in windows.contexts:
        context.close()
    assert not windows.errors
