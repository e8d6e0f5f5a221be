"""Documents in archives that are made here, and in hostile ones."""

import importlib.util
import io
import itertools
import os
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from made_documents import page_image, scan_pdf, write_tiff

from digitedge.documents import archives, count_pages, read_pages
from digitedge.errors import ErrorKind, PageError
from digitedge.utils.opencv import encode_image

TAR_MODES = {".tar": "w", ".tar.gz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}
PNG = encode_image(page_image(1), ".png")


def members(tmp_path: Path) -> dict[str, bytes]:
    """Documents, and what is none, by the name of the member."""
    write_tiff(tmp_path / "a.tif", [page_image(2), page_image(3)])
    found = {"b/10.png": PNG, "b/9.PNG": encode_image(page_image(9), ".png")}
    found |= {"c.tif": (tmp_path / "a.tif").read_bytes(), "readme.txt": b"text", ".hidden/d.png": PNG}
    found |= {"__MACOSX/b/._9.png": b"resources", "b/.e.png": PNG}
    if importlib.util.find_spec("pypdfium2"):
        found["d.pdf"] = scan_pdf([page_image(4), page_image(5)], dpi=100)
    return found


def make_zip(path: Path, content: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, content: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def outcome(path: Path) -> list[tuple[str, int | None, ErrorKind | tuple[int, ...]]]:
    """What every page gives: its name in the archive, its number, its shape or the kind of its error."""
    found = []
    for page in read_pages(str(path)):
        try:
            what: ErrorKind | tuple[int, ...] = page.load().shape
        except PageError as exc:
            assert "\n" not in str(exc) or "\n" in page.source
            what = exc.kind
        found.append((page.source.removeprefix(f"{path}").removeprefix("/"), page.number, what))
    assert len(found) == count_pages(str(path))
    return found


@pytest.mark.parametrize("suffix", [".zip", *TAR_MODES])
def test_documents_are_read_without_unpacking(tmp_path: Path, suffix: str) -> None:
    content, path = members(tmp_path), tmp_path / f"box{suffix}"
    make_zip(path, content) if suffix == ".zip" else make_tar(path, content, TAR_MODES[suffix])
    in_order = ["b/9.PNG", "b/10.png"] if suffix == ".zip" else ["b/10.png", "b/9.PNG"]
    expected = [(in_order[0], None), (in_order[1], None), ("c.tif", 1), ("c.tif", 2), ("d.pdf", 1), ("d.pdf", 2)]
    pages = [(name, number) for name, number, what in outcome(path) if what == (240, 320, 3)]
    assert pages == [page for page in expected if page[0] in content]
    for start, stop in itertools.combinations(range(len(pages) + 2), 2):
        part = [(page.source, page.number) for page in read_pages(str(path), start=start, stop=stop)]
        assert part == [(f"{path}/{name}", number) for name, number in pages[start:stop]]
    second = next(read_pages(str(path), start=1))
    number = int(Path(second.source).stem)
    np.testing.assert_array_equal(second.load(), page_image(1 if number == 10 else 9))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tif", f"box{suffix}"]


def test_a_bad_member_is_one_error_and_the_others_are_read(tmp_path: Path) -> None:
    content = {"a.png": PNG, "b.png": b"no image", "c.pdf": b"no pdf", "d.zip": PNG, "e.png": PNG[:-9], "f.png": b""}
    good, unknown, damaged = (240, 320, 3), ErrorKind.UNKNOWN_FORMAT, ErrorKind.DAMAGED
    expected = [good, unknown, unknown, unknown, damaged, damaged]
    for path in (make_zip(tmp_path / "a.zip", content), make_tar(tmp_path / "a.tar", content)):
        assert outcome(path) == [(name, None, what) for name, what in zip(content, expected, strict=True)]


def test_an_archive_with_the_suffix_of_a_document_is_no_document_in_an_archive(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", {"a.png": PNG}).read_bytes()
    path = make_zip(tmp_path / "outer.zip", {"a.tif": inner, "b.png": inner})
    assert [what for _, _, what in outcome(path)] == [ErrorKind.UNKNOWN_FORMAT] * 2


def test_an_archive_without_documents_is_an_error(tmp_path: Path) -> None:
    for path in make_zip(tmp_path / "a.zip", {}), make_tar(tmp_path / "a.tar.gz", {"a.txt": b"1"}, "w:gz"):
        [(_, number, kind)] = outcome(path)
        assert (number, kind) == (None, ErrorKind.UNKNOWN_FORMAT)


# Damage


@pytest.mark.parametrize("suffix", [".zip", *TAR_MODES])
def test_a_truncated_archive_never_looks_complete(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"box{suffix}"
    content = {f"{number}.png": encode_image(page_image(number), ".png") for number in range(4)}
    make_zip(path, content) if suffix == ".zip" else make_tar(path, content, TAR_MODES[suffix])
    whole = path.read_bytes()
    end = len(whole) if suffix != ".tar" else len(whole.rstrip(b"\0"))
    for size in range(30, end, max(1, end // 40)):
        path.write_bytes(whole[:size])
        assert outcome(path)[-1][2] in (ErrorKind.DAMAGED, ErrorKind.UNKNOWN_FORMAT), size


@pytest.mark.parametrize("suffix", [".zip", *TAR_MODES])
def test_damaged_bytes_raise_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"box{suffix}"
    content = {f"{number}.png": encode_image(page_image(number, width=40, height=30), ".png") for number in range(3)}
    make_zip(path, content) if suffix == ".zip" else make_tar(path, content, TAR_MODES[suffix])
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), 3):
            damaged[at] = random.integers(256)
        path.write_bytes(damaged)
        outcome(path)


# Hostile archives


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    content = bytearray(make_zip(tmp_path / "a.zip", {"a.png": PNG}).read_bytes())
    for signature, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        content[content.index(signature) + flags] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert outcome(tmp_path / "a.zip") == [("a.png", None, ErrorKind.ENCRYPTED)]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(tmp_path: Path, compression: int) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.png": PNG}, compression)
    assert outcome(path) == [("a.png", None, ErrorKind.UNKNOWN_FORMAT)]


def test_a_document_with_the_name_of_an_image_is_an_error_unless_it_is_one_page(tmp_path: Path) -> None:
    write_tiff(tmp_path / "one.tif", [page_image(2)])
    write_tiff(tmp_path / "two.tif", [page_image(2), page_image(3)])
    content = {f"{name}.jpg": (tmp_path / f"{name}.tif").read_bytes() for name in ("one", "two")}
    content["zip.png"] = make_zip(tmp_path / "inner.zip", {"a.png": PNG}).read_bytes()
    if importlib.util.find_spec("pypdfium2"):
        content["two.png"] = scan_pdf([page_image(4), page_image(5)], dpi=100)
    found = {name: what for name, _, what in outcome(make_zip(tmp_path / "a.zip", content))}
    assert found.pop("one.jpg") == (240, 320, 3)
    assert set(found.values()) == {ErrorKind.UNKNOWN_FORMAT}
    page = next(page for page in read_pages(str(tmp_path / "a.zip")) if page.source.endswith("two.jpg"))
    with pytest.raises(PageError, match=r"got a TIFF of several pages\. Rename it to \.tif\."):
        page.load()


def test_links_and_devices_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(f"{number}.png")
            info.type, info.linkname = kind, str(tmp_path / "secret.png")
            archive.addfile(info)
        info = tarfile.TarInfo("../../real.png")
        info.size = len(PNG)
        archive.addfile(info, io.BytesIO(PNG))
    assert [what for *_, what in outcome(tmp_path / "a.tar")] == [ErrorKind.UNKNOWN_FORMAT]  # also ..: it is hidden
    path = make_zip(tmp_path / "a.zip", {"/etc/a.png": PNG})
    assert outcome(path)[0][2] == (240, 320, 3)


def test_odd_names_are_kept(tmp_path: Path) -> None:
    names = ["a\x1b[31m\n.png", "1" * 5000 + ".png", "ü/\u202e.png"]
    assert {name for name, _, _ in outcome(make_zip(tmp_path / "a.zip", dict.fromkeys(names, PNG)))} == set(names)
    names += ["caf\udce9.png"]
    assert [name for name, _, _ in outcome(make_tar(tmp_path / "a.tar", dict.fromkeys(names, PNG)))] == names


PEAK = """
import resource, sys
from digitedge.documents import read_pages
import digitedge.documents.pdf
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for page in read_pages(sys.argv[1]):
    try:
        page.load()
        print("good")
    except Exception as exc:
        print(getattr(exc, "kind", repr(exc)))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""


def read_in_process(path: Path) -> tuple[list[str], int]:
    """What every page gives, and the megabytes that reading takes at its peak, with a limit of 100."""
    environment = os.environ | {"DIGITEDGE_MEMORY_MB": "100"}
    command = [sys.executable, "-c", PEAK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    *pages, megabytes = done.stdout.splitlines()
    return pages, int(megabytes)


def zip_bomb(path: Path, *, stated: int | None = None) -> Path:
    """A zip with 400 MB of zeros in a few kilobytes; `stated` is the size that it states."""
    packer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(20)) + packer.flush(zlib.Z_FULL_FLUSH)
    body = packed * 20 + zlib.compressobj(9, wbits=-15).flush()
    make_zip(path, {"a.bmp": b"BM" + bytes(100)})
    content = path.read_bytes()
    local, directory = content.index(b"PK\3\4"), content.index(b"PK\1\2")
    size = (20 * 20 << 20) if stated is None else stated
    head = bytearray(content[local : local + 30 + 5])
    head[18:26] = len(body).to_bytes(4, "little") + size.to_bytes(4, "little")
    entry = bytearray(content[directory : content.index(b"PK\5\6")])
    entry[20:28] = head[18:26]
    end = bytearray(content[content.index(b"PK\5\6") :])
    end[16:20] = (len(head) + len(body)).to_bytes(4, "little")
    path.write_bytes(bytes(head) + body + bytes(entry) + bytes(end))
    return path


def test_a_zip_bomb_is_refused_by_its_size_and_by_what_comes(tmp_path: Path) -> None:
    assert read_in_process(zip_bomb(tmp_path / "a.zip"))[0] == ["too large"]
    pages, megabytes = read_in_process(zip_bomb(tmp_path / "a.zip", stated=1000))
    assert pages == ["damaged"]
    assert megabytes < 50


@pytest.mark.slow
def test_zeros_in_a_packed_tar_are_passed_in_bounded_memory(tmp_path: Path) -> None:
    class Zeros:
        def read(self, size: int) -> bytes:
            return bytes(size)

    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, size in (("a.txt", 50_000_000), ("b.bmp", 200_000_000)):
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, Zeros())  # type: ignore[arg-type]
    pages, megabytes = read_in_process(tmp_path / "a.tar.gz")
    assert pages == ["too large"]
    assert megabytes < 50


def test_a_tar_that_unpacks_to_too_much_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 10_000_000)
    path = make_tar(tmp_path / "a.tar.gz", {"a.png": PNG, "b.txt": bytes(30_000_000), "c.png": PNG}, "w:gz")
    assert [what for _, _, what in outcome(path)] == [(240, 320, 3), ErrorKind.TOO_LARGE]


def test_a_header_of_a_tar_that_is_gigabytes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.type, info.size = tarfile.XHDTYPE, 3_000_000_000
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(5_000_000))
    assert [what for _, _, what in outcome(tmp_path / "a.tar")] == [ErrorKind.DAMAGED]


def test_extended_headers_without_end_are_one_error(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 10
    (tmp_path / "a.tar").write_bytes((info.tobuf() + b"a.png".ljust(512, b"\0")) * 3000)
    assert [what for _, _, what in outcome(tmp_path / "a.tar")] == [ErrorKind.DAMAGED]


@pytest.mark.slow
def test_a_zip_with_a_million_members_is_refused_before_they_are_listed(tmp_path: Path) -> None:
    content = make_zip(tmp_path / "a.zip", {"a": b""}).read_bytes()
    directory, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entries = content[directory:end] * 1_000_000
    last = bytearray(content[end:])
    last[12:16] = len(entries).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(content[:directory] + entries + bytes(last))
    pages, megabytes = read_in_process(tmp_path / "a.zip")
    assert pages == ["too large"]
    assert megabytes < 30


def test_an_xz_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.xz", {"a.png": PNG}, "w:xz")
    packed = bytearray(path.read_bytes())
    assert packed[12 + 2] == 0x21  # the LZMA2 filter, its size of properties, and the dictionary
    packed[12 + 4] = 36  # 1 GiB
    length = (packed[12] + 1) * 4
    packed[12 + length - 4 : 12 + length] = zlib.crc32(bytes(packed[12 : 12 + length - 4])).to_bytes(4, "little")
    path.write_bytes(packed)
    (page,) = read_pages(str(path))
    with pytest.raises(PageError, match="Memory usage limit"):
        page.load()


def test_a_part_of_an_archive_is_the_same_whatever_was_read_before(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    document = scan_pdf([page_image(number) for number in range(3)], dpi=100)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("1.pdf", "2.png", "3.pdf", "4.pdf"):
            archive.writestr(name, document if name.endswith("pdf") else PNG)
    path = str(tmp_path / "a.zip")
    expected = [(page.source, page.number) for page in read_pages(path)]
    assert len(expected) == 10
    for _ in range(2):  # the second time, documents before the part are not opened
        for start in range(11):
            for stop in (start, start + 1, start + 4, None):
                part = [(page.source, page.number) for page in read_pages(path, start=start, stop=stop)]
                assert part == expected[start:stop]
