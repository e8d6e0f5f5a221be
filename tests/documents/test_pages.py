"""Pages of images, TIFF, PDF and HEIC files that are made here, and of hostile ones."""

import importlib.util
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from made_documents import (
    build_pdf,
    image_object,
    next_pointer,
    page_image,
    scan_pdf,
    stream,
    tiff_directories,
    vector_pdf,
    write_tiff,
)
from numpy.typing import NDArray

from digitedge.documents import Page, count_pages, may_hold_many, read_pages
from digitedge.errors import CameraError, ErrorKind, MissingExtraError, PageError
from digitedge.utils.images import read_image, write_image
from digitedge.utils.opencv import encode_image

needs_pdf = pytest.mark.skipif(not importlib.util.find_spec("pypdfium2"), reason="wants the extra pdf")
needs_heic = pytest.mark.skipif(not importlib.util.find_spec("pi_heif"), reason="wants the extra heic")


def load_all(path: Path) -> list[NDArray[np.uint8]]:
    return [page.load() for page in read_pages(str(path))]


def failure(page: Page) -> tuple[ErrorKind, str]:
    with pytest.raises(PageError) as caught:
        page.load()
    assert "\n" not in str(caught.value)
    return caught.value.kind, str(caught.value)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# Images and TIFF


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif", ".ppm"])
def test_an_image_is_one_page_without_a_number(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, page_image(7))
    (page,) = read_pages(str(path))
    assert (page.source, page.number, page.name) == (str(path), None, str(path))
    np.testing.assert_array_equal(page.load(), read_image(path))


def test_a_document_is_known_by_its_content(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", [page_image(1), page_image(2)])
    (tmp_path / "a.tif").rename(tmp_path / "a.jpg")
    assert count_pages(str(tmp_path / "a.jpg")) == 2


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [("none.png", ErrorKind.MISSING, "No such file"), (".", ErrorKind.MISSING, "expected a file, got a folder")],
)
def test_what_cannot_be_opened_is_one_page_with_an_error(tmp_path: Path, name: str, kind: str, message: str) -> None:
    (page,) = read_pages(str(tmp_path / name))
    found, words = failure(page)
    assert (found, page.number) == (kind, None)
    assert message in words
    assert count_pages(str(tmp_path / name)) == 1


def test_a_file_that_is_no_document_is_one_page_with_an_error(tmp_path: Path) -> None:
    for content, kind in ((b"", ErrorKind.DAMAGED), (b"some text", ErrorKind.UNKNOWN_FORMAT)):
        (page,) = read_pages(str(write(tmp_path / "a.pdf", content)))
        assert failure(page)[0] == kind


def test_every_page_of_a_tiff_is_read(tmp_path: Path) -> None:
    images = [page_image(number, width=300 + 10 * number) for number in range(5)]
    write_tiff(tmp_path / "a.tif", images)
    pages = list(read_pages(str(tmp_path / "a.tif")))
    assert [page.number for page in pages] == [1, 2, 3, 4, 5]
    for page, image in zip(pages, images, strict=True):
        np.testing.assert_array_equal(page.load(), image)
    part = read_pages(str(tmp_path / "a.tif"), start=3, stop=4)
    assert [page.number for page in part] == [4]
    assert count_pages(str(tmp_path / "a.tif")) == 5


