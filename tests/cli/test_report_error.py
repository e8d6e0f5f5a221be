"""Errors that nobody expected, names from outside, and odd outputs: one line each, in real processes."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitedge.utils.opencv import cv2

Command = Callable[..., subprocess.CompletedProcess[str]]
posix_names = pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
CLI = Path(__file__).parents[2] / "digitedge" / "cli"

# Runs the command line with a decoder of images that raises what the name of an image says.
PROGRAM = """
from pathlib import Path

from digitedge.utils import images

good = images.decode_image
def decode_image(content, *, name):
    if Path(name).stem in errors:
        raise errors[Path(name).stem]
    return good(content, name=name)
errors = {
    "bug": KeyError("x"),
    "memory": MemoryError(),
    "recursion": RecursionError("too\\ndeep"),
    "system": OSError(5, "Input/output error"),
}
images.decode_image = decode_image
from digitedge.cli import main
main()
"""


def run_with_bugs(folder: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    for name in ("a", *names, "z"):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((100, 100), 255, np.uint8))
    command = [sys.executable, "-c", PROGRAM, "predict", "."]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


def test_an_unexpected_error_is_one_line_with_the_file_and_the_others_are_read(tmp_path: Path) -> None:
    done = run_with_bugs(tmp_path, "bug", "memory", "recursion", "system")
    assert (done.returncode, done.stdout) == (1, "a.png: no digits\nz.png: no digits\n")
    bug, memory, recursion, system = done.stderr.splitlines()[1:]
    assert bug.startswith("error: bug.png: unexpected KeyError: 'x' (digitedge/documents/pages.py:")
    assert "Set DIGITEDGE_DEBUG=1" in bug
    assert memory.startswith("error: memory.png: expected enough memory, got less than is needed. ")
    assert recursion.startswith("error: recursion.png: unexpected RecursionError: too (digitedge/")
    assert system == "error: system.png: Input/output error"


def test_debug_prints_the_traceback_before_the_line(tmp_path: Path) -> None:
    lines = run_with_bugs(tmp_path, "bug", DIGITEDGE_DEBUG="1").stderr.splitlines()
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1].startswith("error: bug.png: unexpected KeyError")


def test_an_error_in_a_thread_is_one_line() -> None:
    code = """
import threading
from digitedge.cli import main
def die():
    raise KeyError("lost")
import digitedge.cli.app
print_version = digitedge.cli.app.print_line
def print_line(line):
    thread = threading.Thread(target=die, name="reader")
    thread.start()
    thread.join()
    print_version(line)
digitedge.cli.app.print_line = print_line
main()
"""
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: thread reader: unexpected KeyError: 'lost'. ")


@posix_names
def test_names_of_any_bytes_are_read_and_escaped(digitedge: Command, tmp_path: Path) -> None:
    good, damaged = b"7\xff\x1b[31m\nerror: fake.png", "8ü\x1b]0;title\x07.png".encode()
    folder = os.fsencode(tmp_path / "images")
    os.mkdir(folder)
    blank = cv2.imencode(".png", np.full((100, 100), 255, np.uint8))[1].tobytes()
    for name, content in ((good, blank), (damaged, blank[:50])):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    options = ["--annotate", "copies", "--stages", "slides"]
    done = digitedge("predict", "images", *options, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 1
    assert done.stdout == "images/7\\udcff\\x1b[31m\\nerror: fake.png: no digits\n"
    _, line = done.stderr.splitlines()
    assert line.startswith("error: images/8ü\\x1b]0;title\\x07.png: expected a complete image")
    assert [os.listdir(os.fsencode(tmp_path / out)) for out in ("copies", "slides")] == [
        [good],
        [good.replace(b".png", b"-stages.png")],
    ]
    reading = json.loads(digitedge("predict", "images", "--json", PYTHONIOENCODING="ascii:strict").stdout)
    assert os.fsencode(reading["source"]) == b"images/" + good


@posix_names
@pytest.mark.parametrize("source", [b"x\xff.dat", b"/dev/video\xff", b"rtsp://cam/\xff"])
def test_a_source_that_opencv_cannot_name_is_refused(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "file").touch()
    with open(os.path.join(os.fsencode(tmp_path), b"x\xff.dat"), "wb"):
        pass
    command = [sys.executable, "-m", "digitedge", "camera", os.fsdecode(source), "--headless"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("error: expected a name in UTF-8, got ")


def test_a_wrong_option_cannot_steer_the_terminal(digitedge: Command) -> None:
    done = digitedge("camera", "demo", "--record", "\x1b[31m.mov")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "cannot record to \\x1b[31m.mov" in done.stderr


@pytest.mark.parametrize("content", [b"\xff\xfe garbage [", b"text.usetex: True\nbackend: gtk3agg\nnonsense: 3\n"])
def test_a_matplotlibrc_of_the_current_folder_is_not_read(digitedge: Command, tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "matplotlibrc").write_bytes(content)
    code = "from digitedge.utils.quiet import require_matplotlib as load; print(load().rcParams['text.usetex'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_notes_that_cannot_be_printed_do_not_stop_a_command(digitedge: Command, released: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "digitedge", "info"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, timeout=60)
    assert "runs by default" in done.stdout


def test_every_command_prints_through_the_functions_that_escape() -> None:
    allowed = {"common.py", "__init__.py"}
    for path in CLI.rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {ast.unparse(function) for function in calls}
        assert path.name in allowed or not names & {"print", "typer.echo", "typer.secho"}, path
