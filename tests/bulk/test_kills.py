"""A job that is killed at random moments: its workers, and the program itself."""

import os
import random
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from made_documents import scan_pdf, write_tiff
from numbered_pages import write_pages
from processes import start

from digitedge.utils.images import read_image

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


def pack(folder: Path) -> None:
    """Pack the last 80 of 180 pages into a packed tar, a zip, a TIFF and a PDF of 20 pages each."""
    pages = [folder / "pages" / f"page-{number}.png" for number in range(100, 180)]
    with tarfile.open(folder / "pages" / "box.tar.gz", "w:gz") as box:
        for page in pages[:20]:
            box.add(page, page.name)
    with zipfile.ZipFile(folder / "pages" / "box.zip", "w") as box:
        for page in pages[20:40]:
            box.write(page, page.name)
    write_tiff(folder / "pages" / "book.tif", [read_image(page) for page in pages[40:60]])
    (folder / "pages" / "book.pdf").write_bytes(scan_pdf([read_image(page) for page in pages[60:]], dpi=100))
    for page in pages:
        page.unlink()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_every_page_is_there_once_after_20_kills_at_random_moments(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    (tmp_path / "pages").mkdir()
    write_pages(tmp_path / "pages", 180)
    (tmp_path / "pages" / "page-77.png").write_bytes(b"bad")
    pack(tmp_path)
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
            page = tmp_path / "pages" / f"page-{chance.randrange(100)}.png"
            os.utime(page)
    sound = [line for part in content(tmp_path / "sound").values() for line in part.splitlines()]
    found = [line for part in content(tmp_path / "out").values() for line in part.splitlines()]
    assert sorted(found) == sorted(sound)
    assert len(sound) == 180
    assert not list((tmp_path / "out").glob(".digitedge-*"))
