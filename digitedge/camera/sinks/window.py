"""A window on the screen, opened only where that is known to work.

OpenCV's window library ends the whole process (abort, exit code 134, no exception) when there is no screen, or when
DISPLAY names one that is gone, as in a stale tmux or ssh session. So a child process tries it first.
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
# The window opens as large as fits in here, in pixels: small frames are enlarged, and a laptop's screen has room left.
FIRST_WIDTH, FIRST_HEIGHT = 960, 720


def why_no_window() -> str | None:
    """Say why a window cannot be shown here; None when it can.

    Returns:
        A reason in a few words, such as "there is no screen: DISPLAY is not set".
    """
    _prepare_qt()
    display = os.environ.get("DISPLAY")
    if sys.platform == "linux" and not (display or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no screen: DISPLAY is not set"
    try:
        command = [sys.executable, "-P", "-c", PROBE]  # -P: no random.py of this folder in place of Python's
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
    """A window that shows frames, until q, Esc or its close button. Ask `why_no_window()` first."""

    def __init__(self) -> None:
        _prepare_qt()
        self._is_open = False
        self._shown_at = time.monotonic()

    def show(self, frame: NDArray[np.uint8], *, hold_s: float | None = 0.0) -> bool:
        """Show a frame and look at the keyboard.

        Args:
            frame: uint8 (H, W, 3) BGR.
            hold_s: seconds between the frame before and this one's end; None waits until a key is pressed.

        Returns:
            False once the user wants to end: q, Esc, or the window was closed.
        """
        if not self._is_open:
            self._open(*frame.shape[:2])
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
        """Take the window off the screen."""
        if self._is_open and not _was_closed():
            cv2.destroyAllWindows()
            cv2.waitKey(1)  # lets the window library do it now
        self._is_open = False

    def _open(self, height: int, width: int) -> None:
        zoom = min(FIRST_WIDTH / width, FIRST_HEIGHT / height)
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(TITLE, round(zoom * width), round(zoom * height))
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _was_closed() -> bool:
    """Whether the user has closed the window; Qt then drops all it had, and OpenCV raises instead of answering 0."""
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
    except cv2.error:
        return True


def _prepare_qt() -> None:
    """Tell Qt, the window library in pip's OpenCV for Linux, what it would otherwise complain about on stderr."""
    os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # "cannot find font directory"
    if sys.platform == "linux" and os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")  # the only one in pip's OpenCV; under Wayland through XWayland
