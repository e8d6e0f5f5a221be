"""Measure where the reader begins to fail, and update the tables and images of README.md: `make limits`.

    python docs/limits/make.py                  # ten minutes; rewrites README.md and the images beside it
    python docs/limits/make.py --model export/mine --output mine

The text of README.md is written by hand. This program replaces only what stands between the markers. All images are
rendered.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cases
import numpy as np
from measure import PointResult, measure, read_example
from numpy.typing import NDArray
from sweeps import SWEEPS, Point, Sweep
from tables import first_failure, negative_table, point_table, summary_table, sweep_table
from tiles import side_by_side, worst_examples

from digitedge import DigitEdgeError, Reader
from digitedge.bundle.bundle import load_bundle, released_bundle
from digitedge.utils.opencv import cv2
from digitedge.utils.tables import put_into

FOLDER = Path(__file__).parent
PAGE = "README.md"
POINT_TABLES = {
    "pens": ("pen", cases.pens),
    "surroundings": ("paper and surroundings", cases.surroundings),
    "documents": ("document", cases.documents),
    "unusual": ("what is written", cases.unusual),
}
NO_DIGITS = "no_digits"
# The highest of these JPEG qualities that keeps an image within MAX_BYTES is used.
MAX_BYTES = 29_000
JPEG_QUALITIES = (85, 78, 70, 62, 54, 46, 38, 30, 20)


def main() -> None:
    """Measure everything, then write everything."""
    options = parse_options()
    reader = Reader(options.model)
    page = put_into((FOLDER / PAGE).read_text(encoding="utf-8"), "conditions", conditions(options, reader))
    images = {}

    def measure_all(name: str, points: Sequence[Point]) -> list[PointResult]:
        print(name, file=sys.stderr, flush=True)
        return [measure(point, reader, digits=options.digits, images=options.images) for point in points]

    sweeps = [(sweep, measure_all(sweep.name, sweep.points)) for sweep in SWEEPS]
    page = put_into(page, "summary", summary_table(sweeps))
    for sweep, results in sweeps:
        page = put_into(page, sweep.name, sweep_table(sweep, results))
        images[sweep.name] = sweep_image(sweep, results, reader)
    for name, (heading, points) in POINT_TABLES.items():
        results = measure_all(name, points())
        page = put_into(page, name, point_table(name, heading, results))
        images[name] = worst_examples(results)
    results = measure_all(NO_DIGITS, cases.no_digits())
    page = put_into(page, NO_DIGITS, negative_table(NO_DIGITS, "what is in the image", results))
    images[NO_DIGITS] = worst_examples(results)
    write_all(options.output, page, images)


def parse_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, help="a bundle (default: the released one)")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the page (default: this one)")
    parser.add_argument("--digits", type=int, default=300, help="digits per figure, at least (default: %(default)s)")
    parser.add_argument("--images", type=int, default=100, help="images of each kind without digits (%(default)s)")
    options = parser.parse_args()
    if min(options.digits, options.images) < 1:
        parser.error("--digits and --images must be 1 or more")
    return options


def sweep_image(sweep: Sweep, results: Sequence[PointResult], reader: Reader) -> NDArray[np.uint8]:
    """The same writing at the last value that is read well and at the next; else at the first and last value."""
    failing = first_failure(sweep, results)
    before, after = (0, -1) if failing is None else (max(0, failing - 1), failing)
    example = results[after].example
    labels = [f"{sweep.unit}: {results[index].point.label}" for index in (before, after)]
    return side_by_side((labels[0], read_example(results[before].point, example.seed, reader)), (labels[1], example))


def conditions(options: argparse.Namespace, reader: Reader) -> str:
    """The model, and how much was measured."""
    manifest = load_bundle(options.model or released_bundle()).manifest
    error = 200 * (0.95 * 0.05 / options.digits) ** 0.5  # two standard deviations, in percent
    day, time = manifest.created[:16].split("T")
    return (
        f"Measured with the bundle `{manifest.name}` of {day} {time}, threshold {reader.threshold:g}. "
        f"Each F1 is measured on at least {options.digits} digits; one near 95 is accurate to ±{error:.0f}. "
        f"False positives are measured on {options.images} images of each kind. Seeds start at 0.\n"
    )


def write_all(folder: Path, page: str, images: dict[str, NDArray[np.uint8]]) -> None:
    """Write the page and its images."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        (folder / f"{name}.jpg").write_bytes(encode_jpeg(image))
    (folder / PAGE).write_text(page, encoding="utf-8")


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Encode an image with the highest quality that keeps it within MAX_BYTES."""
    for quality in JPEG_QUALITIES:
        content: bytes = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(content) <= MAX_BYTES:
            break
    return content


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
