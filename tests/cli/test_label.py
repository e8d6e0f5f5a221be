"""`digitedge label` in real processes: it ends by Done or Ctrl-C, and refuses what it cannot show in one line."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from labelled_folder import labels_in, make_folder
from processes import start

pytest.importorskip("starlette", reason="needs digitedge[web]")

COMMAND = [sys.executable, "-m", "digitedge", "label"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "DIGITEDGE_WEB_TOKEN"}
LIMIT_S = 60


def label(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT_S
    )


@contextmanager
def page_of(folder: Path) -> Iterator[tuple[Any, str]]:
    """Serve the page of a folder; gives the process and the address."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start([*COMMAND, str(folder), "--port", "0"], env=ENVIRONMENT, **pipes) as process:
        address = next(line for line in process.stderr if line.startswith("page: ")).split()[1].rstrip("/")
        assert address.startswith("http://127.0.0.1:")
        yield process, address


@pytest.mark.slow
def test_done_ends_the_command_with_what_was_done(tmp_path: Path) -> None:
    with page_of(make_folder(tmp_path / "crops")) as (process, address):
        content = httpx.get(f"{address}/api/images").json()
        changes = [{"id": image["id"], "label": image["predicted"], "checked": True} for image in content["images"][:5]]
        httpx.post(f"{address}/api/labels", json={"session": content["session"], "changes": changes})
        httpx.post(f"{address}/api/done", content=content["session"].encode())
        out, errors = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, errors) == (0, "")
    assert out == "5 of 12 digits checked, 2 labels corrected\n"
    assert labels_in(tmp_path / "crops")["000010.png"] == (7, True)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_the_command_and_loses_nothing(tmp_path: Path) -> None:
    with page_of(make_folder(tmp_path / "crops")) as (process, address):
        content = httpx.get(f"{address}/api/images").json()
        change = {"id": content["images"][0]["id"], "label": None, "checked": True}
        httpx.post(f"{address}/api/labels", json={"session": content["session"], "changes": [change]})
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out, errors) == (130, "", "")
    assert (None, True) in labels_in(tmp_path / "crops").values()


def test_what_cannot_be_labelled_is_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "digits.npz", x=np.zeros((1, 28, 28), np.uint8), y=np.zeros(1, np.uint8))
    result = label("digits.npz", folder=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[1:] == [
        "error: digits.npz: expected a folder of images, whose labels can be corrected, got a file. Save its digits as "
        "images, such as 7/0001.png."
    ]
    wrong = label(".", "--port", "70000", folder=tmp_path)
    assert wrong.returncode == 2
    assert "expected a port or HOST:PORT" in wrong.stderr
