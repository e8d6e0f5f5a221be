"""Files of arrays that lie: npz, npy, gz, idx and csv."""

import ast
import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from fuzz.case import FLOATS, LONG_INTEGERS, TEXTS, Unbuildable, damage, hostile

DTYPES = (
    "<f4",
    "<f8",
    "<f2",
    "|u1",
    "<i8",
    ">i4",
    "|b1",
    "<c16",
    "<U5",
    "|S3",
    "|O",
    "<M8[s]",
    "|V8",
    "<U100000000",
    "junk",
)


def npy_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class Zeros:
    """A member of an archive: bytes, then megabytes of zeros, which are never in memory at once."""

    head: bytes
    megabytes: int


Member = tuple[str, bytes | Zeros]


@cache
def _packed_zeros(megabytes: int) -> bytes:
    """Deflated zeros; blocks that end with a full flush can follow each other."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * megabytes


@cache
def _zeros_crc(crc: int, megabytes: int) -> int:
    for _ in range(megabytes):
        crc = zlib.crc32(bytes(1 << 20), crc)
    return crc


def _packed(content: bytes | Zeros, compression: int) -> tuple[bytes, int, int]:
    """A member as it stands in an archive, its size and its checksum."""
    head = content if isinstance(content, bytes) else content.head
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    if isinstance(content, bytes):
        packed = packer.compress(head) + packer.flush() if compression else head
        return packed, len(head), zlib.crc32(head)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    size = len(head) + (content.megabytes << 20)
    return start + _packed_zeros(content.megabytes) + b"\x03\0", size, _zeros_crc(zlib.crc32(head), content.megabytes)


def zip_bytes(members: Iterable[Member], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of members by name. Unlike `zipfile`, it takes any names, and zeros cost no time."""
    body, directory, count = bytearray(), bytearray(), 0
    for name, content in members:
        packed, size, crc = _packed(content, compression)
        raw = name.encode("utf-8", "surrogatepass")
        fields = struct.pack("<HHHHHIIIHH", 20, 0x800, compression, 0, 0x21, crc, len(packed), size, len(raw), 0)
        directory += b"PK\1\2\x14\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + raw
        body += b"PK\3\4" + fields + raw + packed
        count += 1
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + b"PK\5\6" + end)


def npz_lie(rng: random.Random, arrays: dict[str, Any]) -> tuple[str, str, bytes]:
    """A lie about an npz file: its sort, what exactly, and the file."""
    members: list[Member] = [(f"{name}.npy", npy_bytes(array)) for name, array in arrays.items()]
    place = rng.randrange(len(members))
    name = members[place][0]
    content = npy_bytes(arrays[name.removesuffix(".npy")])
    choice = rng.randrange(9)
    if choice == 0:
        lie, damaged = damage(rng, zip_bytes(members))
        return f"npz {lie}", "", damaged
    if choice == 1:
        lie, members[place] = "npy bytes", (name, damage(rng, content)[1])
        detail = name
    elif choice in (2, 3):
        lie, detail = "npy header", name
        members[place], detail = _header_lie(rng, name, content)
    elif choice == 4:
        array = arrays[name.removesuffix(".npy")]
        new = rng.choice((array[:0], array.astype(np.float64), array[..., None], array[0], np.array(1), array.ravel()))
        lie, detail, members[place] = "npz array", f"{name} {new.dtype} {new.shape}", (name, npy_bytes(new))
    elif choice == 5:
        new = rng.choice(
            (np.array([{}, None], object), np.array(["a", "9"]), np.full((4, 28, 28), np.nan), np.zeros((2, 0, 28)))
        )
        lie, detail, members[place] = "npz array", f"{name} {new.dtype} {new.shape}", (name, npy_bytes(new))
    elif choice == 6:
        new_name = rng.choice(("../x.npy", "/etc/x.npy", "", "x", "a" * 60_000, "\x1b[31m.npy", name, "é.npy"))
        members.append((new_name, content))
        lie, detail = "npz member", f"{new_name!r:.30}"
    elif choice == 7:
        megabytes = rng.choice((50, 700, 2000))
        header = npy_bytes(np.zeros(0, np.uint8)).replace(b"(0,), }", f"({megabytes << 20},), }}".encode())
        members[place] = (name, Zeros(header, megabytes))
        lie, detail = "npz bomb", f"{name}: {megabytes} MB"
    else:
        lie, detail = "npz members", ""
        members = rng.choice(([], [("x.npy", b"")], members * 2, [(f"{i}.npy", b"") for i in range(5000)]))
    compression = zipfile.ZIP_DEFLATED if choice == 7 else rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))
    content = zip_bytes(members, compression)
    if rng.random() < 0.1:  # sizes in the directory of the archive
        where = content.rfind(b"PK\x01\x02")
        field = rng.choice((8, 10, 16, 20, 24, 28, 42))
        content = content[: where + field] + struct.pack("<I", hostile(rng) % 2**32) + content[where + field + 4 :]
        return f"{lie} + zip directory", f"{detail}, field {field}", content
    return lie, detail, content


