"""Small files whose headers ask for gigabytes, made here."""

import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import CameraError, InputError
from digitedge.utils.image_header import (
    MAX_CHUNKS,
    MAX_JPEG_SCANS,
    jpeg_segments,
    png_chunks,
    read_image_header,
    webp_chunks,
)
from digitedge.utils.images import read_image
from digitedge.utils.memory_limit import MEMORY_VARIABLE
from digitedge.utils.opencv import cv2, encode_image

SIDE = 16_000  # of the bombs, in pixels: 768 MB as BGR
# What reading all of them may add to the process that does.
MAX_ADDED_KB = 60_000
READ_IN_A_PROCESS = """
import re, sys
from pathlib import Path
from digitedge.errors import CameraError
from digitedge.utils.images import read_image
def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = memory("VmHWM")
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, "read", read_image(path).shape)
    except CameraError as exc:
        print(path.name, "refused", exc)
print(memory("VmHWM") - before)
"""


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_header(side: int, depth: int = 8, colour: int = 0) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))


def make_png(*, depth: int = 8, colour: int = 0, side: int = SIDE, extra: bytes = b"") -> bytes:
    data = png_chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + png_header(side, depth, colour) + extra + data + png_chunk(b"IEND", b"")


def make_jpeg(*, frame: int = 0xC0, side: int = SIDE, scans: int = 1, components: int = 3) -> bytes:
    """All coefficients are zero, in as many scans as asked for."""
    numbers = range(1, components + 1)
    jpeg = b"\xff\xd8\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([1] * 64)
    jpeg += struct.pack(">BBHBHHB", 0xFF, frame, 8 + 3 * components, 8, side, side, components)
    jpeg += b"".join(bytes([number, 0x11, 0]) for number in numbers)
    for table in (0x00, 0x10):
        jpeg += b"\xff\xc4" + struct.pack(">HB", 20, table) + bytes([1, *[0] * 15, 0])
    last = 0 if frame == 0xC2 else 63
    scan = b"\xff\xda" + struct.pack(">HB", 6 + 2 * components, components)
    scan += b"".join(bytes([number, 0]) for number in numbers) + bytes([0, last, 0])
    return jpeg + scan * scans + b"\xff\xd9"


TIFF_TAGS = {
    **{"width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262, "offset": 273},
    **{"samples": 277, "rows": 278, "count": 279, "tile_width": 322, "tile_height": 323, "tiles": 324, "tile": 325},
}


def make_tiff(order: str = "<", **tags: int) -> bytes:
    values = {"bits": 8, "compression": 8, "photometric": 1, "samples": 1} | tags
    places = {"tiles": 400, "tile": 40} if "tile_width" in values else {"offset": 400, "count": 40}
    entries = sorted((TIFF_TAGS[name], value) for name, value in (values | places).items())
    packed = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in entries)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries)) + packed
    return start.ljust(400, b"\0") + zlib.compress(bytes(1000)).ljust(200, b"\0")


