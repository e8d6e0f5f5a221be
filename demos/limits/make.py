"""Measure where the reader begins to fail, take the images, and bring the tables of README.md up to date.

    python demos/limits/make.py                  # five to ten minutes; rewrites README.md and the images beside it
    python demos/limits/make.py --model export/mine --output mine

The text of the page is written by hand; this program only replaces what stands between its marks. Every image that is
read is rendered, so nothing has to be downloaded.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cases
import numpy as np
from measure import Measured, measure, take
from numpy.typing import NDArray
from page import curve, edge, false_digits, listing, summary
from sweeps import SWEEPS, Point, Sweep
from tiles import pair, worst

from digitedge import DigitEdgeError, Reader
from digitedge.bundle.bundle import load_bundle, released_bundle
from digitedge.utils.opencv import cv2
from digitedge.utils.tables import put_into

HERE = Path(__file__).parent
PAGE = "README.md"
LISTS = {
    "pens": ("pen", cases.pens),
    "surroundings": ("on, or with", cases.surroundings),
    "odd": ("what is written", cases.odd),
}
NOTHING = "nothing"
# Bytes of an image, at most; the first JPEG quality that keeps to it is taken.
LARGEST = 29_000
QUALITIES = (85, 78, 70, 62, 54, 46, 38, 30, 20)


def main() -> None:
    """Measure everything, then write everything."""
    options = parse_options()
    reader = Reader(options.model)
    page = put_into((HERE / PAGE).read_text(encoding="utf-8"), "conditions", conditions(options, reader))
    images = {}

    def measure_all(name: str, points: Sequence[Point]) -> list[Measured]:
        print(name, file=sys.stderr, flush=True)
        return [measure(point, reader, digits=options.digits, images=options.images) for point in points]

    curves = [(sweep, measure_all(sweep.name, sweep.points)) for sweep in SWEEPS]
    page = put_into(page, "summary", summary(curves))
    for sweep, found in curves:
        page = put_into(page, sweep.name, curve(sweep, found))
        images[sweep.name] = example(sweep, found, reader)
    for name, (heading, points) in LISTS.items():
        found = measure_all(name, points())
        page = put_into(page, name, listing(name, heading, found))
        images[name] = worst(found)
    found = measure_all(NOTHING, cases.nothing())
    page = put_into(page, NOTHING, false_digits(NOTHING, "what is seen", found))
    images[NOTHING] = worst(found)
    write_all(options.output, page, images)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, help="a bundle (default: the released one)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of the page (default: this one)")
    parser.add_argument("--digits", type=int, default=300, help="for each figure, at least (default: %(default)s)")
    parser.add_argument("--images", type=int, default=100, help="of each kind without digits (default: %(default)s)")
    options = parser.parse_args()
    if min(options.digits, options.images) < 1:
        parser.error("--digits and --images must be 1 or more: nothing read proves nothing")
    return options


def example(sweep: Sweep, found: Sequence[Measured], reader: Reader) -> NDArray[np.uint8]:
    """The same writing where it still is read well and where that begins to fail, else at the first and last value."""
    failing = edge(sweep, found)
    before, after = (0, -1) if failing is None else (max(0, failing - 1), failing)
    shots = take(found[before].point, found[after].shot.seed, reader), found[after].shot
    labels = [f"{sweep.unit}: {found[index].point.label}" for index in (before, after)]
    return pair((labels[0], shots[0]), (labels[1], shots[1]))


def conditions(options: argparse.Namespace, reader: Reader) -> str:
    """What was measured, with what."""
    manifest = load_bundle(options.model or released_bundle()).manifest
    doubt = 200 * (0.95 * 0.05 / options.digits) ** 0.5  # two deviations, in percent
    day, time = manifest.created[:16].split("T")
    return (
        f"Measured with the bundle `{manifest.name}` of {day} {time}, threshold {reader.threshold:g}. "
        f"Each F1 comes from {options.digits} digits or a few more: one near 95 may be off by {doubt:.0f}. "
        f"False digits come from {options.images} images of each kind. The seeds count from 0.\n"
    )


def write_all(folder: Path, page: str, images: dict[str, NDArray[np.uint8]]) -> None:
    """Write the page and its images."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        (folder / f"{name}.jpg").write_bytes(small_jpeg(image))
    (folder / PAGE).write_text(page, encoding="utf-8")


def small_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Pack an image into LARGEST bytes at most, as well as that allows."""
    for quality in QUALITIES:
        packed: bytes = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(packed) <= LARGEST:
            break
    return packed


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
