"""Make page.jpg, the image that read_image.py reads: a page of digits that nobody wrote.

    python demos/render_page.py                  # writes page.jpg beside this file
    python demos/render_page.py mine.jpg --seed 8

Every number seeds another page; the rows that are really there are printed.
"""

import argparse
import sys
from pathlib import Path

import cv2

from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("image", type=Path, nargs="?", default=Path(__file__).with_name("page.jpg"))
parser.add_argument("--seed", type=int, default=181, help="default: %(default)s")
options = parser.parse_args()

scene = render_scene(seed=options.seed, width=960, height=720, medium=Medium.SQUARED)
if not cv2.imwrite(str(options.image), scene.frame, [cv2.IMWRITE_JPEG_QUALITY, 85]):
    sys.exit(f"error: cannot write {options.image}")
print(*scene.rows, sep="\n")
