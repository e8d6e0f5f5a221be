"""Images of every kind, from the file to the reading, and through the command line."""

import base64
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import CameraError
from digitedge.reader import Reader
from digitedge.utils.images import read_image
from digitedge.utils.memory_limit import MEMORY_VARIABLE
from digitedge.utils.opencv import cv2, encode_image

# A blue one on paper, 48 x 32, encoded as CMYK in JPEG; OpenCV reads such files but does not write them.
CMYK = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJTUjI+WmFaUGBK"
    "UVJP/8AAFAgAIAAwBEMRAE0RAFkRAEsRAP/EABkAAQEBAQEBAAAAAAAAAAAAAAAFBgQDB//EADMQAAECAwUCDAcAAAAAAAAAAAAREgEDBAIFBhMU"
    "YcIHFRYkMTZDRXSBg7IjNUJEc4Kx/9oADgRDAE0AWQBLAAA/AN+b8359OAAIGKMScntLzPUah/aMa1NkV6SBijEnJ7S8z1Gof2jGtTZFeknXtenF"
    "uV8HNzF+pqImzaCvQVOtu+mq2Mz5VmY1Va6EIovmV6Cp1t301WxmfKszGqrXQhFF8ztp5ufTSpzW5liFpFVFgoOg6D0AAAAAABgeFHuv1dwwPCj3"
    "X6u4Z3Fn2n77oNdcHV67fCSvZA11wdXrt8JK9kCzd3y2l/DY/kAUCgdIAAAAAAMDwo91+ruGB4Ue6/V3DO4s+0/fdBrrg6vXb4SV7IGuuDq9dvhJ"
    "XsgWbu+W0v4bH8gCgUDpAAAAAABAxRhvlDpeeafTv7N7nJtgnQQMUYb5Q6Xnmn07+ze5ybYJ0E69rr4yyvjZWWv0uVU27AV6Cm0V301I9+RKsy3I"
    "jmwhBU8ivQU2iu+mpHvyJVmW5Ec2EIKnkdtPKyKaVJc7LsQsqiKkEB0HQegAAP/Z"
)
PNG_START = b"\x89PNG\r\n\x1a\n"
# Resident memory that reading an image of 100 megapixels may take in all, in kB. Measured, with OpenCV 5.0: 650 MB for
# a JPEG, 840 MB for a PNG with alpha, 1220 MB for one of 16 bits, for which OpenCV itself holds twice 600 MB.
MAX_MEMORY_KB = 1_400_000
READ_IN_A_PROCESS = """
import re, sys
from pathlib import Path
from digitedge.utils.images import read_image
from digitedge.reader import Reader
image = read_image(sys.argv[1])
rows = Reader().read(image).rows
print(*image.shape, *rows, *re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text()))
"""


