"""The screen: whether a window can be shown."""

import os

from digitedge.doctor.finding import Finding, Status


def check_screen() -> Finding:
    """Try a window, as `digitedge camera` does before it opens one. Needs an OpenCV that works."""
    from digitedge.camera import why_no_window

    reason = why_no_window()
    if reason is not None and "headless" in reason:
        mend = (
            "digitedge camera --headless, or: pip uninstall --yes opencv-python-headless && pip install opencv-python"
        )
        return Finding("screen", Status.NOTE, f"no window: {reason}", mend)
    if reason is not None:
        return Finding("screen", Status.NOTE, f"no window: {reason}", "digitedge camera --headless")
    if os.environ.get("WAYLAND_DISPLAY"):
        found = "a window can be shown, but this is Wayland: it goes through XWayland, which is unreliable"
        mend = "if the window stays empty, log in with X11 (Raspberry Pi: sudo raspi-config), or: --headless"
        return Finding("screen", Status.NOTE, found, mend)
    return Finding("screen", Status.OK, "a window can be shown")
