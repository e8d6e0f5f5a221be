"""How fast digits are rendered, and how well a net that saw only them reads MNIST: part of `make bench`.

MNIST's test images only judge. Takes some minutes; without MNIST only the speed is printed.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from digitedge.data.load import SYNTHETIC, load_dataset
from digitedge.data.mnist import find_mnist, load_mnist
from digitedge.data.synthetic import synthetic_digits
from digitedge.opencv import cv2
from digitedge.training.fit import train
from digitedge.training.plan import DEFAULT_PLANS

COUNT = 5000
EPOCHS = 8


def main() -> None:
    """Print both figures."""
    cv2.setNumThreads(1)
    started = time.process_time()
    synthetic_digits(COUNT, seed=0)
    accuracy = f"{outcome.test_accuracy:.2%} of MNIST's test images"
    print(f"cnn, {EPOCHS} epochs on rendered digits alone: {accuracy} (mark: 90 %)")


if __name__ == "__main__":
    main()
