"""An emulated 64-bit Raspberry Pi: a root of Debian arm64 that runs on QEMU's Cortex-A72, for arm64.py.

All mounts are in a mount namespace of this process: nobody else sees them, and they end with it, whatever ends it.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
ROOT = HERE / "build/arm64/root"
WORK = ROOT / "work"  # what a run puts into the root; /work inside
NEEDS = {"debootstrap": "debootstrap", "qemu-aarch64-static": "qemu-user-static", "unshare": "util-linux"}
SUITE, PACKAGES = "bookworm", "python3,python3-venv,libgl1,libglib2.0-0"
PYTHON = "3.11"  # bookworm's
TESTING = ("pytest", "hypothesis", "httpx")
BINFMT = Path("/proc/sys/fs/binfmt_misc")
# Name, then 64-bit little-endian ELF files for machine 0xb7 and the bits that count. F: QEMU itself is opened out here.
ARM64_PROGRAMS = (
    r":{}:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:{}:F"
)
# How a Pi 4 describes its processor. LiteRT and ONNX Runtime choose their kernels by it: without, LiteRT leaves XNNPACK
# out and int8 answers differ by 3/64; with the description of the x86-64 processor, it crashes or hangs.
CPUINFO = "".join(
    f"processor\t: {core}\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
    "CPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
    for core in range(4)
)
CORES = {"possible": "0-3", "present": "0-3", "online": "0-3", "kernel_max": "3"}
ENTER = """mount -t proc proc "$0/proc" && mount --bind "$0/work/cpuinfo" "$0/proc/cpuinfo" \\
    && exec chroot "$0" env --chdir=/work "$@" """
START = time.monotonic()


def get_needs() -> None:
    """Say what is missing; install it where apt-get may."""
    if os.geteuid():
        sys.exit("error: needs root, for a chroot and the kernel's list of programs. Run: sudo make test-arm64")
    missing = sorted({package for program, package in NEEDS.items() if not shutil.which(program)})
    if not missing:
        return
    command = ("apt-get", "install", "--yes", "--no-install-recommends", *missing)
    if not shutil.which("apt-get"):
        sys.exit(f"error: {' and '.join(missing)} missing; on Debian: {' '.join(command)}")
    say(f"missing: {' '.join(missing)}. Running: {' '.join(command)}")
    run("apt-get", "update", "-qq")
    run(*command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL)


@contextmanager
def arm64_programs() -> Iterator[None]:
    """Have the kernel start arm64 programs with QEMU; before Linux 6.7 that outlives the mount, so take it back."""
    if not (BINFMT / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT))
    name = f"digitedge-{os.getpid()}"
    (BINFMT / "register").write_text(ARM64_PROGRAMS.format(name, shutil.which("qemu-aarch64-static")))
    try:
        yield
    finally:
        (BINFMT / name).write_text("-1")


def make_root() -> None:
    """Build the Debian root, unless an earlier run did. A broken build leaves nothing."""
    say(f"{ROOT}: {'of an earlier run' if ROOT.exists() else f'Debian {SUITE} for arm64, minutes'}")
    if ROOT.exists():
        return
    draft = ROOT.with_name("draft")
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
    draft.mkdir(parents=True)
    try:
        debootstrap = ("debootstrap", "--arch=arm64", "--variant=minbase", f"--include={PACKAGES}")
        run(*own_space(), *debootstrap, SUITE, str(draft), stdout=subprocess.DEVNULL)
        draft.rename(ROOT)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def install() -> None:
    """Put the wheel, what it depends on, the tests and the bundles into the root."""
    say("wheels: this project's, and for arm64 those that it depends on")
    shutil.rmtree(WORK, ignore_errors=True)
    for name in ("wheels", "tmp", "home"):
        (WORK / name).mkdir(parents=True)
    (WORK / "cpuinfo").write_text(CPUINFO)
    cores = ROOT / "sys/devices/system/cpu"
    cores.mkdir(parents=True, exist_ok=True)
    for name, text in CORES.items():
        (cores / name).write_text(text + "\n")
    for name in ("tests", "demos", "export", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "LICENSE"):
        (shutil.copytree if (HERE / name).is_dir() else shutil.copy)(HERE / name, WORK / name)
    quietly = ("--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *quietly, "--no-deps", f"--wheel-dir={WORK / 'wheels'}", ".")
    (wheel,) = (WORK / "wheels").iterdir()
    kinds = [f"--platform={kind}_aarch64" for kind in ("manylinux_2_28", "manylinux_2_27", "manylinux2014")]
    target = (*kinds, f"--python-version={PYTHON}", "--only-binary=:all:", f"--dest={WORK / 'wheels'}")
    run(sys.executable, "-m", "pip", "download", *quietly, *target, f"{wheel}[onnx,web,mqtt]", *TESTING)
    say("pip installs them there")
    emulated("python3", "-m", "venv", "venv")
    emulated("pip", "install", *quietly, "--no-index", "--find-links=wheels", "digitedge[onnx,web,mqtt]", *TESTING)


def emulated(*command: str, check: bool = True, stdout: int | None = None) -> str:
    """Run a program in the root, with /work as its folder."""
    inside = {"PATH": "/work/venv/bin:/usr/sbin:/usr/bin:/bin", "HOME": "/work/home", "TMPDIR": "/work/tmp"}
    enter = (*own_space(), "sh", "-c", ENTER, str(ROOT))
    return run(*enter, *command, env=inside | {"LANG": "C.UTF-8", "QEMU_CPU": "cortex-a72"}, check=check, stdout=stdout)


def own_space() -> tuple[str, ...]:
    """Mounts and processes of a program's own, which end with it."""
    return ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child")


def run(*command: str, check: bool = True, **options: Any) -> str:
    """Run a program, or say that it failed; its stdout, where that is a pipe."""
    done = subprocess.run(command, text=True, **options)
    if check and done.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}")
    return done.stdout or ""


def say(line: str) -> None:
    """Progress, with the seconds since the start."""
    print(f"[{time.monotonic() - START:4.0f} s] {line}", file=sys.stderr, flush=True)
