"""Speed of rendering digits, and top-1 on MNIST of a model that is trained on them alone. Part of `make bench`.

MNIST's test images are used for evaluation only. Takes some minutes; without MNIST only the speed is printed.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from digitedge.datasets.load import SYNTHETIC, load_dataset
from digitedge.datasets.mnist import find_mnist, load_mnist
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.architectures import ARCHITECTURES
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
    print(f"{rate:.0f} rendered digits a second on one core (goal: 2,000)", flush=True)
    if find_mnist() is None:
        print("MNIST was not found, so no model is trained and evaluated")
        return
    _, rendered = load_dataset([SYNTHETIC])
    mnist = load_mnist()
    data = rendered._replace(x_test=mnist.x_test, y_test=mnist.y_test)
    with tempfile.TemporaryDirectory() as folder:
        config = replace(ARCHITECTURES["cnn"].defaults, epochs=EPOCHS, scenes=0)
        outcome = train(config, data, data_name=SYNTHETIC, folder=Path(folder), log=lambda _: None)
    accuracy = f"{outcome.test_accuracy:.2%} top-1 on MNIST's test images"
    print(f"cnn, {EPOCHS} epochs on rendered digits alone: {accuracy} (goal: 90 %)")


if __name__ == "__main__":
    main()
