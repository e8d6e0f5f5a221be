"""Image files of every kind, written here, damaged here."""

import io
import os
import socket
import struct
from pathlib import Path

import numpy as np
import pytest

from digitedge.errors import CameraError, InputError
from digitedge.utils.images import find_images, read_image, write_image
from digitedge.utils.opencv import cv2


@pytest.fixture
def image():
    """BGR, 40 x 60, with a bright red block in the upper left corner."""
    frame = np.full((40, 60, 3), 200, np.uint8)
    frame[:20, :30] = (0, 0, 250)
    return frame


def encoded(frame, suffix):
    return cv2.imencode(suffix, frame)[1].tobytes()


def with_exif_orientation(jpeg, orientation):
    """Insert an EXIF segment with one entry, the orientation."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
def test_a_lossless_file_comes_back_exactly(tmp_path, image, suffix):
    (tmp_path / f"a{suffix}").write_bytes(encoded(image, suffix))
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), image)


def test_a_jpeg_comes_back_nearly(tmp_path, image):
    (tmp_path / "a.jpg").write_bytes(encoded(image, ".jpg"))
    read = read_image(tmp_path / "a.jpg")
    assert read.dtype == np.uint8
    assert np.abs(read[5:15, 5:25].astype(int) - (0, 0, 250)).mean() < 5


@pytest.mark.parametrize(
    ("orientation", "corner"), [(3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))], ids=["180", "90", "270"]
)
def test_exif_rotation_is_applied(tmp_path, image, orientation, corner):
    (tmp_path / "a.jpg").write_bytes(with_exif_orientation(encoded(image, ".jpg"), orientation))
    read = read_image(tmp_path / "a.jpg")
    assert read.shape == ((40, 60, 3) if orientation == 3 else (60, 40, 3))
    blue, _, red = read[corner].astype(int)
    assert red - blue > 150, "the red block has moved to this corner"


def test_16_bits_are_scaled_to_8(tmp_path, image):
    (tmp_path / "a.png").write_bytes(encoded(image.astype(np.uint16) * 257, ".png"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)


def test_grey_becomes_bgr(tmp_path):
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    (tmp_path / "a.pgm").write_bytes(encoded(grey, ".pgm"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm"), np.dstack([grey] * 3))


@pytest.mark.parametrize("scale", [1, 257], ids=["8 bits", "16 bits"])
def test_transparent_parts_lie_on_white(tmp_path, scale):
    drawing = np.zeros((10, 10, 4), np.uint16)  # black everywhere, but visible in one pixel only
    drawing[4, 4, 3] = 255
    depth = np.uint8 if scale == 1 else np.uint16
    (tmp_path / "a.png").write_bytes(encoded((drawing * scale).astype(depth), ".png"))
    read = read_image(tmp_path / "a.png")
    assert read[4, 4].tolist() == [0, 0, 0]
    assert read[0, 0].tolist() == [255, 255, 255]


def test_cmyk_jpeg_becomes_bgr(tmp_path, image):
    pil_image = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    pil_image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).convert("CMYK").save(stream, "JPEG")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    blue, _, red = read_image(tmp_path / "a.jpg")[10, 10].astype(int)
    assert red - blue > 150


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_cut_short_is_an_error_without_chatter(tmp_path, image, capfd, suffix, share):
    noisy = cv2.randn(image.copy(), (128, 128, 128), (40, 40, 40))
    content = encoded(noisy, suffix)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CameraError, match="cut short"):
        read_image(path)
    assert capfd.readouterr().err == ""


def test_a_thumbnail_does_not_hide_that_the_image_is_cut_short(tmp_path, image):
    jpeg, thumbnail = encoded(image, ".jpg"), encoded(image[:8, :8], ".jpg")
    with_thumbnail = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + jpeg[2:]
    (tmp_path / "whole.jpg").write_bytes(with_thumbnail)
    (tmp_path / "cut.jpg").write_bytes(with_thumbnail[:-100])
    assert read_image(tmp_path / "whole.jpg").shape == image.shape
    with pytest.raises(CameraError, match="cut short"):
        read_image(tmp_path / "cut.jpg")


def test_data_after_the_end_of_a_jpeg_does_no_harm(tmp_path, image):
    (tmp_path / "motion.jpg").write_bytes(encoded(image, ".jpg") + b"\xff\xda video of a motion photo")
    assert read_image(tmp_path / "motion.jpg").shape == image.shape


def test_a_changed_byte_in_a_png_is_an_error_without_chatter(tmp_path, image, capfd):
    content = bytearray(encoded(image, ".png"))
    content[len(content) // 2] ^= 0x55
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(CameraError, match="damaged"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty file"),
        (b"seven", "something else"),
        (b"\xff\xd8\xff", "cut short"),
        (b"BM" + bytes(30), "something else"),
    ],
    ids=["empty", "text", "jpeg start", "bmp start"],
)
def test_what_is_no_image_is_named(tmp_path, capfd, content, says):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(CameraError, match=says) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(CameraError, match="No such file"):
        read_image(tmp_path / "none.jpg")


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "socket", "device"])
def test_what_never_ends_is_refused_by_name(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe")
    Path("link to a pipe").symlink_to("pipe")
    Path("device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(CameraError, match=f"cannot read {kind}: expected an image file, got a named pipe"):
            read_image(kind)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="wants /proc")
def test_a_image_that_a_shell_hands_over_as_a_pipe_is_read(image):
    ends = os.pipe()
    try:
        os.write(ends[1], encoded(image[:8, :8], ".png"))
        os.close(ends[1])
        np.testing.assert_array_equal(read_image(f"/dev/fd/{ends[0]}"), image[:8, :8])
    finally:
        os.close(ends[0])


@pytest.fixture
def folder(tmp_path, image, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("10.png", "9.PNG", "1.jpg", ".hidden.png", "notes.txt", "inner/3.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(image, ".png"))
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["."], ["1.jpg", "9.PNG", "10.png"]),
        (["*.png", "1.jpg"], ["10.png", "1.jpg"]),
        (["**/*.png"], ["10.png", "inner/3.png"]),
        (["10.png", "1.jpg", "10.png"], ["10.png", "1.jpg"]),
        (["10.png", "."], ["10.png", "1.jpg", "9.PNG"]),
        (["notes.txt"], ["notes.txt"]),
    ],
    ids=["folder", "pattern", "deep pattern", "files keep their order", "each once", "any named file"],
)
def test_images_are_found_in_natural_order(folder, arguments, names):
    assert find_images(arguments) == [Path(name) for name in names]


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(folder, image):
    (folder / "scan[1].png").write_bytes(encoded(image, ".png"))
    assert find_images(["scan[1].png"]) == [Path("scan[1].png")]


@pytest.mark.parametrize("argument", ["none.png", "none/*.png", "empty", "*.gif"])
def test_nothing_found_is_an_error(folder, argument):
    with pytest.raises(CameraError, match=r"no .*Give"):
        find_images(["10.png", argument])


def test_an_empty_path_is_not_the_current_folder(folder):
    with pytest.raises(InputError, match=r"expected the path of an image or folder, got an empty one"):
        find_images(["10.png", ""])


def test_a_image_is_written_whole_or_refused(tmp_path: Path) -> None:
    frame = np.full((40, 60, 3), 200, np.uint8)
    write_image(tmp_path / "new" / "copy.png", frame)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "copy.png"), frame)
    with pytest.raises(CameraError, match=r"expected a suffix such as \.png or \.jpg, got '\.docx'"):
        write_image(tmp_path / "copy.docx", frame)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
