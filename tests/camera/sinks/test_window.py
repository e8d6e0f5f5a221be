import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import start

from digitedge.camera import find_window_problem
from digitedge.camera.sinks import window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="screens are chosen by DISPLAY on Linux only")


@pytest.fixture
def no_wayland(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """A virtual screen, as the value of DISPLAY."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (apt install xvfb)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with start(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"
        server.terminate()
        server.wait(10)


def test_problem_without_a_screen_is_that_display_is_not_set(monkeypatch: pytest.MonkeyPatch, no_wayland: None) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert find_window_problem() == "there is no screen: DISPLAY is not set"


def test_screen_that_is_gone_is_found_without_an_abort(
    monkeypatch: pytest.MonkeyPatch, no_wayland: None, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":7654")
    problem = find_window_problem()
    assert problem is not None
    assert "the screen :7654 cannot be opened" in problem or "opencv-python-headless" in problem
    assert capfd.readouterr() == ("", "")


def test_screen_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, no_wayland: None) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(window, "PROBE_LIMIT_S", 0.001)
    assert find_window_problem() == "the screen :0 does not answer"


def test_problem_of_opencv_without_windows_names_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_wayland: None
) -> None:
    (tmp_path / "cv2.py").write_text(
        "def __getattr__(name): return 0  # any constant\n"
        "def namedWindow(name): raise RuntimeError('The function is not implemented. Rebuild the library')"
    )
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert find_window_problem() == "opencv-python-headless is installed, which has none; opencv-python has"


def test_screen_that_works_has_no_problem(monkeypatch: pytest.MonkeyPatch, no_wayland: None, screen: str) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    assert find_window_problem() is None


# In a process of its own: a process that has opened a window dies with the screen.
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
    command = [sys.executable, "-c", textwrap.dedent(SHOW).format(then=then)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start(command, env=os.environ | {"DISPLAY": screen}, **pipes) as process:
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return out.splitlines()


def test_frames_are_shown_at_the_requested_pace_without_messages(screen: str) -> None:
    assert show(screen) == ["True", "[True, True, True] True"]


@pytest.mark.parametrize(("key", "goes_on"), [("q", "False"), ("Escape", "False"), ("space", "True")])
def test_q_and_escape_quit_and_another_key_shows_the_next_image(screen: str, key: str, goes_on: str) -> None:
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool is not installed (apt install xdotool)")
    press = (
        f"press = subprocess.Popen(['sh', '-c', 'sleep 0.3; xdotool search --name digitedge windowfocus key {key}']); "
        "print(window.show(frame, hold_s=None)); press.wait()"
    )
    assert show(screen, press)[-1] == goes_on


def test_close_button_quits(screen: str) -> None:
    if shutil.which("openbox") is None or shutil.which("wmctrl") is None:
        pytest.skip("openbox or wmctrl is not installed (apt install openbox wmctrl)")
    press = (
        "press = subprocess.Popen(['sh', '-c', 'sleep 0.5; wmctrl -c digitedge']); "
        "print(window.show(frame, hold_s=None)); press.wait()"
    )
    with start(["openbox"], env=os.environ | {"DISPLAY": screen}, stderr=subprocess.DEVNULL):
        assert show(screen, press)[-1] == "False"
