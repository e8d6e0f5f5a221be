"""Files and bodies that would cost a careless server its memory, its time or its life."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib


def png(width: int, height: int, *, data: bytes = b"") -> bytes:
    """A complete grey PNG whose header states any size."""
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(data),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks.items()
    )


def jpeg(width: int, height: int) -> bytes:
    """A JPEG that ends after its header."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00\x00\x3f\x00"
    return b"\xff\xd8\xff\xc0%b%b\xff\xda%b%b\x00\xff\xd9" % (
        struct.pack(">H", len(frame) + 2),
        frame,
        struct.pack(">H", len(scan) + 2),
        scan,
    )


def webp(width: int, height: int) -> bytes:
    """A WebP whose canvas has any size."""
    canvas = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def tiff(width: int, height: int) -> bytes:
    """A grey TIFF of one strip that is not there."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: width * height % 2**32}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def pdf(pages: int) -> bytes:
    """A PDF of empty pages."""
    kids = " ".join(f"{number} 0 R" for number in range(3, 3 + pages))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {pages}/Kids[{kids}]>>"]
    objects += ["<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>"] * pages
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj{content}endobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010} 00000 n \n".encode() for place in places)
    out.write(f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def zip_bomb() -> bytes:
    """A zip of 50 MB of zeros, in 50 kB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("page.png", bytes(50_000_000))
    return out.getvalue()


def tar() -> bytes:
    """A tar with an empty image."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("page.png"))
    return out.getvalue()


SIDE = 60_000
FILES = {
    "png bomb": png(SIDE, SIDE),
    "png bomb with data": png(SIDE, SIDE, data=bytes(1_000_000)),
    "jpeg bomb": jpeg(SIDE, SIDE),
    "webp bomb": webp(SIDE, SIDE),
    "tiff bomb": tiff(SIDE, SIDE),
    "pnm bomb": b"P5 60000 60000 255\n",
    "gif bomb": b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0, 0, 0) + b";",
    "bmp bomb": b"BM" + struct.pack("<IIIIiiHH", 100, 0, 54, 40, SIDE, SIDE, 1, 24) + bytes(24),
    "image just above the pixels": b"P6 8000 6000 255\n",
    "pdf of 10,000 pages": pdf(10_000),
    "cut pdf": pdf(3)[:200],
    "garbage": bytes(range(256)) * 100,
    "gzip bomb": gzip.compress(bytes(50_000_000)),
    "zip bomb": zip_bomb(),
    "tar": tar(),
}
"""Bodies that get 4xx whatever is installed."""