def make_webp(kind: bytes, content: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


ANIMATION = png_chunk(b"acTL", bytes(8))
COMMENT = png_chunk(b"tEXt", b"Comment\0IDAT")  # the name of the chunk that ends the header
FRAME = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 10, 10, 1) + b"\1\x11\0"
BOMBS = {
    "grey.png": make_png(),
    "16 bits.png": make_png(depth=16, colour=6, side=6000),
    "animated.png": make_png(colour=6, side=6000, extra=ANIMATION),
    "animated behind a comment.png": make_png(side=8000, extra=COMMENT + ANIMATION),
    "transparent behind a comment.png": make_png(side=8000, extra=COMMENT + png_chunk(b"tRNS", bytes(2))),
    "baseline.jpg": make_jpeg(),
    "progressive.jpg": make_jpeg(frame=0xC2, side=8000),
    "parts.jpg": make_jpeg(side=8000).replace(b"\xff\xda\0\x0c\3\1\0\2\0\3\0", b"\xff\xda\0\x08\1\1\0"),
    "scans.jpg": make_jpeg(frame=0xC2, side=8000, components=1, scans=5000),
    "screen.gif": b"GIF89a" + struct.pack("<HH", SIDE, SIDE) + encode_image(np.zeros((9, 9), np.uint8), ".gif")[10:],
    "rows.bmp": b"BM" + struct.pack("<IIIIiiHH", 99, 0, 54, 40, SIDE, -SIDE, 1, 24) + bytes(24),
    "old.bmp": b"BM" + struct.pack("<IIIIHHHH", 99, 0, 26, 12, SIDE, SIDE, 1, 24) + bytes(24),
    "lossy.webp": make_webp(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383) + bytes(99)),
    "lossless.webp": make_webp(b"VP8L", b"\x2f" + struct.pack("<I", 0x0FFF_FFFF) + bytes(99)),
    "animated.webp": make_webp(b"VP8X", bytes([2, 0, 0, 0]) + b"\x7f\x3e\0\x7f\x3e\0" + bytes(99)),
    "ascii.pbm": b"P1 # 10 10\n16000\t16000\n1 0 1",
    "raw.pgm": b"P5\n7000 7000\n65535\n",
    "image.tif": make_tiff(width=SIDE, height=SIDE, rows=1),
    "big end.tif": make_tiff(">", width=SIDE, height=SIDE, rows=1),
    "tile.tif": make_tiff(width=10, height=10, tile_width=SIDE, tile_height=SIDE),
    "strip.tif": make_tiff(width=8000, height=8000, rows=2**31),
    "floats.tif": make_tiff(width=5000, height=5000, bits=64, rows=1),
    "samples.tif": make_tiff(width=1000, height=1000, samples=60_000, rows=1000),
}  # fmt: skip
# Files that ask for gigabytes, or for 10x10 pixels, depending on what is read.
AMBIGUOUS = {
    "twice.tif": make_tiff(width=SIDE, height=10, rows=1, photometric=SIDE).replace(
        struct.pack("<HHI", 262, 4, 1), struct.pack("<HHI", 257, 4, 1)
    ),
    "signed.tif": make_tiff(width=SIDE, height=SIDE, rows=1).replace(
        struct.pack("<HH", 256, 4), struct.pack("<HH", 256, 9)
    ),
    "frames.jpg": make_jpeg()[:-2] + FRAME + b"\xff\xd9",
    "headers.png": make_png(side=10, extra=png_header(SIDE)),
}
# Kinds that digits do not come in, of which the header does not tell the size or which have no limit.
REFUSED = {
    "film.avif": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf" + bytes(99),
    "jp2.jpg": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99),
    "codestream.jpg": b"\xff\x4f\xff\x51" + bytes(99),
    "radiance.jpg": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16000 +X 16000\n",
    "sun.jpg": bytes.fromhex("59a66a95") + struct.pack(">7I", SIDE, SIDE, 24, 0, 1, 0, 0),
    "floats.ppm": b"PF\n16000 16000\n-1.0\n",
    "pam.ppm": b"P7\nWIDTH 16000\nHEIGHT 16000\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
    "bigtiff.tif": b"II+\0\x08\0\0\0" + bytes(99),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_small_files_that_ask_for_gigabytes_take_no_memory(tmp_path: Path) -> None:
    files = BOMBS | AMBIGUOUS | REFUSED
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-c", READ_IN_A_PROCESS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *lines, added = done.stdout.splitlines()
    assert [re.split(" read| refused", line)[0] for line in lines] == sorted(files)
    assert not [line for line in lines if " refused " not in line]
    assert int(added) <= MAX_ADDED_KB


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "scans.jpg"])
def test_the_message_names_size_limit_and_what_raises_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name])
    with pytest.raises(
        CameraError,
        match=rf"{re.escape(name)}: an image of \d+x\d+ pixels would take [\d,]+ MB of memory, more than the limit of "
        rf"450 MB\. Make it smaller, or set {MEMORY_VARIABLE}=\d+ if you trust it\.$",
    ):
        read_image(path)


def test_the_limit_can_be_raised_and_lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_image(np.zeros((1000, 1000), np.uint8), ".png"))
    monkeypatch.setenv(MEMORY_VARIABLE, "5")
    with pytest.raises(CameraError, match="would take 7 MB"):
        read_image(path)
    monkeypatch.setenv(MEMORY_VARIABLE, "7")
    assert read_image(path).shape == (1000, 1000, 3)
    for value in ("0", "-1", "many", "1.5"):
        monkeypatch.setenv(MEMORY_VARIABLE, value)
        with pytest.raises(InputError, match=f"{MEMORY_VARIABLE}: expected megabytes such as 450, got '{value}'"):
            read_image(path)


def test_a_file_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(encode_image(np.zeros((1000, 1000, 3), np.uint8), ".bmp"))
    monkeypatch.setenv(MEMORY_VARIABLE, "8")
    with pytest.raises(CameraError, match="would take 10 MB"):
        read_image(path)
    monkeypatch.setenv(MEMORY_VARIABLE, "2")
    with pytest.raises(CameraError, match="the file would take 4 MB"):
        read_image(path)


