"""Pages for the benchmark of bulk reading: rendered once for each size, and kept in a temporary folder."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.benchmark.rendered_frames import page_frame
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.opencv import cv2
from digitedge.utils.version import __version__

Size = tuple[int, int]
# What a folder of scans holds: pages of digits alone, and documents with print and rules, which take longer to read.
DIGITS = (10, 20, 40, 80)
DOCUMENTS = ("digit-rows", "notes", "bill", "mark-sheet")
SEEDS = 4
DISTINCT = SEEDS * (len(DIGITS) + len(DOCUMENTS))
JPEG_QUALITY = 90
FILE_TYPES = ("jpg", "png", "pdf", "tif")
PAGES_IN_A_DOCUMENT = 50
DPI = 200.0
CACHE = Path(tempfile.gettempdir()) / f"digitedge-bulk-pages-{__version__}"


def render_pages(size: Size) -> list[NDArray[np.uint8]]:
    """Render the DISTINCT pages of a size in pixels, uint8 (H, W, 3) BGR; always the same."""
    width, height = size
    pages = []
    for seed in range(SEEDS):
        pages += [page_frame(digits, width=width, height=height, seed=seed) for digits in DIGITS]
        pages += [
            render_scene(seed=seed, scene_type=name, difficulty=Difficulty.EASY, width=width, height=height).frame
            for name in DOCUMENTS
        ]
    return pages


def make_folder(pages: int, size: Size, file_type: str = "jpg") -> Path:
    """Return a folder with so many pages, rendered now or before.

    The distinct pages are files; the others are hard links to them, each with a name of its own. A PDF or TIFF has up
    to PAGES_IN_A_DOCUMENT pages.
    """
    folder = CACHE / f"{pages}-{size[0]}x{size[1]}-{file_type}"
    if folder.exists():
        return folder
    draft = folder.with_suffix(f".{os.getpid()}")
    draft.mkdir(parents=True)
    if file_type in ("pdf", "tif"):
        _write_documents(draft, pages, render_pages(size), file_type)
    else:
        _write_images(draft, pages, render_pages(size), file_type)
    draft.rename(folder)
    return folder


def remove_cache() -> None:
    """Delete all rendered pages."""
    shutil.rmtree(CACHE, ignore_errors=True)


def _write_images(folder: Path, pages: int, images: Sequence[NDArray[np.uint8]], file_type: str) -> None:
    for number in range(pages):
        path, first = (folder / f"{one:05}.{file_type}" for one in (number, number % len(images)))
        if number < len(images):
            cv2.imwrite(str(path), images[number], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        else:
            os.link(first, path)


def _write_documents(folder: Path, pages: int, images: Sequence[NDArray[np.uint8]], file_type: str) -> None:
    from PIL import Image

    scans = [Image.fromarray(np.ascontiguousarray(image[..., ::-1])) for image in images]
    for start in range(0, pages, PAGES_IN_A_DOCUMENT):
        chosen = [scans[number % len(scans)] for number in range(start, min(start + PAGES_IN_A_DOCUMENT, pages))]
        compression = {"compression": "jpeg"} if file_type == "tif" else {}
        path = folder / f"{start:05}.{file_type}"
        chosen[0].save(
            path, save_all=True, append_images=chosen[1:], resolution=DPI, quality=JPEG_QUALITY, **compression
        )
