import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[1] / "chaos" / "kills.py"


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL and fork are of POSIX")
def test_killed_writers_leave_the_old_or_the_new_bundle_whole() -> None:
    """The short form of `make chaos`, in a process of its own."""
    command = [sys.executable, str(KILLS), "--kills", "15", "--exports", "0", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["schema"], report["failures"]) == ("digitedge.kills/1", [])
    assert sum(count for name, count in report["writers"].items() if "whole" in name or "no bundle" in name) == 15
