"""An emulated 64-bit Raspberry Pi for arm64.py: a root of Debian arm64 on QEMU's Cortex-A72.

All mounts are in a mount namespace of this process: other processes do not see them, and they end with it.
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
WORK = ROOT / "work"  # the installation of one run; /work inside
NEEDS = {"debootstrap": "debootstrap", "qemu-aarch64-static": "qemu-user-static", "unshare": "util-linux"}
SUITE, PACKAGES = "bookworm", "python3,python3-venv,libgl1,libglib2.0-0"
PYTHON = "3.11"  # bookworm's
COPIED = (
    *("tests", "demos", "docs", "export"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml", "LICENSE"),
)
TESTING = ("pytest", "pytest-timeout", "hypothesis", "httpx")
BINFMT = Path("/proc/sys/fs/binfmt_misc")
# binfmt entry: name, magic number of 64-bit little-endian ELF files for machine 0xb7, and its mask. F: the kernel opens
# QEMU when the entry is made, so it need not be in the root.
BINFMT_ENTRY = (
    r":{}:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:{}:F"
)
# /proc/cpuinfo of a Pi 4, by which LiteRT and ONNX Runtime choose their kernels. Without it, LiteRT does not use
# XNNPACK and int8 probabilities differ by 3/64; with that of an x86-64 processor, it crashes or hangs.
CPUINFO = "".join(
    f"processor\t: {core}\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
    "CPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
    for core in range(4)
)
CORES = {"possible": "0-3", "present": "0-3", "online": "0-3", "kernel_max": "3"}
ENTER = """mount -t proc proc "$0/proc" && mount --bind "$0/work/cpuinfo" "$0/proc/cpuinfo" \\
    && exec chroot "$0" env --chdir=/work "$@" """
START = time.monotonic()


def install_needs() -> None:
    """Install the programs that are missing, or exit with their names."""
    if os.geteuid():
        sys.exit("error: needs root, for a chroot and the kernel's list of programs. Run: sudo make test-arm64")
    missing = sorted({package for program, package in NEEDS.items() if not shutil.which(program)})
    if not missing:
        return
    command = ("apt-get", "install", "--yes", "--no-install-recommends", *missing)
    if not shutil.which("apt-get"):
        sys.exit(f"error: {' and '.join(missing)} missing; on Debian: {' '.join(command)}")
    log(f"missing: {' '.join(missing)}. Running: {' '.join(command)}")
    run("apt-get", "update", "-qq")
    run(*command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL)


@contextmanager
def arm64_programs() -> Iterator[None]:
    """Let the kernel run arm64 programs with QEMU. Before Linux 6.7 the entry outlives the mount, so it is removed."""
    if not (BINFMT / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT))
    name = f"digitedge-{os.getpid()}"
    (BINFMT / "register").write_text(BINFMT_ENTRY.format(name, shutil.which("qemu-aarch64-static")))
    try:
        yield
    finally:
        (BINFMT / name).write_text("-1")


def make_root() -> None:
    """Build the Debian root, unless an earlier run did. A failed build is removed."""
    log(f"{ROOT}: {'of an earlier run' if ROOT.exists() else f'Debian {SUITE} for arm64, minutes'}")
    if ROOT.exists():
        return
    draft = ROOT.with_name("draft")
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
    draft.mkdir(parents=True)
    try:
        debootstrap = ("debootstrap", "--arch=arm64", "--variant=minbase", f"--include={PACKAGES}")
        run(*isolate(), *debootstrap, SUITE, str(draft), stdout=subprocess.DEVNULL)
        draft.rename(ROOT)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def install() -> None:
    """Install the wheel, its dependencies, the tests and the bundles in the root."""
    log("wheels: of this project, and of its dependencies for arm64")
    shutil.rmtree(WORK, ignore_errors=True)
    for name in ("wheels", "tmp", "home"):
        (WORK / name).mkdir(parents=True)
    (WORK / "cpuinfo").write_text(CPUINFO)
    cores = ROOT / "sys/devices/system/cpu"
    cores.mkdir(parents=True, exist_ok=True)
    for name, text in CORES.items():
        (cores / name).write_text(text + "\n")
    for name in COPIED:
        (shutil.copytree if (HERE / name).is_dir() else shutil.copy)(HERE / name, WORK / name)
    quietly = ("--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *quietly, "--no-deps", f"--wheel-dir={WORK / 'wheels'}", ".")
    (wheel,) = (WORK / "wheels").iterdir()
    kinds = [f"--platform={kind}_aarch64" for kind in ("manylinux_2_28", "manylinux_2_27", "manylinux2014")]
    target = (*kinds, f"--python-version={PYTHON}", "--only-binary=:all:", f"--dest={WORK / 'wheels'}")
    run(sys.executable, "-m", "pip", "download", *quietly, *target, f"{wheel}[onnx,web,mqtt]", *TESTING)
    log("installing them under emulation")
    run_emulated("python3", "-m", "venv", "venv")
    run_emulated("pip", "install", *quietly, "--no-index", "--find-links=wheels", "digitedge[onnx,web,mqtt]", *TESTING)


def run_emulated(*command: str, check: bool = True, stdout: int | None = None) -> str:
    """Run a program under emulation, in the folder /work; returns its stdout if that is a pipe."""
    inside = {"PATH": "/work/venv/bin:/usr/sbin:/usr/bin:/bin", "HOME": "/work/home", "TMPDIR": "/work/tmp"}
    enter = (*isolate(), "sh", "-c", ENTER, str(ROOT))
    return run(*enter, *command, env=inside | {"LANG": "C.UTF-8", "QEMU_CPU": "cortex-a72"}, check=check, stdout=stdout)


def isolate() -> tuple[str, ...]:
    """Return a command prefix for mount and process namespaces that end with the program."""
    return ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child")


def run(*command: str, check: bool = True, **options: Any) -> str:
    """Run a program, or exit if it fails; returns its stdout if that is a pipe."""
    done = subprocess.run(command, text=True, **options)
    if check and done.returncode:
        sys.exit(f"error: {' '.join(command)} exited with {done.returncode}")
    return done.stdout or ""


def log(line: str) -> None:
    """Print a line with the seconds since the start to stderr."""
    print(f"[{time.monotonic() - START:4.0f} s] {line}", file=sys.stderr, flush=True)