def encode_all() -> Iterator[tuple[str, bytes]]:
    """Every kind of file that OpenCV or Pillow can write, 60 x 40."""
    grey = np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8)
    pictures: dict[str, NDArray[np.uint8] | NDArray[np.uint16]] = {
        "grey": grey,
        "colour": np.dstack([grey] * 3),
        "transparent": np.dstack([grey] * 4),
        "16 bits": grey.astype(np.uint16) * 257,
        "16 bits colour": np.dstack([grey] * 3).astype(np.uint16) * 257,
    }
    for kind, picture in pictures.items():
        for suffix in (".png", ".tif", ".jpg", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".pbm"):
            if picture.dtype == np.uint8 or suffix in (".png", ".tif"):
                with suppress(cv2.error):  # no such colours in this format
                    is_written, content = cv2.imencode(suffix, picture)
                    if is_written:
                        yield f"{kind} {suffix}", content.tobytes()
    yield "progressive", cv2.imencode(".jpg", pictures["colour"], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    yield "lossless", cv2.imencode(".webp", pictures["colour"], [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    yield "most scans", make_jpeg(frame=0xC2, side=50, scans=MAX_JPEG_SCANS)


def test_the_size_is_that_of_the_decoded_image() -> None:
    names = []
    for name, content in encode_all():
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        header = read_image_header(content)
        assert image is not None and header is not None, name
        assert (header.height, header.width) == image.shape[:2], name
        assert header.decoding_bytes >= 2 * image.nbytes, name
        names.append(name)
    assert len(names) >= 25


@pytest.mark.parametrize("cut", [lambda content: content[:20], lambda content: content[:12] + bytes(40)])
def test_a_damaged_header_is_no_header(cut: Callable[[bytes], bytes]) -> None:
    for name, content in BOMBS.items():
        header = read_image_header(cut(content))
        assert header is None or ("." in name and header.width > 0), name


def test_a_header_that_can_be_understood_in_two_ways_is_no_header() -> None:
    assert {name: read_image_header(content) for name, content in AMBIGUOUS.items()} == dict.fromkeys(AMBIGUOUS)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tag", ["width", "height", "bits", "compression", "offset", "samples", "rows", "count"])
def test_a_tag_of_another_kind_or_that_stands_twice_is_no_header(tag: str, order: str) -> None:
    content = make_tiff(order, width=20, height=20, rows=20)
    number = TIFF_TAGS[tag]
    assert read_image_header(content) is not None
    for kind in {*range(20)} - {1, 3, 4}:
        other = content.replace(struct.pack(order + "HH", number, 4), struct.pack(order + "HH", number, kind))
        assert read_image_header(other) is None, kind
    empty = content.replace(struct.pack(order + "HHI", number, 4, 1), struct.pack(order + "HHI", number, 4, 0))
    assert read_image_header(empty) is None
    twice = content.replace(struct.pack(order + "HH", 262, 4), struct.pack(order + "HH", number, 4))
    assert read_image_header(twice) is None


def test_only_the_first_directory_of_a_tiff_counts_as_in_opencv() -> None:
    first, second = make_tiff(width=20, height=20, rows=20), make_tiff(width=SIDE, height=SIDE, rows=1)
    end = 10 + 12 * struct.unpack_from("<H", first, 8)[0]
    both = first[:end] + struct.pack("<I", len(first)) + first[end + 4 :] + second[8:end] + bytes(4)
    header = read_image_header(both)
    image = cv2.imdecode(np.frombuffer(both, np.uint8), cv2.IMREAD_UNCHANGED)
    assert header is not None and image is not None
    assert (header.height, header.width) == image.shape == (20, 20)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "filling",
    [b"#" * 60, b"#" * 9000, b"#\n" * 4500, b" " * 9000, b" #" * 4500, b"#\n7 " * 2000],
    ids=["short", "long", "lines", "spaces", "mixed", "numbers"],
)
def test_comments_of_a_pnm_take_no_time(filling: bytes) -> None:
    """A pattern that can match them in more than one way takes years."""
    for start in (b"P5 ", b"P5 10 ", b"P5 10 10 "):
        read_image_header(start + filling + b"x")


@pytest.mark.parametrize(
    ("content", "side"),
    [
        (b"P5#a\n#b\r7 #12\n7\n255\n", 7),
        (b"P5 7\t7 255 ", 7),
        (b"P4\n#\n\n7#\n7 ", 7),
        (b"P5 7 # without an end", None),
        (b"P5 77", None),
    ],
)
def test_comments_of_a_pnm_are_skipped(content: bytes, side: int | None) -> None:
    header = read_image_header(content)
    assert (header and (header.width, header.height)) == (side and (side, side))


@pytest.mark.parametrize(
    ("walk", "start", "chunk"),
    [
        (png_chunks, b"\x89PNG\r\n\x1a\n", png_chunk(b"IDAT", b"")),
        (webp_chunks, make_webp(b"NOTE", b""), b"NOTE" + bytes(4)),
        (jpeg_segments, b"\xff\xd8", b"\xff\xe0\0\2"),
    ],
    ids=["png", "webp", "jpeg"],
)
def test_chunks_without_end_are_not_walked(
    walk: Callable[[bytes], Iterator[object]], start: bytes, chunk: bytes
) -> None:
    assert sum(1 for _ in walk(start + chunk * (MAX_CHUNKS + 9))) == MAX_CHUNKS
