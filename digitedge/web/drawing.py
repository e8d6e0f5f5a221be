"""A digit that somebody draws on the page, and what the net makes of it."""

from base64 import b64encode
from typing import Any

import numpy as np

from digitedge.errors import InputError
from digitedge.runtime import Classifier
from digitedge.vision import normalize_digit

# Pixels; it comes as plain grey values, so that no decoder of images can be attacked.
SIDE = 280


def classify_drawing(ink: bytes, classifier: Classifier) -> dict[str, Any]:
    """Let a classifier look at a drawing.

    Args:
        ink: SIDE * SIDE grey values, row by row, ink bright on 0.
        classifier: of the reader.

    Returns:
        Plain JSON: the digit, its confidence, all ten probabilities, and the 28x28 crop that the classifier saw, as
        784 grey values in base64.

    Raises:
        InputError: another size, or nothing is drawn.
    """
    if len(ink) != SIDE * SIDE:
        raise InputError(f"expected {SIDE * SIDE} bytes, the grey values of {SIDE} x {SIDE} pixels, got {len(ink)}")
    drawing = np.frombuffer(ink, np.uint8).reshape(SIDE, SIDE)
    if not drawing.any():
        raise InputError("nothing is drawn: all grey values are 0. Ink is bright, up to 255.")
    crop = normalize_digit(drawing)
    probabilities = classifier.probabilities(crop[None])[0]
    return {
        "digit": int(probabilities.argmax()),
        "confidence": round(float(probabilities.max()), 4),
        "probabilities": [round(float(probability), 4) for probability in probabilities],
        "crop": b64encode(crop.tobytes()).decode(),
    }
