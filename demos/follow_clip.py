"""Follow a clip or a camera and print the rows whenever they change.

    python demos/follow_clip.py                  # a rendered clip, as from a webcam; two sheets of paper in six seconds
    python demos/follow_clip.py desk.mp4
    python demos/follow_clip.py 0 --frames 1000  # the first webcam

Each line has the number of the frame and the rows that it shows.
"""

import argparse
import sys
from itertools import islice

from digitedge import DigitEdgeError, Reader
from digitedge.camera import open_source


def main() -> None:
    """Read all frames."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", nargs="?", default="demo", help="a source, as for `digitedge camera` (default: demo)")
    parser.add_argument("--frames", type=int, default=150, help="number of frames to read (default: %(default)s)")
    options = parser.parse_args()

    reader = Reader()
    shown: tuple[str, ...] = ()
    with open_source(options.source) as source:
        for index, frame in enumerate(islice(source, options.frames)):
            reading = reader.read(frame, index=index)
            if reading.rows != shown:
                shown = reading.rows
                print(f"frame {index:4}: {'  '.join(shown) or 'no digits'}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
