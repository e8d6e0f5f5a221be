"""Make the images of README.md and the guide: `make images`.

    python docs/make_images.py          # writes docs/images/; half a minute

All show rendered input, so they can be made again on any machine. The pages are the real ones: `digitedge camera
demo --web` and `digitedge label` in processes of their own, opened in a headless Chromium. Clock and clip of the live
page differ from run to run.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from math import cos, sin
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from digitedge import Reader
from digitedge.bundle.bundle import released_bundle
from digitedge.bundle.golden import load_golden
from digitedge.datasets.collection import CropRecord, add_crops
from digitedge.synthetic.scenes import render_scene

FOLDER = Path(__file__).parent / "images"
MAX_BYTES = 250_000
# A sheet of ruled paper on a wooden desk.
SEED, WIDTH, HEIGHT = 89, 960, 600
# The labels of the labelling page: those that the model is as sure of, and one wrong one in so many.
SURE_FROM, WRONG_EVERY = 0.7, 20
COLOURS = 128
WAIT_MS = 60_000
# Images of the tutorial: name, file of demos/own_hand.py, largest width.
LOOP_IMAGES = (
    ("photo", "sheet-0.jpg", 420),
    ("doubtful", "digits/_doubtful.png", 700),
    ("curves", "runs/train/ada-1/curves.png", 700),
    ("changed", "export/ada-1/changed.png", 900),
)
# Two half circles that make a 3: centre, radius (shares of the canvas), first and last angle in degrees.
ARCS = ((0.5, 0.31, 0.17, -160, 90), (0.5, 0.66, 0.2, -90, 150))


def main() -> None:
    """Write all images."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("error: Chromium is missing. Run: sudo apt install chromium")
    FOLDER.mkdir(exist_ok=True)
    save(draw_page(), FOLDER / "reading.png")
    save(capture_live_page(chromium), FOLDER / "live-page.png")
    save(capture_label_page(chromium), FOLDER / "label-page.png")
    loop = Path("runs/own-hand")
    if not (loop / "export/ada-1/changed.png").is_file():
        print("no images of the tutorial: run python demos/own_hand.py first")
        return
    for name, source, width in LOOP_IMAGES:
        save(shrink(Image.open(loop / source).convert("RGB"), width), FOLDER / f"own-hand-{name}.png")


def shrink(image: Image.Image, width: int) -> Image.Image:
    """Shrink an image to a width in pixels; a narrower one stays as it is."""
    if image.width <= width:
        return image
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def save(image: Image.Image, path: Path) -> None:
    """Write an image as PNG with a palette, which keeps it small."""
    image.quantize(COLOURS).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB")
    if size > MAX_BYTES:
        sys.exit(f"error: {path} has {size} bytes, expected at most {MAX_BYTES}")


def draw_page() -> Image.Image:
    """Render a page, read it, and draw the reading on it."""
    scene = render_scene(seed=SEED, width=WIDTH, height=HEIGHT, negative=False)
    reading = Reader().read(scene.frame)
    if reading.rows != scene.rows:
        sys.exit(f"error: the page says {scene.rows}, but {reading.rows} was read. Choose another seed.")
    return Image.fromarray(reading.draw(scene.frame)[..., ::-1])


def capture_live_page(chromium: str) -> Image.Image:
    """Start the live page, draw a digit on it, and take a screenshot."""
    with served("camera", "demo", "--web", "127.0.0.1:0") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1200})
        page.goto(address)
        page.wait_for_selector("#history li >> nth=3", timeout=WAIT_MS)
        draw_digit(page)
        page.wait_for_selector("#rows li", timeout=WAIT_MS)
        card = page.locator(".draw").bounding_box()
        assert card is not None
        screenshot = page.screenshot(clip={"x": 0, "y": 0, "width": 1200, "height": card["y"] + card["height"] + 20})
        browser.close()
    return Image.open(BytesIO(screenshot)).convert("RGB")


def capture_label_page(chromium: str) -> Image.Image:
    """Correct some labels of rendered digits, of which every WRONG_EVERYth is wrong, and take a screenshot."""
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "my-digits"
        save_digits(folder)
        with served("label", str(folder), "--port", "0") as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 760})
            page.goto(address)
            page.locator(".crop-tile").first.focus()
            for _ in range(4):
                page.keyboard.press(page.locator(".suggested").inner_text())
            page.wait_for_selector("#state[data-state=saved]")
            screenshot = page.screenshot()
            browser.close()
    return Image.open(BytesIO(screenshot)).convert("RGB")


def save_digits(folder: Path) -> None:
    """Save the rendered digits of the golden set, with labels by the model."""
    crops = load_golden(released_bundle() / "golden.npz").crops
    probabilities = Reader().classifier.probabilities(crops)
    sure = probabilities.max(axis=1) > SURE_FROM
    labels = probabilities[sure].argmax(axis=1)
    labels[::WRONG_EVERY] = (labels[::WRONG_EVERY] + 3) % 10
    names = [f"{index:06d}.png" for index in range(len(labels))]
    add_crops(folder, list(crops[sure]), labels.tolist(), [CropRecord(sheet="rendered")] * len(labels), names)


@contextmanager
def served(*command: str) -> Iterator[str]:
    """Run a command that serves a page on a free port; gives its address."""
    command = (sys.executable, "-m", "digitedge", *command)
    # Standard output has the readings, standard error the address.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    break
            else:
                sys.exit(f"error: {' '.join(command)} printed no address")
        finally:
            process.terminate()


def draw_digit(page: Page) -> None:
    """Draw a digit on the page's canvas with the mouse."""
    canvas = page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    points = [
        (box["x"] + (x + radius * cos(angle)) * box["width"], box["y"] + (y + radius * sin(angle)) * box["height"])
        for x, y, radius, first, last in ARCS
        for angle in np.radians(np.linspace(first, last, 30))
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
    page.wait_for_function("document.querySelector('#drawn').textContent !== '?'", timeout=WAIT_MS)
    page.evaluate("window.scrollTo(0, 0)")


if __name__ == "__main__":
    main()
