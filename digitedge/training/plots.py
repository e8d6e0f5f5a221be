"""Images of the workshop: learning curves, confusion matrix, the data itself. PNG files, no screen needed."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError
from digitedge.utils.files import atomic_file


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure as a whole PNG file.

    Raises:
        InputError: the path does not end in .png.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"expected a file that ends in .png, got {path}")
    with atomic_file(path) as draft:
        figure.savefig(draft, dpi=100)


def plot_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draw loss and accuracy over the epochs.

    Args:
        history: one row an epoch, with `epoch`, `loss`, `accuracy`, `val_loss`, `val_accuracy`.
        path: the PNG file to write.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, key, scale in zip(figure.subplots(1, 2), ("loss", "accuracy"), (1, 100), strict=True):
        axes.plot(epochs, [scale * row[key] for row in history], "o-", label="training")
        axes.plot(epochs, [scale * row[f"val_{key}"] for row in history], "s--", label="validation")
        axes.set(xlabel="epoch", ylabel="loss" if key == "loss" else "accuracy, %")
        axes.grid(alpha=0.3)
        axes.legend()
    save_figure(figure, path)


def plot_confusion(counts: NDArray[np.int64], path: Path, *, title: str) -> None:
    """Draw a confusion matrix, coloured by the share of each true digit, so that rare mistakes show.

    Args:
        counts: int64 (10, 10), rows the true digit, columns the answer.
        path: the PNG file to write.
        title: stands above it.
    """
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1)  # the root lifts 0.1 % above white
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[row, column] > 0.4 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set(xticks=range(10), yticks=range(10), xlabel="answer", ylabel="true digit", title=title)
    save_figure(figure, path)


def plot_digits(images: NDArray[np.uint8], captions: list[str], path: Path, *, title: str, columns: int = 10) -> None:
    """Draw digits side by side, each with a caption.

    Args:
        images: uint8 (N, 28, 28), N may be 0: then the image says so.
        captions: one per image.
        path: the PNG file to write.
        title: stands above them.
        columns: images a line.
    """
    rows = max(1, -(-len(images) // columns))
    figure = Figure(figsize=(1.2 * columns, 1.45 * rows + 0.5), layout="constrained")
    figure.suptitle(title if len(images) else f"{title}: none")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, image, caption in zip(grid.flat, images, captions, strict=False):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        axes.set_title(caption, fontsize=8)
    save_figure(figure, path)


def plot_dataset(data: Dataset, path: Path) -> None:
    """Draw a first look at a data set: six training images, one enlarged with its values, the class counts."""
    figure = Figure(figsize=(14, 13), layout="constrained")
    grid = figure.add_gridspec(3, 6, height_ratios=(2, 9, 2.4))
    for column, image, label in zip(range(6), data.x_train[:6], data.y_train[:6], strict=True):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(image, cmap="gray")
        axes.set_title(str(label))
        axes.set_axis_off()
    _draw_pixel_values(figure.add_subplot(grid[1, :]), data.x_train[0])
    axes = figure.add_subplot(grid[2, :])
    width = 0.4
    for labels, name, shift in ((data.y_train, "training", -width / 2), (data.y_test, "test", width / 2)):
        bars = axes.bar(np.arange(10) + shift, np.bincount(labels, minlength=10), width, label=name)
        axes.bar_label(bars, fontsize=7)
    axes.set(xticks=range(10), xlabel="digit", ylabel="images")
    axes.margins(y=0.3)  # room for the legend above the bars
    axes.legend(loc="upper center", ncols=2)
    save_figure(figure, path)


def _draw_pixel_values(axes: Axes, image: NDArray[np.uint8]) -> None:
    """Draw one image large, with the value of every pixel in it."""
    axes.imshow(image, cmap="gray")
    axes.set(xticks=[], yticks=[])
    for (y, x), value in np.ndenumerate(image):
        axes.text(x, y, str(value), ha="center", va="center", fontsize=7, color="white" if value < 128 else "black")
