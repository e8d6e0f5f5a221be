"""Images that lie, of every format that OpenCV reads: damage, sizes that are not borne out, and bombs."""

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from fuzz.case import Case, damage

FORMATS = ("png", "jpg", "webp", "bmp", "tiff", "gif", "avif", "ppm", "pgm", "pbm", "pfm", "jp2", "hdr", "ras", "pam")
SIDES = (0, 1, 2, 255, 256, 5000, 16_384, 20_000, 32_767, 32_768, 65_535)
LONG_SIDES = (*SIDES, 65_536, 100_000, 2**20, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 1)


@cache
def _images() -> dict[str, list[bytes]]:
    """Small images of a digit by format."""
    from digitedge.utils.opencv import cv2

    page = np.full((60, 80, 3), 255, np.uint8)
    cv2.putText(page, "73", (8, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 3)
    grey = page[..., 0]
    clear = np.dstack([page, 255 - grey])
    made: dict[str, list[bytes]] = {}
    for name in FORMATS:
        for image in (page, grey, clear, page.astype(np.uint16) * 257, page.astype(np.float32) / 255):
            try:
                done, encoded = cv2.imencode(f".{name}", image)
            except cv2.error:  # not every format has every depth
                continue
            if done:
                made.setdefault(name, []).append(encoded.tobytes())
    jpeg = made["jpg"][0]
    for exif in (
        _exif(6),
        _exif(0),
        _exif(65_535),
        _exif(6, offset=2**32 - 1),
        _exif(6, count=65_535),
        b"Exif\0\0II*\0\0\0\0\0",
    ):
        made["jpg"].append(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    made["jpg"].append(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes())
    return made


def _exif(orientation: int, *, offset: int = 8, count: int = 1) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0" + struct.pack("<IH", offset, count) + entry + struct.pack("<I", 8)


def png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 0,
    interlace: int = 0,
    data: bytes = b"",
    more: bytes = b"",
) -> bytes:
    """A PNG whose sizes need not be borne out."""
    header = struct.pack(">IIBBBBB", width % 2**32, height % 2**32, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + more + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@cache
def _zeros(megabytes: int) -> bytes:
    return zlib.compress(bytes(megabytes << 20), 9)


def _png_lie(rng: random.Random) -> tuple[str, bytes]:
    width, height = rng.choice(LONG_SIDES), rng.choice(LONG_SIDES)
    depth, colour = rng.choice((1, 2, 4, 8, 16, 0, 3)), rng.choice((0, 2, 3, 4, 6, 1, 7))
    data = rng.choice((b"", b"x", _zeros(1), _zeros(100), _zeros(400)))
    more = b""
    for _ in range(rng.choice((0, 0, 1, 3))):
        name = rng.choice(
            (b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"sBIT", b"hIST")
        )
        content = rng.choice(
            (b"", b"x\0\0" + _zeros(100), rng.randbytes(26), rng.randbytes(768), _exif(6)[6:], b"\0" * 100_000)
        )
        more += _chunk(name, content)
    detail = f"{width}x{height}, depth {depth}, colour {colour}, {len(data)} bytes"
    return detail, png(width, height, depth=depth, colour=colour, interlace=rng.choice((0, 1, 7)), data=data, more=more)


def _png_bomb(rng: random.Random) -> tuple[str, bytes]:
    """A PNG that is what it says: few bytes, many pixels."""
    side, depth, colour = rng.choice(
        ((10_000, 8, 0), (16_000, 8, 2), (20_000, 1, 0), (30_000, 1, 3), (9000, 16, 6), (23_000, 8, 0))
    )
    channels = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    row = bytes(1 + (side * depth * channels + 7) // 8)
    packer = zlib.compressobj(6)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    more = _chunk(b"PLTE", bytes(6)) if colour == 3 else b""
    return f"{side}x{side}, depth {depth}, colour {colour}, {len(data)} bytes", png(
        side, side, depth=depth, colour=colour, data=data, more=more
    )


def _header_of(rng: random.Random, name: str) -> tuple[str, bytes]:
    """The header of a format with other sizes, over the data of a small image."""
    content = bytearray(rng.choice(_images()[name]))
    width, height = rng.choice(LONG_SIDES), rng.choice(LONG_SIDES)
    if name == "gif":
        content[6:10] = struct.pack("<HH", width % 65_536, height % 65_536)
        frame = content.find(b"\x2c", 13)
        if rng.random() < 0.5 and frame > 0:
            content[frame + 5 : frame + 9] = struct.pack("<HH", width % 65_536, height % 65_536)
        if rng.random() < 0.3 and frame > 0:  # many frames
            content = content[:-1] + content[frame:-1] * rng.choice((100, 3000)) + b";"
    elif name in ("bmp",):
        content[18:26] = struct.pack("<II", width % 2**32, height % 2**32)
        if rng.random() < 0.5:
            content[28:30] = struct.pack("<H", rng.choice((0, 1, 4, 8, 16, 24, 32, 33)))
        if rng.random() < 0.5:
            content[30:34] = struct.pack("<I", rng.choice((0, 1, 2, 3, 6, 99)))
        if rng.random() < 0.3:
            content[46:50] = struct.pack("<I", rng.choice((1, 256, 2**31)))
    elif name in ("ppm", "pgm", "pbm"):
        body = bytes(content[-4800:])
        top = rng.choice((b"255", b"65535", b"0", b"1", b"99999999999", b"-1"))
        content = bytearray(
            rng.choice((b"P5", b"P6", b"P4", b"P3", b"P2", b"P1"))
            + f"\n{width} {height}\n".encode()
            + top
            + b"\n"
            + body
        )
    elif name == "pam":
        depth, top = rng.choice((1, 3, 4, 0, 10**6)), rng.choice((1, 255, 65535, 0))
        text = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL {top}\nTUPLTYPE RGB\nENDHDR\n"
        content = bytearray(text.encode() + bytes(100))
    elif name == "pfm":
        content = bytearray(
            rng.choice((b"PF", b"Pf"))
            + f"\n{width} {height}\n".encode()
            + rng.choice((b"-1", b"1", b"0", b"nan", b"x"))
            + b"\n"
            + bytes(1000)
        )
    elif name == "hdr":
        content = bytearray(
            f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode() + bytes(content[60:])
        )
    elif name == "ras":
        content[4:12] = struct.pack(">II", width % 2**32, height % 2**32)
        content[12:16] = struct.pack(">I", rng.choice((1, 8, 24, 32, 0)))
        content[20:24] = struct.pack(">I", rng.choice((0, 1, 2, 3)))
    elif name == "jpg":
        for marker in (b"\xff\xc0", b"\xff\xc2"):
            if (place := content.find(marker)) > 0:
                content[place + 5 : place + 9] = struct.pack(">HH", height % 65_536, width % 65_536)
    elif name == "webp":
        if content[12:16] == b"VP8X":
            content[24:30] = struct.pack("<I", width % 2**24)[:3] + struct.pack("<I", height % 2**24)[:3]
        else:
            flags = rng.choice((0, 2, 16, 255))  # 2: an animation
            canvas = struct.pack("<I", width % 2**24)[:3] + struct.pack("<I", height % 2**24)[:3]
            extended = b"VP8X" + struct.pack("<II", 10, flags) + canvas
            content = bytearray(content[:12] + extended + content[12:])
            content[4:8] = struct.pack("<I", len(content) - 8)
    elif name == "tiff":
        return _tiff(rng, width, height)
    else:  # jp2, avif: the sizes wherever they stand
        for size, new in ((80, width), (60, height)):
            place = content.find(struct.pack(">I", size))
            while place >= 0:
                content[place : place + 4] = struct.pack(">I", new % 2**32)
                place = content.find(struct.pack(">I", size), place + 4)
    return f"{width}x{height}", bytes(content)


def _tiff(rng: random.Random, width: int, height: int) -> tuple[str, bytes]:
    tags: dict[int, tuple[int, int, int]] = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, rng.choice((1, 8, 16, 32, 64, 0))),
        259: (3, 1, rng.choice((1, 2, 5, 7, 8, 32773, 34712, 50000, 99))),
        262: (3, 1, rng.choice((0, 1, 2, 3, 6, 99))),
        273: (4, rng.choice((1, 1, 2**31)), rng.choice((8, 200, 2**31))),
        277: (3, 1, rng.choice((1, 3, 4, 0, 65_535))),
        278: (4, 1, rng.choice((1, height, 2**32 - 1, 0))),
        279: (4, 1, rng.choice((100, 0, 2**32 - 1))),
    }
    if rng.random() < 0.4:
        tags |= {
            322: (4, 1, rng.choice(LONG_SIDES)),
            323: (4, 1, rng.choice(LONG_SIDES)),
            324: (4, 1, 200),
            325: (4, 1, 50),
        }
    if rng.random() < 0.3:
        tags[274] = (3, 1, rng.choice((0, 6, 99)))
    entries = b"".join(
        struct.pack("<HHII", tag, kind, count, value % 2**32) for tag, (kind, count, value) in sorted(tags.items())
    )
    following = rng.choice((0, 0, 8, 2**32 - 1))  # 8: this directory again, for ever
    content = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", following)
    return f"{width}x{height}, {tags[258][2]} bits, compression {tags[259][2]}", content + rng.choice(
        (bytes(200), bytes(40_000), _zeros(1))
    )


def _plain(rng: random.Random) -> tuple[str, bytes]:
    """A whole image of a strange size or content, for the reader."""
    from digitedge.utils.opencv import cv2

    width, height = rng.choice((1, 2, 3, 7, 27, 28, 100, 2000)), rng.choice((1, 2, 3, 7, 27, 28, 100, 2000))
    if width * height > 10**6:
        height = 28
    drawn = np.random.default_rng(rng.randrange(2**32))
    image: Any = rng.choice(
        (
            lambda: np.zeros((height, width), np.uint8),
            lambda: np.full((height, width, 3), 255, np.uint8),
            lambda: drawn.integers(0, 256, (height, width, 3), np.uint8),
            lambda: (drawn.random((height, width)) < 0.1).astype(np.uint8) * 255,
            lambda: np.tile(np.uint8([[0, 255], [255, 0]]), (height // 2 + 1, width // 2 + 1))[:height, :width],
            lambda: np.full((height, width), drawn.integers(256), np.uint8),
            lambda: np.linspace(0, 255, height * width).reshape(height, width).astype(np.uint8),
        )
    )()
    return f"{width}x{height}", cv2.imencode(".png", image)[1].tobytes()


def make_image(rng: random.Random) -> Case:
    """Draw an image."""
    choice = rng.random()
    suffix = rng.choice(FORMATS)
    if choice < 0.45:
        sort, content = damage(rng, rng.choice(_images()[suffix]), other=rng.choice(_images()[rng.choice(FORMATS)]))
        lie, detail = f"{suffix} {sort}", ""
    elif choice < 0.5:
        lie, detail, content = "bytes of no format", "", rng.randbytes(rng.choice((1, 10, 1000)))
    elif choice < 0.6:
        lie, suffix = "plain", "png"
        detail, content = _plain(rng)
    else:
        makers: list[tuple[str, Callable[[], tuple[str, bytes]]]] = [
            ("header", lambda: _header_of(rng, suffix)),
            ("header", lambda: _png_lie(rng)),
            ("bomb", lambda: _png_bomb(rng)),
        ]
        index = 0 if suffix != "png" else rng.choice((1, 1, 2))
        sort, make = makers[index]
        detail, content = make()
        lie = f"{suffix} {sort}"
    if rng.random() < 0.05:
        suffix = rng.choice(FORMATS)
    return Case(lie, f"{detail} ({len(content)} bytes)", {f"image.{suffix}": content}, f"image.{suffix}")
