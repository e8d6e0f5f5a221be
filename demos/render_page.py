"""Render a page of handwritten digits.

    python demos/render_page.py                  # writes runs/page.jpg
    python demos/render_page.py mine.jpg --seed 8

Each seed gives another page. The rows that are on it are printed.
"""

import argparse
import sys
from pathlib import Path

from digitedge import DigitEdgeError
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.images import write_image


def main() -> None:
    """Render one page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("image", type=Path, nargs="?", default=Path("runs/page.jpg"), help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    scene = render_scene(
        seed=options.seed, width=960, height=720, scene_type="plain-squared", difficulty=Difficulty.PLAIN
    )
    write_image(options.image, scene.frame)
    print(*scene.rows, sep="\n")


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
