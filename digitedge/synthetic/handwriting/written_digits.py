"""Written digits: images of real handwriting, such as MNIST's, as ink of any height and stroke width."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2, resize

# Pixels of the box of a digit while its strokes are made thicker or thinner.
_HEIGHT = 96
# Blur before the strokes are cut out at a level, in pixels of the same.
_SIGMA = 1.5
# Range of that level, 0 to 255: thick strokes to thin ones.
_LEVELS = (70, 150)
# Least brightness of a pixel that belongs to the digit.
_VISIBLE = 40


@dataclass(frozen=True, slots=True, eq=False)
class WrittenDigits:
    """Images of single handwritten digits.

    Attributes:
        images: uint8 (N, H, W), ink bright on 0.
        labels: uint8 (N,), 0 to 9; every digit occurs, and every image has ink.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @classmethod
    def from_data(cls, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> "WrittenDigits | None":
        """Take the images that have ink, uint8 (N, H, W), with their labels, uint8 (N,); None if a digit is missing."""
        has_ink = images.max(axis=(1, 2), initial=0) > _VISIBLE
        if not set(range(10)) <= set(labels[has_ink].tolist()):
            return None
        return cls(images, labels) if has_ink.all() else cls(images[has_ink], labels[has_ink])

    def draw(self, digit: int, rng: np.random.Generator, *, height: int, boldness: float) -> NDArray[np.uint8]:
        """Draw the image of any writer's digit.

        Args:
            digit: 0 to 9.
            rng: chooses the image.
            height: of the ink in pixels, >= 1.
            boldness: 0 for the thinnest strokes to 1 for the thickest.

        Returns:
            The ink, uint8 (height, W), bright on 0.

        Examples:
            >>> image = np.zeros((28, 28), np.uint8)
            >>> image[4:24, 12:15] = 255
            >>> one = WrittenDigits(image[None], np.array([1], np.uint8))
            >>> rng = np.random.default_rng(0)
            >>> [one.draw(1, rng, height=40, boldness=bold).shape for bold in (0, 1)]
            [(40, 6), (40, 7)]
        """
        image = self.images[rng.choice(np.flatnonzero(self.labels == digit))]
        x, y, width, high = cv2.boundingRect((image > _VISIBLE).view(np.uint8))
        scale = _HEIGHT / high
        pad = 4
        large = resize(image[y : y + high, x : x + width], (max(1, round(width * scale)), _HEIGHT), cv2.INTER_CUBIC)
        large = as_uint8(cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0))
        level = _LEVELS[1] + boldness * (_LEVELS[0] - _LEVELS[1])
        strokes = (cv2.GaussianBlur(large, (0, 0), _SIGMA) > level).view(np.uint8) * np.uint8(255)
        if not strokes.any():  # a stroke that is paler than the level
            strokes = large
        x, y, width, high = cv2.boundingRect(strokes)
        size = max(1, round(width * height / high)), height
        return resize(strokes[y : y + high, x : x + width], size, cv2.INTER_AREA if height < high else cv2.INTER_LINEAR)
