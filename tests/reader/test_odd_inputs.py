"""Images of every odd kind on their whole way: from the file through the reader, and through the command line."""

import base64
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from digitedge.errors import CameraError
from digitedge.reader.reader import Reader
from digitedge.utils.images import read_image
from digitedge.utils.opencv import cv2

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
MOST_MEMORY = 1_400_000
READ = """
import re, sys
from pathlib import Path
from digitedge.utils.images import read_image
from digitedge.reader.reader import Reader
frame = read_image(sys.argv[1])
rows = Reader().read(frame).rows
print(*frame.shape, *rows, *re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text()))
"""


def a_seven(height=240, width=320):
    page = np.full((height, width, 3), (225, 228, 230), np.uint8)
    corners = np.array([[0.4, 0.3], [0.58, 0.3], [0.46, 0.75]]) * (width, height)
    cv2.polylines(page, [corners.astype(np.int32)], False, (60, 40, 40), max(1, height // 30), cv2.LINE_AA)
    return page


def with_alpha(page):
    """The paper is transparent."""
    return np.dstack([page, np.where(page[..., 0] < 150, 255, 0).astype(np.uint8)])


KINDS = {
    "grey": lambda page: page[..., 0],
    "16 bits": lambda page: page.astype(np.uint16) * 257,
    "16 bits, grey": lambda page: page[..., 0].astype(np.uint16) * 257,
    "alpha": with_alpha,
    "16 bits, alpha": lambda page: with_alpha(page).astype(np.uint16) * 257,
}


@pytest.fixture(scope="module")
def reader():
    return Reader()


@pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_a_seven_is_read_from_a_image_of_any_depth(tmp_path, reader, convert, suffix):
    cv2.imwrite(str(tmp_path / f"seven{suffix}"), convert(a_seven()))
    frame = read_image(tmp_path / f"seven{suffix}")
    assert (frame.shape, frame.dtype) == ((240, 320, 3), np.uint8)
    assert reader.read(frame).rows == ("7",)


def test_a_bar_is_taken_for_a_one_in_a_cmyk_jpeg(tmp_path, reader):
    """Whether it is reported is another question: a lone bar may be a ruling."""
    (tmp_path / "one.jpg").write_bytes(CMYK)
    frame = read_image(tmp_path / "one.jpg")
    assert frame.shape == (32, 48, 3)
    blue, _, red = frame[16, 22].astype(int)
    assert frame[2, 2].min() > 200 and blue - red > 50
    assert [(mark.digit, mark.box[3]) for mark in reader.read(frame).marks] == [(1, 24)]


def chunk(name, body):
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("content", [b"", chunk(b"IEND", b"")], ids=["nothing", "its end"])
def test_the_start_of_a_png_alone_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(PNG_START + content)
    with pytest.raises(CameraError, match="expected a"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("transparent", [False, True])
def test_the_colours_of_a_palette_are_kept_and_the_transparent_one_is_white(tmp_path, transparent):
    """Written chunk by chunk, as OpenCV writes no palettes: two pixels, red and green, of which green may be clear."""

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
    palette = chunk(b"PLTE", bytes([250, 0, 0, 0, 200, 0])) + (chunk(b"tRNS", bytes([255, 0])) if transparent else b"")
    pixels = chunk(b"IDAT", zlib.compress(bytes([0, 0, 1]))) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(PNG_START + header + palette + pixels)
    green = [255, 255, 255] if transparent else [0, 200, 0]
    assert read_image(tmp_path / "a.png").tolist() == [[[0, 0, 250], green]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 3000), (3000, 1), (2, 2), (7, 7)], ids=str)
@pytest.mark.parametrize("level", [0, 128, 255, None], ids=["black", "grey", "white", "noise"])
def test_tiny_and_thin_images_hold_nothing(tmp_path, reader, shape, level):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), noise if level is None else np.full_like(noise, level))
    frame = read_image(tmp_path / "a.png")
    assert frame.shape == (*shape, 3)
    reading = reader.read(frame)
    assert (reading.digits, reading.rows, reading.height, reading.width) == ((), (), *shape)


def test_predict_reads_what_it_can_and_names_the_rest(tmp_path, digitedge):
    for name, convert in KINDS.items():
        cv2.imwrite(str(tmp_path / f"good {name}.png"), convert(a_seven()))
    cv2.imwrite(str(tmp_path / "pixel.png"), np.zeros((1, 1), np.uint8))
    cv2.imwrite(str(tmp_path / "line.png"), np.zeros((1, 900), np.uint8))
    jpeg = cv2.imencode(".jpg", a_seven())[1].tobytes()
    damaged = {"bad truncated.jpg": jpeg[:-400], "bad empty.png": b"", "bad words.jpg": b"not an image"}
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
    done = digitedge("predict", tmp_path, "--json", "--annotate", tmp_path / "marked", "--stages", tmp_path / "slides")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    readings = {json.loads(line)["source"].rpartition("/")[2]: json.loads(line) for line in done.stdout.splitlines()}
    assert {name: reading["rows"] for name, reading in readings.items()} == {
        **{f"good {name}.png": ["7"] for name in KINDS},
        "pixel.png": [],
        "line.png": [],
    }
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(damaged) and all(any(name in line for line in errors) for name in damaged)
    assert len(list((tmp_path / "marked").iterdir())) == len(list((tmp_path / "slides").iterdir())) == len(readings)


def huge(kind):
    """100 megapixels with a seven, as a file."""
    page = a_seven(10_000, 10_000)
    if kind == "jpeg":
        return cv2.imencode(".jpg", page)[1]
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    return cv2.imencode(".png", KINDS[kind](page), quick)[1]


# The peak is Linux's own figure: ru_maxrss starts at that of the process that forked.
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="wants Linux's /proc")
@pytest.mark.parametrize("kind", ["jpeg", "grey", "alpha", "16 bits"])
def test_100_megapixels_are_read_in_bounded_memory(tmp_path, kind):
    huge(kind).tofile(tmp_path / "huge")
    done = subprocess.run([sys.executable, "-c", READ, tmp_path / "huge"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    *said, memory = done.stdout.split()
    assert said == ["10000", "10000", "3", "7"]
    assert int(memory) <= MOST_MEMORY


def test_a_strip_of_a_hundred_megapixels_is_no_trouble(reader):
    assert reader.read(np.full((100, 1_000_000), 200, np.uint8)).rows == ()
