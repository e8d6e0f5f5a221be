"""Plots as PNG files: learning curves, confusion matrix, digits. They need no screen."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError
from digitedge.runtime.contract import CLASSES
from digitedge.utils.files import atomic_file


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure as a PNG file, whole or not at all.

    Raises:
        InputError: the path does not end in .png.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"expected a file that ends in .png, got {path}")
    with atomic_file(path) as draft:
        figure.savefig(draft, dpi=100)


def plot_curves(history: list[dict[str, float]], path: Path) -> None:
    """Plot loss and accuracy of training and validation over the epochs of a history."""
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
    """Plot a confusion matrix, (10, 10) with a row per true digit; colours are shares of a row, so rare errors show."""
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1)  # the root lifts 0.1 % above white
    for row, column in np.argwhere(counts):
        colour = "white" if share[row, column] > 0.4 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    axes.set(xticks=range(CLASSES), yticks=range(CLASSES), xlabel="predicted digit", ylabel="true digit", title=title)
    save_figure(figure, path)


def plot_digits(images: NDArray[np.uint8], captions: list[str], path: Path, *, title: str, columns: int = 10) -> None:
    """Plot digits, uint8 (N, 28, 28), in a grid, each with its caption. N may be 0."""
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
    """Plot up to six training images, the first with its pixel values, and the number of images per digit."""
    figure = Figure(figsize=(14, 13), layout="constrained")
    grid = figure.add_gridspec(3, 6, height_ratios=(2, 9, 2.4))
    for column, image, label in zip(range(6), data.x_train, data.y_train, strict=False):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(image, cmap="gray")
        axes.set_title(str(label))
        axes.set_axis_off()
    axes = figure.add_subplot(grid[1, :])
    axes.imshow(data.x_train[0], cmap="gray")
    axes.set(xticks=[], yticks=[])
    for (y, x), value in np.ndenumerate(data.x_train[0]):
        axes.text(x, y, str(value), ha="center", va="center", fontsize=7, color="white" if value < 128 else "black")
    axes = figure.add_subplot(grid[2, :])
    width = 0.4
    for labels, name, shift in ((data.y_train, "training", -width / 2), (data.y_test, "test", width / 2)):
        bars = axes.bar(np.arange(CLASSES) + shift, np.bincount(labels, minlength=CLASSES), width, label=name)
        axes.bar_label(bars, fontsize=7)
    axes.set(xticks=range(CLASSES), xlabel="digit", ylabel="images")
    axes.margins(y=0.3)  # space for the legend above the bars
    axes.legend(loc="upper center", ncols=2)
    save_figure(figure, path)
