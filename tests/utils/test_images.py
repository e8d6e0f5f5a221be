"""Image files of every kind, written and damaged by the tests."""

import io
import os
import socket
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import CameraError, ErrorKind, InputError, PageError
from digitedge.utils.images import find_images, read_image, write_image
from digitedge.utils.opencv import cv2, encode_image


@pytest.fixture
def image() -> NDArray[np.uint8]:
    """BGR, 40 x 60, with a bright red block in the upper left corner."""
    image = np.full((40, 60, 3), 200, np.uint8)
    image[:20, :30] = (0, 0, 250)
    return image


def add_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Insert an EXIF segment with one entry, the orientation."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
def test_lossless_file_is_read_exactly(tmp_path: Path, image: NDArray[np.uint8], suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(encode_image(image, suffix))
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), image)
    np.testing.assert_array_equal(read_image(str(tmp_path / f"a{suffix}")), image)


def test_jpeg_is_read_almost_exactly(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_image(image, ".jpg"))
    read = read_image(tmp_path / "a.jpg")
    assert read.dtype == np.uint8
    assert np.abs(read[5:15, 5:25].astype(int) - (0, 0, 250)).mean() < 5


@pytest.mark.parametrize(
    ("orientation", "corner"), [(3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))], ids=["180", "90", "270"]
)
def test_exif_rotation_is_applied(
    tmp_path: Path, image: NDArray[np.uint8], orientation: int, corner: tuple[int, int]
) -> None:
    (tmp_path / "a.jpg").write_bytes(add_exif_orientation(encode_image(image, ".jpg"), orientation))
    read = read_image(tmp_path / "a.jpg")
    assert read.shape == ((40, 60, 3) if orientation == 3 else (60, 40, 3))
    blue, _, red = read[corner].astype(int)
    assert red - blue > 150, "the red block has moved to this corner"


def test_16_bits_are_scaled_to_8(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), image.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)


