"""How fast digits are rendered, and how well a net that saw only them reads MNIST: part of `make bench`.

MNIST's test images only judge. Takes some minutes; without MNIST only the speed is printed.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from digitedge.datasets.load import SYNTHETIC, load_dataset
from digitedge.datasets.mnist import find_mnist, load_mnist
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.config import DEFAULT_PLANS
from digitedge.training.train import train
from digitedge.utils.opencv import cv2

COUNT = 5000
EPOCHS = 8


def main() -> None:
    """Print both figures."""
    cv2.setNumThreads(1)
    started = time.process_time()
    synthetic_digits(COUNT, seed=0)
    rate = COUNT / (time.process_time() - started)
    print(f"{rate:.0f} rendered digits a second of one core (mark: 2,000)", flush=True)
    if find_mnist() is None:
        print("no MNIST here: the net trained on rendered digits alone cannot be judged")
        return
    _, rendered = load_dataset(SYNTHETIC)
    mnist = load_mnist()
    data = rendered._replace(x_test=mnist.x_test, y_test=mnist.y_test)
    with tempfile.TemporaryDirectory() as folder:
        plan = replace(DEFAULT_PLANS["cnn"], epochs=EPOCHS, scenes=0)
        outcome = train(plan, data, data_name=SYNTHETIC, folder=Path(folder), log=lambda _: None)
    accuracy = f"{outcome.test_accuracy:.2%} of MNIST's test images"
    print(f"cnn, {EPOCHS} epochs on rendered digits alone: {accuracy} (mark: 90 %)")


if __name__ == "__main__":
    main()
