"""Inputs that try the runner itself: one of each outcome, and a crash that shows at the input after."""

import ctypes
import random
import time
from pathlib import Path

from fuzz.case import Case

from digitedge.errors import DigitEdgeError

TRAPS = ("works", "refused", "traceback", "crash", "hang", "memory", "plants a crash", "meets it")
_planted: list[bool] = []


def make_trap(rng: random.Random) -> Case:
    trap = rng.choice(TRAPS)
    return Case(trap, f"a trap: {trap}", {"trap": b""}, "trap")


def load_trap(path: Path, case: Case) -> None:
    if case.lie == "refused":
        raise DigitEdgeError("refused")
    if case.lie == "traceback":
        raise KeyError("traceback")
    if case.lie == "crash" or (case.lie == "meets it" and _planted):
        ctypes.string_at(0)
    if case.lie == "hang":
        time.sleep(60)
    if case.lie == "memory":
        assert bytearray(b"\1" * (700 << 20))
    if case.lie == "plants a crash":
        _planted.append(True)
