"""`digitedge serve` in real processes: what `predict` prints, how it ends, and that no worker is left."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from processes import start

from digitedge.bundle.bundle import released_bundle

pytest.importorskip("starlette", reason="needs digitedge[serve]")
pytest.importorskip("prometheus_client", reason="needs digitedge[serve]")

COMMAND = [sys.executable, "-m", "digitedge"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "DIGITEDGE_WEB_TOKEN"}
PAGE = Path(__file__).parents[2] / "demos/page.jpg"
LIMIT_S = 60


@contextmanager
def server(*arguments: str) -> Iterator[tuple[Any, str]]:
    """Start `digitedge serve` on a free port; gives the process and the address, when a worker is ready."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start([*COMMAND, "serve", "0", "--workers", "1", *arguments], env=ENVIRONMENT, **pipes) as process:
        address = next(line for line in process.stderr if line.startswith("page: ")).split()[1].rstrip("/")
        end = time.monotonic() + LIMIT_S
        while httpx.get(f"{address}/healthz").status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        yield process, address


def readings(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) | {"ms": None} for line in lines.splitlines()]


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


def worker_of(pid: int) -> int:
    return next(child for child in children(pid) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes())


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, "processes are left"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_it_answers_with_what_predict_prints_and_ends_with_its_workers(tmp_path: Path) -> None:
    image = cv2.imread(str(PAGE))
    document = cv2.imencodemulti(".tif", [image, cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)])[1].tobytes()
    files = {"page.jpg": PAGE.read_bytes(), "two.tif": document}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    options = ["--threshold", "0.5", "--expect-length", "7"]
    command = [*COMMAND, "predict", "--json", *files, *options]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S).stdout
    with server(*options) as (process, address):
        answers = [
            httpx.post(f"{address}/v1/read?name={name}", content=content, timeout=LIMIT_S).text
            for name, content in files.items()
        ]
        broken = b"--x\r\nBad Header\xff: 1\r\n\r\n"  # of which nothing is logged
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        assert httpx.post(f"{address}/v1/read", content=broken, headers=form).status_code == 400
        workers = children(process.pid)
        assert workers
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=LIMIT_S)
        wait_until_gone(workers)
    assert (process.returncode, out, errors) == (143, "", "")
    assert readings("".join(answers)) == readings(printed)
    assert [len(reading["rows"]) for reading in readings(printed)] == [3, 3, 3]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["Ctrl-C", "kill"])
def test_no_worker_is_left_when_it_ends(number: int, code: int) -> None:
    with server() as (process, _):
        workers = children(process.pid)
        assert workers
        process.send_signal(number)
        assert process.wait(LIMIT_S) == code
        wait_until_gone(workers)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_model_that_was_changed_meanwhile_ends_the_server_in_one_line(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(released_bundle(), tmp_path / "bundle"))
    with server("--model", str(bundle)) as (process, address):
        os.kill(worker_of(process.pid), signal.SIGKILL)
        assert httpx.post(f"{address}/v1/read", content=PAGE.read_bytes(), timeout=LIMIT_S).status_code == 200
        (bundle / "manifest.json").write_text("{}")
        os.kill(worker_of(process.pid), signal.SIGKILL)
        with suppress(httpx.TransportError):
            assert httpx.post(f"{address}/v1/read", content=PAGE.read_bytes(), timeout=LIMIT_S).status_code == 503
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert re.fullmatch(r"error: .*manifest.*\n", errors), errors
