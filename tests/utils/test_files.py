"""Atomic files and folders, and the checks of paths."""

import errno
import os
import stat
from pathlib import Path

import pytest

from digitedge.errors import DigitEdgeError, ModelError
from digitedge.utils.files import (
    atomic_file,
    atomic_folder,
    check_creatable,
    check_file_creatable,
    read_regular_file,
    write_json,
)


def test_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "model.bin"
    with atomic_file(target) as draft:
        draft.write_bytes(b"half")
        assert not target.exists()
        assert draft.suffix == ".bin"
    assert target.read_bytes() == b"half"
    assert os.listdir(target.parent) == ["model.bin"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, ValueError])
def test_interrupted_file_leaves_the_old_one(tmp_path: Path, stop: type[BaseException]) -> None:
    target = tmp_path / "model.bin"
    target.write_bytes(b"old")
    with pytest.raises(stop), atomic_file(target) as draft:
        draft.write_bytes(b"ne")
        raise stop
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.bin"]


def test_full_disk_is_an_error_of_one_line_that_names_the_target(tmp_path: Path) -> None:
    with (
        pytest.raises(DigitEdgeError, match=r"cannot write .*model\.bin: No space left"),
        atomic_file(tmp_path / "model.bin"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not os.listdir(tmp_path)


def test_folder_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "old").touch()
    with atomic_folder(target) as draft:
        (draft / "new").touch()
        assert os.listdir(target) == ["old"]
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["bundle"]


def test_interrupted_folder_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(KeyboardInterrupt), atomic_folder(target) as draft:
        (draft / "new").touch()
        raise KeyboardInterrupt
    assert os.listdir(target) == ["old"]
    assert os.listdir(tmp_path) == ["bundle"]


def test_written_file_has_the_default_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_json(tmp_path / "value.json", {"a": 1})
    assert stat.S_IMODE((tmp_path / "value.json").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_nan_is_refused_in_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "value.json", float("nan"))
    assert not os.listdir(tmp_path)


def test_checks_of_a_writable_path_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    for path in ("new", "folder/inner/new", "old"):
        check_creatable(tmp_path / path)
        check_file_creatable(tmp_path / path)
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


@pytest.mark.parametrize("path", ["/proc/report.md", "/proc/new/report.md", "file/report.md", "link/new/report.md"])
def test_path_that_cannot_be_written_to_is_an_error_of_one_line(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for check in (check_creatable, check_file_creatable):
        with pytest.raises(DigitEdgeError, match=f"cannot write .*{path}: .*Choose a folder that is writable"):
            check(tmp_path / path)


def test_folder_pipe_or_device_cannot_be_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path, "a folder"), (tmp_path / "pipe", "a device or pipe"), (Path("/dev/null"), "a dev")):
        with pytest.raises(DigitEdgeError, match=f"cannot write {path}: expected the path of a file, got {what}"):
            check_file_creatable(path)


def test_a_file_is_read_if_it_is_regular_and_small_enough(tmp_path: Path) -> None:
    path = tmp_path / "seven.bin"
    path.write_bytes(b"seven")
    assert read_regular_file(path, max_bytes=5, error=ModelError) == b"seven"
    with pytest.raises(ModelError, match="expected at most 4 bytes, got 5"):
        read_regular_file(path, max_bytes=4, error=ModelError)
    link = tmp_path / "link.bin"
    link.symlink_to(path)
    assert read_regular_file(link, max_bytes=5, error=ModelError) == b"seven"
    with pytest.raises(ModelError, match="got a symbolic link"):
        read_regular_file(link, max_bytes=5, error=ModelError, follow_links=False)


@pytest.mark.skipif(os.name == "nt", reason="pipes with a name and devices are of POSIX")
def test_pipes_devices_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path / "pipe", "device"), (Path("/dev/zero"), "a device"), (tmp_path, "got a folder")):
        with pytest.raises(ModelError, match=what):
            read_regular_file(path, max_bytes=5, error=ModelError)
    with pytest.raises(ModelError, match="No such file"):
        read_regular_file(tmp_path / "missing", max_bytes=5, error=ModelError)
