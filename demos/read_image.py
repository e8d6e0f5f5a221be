"""Read the digits in an image: a scan, a photo, a page from a whiteboard.

    python demos/read_image.py                 # the page beside this file
    python demos/read_image.py desk.jpg --annotated desk-read.jpg

Prints the rows, then every digit with its confidence and box, and writes a copy with the reading drawn in.
"""

import argparse
import sys
from pathlib import Path

import cv2

from digitedge import DigitEdgeError, Reader


def main() -> None:
    """Read one image."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("image", type=Path, nargs="?", default=Path(__file__).with_name("page.jpg"))
    parser.add_argument("--annotated", type=Path, default=Path("runs/annotated.png"), help="default: %(default)s")
    options = parser.parse_args()

    reader = Reader()  # the released model; or Reader("export/mine")
    reading = reader.read(options.image)

    print("rows:", " | ".join(reading.rows) or "none")
    for digit in reading.digits:
        x, y, width, height = digit.box
        print(f"{digit.digit}  {digit.confidence:6.1%}  {width}x{height} pixels at {x}, {y}")

    options.annotated.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.annotated), reading.draw())
    print(f"annotated copy: {options.annotated}")


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
