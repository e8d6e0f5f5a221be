"""`digitedge data get` and `digitedge data show`."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import DataOption, echo, print_line

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def data() -> None:
    """Find, fetch and look at MNIST.

    Examples:
      digitedge data get
      digitedge data show --data ~/datasets/mnist
    """


@app.command()
def get(
    data: Annotated[
        str | None,
        typer.Option(help="Folder or mnist.npz. Default: $DIGITEDGE_DATA, the cache, ~/.keras, else download."),
    ] = None,
) -> None:
    """Find MNIST and check its content; download it to the cache if it is not on this machine.

    Examples:
      digitedge data get
      digitedge data get --data ~/datasets/mnist
    """
    from digitedge.datasets.mnist import cache_folder, download_mnist, find_mnist, read_mnist

    place = find_mnist(data) or cache_folder()
    if place == cache_folder():
        download_mnist(place)  # only what is missing or damaged
    digits = read_mnist(place)
    print_line(f"MNIST: {place} ({len(digits.x_train)} training and {len(digits.x_test)} test images, content checked)")


@app.command()
def show(
    data: DataOption = None,
    output: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("mnist-first-look.png"),
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open the image if there is a screen.")] = True,
) -> None:
    """Plot six training images, one of them with its pixel values, and the number of images of each digit.

    Examples:
      digitedge data show
      digitedge data show --data synthetic --output rendered.png
    """
    import numpy as np

    from digitedge.datasets.load import load_dataset
    from digitedge.utils.quiet import require_matplotlib

    require_matplotlib()
    name, digits = load_dataset(data, log=echo)
    from digitedge.training.plots import plot_dataset

    plot_dataset(digits, output)
    for part, labels in (("training", digits.y_train), ("test", digits.y_test)):
        counts = "  ".join(f"{digit}: {count}" for digit, count in enumerate(np.bincount(labels, minlength=10)))
        print_line(f"{name} {part:8} {len(labels):6} images  {counts}")
    print_line(f"image: {output}")
    if open_it and _has_screen():
        echo(f"opening {output}")
        typer.launch(str(output))


def _has_screen() -> bool:
    """Whether the program runs in a terminal of a desktop that can open an image."""
    if not sys.stdout.isatty():
        return False
    if sys.platform.startswith("linux"):
        has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        return bool(has_display and shutil.which("xdg-open"))
    return True