def draw_seven(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    page = np.full((height, width, 3), (225, 228, 230), np.uint8)
    corners = np.array([[0.4, 0.3], [0.58, 0.3], [0.46, 0.75]]) * (width, height)
    cv2.polylines(page, [corners.astype(np.int32)], False, (60, 40, 40), max(1, height // 30), cv2.LINE_AA)
    return page


def add_alpha(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make the paper transparent."""
    return np.dstack([page, np.where(page[..., 0] < 150, 255, 0).astype(np.uint8)])


FORMATS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8] | NDArray[np.uint16]]] = {
    "grey": lambda page: page[..., 0],
    "16 bits": lambda page: page.astype(np.uint16) * 257,
    "16 bits, grey": lambda page: page[..., 0].astype(np.uint16) * 257,
    "alpha": add_alpha,
    "16 bits, alpha": lambda page: add_alpha(page).astype(np.uint16) * 257,
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_seven_is_read_from_a_file_of_any_depth(tmp_path: Path, reader: Reader, name: str, suffix: str) -> None:
    path = tmp_path / f"seven{suffix}"
    cv2.imwrite(str(path), FORMATS[name](draw_seven()))
    image = read_image(path)
    assert (image.shape, image.dtype) == ((240, 320, 3), np.uint8)
    assert reader.read(image).rows == reader.read(path).rows == ("7",)


def test_vertical_stroke_in_a_cmyk_jpeg_is_predicted_as_a_one(tmp_path: Path, reader: Reader) -> None:
    """Whether it is kept is another question: a stroke alone may be a line."""
    (tmp_path / "one.jpg").write_bytes(CMYK)
    image = read_image(tmp_path / "one.jpg")
    assert image.shape == (32, 48, 3)
    blue, _, red = image[16, 22].astype(int)
    assert image[2, 2].min() > 200 and blue - red > 50
    decisions = reader.trace(image).decisions
    assert [(decision.prediction.digit, decision.box[3]) for decision in decisions] == [(1, 24)]


def make_chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("content", [b"", make_chunk(b"IEND", b"")], ids=["nothing", "its end"])
def test_start_of_a_png_alone_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(PNG_START + content)
    with pytest.raises(CameraError, match="expected a"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("transparent", [False, True])
def test_colours_of_a_palette_are_kept_and_the_transparent_one_is_white(tmp_path: Path, transparent: bool) -> None:
    """Written chunk by chunk, as OpenCV writes no palettes: two pixels, red and green; green may be transparent."""
    header = make_chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
    palette = make_chunk(b"PLTE", bytes([250, 0, 0, 0, 200, 0]))
    alpha = make_chunk(b"tRNS", bytes([255, 0])) if transparent else b""
    pixels = make_chunk(b"IDAT", zlib.compress(bytes([0, 0, 1]))) + make_chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(PNG_START + header + palette + alpha + pixels)
    green = [255, 255, 255] if transparent else [0, 200, 0]
    assert read_image(tmp_path / "a.png").tolist() == [[[0, 0, 250], green]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 3000), (3000, 1), (2, 2), (7, 7)], ids=str)
@pytest.mark.parametrize("level", [0, 128, 255, None], ids=["black", "grey", "white", "noise"])
def test_tiny_and_thin_images_have_no_digits(
    tmp_path: Path, reader: Reader, shape: tuple[int, int], level: int | None
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), noise if level is None else np.full_like(noise, level))
    image = read_image(tmp_path / "a.png")
    assert image.shape == (*shape, 3)
    reading = reader.read(image)
    assert (reading.digits, reading.rows, reading.height, reading.width) == ((), (), *shape)


def test_predict_reads_every_image_and_names_the_damaged_ones(
    tmp_path: Path, digitedge: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    for name, convert in FORMATS.items():
        cv2.imwrite(str(tmp_path / f"good {name}.png"), convert(draw_seven()))
    cv2.imwrite(str(tmp_path / "pixel.png"), np.zeros((1, 1), np.uint8))
    cv2.imwrite(str(tmp_path / "line.png"), np.zeros((1, 900), np.uint8))
    jpeg = encode_image(draw_seven(), ".jpg")
    damaged = {"bad truncated.jpg": jpeg[:-400], "bad empty.png": b"", "bad words.jpg": b"not an image"}
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
    copies, slides = tmp_path / "copies", tmp_path / "slides"
    done = digitedge("predict", tmp_path, "--json", "--annotate", copies, "--stages", slides)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    readings = {json.loads(line)["source"].rpartition("/")[2]: json.loads(line) for line in done.stdout.splitlines()}
    assert {name: reading["rows"] for name, reading in readings.items()} == {
        **{f"good {name}.png": ["7"] for name in FORMATS},
        "pixel.png": [],
        "line.png": [],
    }
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(damaged) and all(any(name in line for line in errors) for name in damaged)
    assert len(list(copies.iterdir())) == len(list(slides.iterdir())) == len(readings)


def encode_huge_seven(name: str) -> bytes:
    """Encode an image of 100 megapixels."""
    page = draw_seven(10_000, 10_000)
    if name == "jpeg":
        return encode_image(page, ".jpg")
    return cv2.imencode(".png", FORMATS[name](page), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


# The peak is Linux's own figure: ru_maxrss starts at that of the process that forked.
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("name", ["jpeg", "grey", "alpha", "16 bits"])
def test_image_of_100_megapixels_is_read_in_bounded_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / "huge").write_bytes(encode_huge_seven(name))
    command = [sys.executable, "-c", READ_IN_A_PROCESS, str(tmp_path / "huge")]
    raised = {**os.environ, MEMORY_VARIABLE: "1500"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=raised)
    assert done.returncode == 0, done.stderr
    *result, memory = done.stdout.split()
    assert result == ["10000", "10000", "3", "7"]
    assert int(memory) <= MAX_MEMORY_KB


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_scan_of_an_a3_page_at_600_dpi_is_read_in_600_megabytes(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "a3").write_bytes(encode_image(draw_seven(9921, 7016), suffix))
    command = [sys.executable, "-c", READ_IN_A_PROCESS, str(tmp_path / "a3")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    *result, memory = done.stdout.split()
    assert result == ["9921", "7016", "3", "7"]
    assert int(memory) * 1024 <= 600e6


def test_strip_of_100_megapixels_has_no_digits(reader: Reader) -> None:
    assert reader.read(np.full((100, 1_000_000), 200, np.uint8)).rows == ()