def _header_lie(rng: random.Random, name: str, content: bytes) -> tuple[tuple[str, bytes], str]:
    """Another header over the same values."""
    length = struct.unpack("<H", content[8:10])[0]
    header = ast.literal_eval(content[10 : 10 + length].decode())
    key = rng.choice(("shape", "descr", "fortran_order", "text"))
    if key == "shape":
        header["shape"] = rng.choice(
            ((2**31, 28, 28), (2**62,), (-1, 28), (10**9,), (0,), (), (2**40, 0), (1,) * 40, "x", (1.5,), (10**400,))
        )
    elif key == "descr":
        header["descr"] = rng.choice((*DTYPES, [("a", "<f4")], [("a", "<f4")] * 2, None, 1))
    elif key == "fortran_order":
        header["fortran_order"] = rng.choice((True, None, 1, "x"))
    text = (
        repr(header)
        if key != "text"
        else rng.choice(("", "{}", "[" * 500, "1 +" * 1000, "{'descr': ", "\0" * 60, "(" * 90_000))
    )
    raw = text.encode() + b"\n"
    if len(raw) > 65_535:
        return (
            name,
            content[:6] + b"\x02\x00" + struct.pack("<I", len(raw)) + raw + content[10 + length :],
        ), f"{name}: {text:.60}"
    version = rng.choice((b"\x01\x00", b"\x01\x00", b"\x03\x00", b"\x09\x00"))
    return (
        name,
        content[:6] + version + struct.pack("<H", len(raw)) + raw + content[10 + length :],
    ), f"{name}: {text:.60}"


def idx_lie(rng: random.Random) -> tuple[str, str, bytes]:
    """A file of the format of MNIST."""
    sizes = [rng.choice((0, 1, 28, 10_000, 60_000, 2**31, 2**32 - 1)) for _ in range(rng.choice((0, 1, 3, 255)))]
    content = struct.pack(">BBBB", 0, 0, rng.choice((8, 0, 13, 255)), rng.choice((len(sizes) % 256, 3, 1, 255)))
    content += b"".join(struct.pack(">I", size) for size in sizes) + rng.randbytes(rng.choice((0, 1, 784, 47_040)))
    choice = rng.randrange(5)
    if choice == 0:
        return "idx", f"{sizes[:4]}", content
    if choice == 1:
        return "idx.gz", f"{sizes[:4]}", gzip.compress(content)
    if choice == 2:
        return "gz damaged", "", damage(rng, gzip.compress(content * 10))[1]
    if choice == 3:
        return "gz of gz", "", gzip.compress(gzip.compress(content)) * rng.choice((1, 1000))
    megabytes = rng.choice((100, 1000, 3000))
    return "gz bomb", f"{megabytes} MB", _gz_bomb(megabytes)


def _gz_bomb(megabytes: int) -> bytes:
    """Zeros; members of a gz file follow each other, so one is made and repeated."""
    return gzip.compress(bytes(50 << 20), 6) * (megabytes // 50)


def csv_lie(rng: random.Random, rows: list[list[Any]]) -> tuple[str, str, bytes]:
    """A lie about lines of numbers."""
    cells = [[str(cell) for cell in row] for row in rows]
    choice = rng.randrange(8)
    row, column = rng.randrange(len(cells)), rng.randrange(len(cells[0]))
    detail = f"{row},{column}"
    if choice < 3:
        cells[row][column] = rng.choice(
            (*TEXTS, *map(str, LONG_INTEGERS), *map(str, FLOATS), "1" * 5000, '"', "0x1p3", "1j")
        )
        lie = "csv value"
    elif choice == 3:
        cells[row] = cells[row][:column]
        lie = "csv row shorter"
    elif choice == 4:
        cells[row] += ["1"] * rng.choice((1, 100_000))
        lie = "csv row longer"
    elif choice == 5:
        content = rng.choice(
            (b"", b"\n" * 1000, b"," * 100_000, b"\xff\xfe1,2", b'"' + b"a" * 200_000, b"1\n", b"\0" * 100, b"#\n")
        )
        return "csv another", f"{content[:10]!r}", content
    elif choice == 6:
        lie, content = damage(rng, "\n".join(",".join(line) for line in cells).encode())
        return f"csv {lie}", "", content
    else:
        cells *= rng.choice((0, 2000))
        lie = "csv rows"
    text = rng.choice(("\n", "\r\n", "\r")).join(rng.choice((*"," * 8, ";", "\t")).join(line) for line in cells)
    if len(text) > 50_000_000:
        raise Unbuildable("too long")
    return lie, detail, text.encode("utf-8", "surrogatepass")
