"""A window on the screen.

OpenCV's window library aborts the process (exit code 134, no exception) when there is no screen, or when DISPLAY names
one that is gone, as in an old tmux or ssh session. So a child process tries it first.
"""

import os
import subprocess
import sys
import time
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

TITLE = "digitedge"
QUIT_KEYS = {ord("q"), ord("Q"), 27}  # 27 is Esc
PROBE = "from digitedge.utils.opencv import cv2; cv2.namedWindow('digitedge'); cv2.destroyAllWindows()"
# Importing OpenCV and opening a window takes 0.3 s on a laptop and 2 to 3 s on a Raspberry Pi from a cold SD card.
PROBE_LIMIT_S = 20.0
STEP_MS = 20
# The window opens as large as fits into this, in pixels.
MAX_WIDTH, MAX_HEIGHT = 960, 720


def find_window_problem() -> str | None:
    """Return why a window cannot be shown here, such as "there is no screen: DISPLAY is not set"; None if it can."""
    _prepare_qt()
    display = os.environ.get("DISPLAY")
    if sys.platform == "linux" and not (display or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no screen: DISPLAY is not set"
    try:
        command = [sys.executable, "-P", "-c", PROBE]  # -P: a random.py of this folder must not hide Python's
        child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"the screen {display or ''} does not answer"
    if child.returncode == 0:
        return None
    messages = child.stderr.decode(errors="replace").strip()
    if "not implemented" in messages:
        return "opencv-python-headless is installed, which has none; opencv-python has"
    if child.returncode < 0 or "display" in messages:  # ended by a signal: abort
        return f"the screen {display or ''} cannot be opened, so DISPLAY may be out of date"
    return messages.splitlines()[-1] if messages else f"opening one failed with code {child.returncode}"


class Window:
    """A window that shows frames, until q, Esc or its close button. Call `find_window_problem()` first."""

    def __init__(self) -> None:
        _prepare_qt()
        self._is_open = False
        self._shown_at = time.monotonic()

    def show(self, frame: NDArray[np.uint8], *, hold_s: float | None = 0.0) -> bool:
        """Show a frame, uint8 (H, W, 3) BGR, until `hold_s` after the end of the one before; None waits for a key.

        Returns:
            False if the user quits: q, Esc, or the window was closed.
        """
        if not self._is_open:
            height, width = frame.shape[:2]
            scale = min(MAX_WIDTH / width, MAX_HEIGHT / height)
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(TITLE, round(scale * width), round(scale * height))
            self._is_open = True
        cv2.imshow(TITLE, frame)
        end = None if hold_s is None else self._shown_at + hold_s
        while True:
            left_ms = STEP_MS if end is None else round(1000 * (end - time.monotonic()))
            key = cv2.waitKey(min(STEP_MS, max(1, left_ms)))
            if key in QUIT_KEYS or _was_closed():
                return False
            if (end is None and key >= 0) or (end is not None and time.monotonic() >= end):
                self._shown_at = time.monotonic()
                return True

    def close(self) -> None:
        """Close the window."""
        if self._is_open and not _was_closed():
            cv2.destroyAllWindows()
            cv2.waitKey(1)  # handles the event now
        self._is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _was_closed() -> bool:
    """Tell whether the user closed the window. OpenCV with Qt then raises instead of returning 0."""
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
    except cv2.error:
        return True


def _prepare_qt() -> None:
    """Set the environment of Qt, the window library in pip's OpenCV for Linux, so that it prints no warnings."""
    os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # "cannot find font directory"
    if sys.platform == "linux" and os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")  # the only one in pip's OpenCV; under Wayland through XWayland
