"""A job that is killed at random moments: its workers, and the program itself."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from numbered_pages import write_pages
from processes import start

KILLS = 20


def children(pid: int) -> list[int]:
    """The worker processes of a program."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            is_child = f"\nPPid:\t{pid}\n" in (folder / "status").read_text()
            if is_child and "spawn_main" in (folder / "cmdline").read_text():
                found.append(int(folder.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("shard-*"))}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_every_page_is_there_once_after_20_kills_at_random_moments(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    write_pages(tmp_path / "pages", 260)
    (tmp_path / "pages" / "page-77.png").write_bytes(b"bad")
    base = [sys.executable, "-m", "digitedge", "bulk", tmp_path / "pages", "--model", "released", "--no-adaptation"]
    subprocess.run([*map(str, base), "--out", str(tmp_path / "sound"), "--workers", "1"], check=True, cwd=tmp_path)
    command = [*base, "--out", tmp_path / "out", "--workers", "2"]
    chance, kills, runs = random.Random(7), 0, 0
    while True:
        runs += 1
        with start(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            orphans: list[int] = []
            while kills < KILLS and process.poll() is None:
                time.sleep(chance.uniform(0.05, 0.9))
                workers = children(process.pid)
                if chance.random() < 0.4 or not workers:
                    orphans = workers  # without any, Python itself may still start: it ends in a traceback
                    signals = [signal.SIGKILL, signal.SIGINT, signal.SIGTERM] if workers else [signal.SIGKILL]
                    os.kill(process.pid, chance.choice(signals))
                    kills += 1
                    break
                os.kill(chance.choice(workers), signal.SIGKILL)
                kills += 1
            _, errors = process.communicate(timeout=240)
            assert b"Traceback" not in errors, errors.decode()
            deadline = time.monotonic() + 10
            while any(map(is_alive, orphans)):
                assert time.monotonic() < deadline, "workers go on without their parent"
                time.sleep(0.05)
        if process.returncode == 0 and kills >= KILLS:
            break
        assert runs < 4 * KILLS
        if process.returncode == 0:  # it was done before the last kill: begin again with a changed page
            page = tmp_path / "pages" / f"page-{chance.randrange(260)}.png"
            os.utime(page)
    sound = [line for part in content(tmp_path / "sound").values() for line in part.splitlines()]
    found = [line for part in content(tmp_path / "out").values() for line in part.splitlines()]
    assert sorted(found) == sorted(sound)
    assert len(sound) == 260
    assert not list((tmp_path / "out").glob(".digitedge-*"))
