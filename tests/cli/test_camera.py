"""`digitedge camera` in real processes, because exit codes and signals get lost elsewhere."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import start

from digitedge.camera import Frame
from digitedge.synthetic.scenes import render_clip
from digitedge.utils.opencv import cv2

COMMAND = [sys.executable, "-m", "digitedge", "camera"]
LIMIT_S = 60
UNSET = ("DISPLAY", "WAYLAND_DISPLAY", "DIGITEDGE_WEB_TOKEN", "DIGITEDGE_MQTT", "DIGITEDGE_SOURCE")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in UNSET}
PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")


def camera(
    *arguments: str, folder: Path, input: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in `folder`, without a screen."""
    command = [*COMMAND, *arguments]
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    with start(command, cwd=folder, env=ENVIRONMENT | environment, stdin=stdin, **PIPES) as process:
        out, errors = process.communicate(input, timeout=LIMIT_S)
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def draw_seven(page: Frame, left: int) -> None:
    stroke = np.array([(left, 80), (left + 45, 80), (left + 15, 150)])
    cv2.polylines(page, [stroke], False, (30, 30, 30), 8, cv2.LINE_AA)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with page.png, which says 77, and clip.avi, which shows it for 20 frames."""
    page = np.full((240, 320, 3), 225, np.uint8)
    draw_seven(page, 80)
    draw_seven(page, 180)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for _ in range(20):
        writer.write(page)
    writer.release()
    return tmp_path


def test_image_is_read_to_a_line_with_its_name(desk: Path) -> None:
    done = camera("page.png", "--headless", folder=desk)
    assert (done.returncode, done.stdout) == (0, "page.png: 77\n")
    assert "frames read: 1" in done.stderr


def test_stable_row_of_a_video_is_printed_once(desk: Path) -> None:
    done = camera("clip.avi", "--headless", folder=desk)
    assert (done.returncode, done.stdout) == (0, "77\n")
    assert "frames read: 20" in done.stderr


def test_json_prints_one_reading_per_line_for_every_frame(desk: Path) -> None:
    done = camera("clip.avi", "--json", "--max-frames", "5", folder=desk)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [(line["schema"], line["source"], line["frame"]) for line in lines] == [
        ("digitedge.reading/1", "clip.avi", number) for number in range(5)
    ]
    assert [line["time"] for line in lines] == [0.0, 0.04, 0.08, 0.12, 0.16]
    assert [line["rows"] for line in lines] == [["77"]] * 5
    assert "no window" not in done.stderr


def test_threshold_of_1_reads_nothing(desk: Path) -> None:
    done = camera("page.png", "--headless", "--threshold", "1", folder=desk)
    assert (done.returncode, done.stdout) == (
        0,
        "page.png: no digits, but what looks like writing   (2 rejected)\n",
    )


def test_missing_screen_is_reported_in_one_line_and_rows_are_printed(desk: Path) -> None:
    done = camera("page.png", folder=desk)
    assert (done.returncode, done.stdout) == (0, "page.png: 77\n")
    assert [line for line in done.stderr.splitlines() if "window" in line] == [
        "no window, because there is no screen: DISPLAY is not set. Printing the stable rows, as --headless does."
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="DISPLAY is Linux's")
def test_screen_that_is_gone_does_not_abort_the_program(desk: Path) -> None:
    done = camera("page.png", folder=desk, DISPLAY=":7654")
    assert (done.returncode, done.stdout) == (0, "page.png: 77\n")
    assert "no window, because" in done.stderr
    assert "qt" not in done.stderr.lower()


@pytest.mark.skipif(sys.platform != "linux", reason="DISPLAY is Linux's")
def test_requested_window_without_a_screen_is_an_error(desk: Path) -> None:
    done = camera("page.png", "--window", folder=desk)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot show a window: there is no screen: DISPLAY is not set. Use --headless")
    assert "sudo apt install libgl1 libglib2.0-0" in done.stderr


def test_missing_camera_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = camera("77", "--headless", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    errors = [line for line in done.stderr.splitlines() if not line.startswith("model: ")]
    assert len(errors) == 1
    assert errors[0].startswith("error: cannot open camera 77 with ")
    assert errors[0].endswith("digitedge camera demo")


def test_missing_file_is_exit_code_1_and_wrong_option_2(tmp_path: Path) -> None:
    missing = camera("holiday.mp4", folder=tmp_path)
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: there is no holiday.mp4.")
    assert camera("0", "--max-frames", "0", folder=tmp_path).returncode == 2


@posix_only
def test_closed_pipe_ends_the_program_without_a_message(desk: Path) -> None:
    program = " ".join(COMMAND)
    pipe = f"({program} clip.avi --json; echo code $? >&2) | head -1"
    with start(["sh", "-c", pipe], cwd=desk, env=ENVIRONMENT, **PIPES) as process:
        out, errors = process.communicate(timeout=LIMIT_S)
    assert json.loads(out)["frame"] == 0
    assert errors.splitlines()[-1] == "code 0"
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


@pytest.fixture
def ribbon_camera(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment with an endless rpicam-vid on the PATH; at the end it must have exited."""
    page = np.full((240, 320, 3), 225, np.uint8)
    draw_seven(page, 120)
    cv2.imwrite(str(tmp_path / "page.jpg"), page)
    program = tmp_path / "rpicam-vid"
    program.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nwhile cat '{tmp_path}/page.jpg'; do sleep 0.02; done\n")
    program.chmod(0o755)
    yield ENVIRONMENT | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@posix_only
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_signal_ends_the_program_and_its_camera_with_its_exit_code(
    ribbon_camera: dict[str, str], tmp_path: Path, number: int, code: int
) -> None:
    with start([*COMMAND, "rpicam", "--json"], cwd=tmp_path, env=ribbon_camera, **PIPES) as process:
        assert json.loads(process.stdout.readline())["rows"] == ["7"]
        process.send_signal(number)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == code
    assert "Traceback" not in errors


