"""`digitedge camera` as a user runs it: real processes, because that is where exit codes and signals get lost."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from digitedge.synthetic.scenes.clip import render_clip
from digitedge.utils.opencv import cv2

COMMAND = [sys.executable, "-m", "digitedge", "camera"]
LIMIT_S = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")


def camera(
    *arguments: str, folder: Path, input: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in `folder`, on a machine without a screen."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT | environment,
        input=input,
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


def test_a_image_is_read_to_a_line_with_its_name(desk: Path) -> None:
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


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rotate", "45"], "rotation of 0, 90, 180 or 270"),
        (["--flip", "sideways"], "flip"),
        (["--roi", "1,2,3"], "x,y,width,height"),
        (["--roi", "0,0,0,5"], "at least one pixel"),
        (["--pattern", "("], "regular expression"),
        (["--min-confidence", "2"], "min-confidence"),
        (["--width", "640"], "can be asked of a camera, but demo has its own"),
        (["--web", "here"], "PORT"),
        (["--mqtt", "broker.local"], "mqtt://"),
        (["--record", "clip.gif"], ".mkv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_exit_code_2(options: list[str], complaint: str, tmp_path: Path) -> None:
    done = camera("demo", "--headless", *options, folder=tmp_path)
    assert done.returncode == 2
    assert complaint in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_the_part_of_the_turned_frame_that_was_asked_for_is_read(desk: Path) -> None:
    done = camera("page.png", "--json", "--rotate", "180", "--roi", "0,0,160,240", folder=desk)
    line = json.loads(done.stdout)
    assert (line["width"], line["height"]) == (160, 240)
    assert len(line["digits"]) <= 1
    assert line["state"] == "live"


def test_rules_keep_other_rows_out_of_the_events(desk: Path) -> None:
    assert camera("clip.avi", "--headless", "--expect-length", "3", folder=desk).stdout == ""
    assert camera("clip.avi", "--headless", "--pattern", "7+", folder=desk).stdout == "77\n"


def test_events_are_the_lines_in_which_something_happens(desk: Path) -> None:
    done = camera("clip.avi", "--events", folder=desk)
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert line["schema"] == "digitedge.reading/1"
    assert [(event["event"], event["change"], event["text"]) for event in line["events"]] == [
        ("reading", "appeared", "77")
    ]
    assert [row["text"] for row in line["stable"]] == ["77"]


@posix_only
def test_images_come_through_a_pipe(desk: Path) -> None:
    jpeg = cv2.imencode(".jpg", cv2.imread(str(desk / "page.png")))[1].tobytes()
    command = [*COMMAND, "-", "--json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=desk, env=ENVIRONMENT, **pipes) as process:
        for _ in range(15):
            process.stdin.write(jpeg)
            process.stdin.flush()
            time.sleep(0.05)
        out, errors = process.communicate(timeout=LIMIT_S)
    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, errors
    assert lines[0]["source"] == "-"
    assert lines[0]["rows"] == ["77"]


def test_nothing_on_a_pipe_is_an_error(tmp_path: Path) -> None:
    done = camera("-", "--headless", folder=tmp_path, input="")
    assert done.returncode == 1
    assert "error: expected JPEG images on standard input, got none" in done.stderr


ENDINGS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name != "nt" else [])]


@posix_only
@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
def test_a_signal_ends_everything_within_a_second_and_finishes_the_recording(number: int, tmp_path: Path) -> None:
    command = [*COMMAND, "demo", "--json", "--record", "desk.mp4", "--save-crops", "crops", "--web", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, **pipes) as process:
        for _ in range(30):
            assert process.stdout.readline()
        started = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=LIMIT_S)
    took_s = time.monotonic() - started
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert "page: http://127.0.0.1:" in errors
    video = cv2.VideoCapture(str(tmp_path / "desk.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) >= 25
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops", "desk.mp4"]
    assert took_s < 5  # a second on a machine that has nothing else to do


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed (apt install ffmpeg)")
def test_rows_of_a_stream_come_once_though_its_server_is_killed_and_started_again(tmp_path: Path) -> None:
    """A clip of two sheets over HTTP; the server is killed while the first is seen, and goes on where it was."""
    rows = write_clip(tmp_path / "clip.mp4")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/live"

    def serve(start_s: float) -> subprocess.Popen[bytes]:
        source = ["-re", "-ss", str(start_s), "-i", str(tmp_path / "clip.mp4")]
        command = ["ffmpeg", "-loglevel", "quiet", *source, "-f", "mpjpeg", "-q:v", "3", "-listen", "1", address]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    server = serve(0)
    command = [*COMMAND, address, "--events", "--patience", "5"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    time.sleep(1)
    try:
        with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, **pipes) as process:
            lines = [json.loads(process.stdout.readline())]
            server.kill()
            server.wait()
            lines.append(json.loads(process.stdout.readline()))
            server = serve(1.5)
            served = time.monotonic()
            lines.append(json.loads(process.stdout.readline()))
            back_s = time.monotonic() - served
            out, errors = process.communicate(timeout=LIMIT_S)
    finally:
        server.kill()
        server.wait()
    lines += [json.loads(line) for line in out.splitlines()]
    assert [line["state"] for line in lines[:3]] == ["live", "reconnecting", "live"]
    assert back_s < 3
    texts = [event["text"] for line in lines for event in line["events"] if event["change"] != "left"]
    assert sorted(texts) == sorted(rows)
    assert "was lost and did not come back in 5 s" in errors


def write_clip(path: Path) -> list[str]:
    """A clip of two pages, three seconds each; the rows that are written there."""
    rows: list[str] = []
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    for seed in (3, 4):
        scene = next(render_clip(seed=seed))
        rows += scene.rows
        for _ in range(30):
            writer.write(scene.frame)
    writer.release()
    return rows


def test_a_live_source_is_shown_in_a_window_until_q_is_pressed(tmp_path: Path) -> None:
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("Xvfb or xdotool is not installed (apt install xvfb xdotool)")
    reading, writing = os.pipe()
    screen = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(screen, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as answer:
            environment = ENVIRONMENT | {"DISPLAY": f":{answer.readline().strip()}"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([*COMMAND, "demo"], cwd=tmp_path, env=environment, **pipes) as process:
            search = ["xdotool", "search", "--sync", "--name", "^digitedge$"]
            subprocess.run(search, env=environment, capture_output=True, timeout=LIMIT_S, check=True)
            time.sleep(1)  # some frames
            press = ["xdotool", "search", "--name", "^digitedge$", "windowfocus", "key", "q"]
            subprocess.run(press, env=environment, capture_output=True, timeout=LIMIT_S, check=True)
            out, errors = process.communicate(timeout=LIMIT_S)
        server.terminate()
    assert (process.returncode, out) == (0, ""), errors
    assert int(errors.split("frames read: ")[1].split(",")[0]) > 0