def test_grey_becomes_bgr(tmp_path: Path) -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    (tmp_path / "a.pgm").write_bytes(encode_image(grey, ".pgm"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm"), np.dstack([grey] * 3))


@pytest.fixture
def drawing() -> NDArray[np.uint8]:
    """BGRA, 40 x 60: a bar and a fainter stroke of black ink on transparent black; nothing else is visible."""
    drawing = np.zeros((40, 60, 4), np.uint8)
    drawing[5:12, 10:50, 3] = 255
    drawing[20:24, 5:10, 3] = 128
    return drawing


def paint(drawing: NDArray[np.uint8], ink: tuple[int, int, int], under: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Give the visible and the transparent pixels a colour."""
    painted = drawing.copy()
    painted[..., :3] = np.where(drawing[..., 3:] > 0, ink, under)
    return painted


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
@pytest.mark.parametrize("under", [(0, 0, 0), (255, 255, 255)], ids=["over black", "over white"])
@pytest.mark.parametrize(
    ("ink", "background"),
    [((0, 0, 0), 255), ((255, 255, 255), 0), ((200, 40, 30), 255), ((90, 250, 250), 0)],
    ids=["black", "white", "blue", "yellow"],
)
def test_ink_on_a_transparent_image_shows(
    tmp_path: Path,
    drawing: NDArray[np.uint8],
    ink: tuple[int, int, int],
    under: tuple[int, int, int],
    background: int,
    suffix: str,
) -> None:
    content = encode_image(paint(drawing, ink, under), suffix, *([cv2.IMWRITE_WEBP_QUALITY, 101] * (suffix == ".webp")))
    (tmp_path / f"a{suffix}").write_bytes(content)
    read = read_image(tmp_path / f"a{suffix}")
    assert read[8, 30].tolist() == list(ink)
    assert read[0, 0].tolist() == [background] * 3
    half = (np.array(ink) + background) / 2
    np.testing.assert_allclose(read[22, 7], half, atol=2)


def test_16_bits_with_transparency(tmp_path: Path, drawing: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), paint(drawing, (255, 255, 255), (255, 255, 255)).astype(np.uint16) * 257)
    read = read_image(tmp_path / "a.png")
    assert [read[8, 30, 0], read[22, 7, 0], read[0, 0, 0]] == [255, 128, 0]


@pytest.mark.parametrize("kind", ["grey and alpha", "palette", "palette gif", "colour key"])
def test_white_ink_in_other_kinds_of_transparency(tmp_path: Path, drawing: NDArray[np.uint8], kind: str) -> None:
    pil_image = pytest.importorskip("PIL.Image")
    white = pil_image.fromarray(paint(drawing, (255, 255, 255), (255, 255, 255)))
    path = tmp_path / ("a.gif" if "gif" in kind else "a.png")
    if kind == "grey and alpha":
        white.convert("LA").save(path)
    elif kind == "colour key":
        pil_image.fromarray(paint(drawing, (255, 255, 255), (250, 255, 255))[..., :3]).save(
            path, transparency=(250, 255, 255)
        )
    else:
        palette = pil_image.fromarray((drawing[..., 3] > 0).astype(np.uint8), "P")
        palette.putpalette([255] * 6)  # ink and what is transparent have one colour
        palette.save(path, transparency=0)
    read = read_image(path)
    assert read[8, 30].tolist() == [255, 255, 255]
    assert read[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("paper", "ink", "background"), [(240, 30, 255), (30, 240, 0)], ids=["paper", "board"])
def test_what_is_around_a_page_becomes_like_the_page(tmp_path: Path, paper: int, ink: int, background: int) -> None:
    page = np.full((40, 60, 4), paper, np.uint8)
    page[..., 3] = 255
    page[10:20, 10:40, :3] = ink
    page[:4, :4] = 0  # a transparent corner
    cv2.imwrite(str(tmp_path / "a.png"), page)
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [background] * 3


def test_digits_that_are_cut_out_of_an_opaque_image_show(tmp_path: Path) -> None:
    stencil = np.full((40, 60, 4), 255, np.uint8)
    stencil[10:20, 10:40, 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), stencil)
    read = read_image(tmp_path / "a.png")
    assert [read[15, 20, 0], read[0, 0, 0]] == [0, 255]


def test_fully_transparent_image_is_blank(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 60, 4), np.uint8))
    assert np.all(read_image(tmp_path / "a.png") == 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_exif_rotation_is_applied_to_transparent_images(tmp_path: Path, suffix: str, orientation: int) -> None:
    """As OpenCV applies it to opaque ones."""
    pil_image = pytest.importorskip("PIL.Image")
    opaque = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    transparent = np.dstack([opaque, np.full((20, 30), 255, np.uint8)])
    transparent[0, 0, 3] = 254
    read = []
    for name, pixels in (("opaque", opaque), ("transparent", transparent)):
        exif = pil_image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f"{name}{suffix}"
        pil_image.fromarray(pixels).save(path, exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
        read.append(read_image(path))
    assert read[0].shape == read[1].shape
    np.testing.assert_allclose(read[0], read[1], atol=1)


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_exif_in_a_comment_rotates_nothing(tmp_path: Path, suffix: str) -> None:
    content = encode_image(np.full((20, 30, 4), 90, np.uint8), suffix)
    exif = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    comment = b"EXIF" + exif
    if suffix == ".png":
        content = content[:33] + png_chunk(b"tEXt", b"Comment\0eXIf" + exif) + content[33:]
    elif suffix == ".webp":
        content += b"NOTE" + struct.pack("<I", len(comment)) + comment
        content = b"RIFF" + struct.pack("<I", len(content) - 8) + content[8:]
    else:
        content += comment
    (tmp_path / "a").write_bytes(content)
    assert read_image(tmp_path / "a").shape == (20, 30, 3)


def test_comment_with_the_name_of_a_chunk_hides_no_transparency(tmp_path: Path) -> None:
    content = encode_image(np.zeros((20, 30, 3), np.uint8), ".png")
    extra = png_chunk(b"tEXt", b"Comment\0IDAT") + png_chunk(b"tRNS", bytes(6))  # black is transparent
    (tmp_path / "a.png").write_bytes(content[:33] + extra + content[33:])
    assert (read_image(tmp_path / "a.png") == 255).all()


def test_cmyk_jpeg_becomes_bgr(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    pil_image = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    pil_image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).convert("CMYK").save(stream, "JPEG")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    blue, _, red = read_image(tmp_path / "a.jpg")[10, 10].astype(int)
    assert red - blue > 150


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_file_is_an_error_and_prints_nothing(
    tmp_path: Path, image: NDArray[np.uint8], capfd: pytest.CaptureFixture[str], suffix: str, share: float
) -> None:
    noisy = cv2.randn(image.copy(), (128, 128, 128), (40, 40, 40))
    content = encode_image(noisy, suffix)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CameraError, match="truncated"):
        read_image(path)
    assert capfd.readouterr().err == ""


def test_truncated_jpeg_with_a_whole_thumbnail_is_an_error(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    jpeg, thumbnail = encode_image(image, ".jpg"), encode_image(image[:8, :8], ".jpg")
    with_thumbnail = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + jpeg[2:]
    (tmp_path / "whole.jpg").write_bytes(with_thumbnail)
    (tmp_path / "truncated.jpg").write_bytes(with_thumbnail[:-100])
    assert read_image(tmp_path / "whole.jpg").shape == image.shape
    with pytest.raises(CameraError, match="truncated"):
        read_image(tmp_path / "truncated.jpg")


def test_data_after_the_end_of_a_jpeg_is_ignored(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    (tmp_path / "motion.jpg").write_bytes(encode_image(image, ".jpg") + b"\xff\xda video of a motion photo")
    assert read_image(tmp_path / "motion.jpg").shape == image.shape


def test_changed_byte_in_a_png_is_an_error_and_prints_nothing(
    tmp_path: Path, image: NDArray[np.uint8], capfd: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(encode_image(image, ".png"))
    content[len(content) // 2] ^= 0x55
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(CameraError, match="damaged"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"seven", "something else"),
        (b"\xff\xd8\xff", "truncated"),
        (b"BM" + bytes(30), "something else"),
    ],
    ids=["empty", "text", "jpeg start", "bmp start"],
)
def test_file_that_is_no_image_is_an_error_that_names_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(CameraError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert capfd.readouterr().err == ""


def failure(path: Path, content: bytes) -> PageError:
    path.write_bytes(content)
    with pytest.raises(PageError) as caught:
        read_image(path)
    return caught.value


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".ppm", ".webp"])
def test_file_that_is_cut_off_is_damaged(tmp_path: Path, image: NDArray[np.uint8], suffix: str, share: float) -> None:
    content = encode_image(cv2.randn(image.copy(), (128, 128, 128), (40, 40, 40)), suffix)
    assert failure(tmp_path / "a", content[: int(len(content) * share)]).kind is ErrorKind.DAMAGED


def tag_place(tiff: bytes, tag: int) -> int:
    """Where the value of a tag of a little-endian TIFF stands."""
    directory = struct.unpack_from("<I", tiff, 4)[0]
    (count,) = struct.unpack_from("<H", tiff, directory)
    return next(
        at + 8
        for at in range(directory + 2, directory + 2 + 12 * count, 12)
        if tiff[at : at + 2] == struct.pack("<H", tag)
    )


def make_tiff(image: NDArray[np.uint8], compression: int) -> bytes:
    return encode_image(image, ".tif", cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 8)


@pytest.mark.parametrize("compression", [1, 2, 3, 4, 5, 7, 8, 32946, 32773])
def test_compressions_of_tiff_that_are_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], compression: int
) -> None:
    page = np.full((64, 64), 255, np.uint8)
    page[20:40, 10:50] = 0
    if compression in (2, 3, 4):
        pil_image = pytest.importorskip("PIL.Image")
        names = {2: "tiff_ccitt", 3: "group3", 4: "group4"}
        pil_image.fromarray(page).convert("1").save(tmp_path / "a", "TIFF", compression=names[compression])
    else:
        (tmp_path / "a").write_bytes(make_tiff(page, compression))
    np.testing.assert_allclose(read_image(tmp_path / "a")[:, :, 0], page, atol=20)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", [34712, 34933, 50000, 50002], ids=["JPEG 2000", "PNG", "Zstandard", "JPEG XL"])
def test_tiff_of_an_unknown_compression_is_no_black_image(
    tmp_path: Path, image: NDArray[np.uint8], capfd: pytest.CaptureFixture[str], compression: int
) -> None:
    content = bytearray(make_tiff(image, 1))
    struct.pack_into("<H", content, tag_place(content, 259), compression)
    error = failure(tmp_path / "a", content)
    assert error.kind is ErrorKind.UNKNOWN_FORMAT
    assert f"(compression {compression})" in str(error)
    assert capfd.readouterr().err == ""


def test_other_kinds_of_tiff_are_told(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    floats = bytes(cv2.imencode(".tif", image[:, :, 0].astype(np.float32))[1])
    for content, kind in ((b"II+\0" + bytes(100), "BigTIFF"), (floats, "32 bits per sample")):
        error = failure(tmp_path / "a", content)
        assert error.kind is ErrorKind.UNKNOWN_FORMAT
        assert f"({kind})" in str(error)


logs_tiff_errors = pytest.mark.skipif(cv2.__version__ < "5", reason="OpenCV 4 logs errors like warnings")


@logs_tiff_errors
@pytest.mark.parametrize("compression", [5, 8, 32773], ids=["LZW", "deflate", "PackBits"])
def test_tiff_with_a_strip_that_cannot_be_decoded_is_damaged(
    tmp_path: Path, image: NDArray[np.uint8], capfd: pytest.CaptureFixture[str], compression: int
) -> None:
    content = bytearray(make_tiff(cv2.randn(image.copy(), (128, 128, 128), (40, 40, 40)), compression))
    (strips,) = struct.unpack_from("<I", content, tag_place(content, 273))
    place, following = struct.unpack_from("<II", content, strips + 4)
    content[place:following] = bytes(following - place)
    level = cv2.utils.logging.getLogLevel()
    error = failure(tmp_path / "a", content)
    assert error.kind is ErrorKind.DAMAGED
    assert "a damaged part" in str(error)
    assert cv2.utils.logging.getLogLevel() == level
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


def test_black_tiff_is_no_error(tmp_path: Path) -> None:
    for compression in (1, 5, 8, 32773):
        (tmp_path / "a").write_bytes(make_tiff(np.zeros((64, 64, 3), np.uint8), compression))
        assert not read_image(tmp_path / "a").any()


@logs_tiff_errors
def test_threads_that_decode_tiffs_find_their_own_errors(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    good = make_tiff(image, 8)
    bad = bytearray(good)
    (strips,) = struct.unpack_from("<I", bad, tag_place(bad, 273))
    (place,) = struct.unpack_from("<I", bad, strips)
    bad[place : place + 10] = bytes(10)
    (tmp_path / "good").write_bytes(good)
    (tmp_path / "bad").write_bytes(bad)

    def is_read(name: str) -> bool:
        try:
            return read_image(tmp_path / name).shape == image.shape
        except PageError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(is_read, ["good", "bad"] * 50)) == [True, False] * 50


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="No such file"):
        read_image(tmp_path / "none.jpg")


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "socket", "device"])
def test_pipe_socket_or_device_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe")
    Path("link to a pipe").symlink_to("pipe")
    Path("device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(CameraError, match=f"cannot read {kind}: (expected a regular file|No such device)"):
            read_image(kind)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_image_in_a_pipe_of_the_shell_is_read(image: NDArray[np.uint8]) -> None:
    ends = os.pipe()
    try:
        os.write(ends[1], encode_image(image[:8, :8], ".png"))
        os.close(ends[1])
        np.testing.assert_array_equal(read_image(f"/dev/fd/{ends[0]}"), image[:8, :8])
    finally:
        os.close(ends[0])


@pytest.fixture
def folder(tmp_path: Path, image: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with images and other files."""
    monkeypatch.chdir(tmp_path)
    for name in ("10.png", "9.PNG", "1.jpg", ".hidden.png", "notes.txt", "inner/3.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_image(image, ".png"))
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
@pytest.mark.usefixtures("folder")
def test_images_are_found_in_natural_order(arguments: list[str], names: list[str]) -> None:
    assert find_images(arguments) == [Path(name) for name in names]


def test_file_with_brackets_in_its_name_is_not_a_pattern(folder: Path, image: NDArray[np.uint8]) -> None:
    (folder / "scan[1].png").write_bytes(encode_image(image, ".png"))
    assert find_images(["scan[1].png"]) == [Path("scan[1].png")]


@pytest.mark.parametrize("argument", ["none.png", "none/*.png", "empty", "*.gif"])
@pytest.mark.usefixtures("folder")
def test_argument_without_images_is_an_error(argument: str) -> None:
    with pytest.raises(CameraError, match=r"no .*Give"):
        find_images(["10.png", argument])


@pytest.mark.usefixtures("folder")
def test_empty_path_is_not_the_current_folder() -> None:
    with pytest.raises(InputError, match=r"expected the path of an image or folder, got an empty one"):
        find_images(["10.png", ""])


def test_image_is_written_completely_or_refused(tmp_path: Path) -> None:
    image = np.full((40, 60, 3), 200, np.uint8)
    write_image(tmp_path / "new" / "copy.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "copy.png"), image)
    with pytest.raises(CameraError, match=r"expected a suffix such as \.png or \.jpg, got '\.docx'"):
        write_image(tmp_path / "copy.docx", image)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
