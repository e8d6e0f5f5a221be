"""Pages of a PDF, rendered by PDFium.

A scanned page is rendered in the resolution of its scan. See docs/decisions/documents.md.
"""

import logging
import math
from collections.abc import Callable, Iterator
from ctypes import c_uint, create_string_buffer
from dataclasses import dataclass
from functools import partial
from threading import RLock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ErrorKind, PageError, first_line, require
from digitedge.utils.image_header import is_complete_jpeg
from digitedge.utils.memory_limit import check_memory

VECTOR_DPI = 200
"""Of pages that were never scanned, and of what is drawn over a coarse scan."""
MAX_DPI = 300
"""Of scans with more pixels than an A4 page at this resolution."""
MAX_PIXELS, MAX_SIDE = 36_000_000, 20_000
"""Of a rendered page, whatever size it says: A4 at 600 dpi."""
MAX_PAGES = 100_000
_PAPER_PIXELS = 8_700_000  # A4 at 300 dpi
_POINTS = 72  # per inch
_MIN_COVER = 0.5  # share of a page that its scan covers
_LAYERED_COVER = 1.5  # from here on, a scan lies in layers, of which the colours are coarse
_MIN_DPI = 50  # of a scan; what is coarser is one colour with a fine mask, whose size PDFium does not report
_MIN_PART = 0.25  # size of a part of a scan, such as a strip, as a share of the largest one
_MAX_DEPTH = 15  # of forms in forms
# Bytes that PDFium holds for each pixel of an image while it decodes it: rows of most, all of a JPEG 2000 as integers,
# the coefficients of a progressive JPEG. Estimated on the safe side.
_BYTES_PER_PIXEL = {"JPXDecode": 20, "DCTDecode": 6}
# ISO 32000-1, tables 6 and 94: the filters that PDFium knows, also by their names in inline images.
_JPEG_FILTERS = {"DCTDecode", "DCT"}
_FILTERS = _JPEG_FILTERS | {
    *("FlateDecode", "LZWDecode", "RunLengthDecode", "ASCII85Decode", "ASCIIHexDecode", "CCITTFaxDecode"),
    *("JPXDecode", "JBIG2Decode", "Crypt", "Fl", "LZW", "RL", "A85", "AHx", "CCF"),
}
_ALIGN_PIXELS = 0.4  # just less than half a pixel
_FILTER_BYTES = 100
_LOCK = RLock()  # PDFium is not made for threads
logging.getLogger("pypdfium2").addHandler(logging.NullHandler())  # its errors arrive as exceptions


def read_pdf(file: BinaryIO, *, name: str) -> Iterator[Callable[[], NDArray[np.uint8]]]:
    """Yield a function for each page that renders it to uint8 (H, W, 3) BGR; `name` is for messages.

    Raises:
        PageError: it is damaged, encrypted, or has too many pages.
        MissingExtraError: pypdfium2 is not installed.
    """
    pdf = _Pdf(file, name)
    for index in range(pdf.count):
        yield partial(pdf.render, index)


@dataclass(frozen=True, slots=True)
class _PageImage:
    """An image on a page: its size in pixels and in points, the filters of its data, and PDFium's handle."""

    pixels: tuple[int, int]
    points: tuple[float, float]
    decoding_bytes: int
    filters: tuple[str, ...] = ()
    item: Any = None

    @property
    def area(self) -> float:
        return self.points[0] * self.points[1]

    @property
    def dpi(self) -> float:
        return max(_POINTS * pixels / points for pixels, points in zip(self.pixels, self.points, strict=True))


def choose_dpi(width: float, height: float, images: "list[_PageImage]", *, has_more: bool) -> float:
    """Choose the resolution in which a page is rendered.

    Args:
        width: of the page in points.
        height: of the page in points.
        images: all images on it.
        has_more: whether it shows anything else, such as text or annotations.

    Returns:
        That of the images that cover most of the page: no pixel of a photograph is lost or added, whatever size in
        points its page has. Scans with more pixels than an A4 page of MAX_DPI are reduced to MAX_DPI or to as many
        pixels. At least VECTOR_DPI where something else is drawn or the scan lies in layers; VECTOR_DPI without a scan.
    """
    inches = width * height / _POINTS**2
    paper_dpi = math.sqrt(_PAPER_PIXELS / inches)
    scan, cover = _find_scan(width, height, images)
    dpi = max((image.dpi for image in scan), default=0.0)
    if cover < _MIN_COVER or dpi < _MIN_DPI:
        dpi = float(VECTOR_DPI)
    else:
        dpi = min(dpi, max(MAX_DPI, paper_dpi))
        if has_more or len(scan) < len(images) or cover > _LAYERED_COVER:
            dpi = max(dpi, min(VECTOR_DPI, paper_dpi))
    return min(dpi, math.sqrt(MAX_PIXELS / inches), MAX_SIDE * _POINTS / max(width, height))


