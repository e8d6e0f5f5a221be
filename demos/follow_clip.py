"""Follow a clip or a camera and say what is written whenever that changes.

    python demos/follow_clip.py                  # a rendered clip, as from a webcam; two sheets of paper in six seconds
    python demos/follow_clip.py desk.mp4
    python demos/follow_clip.py 0 --frames 1000  # the first webcam

A sheet that comes into view or leaves prints a line: when, and the rows that can be read now.
"""

import argparse
import sys
from itertools import islice

from digitedge import DigitEdgeError, Reader
from digitedge.camera import open_source


def main() -> None:
    """Read frame after frame."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", nargs="?", default="demo", help="what `digitedge camera` takes (default: demo)")
    parser.add_argument("--frames", type=int, default=150, help="stop after so many (default: %(default)s)")
    options = parser.parse_args()

    reader = Reader()
    seen: tuple[str, ...] = ()
    with open_source(options.source) as source:
        for index, frame in enumerate(islice(source, options.frames)):
            reading = reader.read(frame, index=index)
            if reading.rows != seen:
                seen = reading.rows
                print(f"frame {index:4}: {'  '.join(seen) or 'nothing'}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
