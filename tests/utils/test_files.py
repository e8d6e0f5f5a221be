import errno
import os
import stat
from pathlib import Path

import pytest

from digitedge.errors import DigitEdgeError
from digitedge.utils.files import atomic_file, atomic_folder, check_file_place, check_place, write_json


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "model.bin"
    with atomic_file(target) as draft:
        draft.write_bytes(b"half")
        assert not target.exists()
        assert draft.suffix == ".bin"
    assert target.read_bytes() == b"half"
    assert os.listdir(target.parent) == ["model.bin"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_file_leaves_the_old_one(tmp_path: Path, stop: type[BaseException]) -> None:
    target = tmp_path / "model.bin"
    target.write_bytes(b"old")
    with pytest.raises(stop), atomic_file(target) as draft:
        draft.write_bytes(b"ne")
        raise stop
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.bin"]


def test_a_full_disk_is_one_line_that_names_the_target(tmp_path: Path) -> None:
    with (
        pytest.raises(DigitEdgeError, match=r"cannot write .*model\.bin: No space left"),
        atomic_file(tmp_path / "model.bin"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not os.listdir(tmp_path)


def test_a_folder_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "old").touch()
    with atomic_folder(target) as draft:
        (draft / "new").touch()
        assert os.listdir(target) == ["old"]
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["bundle"]


def test_an_interrupted_folder_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(KeyboardInterrupt), atomic_folder(target) as draft:
        (draft / "new").touch()
        raise KeyboardInterrupt
    assert os.listdir(target) == ["old"]
    assert os.listdir(tmp_path) == ["bundle"]


def test_written_files_have_the_usual_rights(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_json(tmp_path / "value.json", {"a": 1})
    assert stat.S_IMODE((tmp_path / "value.json").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_nan_is_not_written_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "value.json", float("nan"))
    assert not os.listdir(tmp_path)


def test_a_place_that_can_be_written_to_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    for place in ("new", "folder/inner/new", "old"):
        check_place(tmp_path / place)
        check_file_place(tmp_path / place)
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


@pytest.mark.parametrize("place", ["/proc/report.md", "/proc/new/report.md", "file/report.md", "link/new/report.md"])
def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for check in (check_place, check_file_place):
        with pytest.raises(DigitEdgeError, match=f"cannot write .*{place}: .*Choose a folder that is writable"):
            check(tmp_path / place)


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path, "a folder"), (tmp_path / "pipe", "a device or pipe"), (Path("/dev/null"), "a dev")):
        with pytest.raises(DigitEdgeError, match=f"cannot write {path}: expected the path of a file, got {what}"):
            check_file_place(path)
