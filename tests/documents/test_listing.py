"""Finding documents: real folders, links, patterns, lists."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from digitedge.documents.listing import find_documents, read_list, walk_documents
from digitedge.errors import CameraError, InputError

FILES = ["a.png", "B.PDF", "c.tar.gz", "d.heic", "sub/e.tif", "sub/deep/er/f.zip"]
OTHERS = [".hidden.png", "notes.txt", "sub/.git/g.png", "archive.gz", "png"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder `in`."""
    monkeypatch.chdir(tmp_path)
    for name in FILES + OTHERS:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"12345")
    return tmp_path


def walk(*arguments: str, **options: io.TextIOBase) -> list[str]:
    return sorted(found.source for found in walk_documents(arguments, **options))  # type: ignore[arg-type]


def as_list(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content))


def test_a_folder_is_walked_with_its_subfolders(tree: Path) -> None:
    assert walk("in") == sorted(f"in/{name}" for name in FILES)
    (found,) = walk_documents(["in/a.png"])
    status = os.stat("in/a.png")
    assert found == ("in/a.png", 5, status.st_mtime_ns)


def test_links_to_folders_are_not_followed_and_links_to_files_are(tree: Path) -> None:
    os.symlink("..", "in/sub/loop")
    os.symlink("/", "in/root.png")
    os.symlink("a.png", "in/link.png")
    os.symlink("nowhere", "in/broken.png")
    assert set(walk("in")) - {f"in/{name}" for name in FILES} == {"in/link.png", "in/broken.png"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_without_permission_becomes_an_error_later(tree: Path) -> None:
    os.chmod("in/sub", 0)
    try:
        found = {source: size for source, size, _ in walk_documents(["in"])}
    finally:
        os.chmod("in/sub", 0o700)
    assert found["in/sub"] == -1


def test_patterns_and_files_of_any_name_are_found(tree: Path) -> None:
    assert walk("in/**/*.tif", "in/notes.txt") == ["in/notes.txt", "in/sub/e.tif"]
    Path("in/odd[1].png").write_bytes(b"")
    assert walk("in/odd[1].png") == ["in/odd[1].png"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [("none.png", "no file or folder at none.png"), ("none/*.png", "no file matches none/"), ("", "an empty one")],
)
@pytest.mark.parametrize("find", [walk_documents, find_documents])
def test_an_argument_that_names_nothing_is_an_error(tree: Path, find, argument: str, message: str) -> None:
    with pytest.raises((CameraError, InputError), match=message):
        list(find([argument]))


@pytest.mark.parametrize("separator", [b"\n", b"\0", b"\r\n"], ids=["lines", "null", "windows"])
@pytest.mark.parametrize("has_end", [True, False])
def test_a_list_may_have_lines_or_null_bytes(tree: Path, separator: bytes, has_end: bool) -> None:
    names = [b"in/a.png", "in/ä b.png".encode(), b"in/caf\xe9.png", b"s3://bucket/a.pdf?key=1"]
    content = separator.join(names) + separator * has_end
    assert list(read_list(as_list(content))) == [os.fsdecode(name) for name in names]


def test_a_null_separated_list_may_have_names_with_line_ends(tree: Path) -> None:
    assert list(read_list(as_list(b"a\nb.png\0c.png\0"))) == ["a\nb.png", "c.png"]


def test_what_is_listed_and_missing_is_still_yielded(tree: Path) -> None:
    found = list(walk_documents(["-"], list_file=as_list(b"in/a.png\n\nnone.png\nin\n" + b"x" * 5000)))
    assert [(one.source[:10], one.size > 0) for one in found][:2] == [("in/a.png", True), ("none.png", False)]
    assert found[1] == ("none.png", -1, 0)
    assert found[3].size == -1


def test_what_is_no_list_is_one_error(tree: Path) -> None:
    with pytest.raises(InputError, match="a line of more than 64 kB"):
        list(read_list(as_list(b"x" * 1_000_000)))


def test_a_list_is_read_while_it_is_written(tree: Path) -> None:
    reading, writing = os.pipe()
    with open(reading) as file, open(writing, "wb", buffering=0) as pipe:
        names = read_list(file)
        pipe.write(b"a.png\nb.")
        assert next(names) == "a.png"
        pipe.write(b"png\n")
        assert next(names) == "b.png"


WALK_MANY = """
import resource, sys
from digitedge.documents.listing import walk_documents
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(sum(1 for _ in walk_documents(sys.argv[1:])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_a_hundred_thousand_paths_take_little_memory(tree: Path) -> None:
    names = "".join(f"in/a-rather-long-name-of-a-scan-{number:09}.png\n" for number in range(100_000))
    command = [sys.executable, "-c", WALK_MANY, "-"]
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == 100_000
    assert kilobytes < 5_000


def test_find_documents_keeps_the_order_and_leaves_subfolders_out(tree: Path) -> None:
    for name in ("10.png", "9.pdf"):
        Path("in", name).touch()
    expected = ["in/9.pdf", "in/10.png", "in/a.png", "in/B.PDF", "in/c.tar.gz", "in/d.heic"]
    assert find_documents(["in"]) == expected
    listed = as_list(b"in/sub/e.tif\nin/a.png\n")
    assert find_documents(["in/a.png", "-", "in/*.pdf"], list_file=listed) == ["in/a.png", "in/sub/e.tif", "in/9.pdf"]
