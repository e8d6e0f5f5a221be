import json
import subprocess
import sys
from pathlib import Path

import pytest
from processes import start

SOAK = Path(__file__).parents[1] / "performance" / "soak.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_threads_and_files_do_not_grow() -> None:
    """The short form of `make soak`, in a process of its own."""
    command = [sys.executable, SOAK, "--frames", "600"]
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, out + errors
    assert json.loads(out.splitlines()[-1])["opened"] == 2  # lost once
