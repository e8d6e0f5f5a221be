"""Draft folders under real kills: the old or the new content at its place, and nothing left after a sweep."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import start

from digitedge.utils.drafts import sweep_drafts
from digitedge.utils.files import atomic_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="drafts are swept where locks end with their process: POSIX")

# Forks a process that dies at the n-th operation on files, for n = 0, 1, 2 ... until one comes to its end. It prints
# what was there after each kill, and after the sweep of the next command.
KILLS = """
import json, os, signal, sys
from itertools import count
from pathlib import Path
from digitedge.utils import drafts
from digitedge.utils.files import atomic_file, atomic_folder

kind, can_exchange, target = sys.argv[1], sys.argv[2] == "True", Path(sys.argv[3])

def write(text):
    if kind == "file":
        with atomic_file(target) as draft:
            draft.write_text(text)
        return
    with atomic_folder(target) as draft:
        for name in ("first", "second"):
            (draft / name).write_text(text)

def read():
    if not target.exists():
        return None
    files = [target] if kind == "file" else [target / name for name in ("first", "second")]
    (content,) = {file.read_text() for file in files}
    return content

def kill_at(number):
    operations = count()
    def hook(event, arguments):
        changes = event.startswith("os.") or event == "open"
        if changes and next(operations) == number:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

if not can_exchange:
    drafts._exchange = lambda first, second: False
for number in count():
    if kind != "new":
        write("old")
    child = os.fork()
    if child == 0:
        kill_at(number)
        write("new")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    at_once = read()
    drafts.sweep_drafts(target.parent)
    print(json.dumps({"ended": status == 0, "at_once": at_once, "swept": read(), "left": os.listdir(target.parent)}))
    if status == 0:
        break
    if kind == "new" and target.exists():
        for file in target.iterdir():
            file.unlink()
        target.rmdir()
