import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from processes import start

FLOOD = Path(__file__).parent / "web_flood.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc and 127.0.0.2 are Linux's")
@pytest.mark.skipif(importlib.util.find_spec("uvicorn") is None, reason="needs digitedge[web]")
def test_a_flood_costs_neither_memory_nor_files_and_viewers_are_answered() -> None:
    """The short form of the attacks, without the rate of the reader: other tests use this machine too."""
    command = [sys.executable, FLOOD, "connect", "request", "--connections", "4000", "--seconds", "6", "--rounds", "2"]
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out, errors = process.communicate(timeout=240)
    attacks = json.loads(out)["attacks"]
    assert set(attacks) == {"connect", "request"}, errors
    for attack in attacks.values():
        assert set(attack["outside_the_mark"]) <= {"rate of the reader"}, out
        assert attack["attacked"]["answers"] > 10
