import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "performance" / "soak.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_threads_and_files_stay_what_they_were() -> None:
    """The short form of `make soak`, in a process of its own."""
    done = subprocess.run([sys.executable, str(SOAK), "--frames", "600"], capture_output=True, text=True, timeout=200)
    measured = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, measured
    assert measured["opened"] == 2  # lost once