"""


@pytest.mark.parametrize(
    ("kind", "can_exchange", "at_once", "swept"),
    [
        ("file", True, {"old", "new"}, {"old", "new"}),
        ("new", True, {None, "new"}, {None, "new"}),
        ("folder", True, {"old", "new"}, {"old", "new"}),
        ("folder", False, {"old", "new", None}, {"old", "new"}),
    ],
    ids=["a file", "a new folder", "a folder", "a folder without an exchange in one step"],
)
def test_a_kill_at_any_operation_leaves_the_old_or_the_new_one_and_nothing_else(
    tmp_path: Path, kind: str, can_exchange: bool, at_once: set[str | None], swept: set[str | None]
) -> None:
    command = [sys.executable, "-c", KILLS, kind, str(can_exchange), str(tmp_path / "target")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(reports) > 10
    assert {report["at_once"] for report in reports} == at_once
    assert {report["swept"] for report in reports} == swept
    for report in reports:
        assert report["left"] == ([] if report["swept"] is None else ["target"])


HOLD = """
import sys, time
from pathlib import Path
from digitedge.utils.files import atomic_file
with atomic_file(Path(sys.argv[1]), keep=len(sys.argv) > 2) as draft:
    draft.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_the_draft_of_a_living_process_stays_and_is_swept_after_its_death(tmp_path: Path) -> None:
    with start([sys.executable, "-c", HOLD, tmp_path / "a.txt"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "writing\n"
        sweep_drafts(tmp_path)
        (folder,) = tmp_path.iterdir()
        assert (folder / "new" / "a.txt").read_text() == "half"
        child.kill()
        child.wait()
        sweep_drafts(tmp_path)
        assert not os.listdir(tmp_path)


def test_the_next_writer_sweeps_what_a_kill_left(tmp_path: Path) -> None:
    with start([sys.executable, "-c", HOLD, tmp_path / "a.txt"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
    assert len(os.listdir(tmp_path)) == 1
    with atomic_file(tmp_path / "b.txt"):
        pass
    assert os.listdir(tmp_path) == ["b.txt"]


def test_what_is_of_use_unfinished_takes_its_place_or_a_free_name(tmp_path: Path) -> None:
    for _ in range(2):
        with start([sys.executable, "-c", HOLD, tmp_path / "a.mkv", "keep"], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
        sweep_drafts(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.mkv": "half", "a-2.mkv": "half"}


def test_an_unfinished_recording_is_kept_even_if_a_thousand_names_are_taken(tmp_path: Path) -> None:
    for name in ("a.mkv", *(f"a-{number}.mkv" for number in range(2, 1001))):
        (tmp_path / name).touch()
    kept = make_dead_draft(tmp_path) / "keep" / "a.mkv"
    kept.parent.mkdir()
    kept.write_text("half")
    sweep_drafts(tmp_path)
    assert (tmp_path / "a-1001.mkv").read_text() == "half"


def make_dead_draft(folder: Path) -> Path:
    (folder / ".digitedge-dead" / "new").mkdir(parents=True)
    return folder / ".digitedge-dead"


def test_a_draft_without_a_lock_is_of_a_process_that_was_killed_at_once(tmp_path: Path) -> None:
    make_dead_draft(tmp_path)
    sweep_drafts(tmp_path)
    assert not os.listdir(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / ".digitedge-link").symlink_to(tmp_path / "mine")
    (make_dead_draft(tmp_path) / "new" / "link").symlink_to(tmp_path / "mine")
    sweep_drafts(tmp_path)
    assert os.listdir(tmp_path / "mine") == ["file"]
    assert sorted(os.listdir(tmp_path)) == [".digitedge-link", "mine"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a folder away")
def test_the_draft_of_another_user_stays(tmp_path: Path) -> None:
    os.chown(make_dead_draft(tmp_path), 12345, 12345)
    sweep_drafts(tmp_path)
    assert os.listdir(tmp_path) == [".digitedge-dead"]


def test_a_folder_that_is_missing_or_a_file_has_no_drafts(tmp_path: Path) -> None:
    sweep_drafts(tmp_path / "missing")
    (tmp_path / "file").touch()
    sweep_drafts(tmp_path / "file")


WRITE_AND_SWEEP = """
import sys
from pathlib import Path
from digitedge.utils.drafts import sweep_drafts
from digitedge.utils.files import atomic_folder
for number in range(100):
    with atomic_folder(Path(sys.argv[1], sys.argv[2])) as draft:
        (draft / "number").write_text(str(number))
    sweep_drafts(Path(sys.argv[1]))
"""


def test_processes_that_write_and_sweep_in_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", WRITE_AND_SWEEP, str(tmp_path), name], stderr=subprocess.PIPE)
        for name in ("a", "b", "same", "same")
    ]
    errors = [program.communicate(timeout=60)[1].decode() for program in programs]
    assert errors == [""] * 4
    assert {path.name: (path / "number").read_text() for path in tmp_path.iterdir()} == {
        name: "99" for name in ("a", "b", "same")
    }


def test_a_reader_sees_a_whole_folder_at_any_time_of_a_replacement(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the exchange in one step is of Linux")
    target = tmp_path / "target"
    with start([sys.executable, "-c", WRITE_AND_SWEEP, tmp_path, "target"]) as child:
        while not target.exists():
            time.sleep(0.001)
        while child.poll() is None:
            assert target.exists()
    assert (target / "number").read_text() == "99"


INTERRUPT = """
import sys
from itertools import count
from pathlib import Path
from digitedge.utils import drafts
from digitedge.utils.files import atomic_folder
drafts._exchange = lambda first, second: False
renames = count()
def hook(event, arguments):
    if event == "os.rename" and next(renames) == 1:
        raise KeyboardInterrupt
sys.addaudithook(hook)
with atomic_folder(Path(sys.argv[1])):
    pass
"""


def test_an_interruption_between_the_two_renames_of_a_replacement_leaves_the_old_folder(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "old").touch()
    child = subprocess.run([sys.executable, "-c", INTERRUPT, str(tmp_path / "target")], capture_output=True, text=True)
    assert "KeyboardInterrupt" in child.stderr
    assert os.listdir(tmp_path) == ["target"]
    assert os.listdir(tmp_path / "target") == ["old"]
