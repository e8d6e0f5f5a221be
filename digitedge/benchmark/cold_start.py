"""Time of whole commands, from process start to exit."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from digitedge.benchmark.rendered_frames import page_frame
from digitedge.benchmark.timing import BLOCKS, rounded, time_call
from digitedge.errors import ModelError
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.images import write_image

LIMIT_S = 120.0


def measure_cold_start(model: Path) -> dict[str, Any]:
    """Time `digitedge --help`, and `digitedge predict` of a small image with ten digits.

    The first run of each is not counted, because it reads the files from disk. Returns best_ms and runs_ms by command.
    """
    with temporary_folder() as folder:
        image = folder / "page.png"
        write_image(image, page_frame(10, width=640, height=480))
        commands = {"--help": ["--help"], "predict": ["predict", str(image), "--model", str(model), "--force"]}
        return {name: _measure(arguments) for name, arguments in commands.items()}


def _measure(arguments: list[str]) -> dict[str, Any]:
    runs = [rounded(time_call(lambda: _run(arguments))) for _ in range(BLOCKS + 1)][1:]
    return {"best_ms": min(runs), "runs_ms": runs}


def _run(arguments: list[str]) -> None:
    # -P: without the current folder, like the installed command; else a json.py in it would hide Python's own.
    command = [sys.executable, "-P", "-m", "digitedge", *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired as exc:
        raise ModelError(f"digitedge {arguments[0]} does not exit within {LIMIT_S:g} s") from exc
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ModelError(f"digitedge {arguments[0]} exits with code {done.returncode}: {lines[-1] if lines else ''}")
