import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitedge.camera import why_no_window
from digitedge.camera.sinks import window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="screens are chosen by DISPLAY on Linux only")


@pytest.fixture
def no_wayland(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """A screen that nobody sees, as the value of DISPLAY."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (apt install xvfb)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as answer:
                yield f":{answer.readline().strip()}"
        finally:
            server.terminate()


def test_without_a_screen_there_is_no_window(monkeypatch: pytest.MonkeyPatch, no_wayland: None) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert why_no_window() == "there is no screen: DISPLAY is not set"


def test_a_screen_that_is_gone_is_found_out_without_an_abort(
    monkeypatch: pytest.MonkeyPatch, no_wayland: None, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":7654")
    reason = why_no_window()
    assert reason is not None
    assert "the screen :7654 cannot be opened" in reason or "opencv-python-headless" in reason
    assert capfd.readouterr() == ("", "")


def test_a_screen_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, no_wayland: None) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(window, "PROBE_LIMIT_S", 0.001)
    assert why_no_window() == "the screen :0 does not answer"


def test_opencv_without_windows_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_wayland: None
) -> None:
    (tmp_path / "cv2.py").write_text(
        "def namedWindow(name): raise RuntimeError('The function is not implemented. Rebuild the library')"
    )
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert why_no_window() == "opencv-python-headless is installed, which has none; opencv-python has"


def test_a_window_works_on_a_real_screen(monkeypatch: pytest.MonkeyPatch, no_wayland: None, screen: str) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    assert why_no_window() is None


# In a process of its own: once a process has opened a window, it dies with the screen.
SHOW = """
    import numpy as np, subprocess, time
    from digitedge.camera import Window
    frame = np.full((240, 320, 3), 200, np.uint8)
    with Window() as window:
        print(window.show(frame), flush=True)
        started = time.monotonic()
        print([window.show(frame, hold_s=0.1) for _ in range(3)], time.monotonic() - started >= 0.2, flush=True)
        {then}
"""


def show(screen: str, then: str = "") -> list[str]:
    code = textwrap.dedent(SHOW).format(then=then)
    environment = os.environ | {"DISPLAY": screen}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_frames_are_shown_at_the_pace_asked_for_and_silently(screen: str) -> None:
    assert show(screen) == ["True", "[True, True, True] True"]


@pytest.mark.parametrize(("key", "goes_on"), [("q", "False"), ("Escape", "False"), ("space", "True")])
def test_q_and_escape_end_and_another_key_shows_the_next_image(screen: str, key: str, goes_on: str) -> None:
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool is not installed (apt install xdotool)")
    press = (
        f"press = subprocess.Popen(['sh', '-c', 'sleep 0.3; xdotool search --name digitedge windowfocus key {key}']); "
        "print(window.show(frame, hold_s=None)); press.wait()"
    )
    assert show(screen, press)[-1] == goes_on


def test_the_close_button_ends(screen: str) -> None:
    if shutil.which("openbox") is None or shutil.which("wmctrl") is None:
        pytest.skip("openbox or wmctrl is not installed (apt install openbox wmctrl)")
    manager = subprocess.Popen(["openbox"], env=os.environ | {"DISPLAY": screen}, stderr=subprocess.DEVNULL)
    press = (
        "press = subprocess.Popen(['sh', '-c', 'sleep 0.5; wmctrl -c digitedge']); "
        "print(window.show(frame, hold_s=None)); press.wait()"
    )
    try:
        assert show(screen, press)[-1] == "False"
    finally:
        manager.terminate()
        manager.wait()