def marked_tiff(tmp_path: Path, kinds: list[int]) -> Path:
    """A TIFF whose pages have these values of tag 254."""
    write_tiff(tmp_path / "a.tif", [page_image(number) for number in range(len(kinds))])
    content = bytearray((tmp_path / "a.tif").read_bytes())
    for start, kind in zip(tiff_directories(bytes(content)), kinds, strict=True):
        (count,) = struct.unpack_from("<H", content, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            if struct.unpack_from("<H", content, entry)[0] == 254:
                struct.pack_into("<HHII", content, entry, 254, 4, 1, kind)
    return write(tmp_path / "a.tif", bytes(content))


def test_thumbnails_and_masks_are_no_pages(tmp_path: Path) -> None:
    path = marked_tiff(tmp_path, [2, 1, 2, 4, 0])
    assert [page.number for page in read_pages(str(path))] == [1, 2, 3]
    for image, number in zip(load_all(path), [0, 2, 4], strict=True):
        np.testing.assert_array_equal(image, page_image(number))


def test_of_thumbnails_alone_the_first_is_read(tmp_path: Path) -> None:
    (image,) = load_all(marked_tiff(tmp_path, [1, 1]))
    np.testing.assert_array_equal(image, page_image(0))


def test_a_tiff_whose_chain_comes_back_has_each_page_once(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", [page_image(1), page_image(2)])
    content = bytearray((tmp_path / "a.tif").read_bytes())
    first, last = tiff_directories(bytes(content))
    struct.pack_into("<I", content, next_pointer(bytes(content), last), first)
    assert len(load_all(write(tmp_path / "a.tif", bytes(content)))) == 2


def test_a_tiff_that_is_cut_off_says_so_after_its_last_page(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", [page_image(1), page_image(2)])
    content = bytearray((tmp_path / "a.tif").read_bytes())
    last = tiff_directories(bytes(content))[1]
    struct.pack_into("<I", content, next_pointer(bytes(content), last), len(content) + 100)
    *good, bad = read_pages(str(write(tmp_path / "a.tif", bytes(content))))
    assert [page.load().shape for page in good] == [(240, 320, 3)] * 2
    assert bad.number == 3
    assert failure(bad) == (ErrorKind.DAMAGED, f"{tmp_path}/a.tif: expected a complete TIFF, got one that is cut off. "
                            "Copy it again.")  # fmt: skip


def test_the_only_page_of_a_tiff_has_no_number_in_errors(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", [page_image(1)])
    content = bytearray((tmp_path / "a.tif").read_bytes())
    (start,) = tiff_directories(bytes(content))
    struct.pack_into("<H", content, start + 2, 9999)  # instead of the tag that comes first
    (page,) = read_pages(str(write(tmp_path / "a.tif", bytes(content))))
    assert failure(page)[1].startswith(f"{tmp_path}/a.tif: ")


def test_of_a_tiff_only_the_directories_are_read_before_a_page_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    noise = [np.random.default_rng(0).integers(256, size=(1000, 1000, 3), dtype=np.uint8)] * 6
    write_tiff(path, noise)
    assert path.stat().st_size > 15_000_000
    tracemalloc.start()
    try:
        pages = list(read_pages(str(path)))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        for page in pages:
            assert page.load().shape == (1000, 1000, 3)
        assert tracemalloc.get_traced_memory()[1] < 1.7 * path.stat().st_size, "two copies"
    finally:
        tracemalloc.stop()


# PDF


@needs_pdf
@pytest.mark.parametrize("dpi", [60, 72, 150, 300, 700])
def test_a_scanned_page_is_rendered_pixel_by_pixel(tmp_path: Path, dpi: int) -> None:
    images = [page_image(number, width=640, height=480) for number in (3, 5)]
    path = write(tmp_path / "a.pdf", scan_pdf(images, dpi=dpi))
    pages = list(read_pages(str(path)))
    assert [page.name for page in pages] == [f"{path} page 1", f"{path} page 2"]
    for page, image in zip(pages, images, strict=True):
        rendered = page.load()
        assert (rendered.shape, rendered.dtype) == (image.shape, np.uint8)
        np.testing.assert_array_equal(rendered, image)


@needs_pdf
@pytest.mark.parametrize("seed", range(8))
def test_a_scan_keeps_its_pixels_although_its_page_has_rounded_sides(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    width, height = (int(side) for side in random.integers(300, 900, 2))
    image, dpi = page_image(seed, width=width, height=height), float(random.uniform(70, 250))
    content = scan_pdf([image], dpi=dpi)
    box, rounded = (form % (width * 72 / dpi, height * 72 / dpi) for form in (b"[0 0 %f %f]", b"[0 0 %.2f %.2f]"))
    assert box in content
    (rendered,) = load_all(write(tmp_path / "a.pdf", content.replace(box, rounded.ljust(len(box)))))
    np.testing.assert_array_equal(rendered, image)


@needs_pdf
@pytest.mark.parametrize(
    ("size", "dpi", "expected"),
    [
        ((4960, 7016), 600, (2480, 3508)),  # A4 at 600 dpi becomes 300 dpi
        ((4000, 2200), 72, (4000, 2200)),  # a photograph on a page of its size in points
        ((3000, 2000), 1000, (3000, 2000)),  # one on a small page
        ((6000, 4000), 1000, (3612, 2408)),  # more pixels than a page of paper: as many as that has
    ],
    ids=str,
)
def test_the_resolution_is_that_of_the_scan(
    tmp_path: Path, size: tuple[int, int], dpi: int, expected: tuple[int, int]
) -> None:
    box = b"%f %f" % (size[0] * 72 / dpi, size[1] * 72 / dpi)
    content = one_page(b"3 0 R", 1, IMAGE, image_object(*size, b""), box=box)
    (rendered,) = load_all(write(tmp_path / "a.pdf", content))
    np.testing.assert_allclose(rendered.shape[1::-1], expected, atol=2)


TEXT = b"BT /F 20 Tf 20 20 Td (12345) Tj ET"


@needs_pdf
@pytest.mark.parametrize(
    ("over", "dpi"), [(b"", 100), (b"BT 3 Tr" + TEXT[2:], 100), (TEXT, 200)], ids=["scan", "invisible text", "text"]
)
def test_what_is_printed_over_a_coarse_scan_is_rendered_finely(tmp_path: Path, over: bytes, dpi: int) -> None:
    image = page_image(7, width=800, height=1100)
    (rendered,) = load_all(write(tmp_path / "a.pdf", scan_pdf([image], dpi=100, over=over)))
    assert abs(rendered.shape[1] - 8 * dpi) <= 1


@needs_pdf
@pytest.mark.parametrize(("dpi", "over"), [(20, b""), (100, b"q 600 0 0 800 0 0 cm /I Do Q")], ids=["mask", "layers"])
def test_colours_with_a_finer_mask_are_rendered_finely(tmp_path: Path, dpi: int, over: bytes) -> None:
    image = page_image(7, width=8 * dpi, height=11 * dpi)
    (rendered,) = load_all(write(tmp_path / "a.pdf", scan_pdf([image], dpi=dpi, over=over)))
    assert abs(rendered.shape[1] - 8 * 200) <= 1


@needs_pdf
@pytest.mark.parametrize(
    ("size", "expected"),
    [((595, 842), (1653, 2339)), ((72, 36), (200, 100)), ((72_000_000, 72_000_000), (6000, 6000))],
    ids=["A4", "an inch", "a million inches"],
)
def test_a_page_that_was_never_scanned_has_200_dpi_and_bounded_pixels(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    (rendered,) = load_all(write(tmp_path / "a.pdf", vector_pdf(TEXT, width=size[0], height=size[1])))
    np.testing.assert_allclose(rendered.shape[1::-1], expected, atol=1)


@needs_pdf
def test_a_very_long_page_has_a_bounded_side(tmp_path: Path) -> None:
    (rendered,) = load_all(write(tmp_path / "a.pdf", vector_pdf(TEXT, width=72_000_000, height=72)))
    assert max(rendered.shape) <= 20_000


@needs_pdf
def test_annotations_and_form_fields_are_drawn(tmp_path: Path) -> None:
    blank = vector_pdf(b"")
    note = b"/Annots[<</Type/Annot/Subtype/Square/Rect[100 100 300 300]/C[1 0 0]/IC[1 0 0]/AP<</N 6 0 R>>>>]"
    drawn = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 200 200]/Length 29>>\nstream\n1 0 0 rg 0 0 200 200 re f     \nendstream"
    )
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R%b>>"
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    empty, nothing = stream(b""), b"<<>>"
    square = build_pdf([b"<</Type/Catalog/Pages 2 0 R>>", pages, page % note, empty, nothing, drawn])
    widget = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(123)/Rect[100 100 300 300]/P 3 0 R/AP<</N 6 0 R>>>>"
    form = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>"
    field = build_pdf([form, pages, page % b"/Annots[5 0 R]", empty, widget, drawn])
    for content, expected in ((blank, 255), (square, 0), (field, 0)):
        (rendered,) = load_all(write(tmp_path / "a.pdf", content))
        assert rendered[-500, 500].tolist() == [expected, expected, 255]


@needs_pdf
def test_pages_of_a_pdf_are_read_by_index_and_in_any_order(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.pdf", scan_pdf([page_image(number) for number in range(6)], dpi=100)))
    assert count_pages(path) == 6
    assert [page.number for page in read_pages(path, start=4)] == [5, 6]
    assert list(read_pages(path, start=6)) == []
    last_first = [page.load() for page in reversed(list(read_pages(path)))]
    np.testing.assert_array_equal(last_first[0], next(read_pages(path, start=5)).load())


@needs_pdf
def test_a_pdf_behind_other_bytes_is_one(tmp_path: Path) -> None:
    content = b"received by mail\r\n" + scan_pdf([page_image(1)], dpi=100)
    assert load_all(write(tmp_path / "a", content))[0].shape == (240, 320, 3)


@needs_pdf
def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    encryption = b"/Encrypt<</Filter/Standard/V 1/R 2/O<%b>/U<%b>/P -4>>/ID[<00><00>]" % (b"11" * 32, b"22" * 32)
    content = build_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"], trailer=encryption)
    (page,) = read_pages(str(write(tmp_path / "a.pdf", content)))
    assert failure(page)[0] == ErrorKind.ENCRYPTED


def one_page(kids: bytes, count: int, resources: bytes = b"", *objects: bytes, box: bytes = b"100 100") -> bytes:
    """A PDF with a page 3 0 R of an image /I that fills it."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %b]/Contents 4 0 R/Resources<<%b>>>>" % (box, resources)
    pages = b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count)
    return build_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            pages,
            page,
            stream(b"q %b 0 0 %b 0 0 cm /I Do Q" % tuple(box.split())),
            *objects,
        ]
    )


IMAGE = b"/XObject<</I 5 0 R>>"
FORM = (
    b"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</J 6 0 R>>>>/Length 5>>\nstream\n/J Do\nendstream"
)
BOMB = image_object(60_000, 60_000, b"")


@needs_pdf
@pytest.mark.parametrize("objects", [[BOMB], [FORM, BOMB]], ids=["image", "image in a form"])
def test_an_image_that_would_take_gigabytes_is_refused(tmp_path: Path, objects: list[bytes]) -> None:
    (page,) = read_pages(str(write(tmp_path / "a.pdf", one_page(b"3 0 R", 1, IMAGE, *objects))))
    kind, message = failure(page)
    assert kind == ErrorKind.TOO_LARGE
    assert "page 1: an image of 60000x60000 pixels would take 3,600 MB" in message


@needs_pdf
@pytest.mark.parametrize(
    ("content", "pages", "good"),
    [
        (one_page(b"3 0 R " * 10_000, 10_000), 10_000, 10_000),
        (one_page(b"3 0 R", 900_000), 2, 1),  # it promises pages that there are not
        (one_page(b"2 0 R", 5), 1, 0),  # its tree of pages is a circle
        (one_page(b"9 0 R", 1), 1, 0),
        (one_page(b"3 0 R", 1)[:150], 1, 0),
        (b"%PDF-1.7\n" + bytes(range(256)) * 50, 1, 0),
    ],
    ids=["10,000 pages", "lying count", "circle", "missing page", "truncated", "noise"],
)
def test_a_hostile_pdf_is_read_as_far_as_possible(tmp_path: Path, content: bytes, pages: int, good: int) -> None:
    path = str(write(tmp_path / "a.pdf", content))
    assert count_pages(path) == pages
    for index, page in enumerate(islice(read_pages(path), 3)):
        if index < good:
            assert page.load().ndim == 3
        else:
            assert failure(page)[0] == ErrorKind.DAMAGED


def pdf_of_image(content: bytes, filters: bytes, *, width: int = 320, text: bytes = b"") -> bytes:
    """A PDF of a page of 320 x 240 points with an image of that many pixels, `width` points wide."""
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 320 240]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
    entries = b"/Type/XObject/Subtype/Image/Width 320/Height 240/BitsPerComponent 8/ColorSpace/DeviceRGB"
    image = b"<<%b/Filter%b/Length %d>>\nstream\n%b\nendstream" % (entries, filters, len(content), content)
    drawing = stream(b"q %d 0 0 %d 0 0 cm /I Do Q %b" % (width, width * 3 // 4, text))
    return build_pdf([b"<</Type/Catalog/Pages 2 0 R>>", pages, page, drawing, image])


JPEG = encode_image(page_image(7), ".jpg")


@needs_pdf
@pytest.mark.parametrize(
    ("content", "filters", "message"),
    [
        (JPEG[: len(JPEG) // 2], b"/DCTDecode", "truncated"),
        (zlib.compress(JPEG[: len(JPEG) // 2]), b"[/FlateDecode/DCTDecode]", "truncated"),
        (b"nothing", b"/DCTDecode", "truncated"),
        (b"", b"/DCTDecode", "truncated"),
        (JPEG, b"/FooDecode", "the unknown filter 'FooDecode'"),
        (JPEG, b"/Foo#0ADecode", "the unknown filter"),
        (JPEG, b"/" + b"x" * 200, "the unknown filter"),
        (bytes(range(256)) * 20, b"/JPXDecode", "can be decoded, got a damaged one"),
        (b"", b"/FlateDecode", "can be decoded, got a damaged one"),
    ],
    ids=[
        "cut off",
        "cut off and packed",
        "no JPEG",
        "empty",
        "unknown filter",
        "odd filter",
        "long filter",
        "no JPEG 2000",
        "no data",
    ],
)
def test_a_scan_that_pdfium_would_leave_white_is_an_error(
    tmp_path: Path, content: bytes, filters: bytes, message: str
) -> None:
    (page,) = read_pages(str(write(tmp_path / "a.pdf", pdf_of_image(content, filters))))
    kind, text = failure(page)
    assert kind is ErrorKind.DAMAGED
    assert message in text
    logo = pdf_of_image(content, filters, width=100, text=b"0 0 0 rg 200 20 50 200 re f")
    (page,) = read_pages(str(write(tmp_path / "b.pdf", logo)))
    assert page.load().min() == 0


@needs_pdf
@pytest.mark.parametrize(
    ("content", "filters"),
    [
        (JPEG, b"/DCTDecode"),
        (JPEG + b"\n", b"[/DCTDecode]"),
        (b"\r\n" + JPEG, b"/DCTDecode"),
        (zlib.compress(JPEG), b"[/FlateDecode/DCTDecode]"),
        (zlib.compress(bytes([255]) * (320 * 240 * 3)), b"/FlateDecode"),
        (JPEG.hex().encode() + b">", b"[/ASCIIHexDecode/DCTDecode]"),
    ],
    ids=["plain", "line after", "line before", "packed", "white", "as text"],
)
def test_a_scan_as_a_jpeg_is_rendered(tmp_path: Path, content: bytes, filters: bytes) -> None:
    (page,) = read_pages(str(write(tmp_path / "a.pdf", pdf_of_image(content, filters))))
    expected = page_image(7) if b"DCT" in filters else 255
    assert np.abs(page.load().astype(int) - expected).mean() < 3


@needs_pdf
def test_a_pdf_with_too_many_pages_is_refused(tmp_path: Path) -> None:
    many = b"<</Type/Pages/Parent 2 0 R/Kids[%b]/Count 101>>" % (b"3 0 R " * 101)
    content = one_page(b"5 0 R " * 1000, 101_000, b"", many)
    (page,) = read_pages(str(write(tmp_path / "a.pdf", content)))
    assert failure(page)[0] == ErrorKind.TOO_LARGE


@needs_pdf
def test_a_pdf_with_damaged_bytes_raises_nothing_else(tmp_path: Path) -> None:
    good = scan_pdf([page_image(number, width=64, height=48) for number in range(3)], dpi=100, over=TEXT)
    random = np.random.default_rng(0)
    for number in range(300):
        damaged = bytearray(good)
        for at in random.integers(9, len(good), 1 + number % 20):
            damaged[at] = random.integers(256)
        path = write(tmp_path / "a.pdf", bytes(damaged[: random.integers(len(good) // 2, len(good))]))
        for page in islice(read_pages(str(path)), 5):
            try:
                assert page.load().dtype == np.uint8
            except PageError as exc:
                assert "\n" not in str(exc)


# HEIC and packages


@needs_heic
def test_a_heic_is_turned_once_and_its_primary_image_is_read(fixtures: Path) -> None:
    (page,) = read_pages(str(fixtures / "rotated.heic"))
    image = page.load()
    assert (page.number, image.shape, image.dtype) == (None, (64, 40, 3), np.uint8)
    np.testing.assert_allclose(image[4, 20], (200, 40, 20), atol=12)  # BGR
    np.testing.assert_allclose(image[40, 20], (230, 230, 230), atol=12)


@needs_heic
def test_a_truncated_heic_is_damaged_and_a_large_one_refused(fixtures: Path, tmp_path: Path) -> None:
    content = (fixtures / "rotated.heic").read_bytes()
    for size in range(50, len(content) - 100, 60):
        (page,) = read_pages(str(write(tmp_path / "a.heic", content[:size])))
        assert failure(page)[0] == ErrorKind.DAMAGED
    at = content.index(b"ispe") + 8
    larger = content[:at] + struct.pack(">II", 16_000, 16_000) + content[at + 8 :]
    (page,) = read_pages(str(write(tmp_path / "a.heic", larger)))
    kind, message = failure(page)
    assert (kind, "16000x16000" in message) == (ErrorKind.TOO_LARGE, True)


@needs_heic
def test_a_heic_whose_names_would_crash_pi_heif_is_damaged(fixtures: Path, tmp_path: Path) -> None:
    content = bytearray((fixtures / "rotated.heic").read_bytes())
    content[content.index(b"Exif") + 3] = 206  # the type of its second item
    (page,) = read_pages(str(write(tmp_path / "a.heic", bytes(content))))
    assert failure(page)[0] == ErrorKind.DAMAGED


WITHOUT_PACKAGES = """
import sys
sys.modules.update(dict.fromkeys(["pypdfium2", "pi_heif", "fsspec"]))
from digitedge.documents import read_pages
for source in sys.argv[1:]:
    for page in read_pages(source):
        try:
            page.load()
        except ImportError as exc:
            print(type(exc).__name__, exc)
"""


def test_a_missing_package_is_named(tmp_path: Path, fixtures: Path) -> None:
    pdf = write(tmp_path / "a.pdf", b"%PDF-1.7\n")
    sources = [pdf, fixtures / "rotated.heic", "s3://user:secret@bucket/a.png"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES, *map(str, sources)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and all(line.startswith(MissingExtraError.__name__) for line in lines)
    assert "[pdf]'" in lines[0] and "[heic]'" in lines[1]
    assert lines[2].endswith("s3 addresses need fsspec. Run: pip install fsspec")
    assert "secret" not in done.stdout


def test_names_that_may_hold_many_pages() -> None:
    for name in ("a.pdf", "A.TIF", "a.tiff", "b.zip", "b.tar", "b.tgz", "b.tar.GZ", "s3://b/a.pdf?x=1"):
        assert may_hold_many(name), name
    for name in ("a.png", "a.heic", "pdf", "a.pdf.png", "a.gz"):
        assert not may_hold_many(name), name


def test_a_pipe_of_a_shell_is_read(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", page_image(3))
    command = "from digitedge.documents import read_pages; print(next(read_pages('/dev/stdin')).load().shape)"
    with open(tmp_path / "a.png", "rb") as file:
        content = file.read()
    done = subprocess.run([sys.executable, "-c", command], input=content, capture_output=True, check=True)
    assert done.stdout == b"(240, 320, 3)\n"


def test_a_named_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pdf")
    (page,) = read_pages(str(tmp_path / "a.pdf"))
    assert failure(page)[0] == ErrorKind.MISSING


def test_an_error_of_a_page_is_a_camera_error_with_a_name(tmp_path: Path) -> None:
    content = encode_image(page_image(1), ".png")
    (page,) = read_pages(str(write(tmp_path / "a.png", content[:-20])))
    with pytest.raises(CameraError, match=r"a\.png: expected a complete image"):
        page.load()
