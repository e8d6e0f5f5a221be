"""The screen: whether a window can be opened."""

import os

from digitedge.doctor.finding import Finding, Status


def check_screen() -> Finding:
    """Try to open a window, as `digitedge camera` does. Needs a working OpenCV."""
    from digitedge.camera import find_window_problem

    problem = find_window_problem()
    if problem is not None:
        fix = "digitedge camera --headless"
        if "headless" in problem:
            fix += ", or: pip uninstall --yes opencv-python-headless && pip install opencv-python"
        return Finding("screen", Status.NOTE, f"no window: {problem}", fix)
    if os.environ.get("WAYLAND_DISPLAY"):
        found = "a window can be shown, but this is Wayland: it uses XWayland, which is unreliable"
        fix = "if the window stays empty, log in with X11 (Raspberry Pi: sudo raspi-config), or: --headless"
        return Finding("screen", Status.NOTE, found, fix)
    return Finding("screen", Status.OK, "a window can be shown")
