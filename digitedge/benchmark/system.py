"""Describe this machine and its state, as far as the system reports them; None for what it does not report."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from digitedge.runtime import RUNTIMES

ROOT = Path("/")
PACKAGES = ("digitedge", "numpy", "opencv-python", "opencv-python-headless", *(one.package for one in RUNTIMES))

# Load average over a minute from which a machine counts as busy.
BUSY_LOAD = 0.5

# Names of ARM cores, which report their part number only. Source: Arm, Main ID Register, implementer 0x41.
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
# Bits of `vcgencmd get_throttled` on a Raspberry Pi: now; 16 bits higher: since the start of the system.
_THROTTLING = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change during a benchmark. `max_mhz` and `governor` are those of the first core."""

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
class MachineState:
    """Clock of the first core, temperature of the hottest thermal zone, load average over the last minute.

    `throttling`: why a Raspberry Pi slows down, now or since its start; empty if it does not.
    """

    mhz: int | None
    temperature_c: float | None
    throttling: list[str] | None
    load: float | None


def describe_machine(root: Path = ROOT) -> Machine:
    """Describe this machine; `root` contains proc and sys."""
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


def read_machine_state(root: Path = ROOT) -> MachineState:
    """Read the state of this machine; `root` contains proc and sys."""
    zones = [_number(path) for path in sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))]
    hottest = max((zone for zone in zones if zone is not None), default=None)
    return MachineState(
        mhz=_mhz(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq") or _cpuinfo_mhz(root),
        temperature_c=None if hottest is None else round(hottest / 1000, 1),
        throttling=_throttling(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_disturbances(before: MachineState, after: MachineState) -> list[str]:
    """Return what may have slowed down the measurement; the load after it is its own."""
    reasons = dict.fromkeys([*(before.throttling or []), *(after.throttling or [])])
    found = [f"slowed down: {reason}" for reason in reasons]
    if before.load is not None and before.load >= BUSY_LOAD:
        found.append(f"busy: load average {before.load} before the start; close other programs and measure again")
    return found


def decode_throttled(answer: str) -> list[str] | None:
    """Decode the output of `vcgencmd get_throttled`, such as "throttled=0x50005"; None for anything else.

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
    reasons = []
    for bit, name in _THROTTLING.items():
        if bits >> bit & 1:
            reasons.append(f"{name} now")
        elif bits >> (bit + 16) & 1:
            reasons.append(f"{name} since the start of the system")
    return reasons


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
    """Return the model of the device tree, else maker and product as the firmware of a PC has them."""
    dmi = root / "sys/devices/virtual/dmi/id"
    parts = [_read(dmi / name) for name in ("sys_vendor", "product_name")]
    return _read(root / "proc/device-tree/model") or " ".join(filter(None, parts)) or None


def _cpu(root: Path) -> str | None:
    """Return the model name; on ARM the names of the cores; on macOS the name that the system reports."""
    info = _read(root / "proc/cpuinfo") or ""
    named, part = _values(info, "model name"), _values(info, "CPU part")
    if named:
        return named[0]
    if part:
        return " + ".join(dict.fromkeys(_ARM_PARTS.get(number, f"ARM part {number}") for number in part))
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
    """Return the text of a system file without the NUL that ends a device tree's; None if there is none."""
    try:
        return path.read_text(errors="replace").strip("\0 \n") or None
    except OSError:
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
