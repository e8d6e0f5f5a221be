"""Machine and state, read from folders that stand for /proc and /sys."""

from pathlib import Path

import pytest

from digitedge.benchmark.system import (
    MachineState,
    decode_throttled,
    describe_machine,
    find_disturbances,
    read_machine_state,
)

PI = {
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n" * 4,
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2400000\n",
    "sys/class/thermal/thermal_zone0/temp": "61250\n",
    "sys/class/thermal/thermal_zone1/temp": "48000\n",
}
PC = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD Ryzen 7 5800U with Radeon Graphics\ncpu MHz\t\t: 1896.812\n",
    "sys/devices/virtual/dmi/id/sys_vendor": "LENOVO\n",
    "sys/devices/virtual/dmi/id/product_name": "20XF\n",
    "sys/class/thermal/thermal_zone0/temp": "not a number\n",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def vcgencmd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installs a program of this name that prints the given text."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def install(answer: str) -> None:
        program = tmp_path / "bin" / "vcgencmd"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)

    return install


def test_a_raspberry_pi(tmp_path: Path, vcgencmd) -> None:
    write(tmp_path, PI)
    vcgencmd("throttled=0x50005")
    found, now = describe_machine(tmp_path), read_machine_state(tmp_path)
    assert (found.board, found.cpu) == ("Raspberry Pi 5 Model B Rev 1.0", "Cortex-A76")
    assert (found.governor, found.max_mhz) == ("ondemand", 2400)
    assert (now.mhz, now.temperature_c) == (1500, 61.2)
    assert now.throttling == ["under-voltage now", "throttled now"]


def test_a_laptop(tmp_path: Path, vcgencmd) -> None:
    write(tmp_path, PC)
    found, now = describe_machine(tmp_path), read_machine_state(tmp_path)
    assert (found.board, found.cpu) == ("LENOVO 20XF", "AMD Ryzen 7 5800U with Radeon Graphics")
    assert (found.governor, found.max_mhz) == (None, None)
    assert (now.mhz, now.temperature_c, now.throttling) == (1897, None, None)


def test_a_system_without_files_gives_none(tmp_path: Path, vcgencmd) -> None:
    found, now = describe_machine(tmp_path), read_machine_state(tmp_path)
    assert (found.board, found.governor, found.max_mhz) == (None, None, None)
    assert (now.mhz, now.temperature_c, now.throttling) == (None, None, None)
    assert found.cores >= 1
    assert found.versions["numpy"]


def test_two_types_of_cores_are_named_and_an_unknown_one_numbered(tmp_path: Path, vcgencmd) -> None:
    write(tmp_path, {"proc/cpuinfo": "CPU part\t: 0xd03\nCPU part\t: 0xd03\nCPU part\t: 0xfff\n"})
    assert describe_machine(tmp_path).cpu == "Cortex-A53 + ARM part 0xfff"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("throttled=0x0", []),
        ("throttled=0x1\n", ["under-voltage now"]),
        ("throttled=0x8", ["soft temperature limit now"]),
        (
            "throttled=0x60000",
            ["frequency capped since the start of the system", "throttled since the start of the system"],
        ),
        ("VCHI initialization failed", None),
        ("", None),
    ],
    ids=repr,
)
def test_throttling_is_decoded(answer: str, expected: list[str] | None) -> None:
    assert decode_throttled(answer) == expected


def test_throttling_and_load_are_disturbances() -> None:
    calm, hot = MachineState(2400, 50.0, [], 0.1), MachineState(1500, 85.0, ["throttled now"], 2.0)
    assert find_disturbances(calm, calm) == []
    assert find_disturbances(calm, hot) == ["slowed down: throttled now"]  # the load afterwards is our own
    assert find_disturbances(hot, hot)[1].startswith("busy: load average 2.0 before the start")
    assert find_disturbances(MachineState(None, None, None, None), MachineState(None, None, None, None)) == []
