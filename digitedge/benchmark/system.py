"""What machine this is, and how it fares: what the system tells of itself; None where it does not."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path("/")
PACKAGES = ("digitedge", "numpy", "opencv-python", "opencv-python-headless", "ai-edge-litert", "onnxruntime")

# Processes that wait or run beside ours, on average over a minute, which make a machine busy.
BUSY = 0.5

# ARM's processors tell their number only. Source: Arm's Main ID Register, part numbers of implementer 0x41.
_ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
}
# Bits of `vcgencmd get_throttled` on a Raspberry Pi; 16 higher: the same since it was started.
_THROTTLING = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while we measure. `max_mhz` and `governor` are those of the first processor."""

    board: str | None
    cpu: str | None
    cores: int
    architecture: str
    system: str
    governor: str | None
    max_mhz: int | None
    python: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """How the machine fares at one moment.

    Attributes:
        mhz: clock of the first processor.
        temperature_c: of the hottest place that it measures, in degrees Celsius.
        throttling: what a Raspberry Pi says that holds it back, now or since its start; empty where nothing does.
        load: processes that ran or waited, on average over the last minute.
    """

    mhz: int | None
    temperature_c: float | None
    throttling: list[str] | None
    load: float | None


def machine(root: Path = ROOT) -> Machine:
    """Look at this machine; `root` is where proc and sys are."""
    clock = root / "sys/devices/system/cpu/cpu0/cpufreq"
    return Machine(
        board=_board(root),
        cpu=_cpu(root),
        cores=cores(),
        architecture=platform.machine(),
        system=platform.platform(terse=True),
        governor=_read(clock / "scaling_governor"),
        max_mhz=_mhz(clock / "cpuinfo_max_freq"),
        python=platform.python_version(),
        versions={name: found for name in PACKAGES if (found := _version(name))},
    )


def state(root: Path = ROOT) -> State:
    """Look at how the machine fares now; `root` is where proc and sys are."""
    zones = [_number(path) for path in sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))]
    hottest = max((zone for zone in zones if zone is not None), default=None)
    return State(
        mhz=_mhz(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq") or _cpuinfo_mhz(root),
        temperature_c=None if hottest is None else round(hottest / 1000, 1),
        throttling=_throttling(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def remarks(before: State, after: State) -> list[str]:
    """Say what may have made the figures worse than this machine is.

    The load counts before only: measuring is load itself.
    """
    held_back = dict.fromkeys([*(before.throttling or []), *(after.throttling or [])])
    busy = before.load is not None and before.load >= BUSY
    return [
        *(f"held back: {reason}" for reason in held_back),
        *(
            [f"busy: {before.load} processes ran or waited in the minute before the start; end them, measure again"]
            * busy
        ),
    ]


def decode_throttled(answer: str) -> list[str] | None:
    """Say what `vcgencmd get_throttled` means, such as "throttled=0x50005"; None for anything else.

    Examples:
        >>> decode_throttled("throttled=0x20002")
        ['frequency capped now']
        >>> decode_throttled("throttled=0x10000")
        ['under-voltage since the start of the system']
    """
    found = re.fullmatch(r"throttled=0x([0-9a-fA-F]+)", answer.strip())
    if not found:
        return None
    bits = int(found[1], 16)
    told = []
    for bit, name in _THROTTLING.items():
        if bits >> bit & 1:
            told.append(f"{name} now")
        elif bits >> (bit + 16) & 1:
            told.append(f"{name} since the start of the system")
    return told


def _throttling() -> list[str] | None:
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return decode_throttled(done.stdout)


def _board(root: Path) -> str | None:
    """A board's device tree, else what a PC's firmware says: maker and product."""
    dmi = root / "sys/devices/virtual/dmi/id"
    parts = [_read(dmi / name) for name in ("sys_vendor", "product_name")]
    return _read(root / "proc/device-tree/model") or " ".join(filter(None, parts)) or None


def _cpu(root: Path) -> str | None:
    """The model's name; on ARM the name of its part; on a Mac what the system calls it."""
    info = _read(root / "proc/cpuinfo") or ""
    named, part = _values(info, "model name"), _values(info, "CPU part")
    if named:
        return named[0]
    if part:
        kinds = dict.fromkeys(_ARM_PARTS.get(number, f"ARM part {number}") for number in part)
        return " + ".join(kinds)
    return platform.processor() or None


def _cpuinfo_mhz(root: Path) -> int | None:
    found = _values(_read(root / "proc/cpuinfo") or "", "cpu MHz")
    return round(float(found[0])) if found else None


def _values(info: str, key: str) -> Sequence[str]:
    return re.findall(rf"^{key}\s*:\s*(\S.*?)\s*$", info, re.MULTILINE)


def _mhz(path: Path) -> int | None:
    khz = _number(path)
    return None if khz is None else round(khz / 1000)


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text and re.fullmatch(r"-?\d+", text) else None


def _read(path: Path) -> str | None:
    """The text of a file of the system without the NUL that ends a device tree's; None where there is none."""
    try:
        return path.read_text(errors="replace").strip("\0 \n") or None
    except OSError:
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