def _find_scan(width: float, height: float, images: "list[_PageImage]") -> "tuple[list[_PageImage], float]":
    """Find the images that may be the scan of a page, and which share of the page they cover."""
    largest = max((image.area for image in images), default=0.0)
    scan = [image for image in images if image.area >= _MIN_PART * largest]
    return scan, sum(image.area for image in scan) / (width * height)


class _Pdf:
    """An open PDF."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._pdfium = require("pypdfium2", extra="pdf")
        self._raw = self._pdfium.raw
        self._name = name
        self._source = _Source(file)
        with _LOCK:
            try:
                self._document = self._pdfium.PdfDocument(self._source)
                self._document.init_forms()
            except self._pdfium.PdfiumError as exc:
                raise self._source.error or self._explain(exc) from exc
            self.count = self._count_pages()

    def __del__(self) -> None:
        with _LOCK:
            document = getattr(self, "_document", None)
            if document is not None:  # its length, as a truth value, crashes if the garbage collector has closed it
                document.close()

    def render(self, index: int) -> NDArray[np.uint8]:
        """Render a page to uint8 (H, W, 3) BGR.

        Raises:
            PageError: the page is damaged, or one of its images would take more memory than the limit.
        """
        name = f"{self._name} page {index + 1}"
        with _LOCK:
            try:
                page = self._document[index]
                try:
                    dpi, scan = self._read_layout(page, name)
                    image = self._draw(page, dpi)
                    if scan and image.min() == 255:  # all white
                        self._check_decoding(scan, name)
                finally:
                    page.close()
            except (self._pdfium.PdfiumError, ValueError, MemoryError) as exc:
                problem = f"{name}: expected a page, got a damaged one ({first_line(exc).rstrip('.')})"
                raise self._source.error or PageError(f"{problem}. Copy the file again.") from exc
        if self._source.error:
            raise self._source.error
        return image

    def _draw(self, page: Any, dpi: float) -> NDArray[np.uint8]:
        """Draw a page with its annotations and form fields.

        Its sides are rounded, not rounded up as pypdfium2 does: a page may be a little larger than its scan, which a
        row more would stretch.
        """
        raw, scale = self._raw, dpi / _POINTS
        width, height = (max(1, round(side * scale)) for side in page.get_size())
        self._align_images(page, _ALIGN_PIXELS / scale)
        bitmap = self._pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        place = (bitmap, page, 0, 0, width, height, 0, raw.FPDF_ANNOT | raw.FPDF_RENDER_LIMITEDIMAGECACHE)
        raw.FPDF_RenderPageBitmap(*place)
        if page.formenv:
            raw.FPDF_FFLDraw(page.formenv, *place)
        image = np.ascontiguousarray(bitmap.to_numpy(), np.uint8)  # it keeps the pixels
        bitmap.close()
        return image

    def _align_images(self, page: Any, points: float) -> None:
        """Make upright images smaller on each side: PDFium stretches them to whole pixels, outwards.

        So they are as large as after rounding, and a scan in its own resolution keeps its pixels.
        """
        raw, matrix = self._raw, self._raw.FS_MATRIX()
        for index in range(raw.FPDFPage_CountObjects(page)):
            item = raw.FPDFPage_GetObject(page, index)
            if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_IMAGE:
                continue
            raw.FPDFPageObj_GetMatrix(item, matrix)
            if matrix.b == matrix.c == 0 and min(abs(matrix.a), abs(matrix.d)) > 8 * points:
                x, y = math.copysign(points, matrix.a), math.copysign(points, matrix.d)
                aligned = (matrix.a - 2 * x, 0, 0, matrix.d - 2 * y, matrix.e + x, matrix.f + y)
                raw.FPDFPageObj_SetMatrix(item, raw.FS_MATRIX(*aligned))

    def _count_pages(self) -> int:
        """How many pages there are: a damaged PDF may promise a million. Of the missing ones the first is counted."""
        count = len(self._document)
        if count > MAX_PAGES:
            count = MAX_PAGES + 1
        size = self._raw.FS_SIZEF()
        existing = next(
            (n for n in range(count, 0, -1) if self._raw.FPDF_GetPageSizeByIndexF(self._document, n - 1, size)), 0
        )
        if existing > MAX_PAGES:
            message = f"{self._name}: expected at most {MAX_PAGES:,} pages, got {len(self._document):,}. Split it."
            raise PageError(message, ErrorKind.TOO_LARGE)
        return min(count, existing + 1)

    def _explain(self, exc: Any) -> PageError:
        if exc.err_code in (self._raw.FPDF_ERR_PASSWORD, self._raw.FPDF_ERR_SECURITY):
            message = f"{self._name}: expected a PDF without a password, got an encrypted one. Save it without one."
            return PageError(message, ErrorKind.ENCRYPTED)
        return PageError(f"{self._name}: expected a PDF with pages, got a damaged or empty one. Copy it again.")

    def _read_layout(self, page: Any, name: str) -> tuple[float, list[_PageImage]]:
        """Choose the resolution of a page, and find its scan if it has one."""
        images: list[_PageImage] = []
        walk = (self._raw.FPDFPage_CountObjects, self._raw.FPDFPage_GetObject)
        has_more = self._collect(page, walk, (1.0, 0.0, 0.0, 1.0), images, 0)
        for image in images:
            width, height = image.pixels
            what = f"{name}: an image of {width}x{height} pixels"
            check_memory(image.decoding_bytes, what=what, error=PageError.of_kind(ErrorKind.TOO_LARGE))
        has_more |= self._raw.FPDFPage_GetAnnotCount(page) > 0
        images = [image for image in images if min(image.points) > 0]
        width, height = page.get_width(), page.get_height()
        scan, cover = _find_scan(width, height, images)
        if cover < _MIN_COVER:
            scan = []
        for image in scan:
            self._check_image(image, name)
        return choose_dpi(width, height, images, has_more=has_more), scan

    def _check_decoding(self, scan: list[_PageImage], name: str) -> None:
        """Refuse a scan of which PDFium cannot decode a part: it leaves that white."""
        for image in scan:
            bitmap = self._raw.FPDFImageObj_GetBitmap(image.item)
            if not bitmap:
                raise PageError(f"{name}: expected a scan that can be decoded, got a damaged one. Copy the file again.")
            self._raw.FPDFBitmap_Destroy(bitmap)

    def _check_image(self, image: _PageImage, name: str) -> None:
        """Refuse an image that PDFium would leave white or grey, as far as that is known without decoding it."""
        unknown = next((one for one in image.filters if one not in _FILTERS), None)
        if unknown is not None:
            message = f"{name}: expected a scan that can be decoded, got one with the unknown filter {unknown!r}"
            raise PageError(f"{message}. Make the PDF again.")
        if image.filters and image.filters[-1] in _JPEG_FILTERS and not is_complete_jpeg(self._image_data(image, name)):
            raise PageError(f"{name}: expected a complete scan, got a truncated or damaged one. Copy the file again.")

    def _image_data(self, image: _PageImage, name: str) -> bytes:
        """The data of an image after all filters but that of a JPEG."""
        size = self._raw.FPDFImageObj_GetImageDataDecoded(image.item, None, 0)
        check_memory(2 * size, what=f"{name}: an image", error=PageError.of_kind(ErrorKind.TOO_LARGE))
        data = create_string_buffer(max(size, 1))
        self._raw.FPDFImageObj_GetImageDataDecoded(image.item, data, size)
        return data.raw

    def _collect(
        self,
        parent: Any,
        walk: tuple[Callable[..., int], Callable[..., Any]],
        outer: tuple[float, float, float, float],
        images: list[_PageImage],
        depth: int,
    ) -> bool:
        """Collect the images on a page or in a form; whether it shows anything else."""
        raw, has_more = self._raw, False
        count, get = walk
        for index in range(count(parent)):
            item = get(parent, index)
            kind = raw.FPDFPageObj_GetType(item)
            if kind not in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM):
                invisible = raw.FPDF_TEXTRENDERMODE_INVISIBLE  # words that were recognized in a scan
                has_more |= kind != raw.FPDF_PAGEOBJ_TEXT or raw.FPDFTextObj_GetTextRenderMode(item) != invisible
                continue
            matrix = raw.FS_MATRIX()
            raw.FPDFPageObj_GetMatrix(item, matrix)
            placed = _multiply((matrix.a, matrix.b, matrix.c, matrix.d), outer)
            if kind == raw.FPDF_PAGEOBJ_IMAGE:
                images.append(self._read_image(item, placed))
            elif depth < _MAX_DEPTH:
                form = (raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
                has_more |= self._collect(item, form, placed, images, depth + 1)
        return has_more

    def _read_image(self, item: Any, placed: tuple[float, float, float, float]) -> _PageImage:
        raw = self._raw
        width, height = c_uint(), c_uint()
        raw.FPDFImageObj_GetImagePixelSize(item, width, height)
        name = create_string_buffer(_FILTER_BYTES)
        filters = []
        for index in range(raw.FPDFImageObj_GetImageFilterCount(item)):
            size = raw.FPDFImageObj_GetImageFilter(item, index, name, _FILTER_BYTES)
            filters.append(name.value.decode("ascii", "replace") if size <= _FILTER_BYTES else "of a long name")
        per_pixel = max((_BYTES_PER_PIXEL.get(one, 1) for one in filters), default=1)
        a, b, c, d = placed
        pixels, points = (width.value, height.value), (math.hypot(a, b), math.hypot(c, d))
        return _PageImage(pixels, points, pixels[0] * pixels[1] * per_pixel, tuple(filters), item)


class _Source:
    """A file for PDFium: an error cannot pass its C code, so it is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: Exception | None = None
        self.seek, self.tell, self.read = file.seek, file.tell, file.read

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as possible."""
        try:
            content = self._file.read(len(buffer))
        except Exception as exc:
            self.error = exc
            return 0
        memoryview(buffer).cast("B")[: len(content)] = content
        return len(content)


def _multiply(
    inner: tuple[float, float, float, float], outer: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """The product of two matrices of PDF, without their translations."""
    (a, b, c, d), (e, f, g, h) = inner, outer
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
