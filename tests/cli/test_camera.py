"""`digitedge camera` as a user runs it: real processes, because that is where exit codes and signals get lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from digitedge.opencv import cv2

COMMAND = [sys.executable, "-m", "digitedge", "camera"]
LIMIT_S = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")


def camera(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in `folder`, on a machine without a screen."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


def write_seven(page: np.ndarray, left: int) -> None:
    stroke = np.array([(left, 80), (left + 45, 80), (left + 15, 150)])
    cv2.polylines(page, [stroke], False, (30, 30, 30), 8, cv2.LINE_AA)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with page.png, which says 77, and clip.avi, which shows it for 20 frames."""
    page = np.full((240, 320, 3), 225, np.uint8)
    write_seven(page, 80)
    write_seven(page, 180)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for _ in range(20):
        writer.write(page)
    writer.release()
    return tmp_path


def test_a_picture_is_read_to_a_line_with_its_name(desk: Path) -> None:
    done = camera("page.png", "--headless", folder=desk)
    assert (done.returncode, done.stdout) == (0, "page.png: 77\n")
    assert "frames read: 1" in done.stderr


def test_a_video_prints_its_rows_once_while_they_stay(desk: Path) -> None:
    done = camera("clip.avi", "--headless", folder=desk)
    assert (done.returncode, done.stdout) == (0, "77\n")
    assert "frames read: 20" in done.stderr


def test_json_gives_one_reading_a_line_for_every_frame(desk: Path) -> None:
    done = camera("clip.avi", "--json", "--max-frames", "5", folder=desk)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [(line["schema"], line["source"], line["frame"]) for line in lines] == [
        ("digitedge.reading/1", "clip.avi", number) for number in range(5)
    ]
    assert [line["time"] for line in lines] == [0.0, 0.04, 0.08, 0.12, 0.16]
    assert [line["rows"] for line in lines] == [["77"]] * 5
    assert "no window" not in done.stderr


def test_the_least_confidence_can_be_chosen(desk: Path) -> None:
    done = camera("page.png", "--headless", "--threshold", "1", folder=desk)
    assert (done.returncode, done.stdout) == (0, "page.png: -\n")


def test_without_a_screen_one_line_says_so_and_the_rows_are_printed(desk: Path) -> None:
    done = camera("page.png", folder=desk)
    assert (done.returncode, done.stdout) == (0, "page.png: 77\n")
    assert [line for line in done.stderr.splitlines() if "window" in line] == [
        "no window, because there is no screen: DISPLAY is not set. Printing the rows that stay, as --headless does."
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="DISPLAY is Linux's")
def test_a_screen_that_is_gone_does_not_abort_the_program(desk: Path) -> None:
    done = camera("page.png", folder=desk, DISPLAY=":7654")
    assert (done.returncode, done.stdout) == (0, "page.png: 77\n")
    assert "no window, because" in done.stderr
    assert "qt" not in done.stderr.lower()


@pytest.mark.skipif(sys.platform != "linux", reason="DISPLAY is Linux's")
def test_a_window_that_was_asked_for_and_cannot_be_shown_is_an_error(desk: Path) -> None:
    done = camera("page.png", "--window", folder=desk)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot show a window: there is no screen: DISPLAY is not set. Use --headless")
    assert "sudo apt install libgl1 libglib2.0-0" in done.stderr


def test_no_camera_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = camera("77", "--headless", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    errors = [line for line in done.stderr.splitlines() if not line.startswith("model: ")]
    assert len(errors) == 1
    assert errors[0].startswith("error: cannot open camera 77 with ")
    assert errors[0].endswith("digitedge camera demo")


def test_a_missing_file_is_exit_code_1_and_a_wrong_option_2(tmp_path: Path) -> None:
    missing = camera("holiday.mp4", folder=tmp_path)
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: there is no holiday.mp4.")
    assert camera("0", "--max-frames", "0", folder=tmp_path).returncode == 2


@posix_only
def test_a_reader_of_lines_that_leaves_ends_the_program_quietly(desk: Path) -> None:
    program = " ".join(COMMAND)
    pipe = f"({program} clip.avi --json; echo code $? >&2) | head -1"
    done = subprocess.run(
        ["sh", "-c", pipe], cwd=desk, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert json.loads(done.stdout)["frame"] == 0
    assert done.stderr.splitlines()[-1] == "code 0"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts the command on a ribbon camera, a program that this fixture puts on the PATH, and sees that it ended."""
    page = np.full((240, 320, 3), 225, np.uint8)
    write_seven(page, 120)
    cv2.imwrite(str(tmp_path / "page.jpg"), page)
    program = tmp_path / "rpicam-vid"
    program.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nwhile cat '{tmp_path}/page.jpg'; do sleep 0.02; done\n")
    program.chmod(0o755)
    environment = ENVIRONMENT | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [*COMMAND, "rpicam", "--json"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes))
        return started[0]

    yield start
    was_alive = started[0].poll() is None
    started[0].kill()
    started[0].communicate()
    if was_alive:
        time.sleep(1)  # the test has failed; the camera program ends by itself when nobody reads its pipe
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@posix_only
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_the_program_and_its_camera_with_the_right_code(endless, number: int, code: int) -> None:
    process = endless()
    assert json.loads(process.stdout.readline())["rows"] == ["7"]
    process.send_signal(number)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == code
    assert "Traceback" not in errors


def test_an_opencv_that_lacks_a_library_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    done = camera("demo", folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("error: OpenCV cannot start: libGL.so.1")
    assert len(done.stderr.splitlines()) == 1


def test_the_demo_needs_no_camera(tmp_path: Path) -> None:
    done = camera("demo", "--json", "--max-frames", "3", folder=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [(line["source"], line["width"], line["height"]) for line in lines] == [("demo", 640, 480)] * 3
    assert lines[0]["digits"]