def test_opencv_without_a_shared_object_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    done = camera("demo", folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("error: OpenCV cannot start: libGL.so.1")
    assert len(done.stderr.splitlines()) == 1


def test_demo_needs_no_camera(tmp_path: Path) -> None:
    done = camera("demo", "--json", "--max-frames", "3", folder=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [(line["source"], line["width"], line["height"]) for line in lines] == [("demo", 640, 480)] * 3
    assert lines[0]["digits"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rotate", "45"], "rotation of 0, 90, 180 or 270"),
        (["--flip", "sideways"], "flip"),
        (["--roi", "1,2,3"], "x,y,width,height"),
        (["--roi", "0,0,0,5"], "at least one pixel"),
        (["--pattern", "("], "regular expression"),
        (["--width", "640"], "options of cameras, got demo"),
        (["--web", "here"], "PORT"),
        (["--mqtt", "broker.local"], "mqtt://"),
        (["--record", "clip.gif"], ".mkv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_option_is_exit_code_2(options: list[str], message: str, tmp_path: Path) -> None:
    done = camera("demo", "--headless", *options, folder=tmp_path)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_only_the_region_of_the_rotated_frame_is_read(desk: Path) -> None:
    done = camera("page.png", "--json", "--rotate", "180", "--roi", "0,0,160,240", folder=desk)
    line = json.loads(done.stdout)
    assert (line["width"], line["height"]) == (160, 240)
    assert len(line["digits"]) <= 1
    assert line["state"] == "live"


def test_only_rows_of_the_expected_length_and_pattern_are_printed(desk: Path) -> None:
    assert camera("clip.avi", "--headless", "--expect-length", "3", folder=desk).stdout == ""
    assert camera("clip.avi", "--headless", "--pattern", "7+", folder=desk).stdout == "77\n"


def test_events_prints_only_lines_with_an_event(desk: Path) -> None:
    done = camera("clip.avi", "--events", folder=desk)
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert line["schema"] == "digitedge.reading/1"
    assert [(event["event"], event["change"], event["text"]) for event in line["events"]] == [("row", "appeared", "77")]
    assert [row["text"] for row in line["stable"]] == ["77"]


@posix_only
def test_images_are_read_from_a_pipe(desk: Path) -> None:
    jpeg = cv2.imencode(".jpg", cv2.imread(str(desk / "page.png")))[1].tobytes()
    command = [*COMMAND, "-", "--json"]
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    with start(command, cwd=desk, env=ENVIRONMENT, **pipes) as process:
        for _ in range(15):
            process.stdin.write(jpeg)
            process.stdin.flush()
            time.sleep(0.05)
        out, errors = process.communicate(timeout=LIMIT_S)
    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, errors
    assert lines[0]["source"] == "-"
    assert lines[0]["rows"] == ["77"]


def test_empty_pipe_is_an_error(tmp_path: Path) -> None:
    done = camera("-", "--headless", folder=tmp_path, input="")
    assert done.returncode == 1
    assert "error: expected JPEG images on standard input, got none" in done.stderr


SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name != "nt" else [])]


def test_digits_of_photographs_are_saved_and_counted(desk: Path) -> None:
    result = camera("page.png", "--save-crops", "crops", folder=desk)
    assert result.returncode == 0
    assert "crops: 2 crops saved\n" in result.stderr
    again = camera("page.png", "--save-crops", "crops", folder=desk)
    assert "crops: 0 crops saved, 2 left out\n" in again.stderr
    assert sorted(path.name for path in (desk / "crops/7").iterdir()) == ["000001.png", "000002.png"]


@posix_only
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signal_ends_all_sinks_in_time_and_completes_the_recording(number: int, tmp_path: Path) -> None:
    command = [*COMMAND, "demo", "--json", "--record", "desk.mp4", "--save-crops", "crops", "--web", "0"]
    environment = ENVIRONMENT | {"DIGITEDGE_WEB_TOKEN": "token-of-the-test"}
    with start(command, cwd=tmp_path, env=environment, **PIPES) as process:
        for _ in range(30):
            assert process.stdout.readline()
        started = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=LIMIT_S)
    duration_s = time.monotonic() - started
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert re.search(r"page: http://127\.0\.0\.1:\d+/\?token=\.\.\., with your token", errors)
    assert "token-of-the-test" not in errors
    video = cv2.VideoCapture(str(tmp_path / "desk.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) >= 25
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops", "desk.mp4"]
    assert duration_s < 5  # one second on an idle machine


def test_rows_of_a_stream_are_reported_once_when_its_server_restarts(tmp_path: Path) -> None:
    """Two pages over HTTP; the server ends during the first, and resumes after a restart."""
    rows, jpegs = [], []
    for seed in (3, 4):
        scene = next(render_clip(seed=seed))
        rows += scene.rows
        jpegs += [cv2.imencode(".jpg", scene.frame)[1].tobytes()] * 30
    with ExitStack() as stack:
        with serve_stream(jpegs) as port:
            command = [*COMMAND, f"http://127.0.0.1:{port}/live", "--events", "--patience", "5"]
            process = stack.enter_context(start(command, cwd=tmp_path, env=ENVIRONMENT, **PIPES))
            lines = [json.loads(process.stdout.readline())]
        lines.append(json.loads(process.stdout.readline()))
        with serve_stream(jpegs[15:], port=port):
            restarted = time.monotonic()
            lines.append(json.loads(process.stdout.readline()))
            reconnect_s = time.monotonic() - restarted
            out, errors = process.communicate(timeout=LIMIT_S)
    lines += [json.loads(line) for line in out.splitlines()]
    assert [line["state"] for line in lines[:3]] == ["live", "reconnecting", "live"]
    assert reconnect_s < 3
    texts = [event["text"] for line in lines for event in line["events"] if event["change"] != "left"]
    assert sorted(texts) == sorted(rows)
    assert "was lost and did not come back in 5 s" in errors


@contextmanager
def serve_stream(jpegs: list[bytes], *, port: int = 0) -> Iterator[int]:
    """Serve one client of an MJPEG stream with 10 frames a second, then refuse; on leaving, cut it off."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            listener.close()
            connection.recv(65536)
            header = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
            connection.sendall(header.encode())
            for jpeg in jpegs:
                if ended.wait(0.1):
                    break
                part = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                connection.sendall(part.encode() + jpeg + b"\r\n")

    with socket.create_server(("127.0.0.1", port)) as listener:
        port = listener.getsockname()[1]  # a client that comes at once closes it
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            ended.set()
            thread.join(5)


def test_live_source_is_shown_in_a_window_until_q_is_pressed(tmp_path: Path) -> None:
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("Xvfb or xdotool is not installed (apt install xvfb xdotool)")
    reading, writing = os.pipe()
    screen = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with start(screen, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as answer:
            environment = ENVIRONMENT | {"DISPLAY": f":{answer.readline().strip()}"}
        with start([*COMMAND, "demo"], cwd=tmp_path, env=environment, **PIPES) as process:
            press = ["xdotool", "search", "--name", "^digitedge$", "windowfocus", "key", "q"]
            latest = time.monotonic() + LIMIT_S
            while process.poll() is None and time.monotonic() < latest:
                time.sleep(1)
                subprocess.run(press, env=environment, capture_output=True, timeout=LIMIT_S)  # fails before it is open
            out, errors = process.communicate(timeout=LIMIT_S)
        server.terminate()
        server.wait(10)
    assert (process.returncode, out) == (0, ""), errors
    assert int(errors.split("frames read: ")[1].split(",")[0]) > 0
