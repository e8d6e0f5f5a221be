"""Windows of a real browser for tests: Debian's Chromium, driven by Playwright."""

import time
from typing import Any

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LIMIT_MS = 8000
Page = Any  # playwright.Page


class Windows:
    """Browser windows of one test; errors in their consoles are collected."""

    def __init__(self, browser: Any) -> None:
        self.errors: list[str] = []
        self.contexts: list[Any] = []
        self._browser = browser

    def open(self, url: str, *, viewport: dict[str, int] = DESKTOP, **options: Any) -> Page:
        context = self._browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(LIMIT_MS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        return page

    def ignore_failed_requests(self) -> None:
        self.errors = [error for error in self.errors if "Failed to load resource" not in error]


def wait_for(page: Page, condition: str) -> None:
    """Wait until an expression is true. Playwright's wait_for_function needs eval, which the page's policy forbids."""
    end = time.monotonic() + LIMIT_MS / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not true within {LIMIT_MS} ms: {condition}"
        page.wait_for_timeout(50)
