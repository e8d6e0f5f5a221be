"""Classify a digit that a viewer draws on the page."""

from base64 import b64encode
from typing import Any

import numpy as np

from digitedge.errors import InputError
from digitedge.runtime import Classifier
from digitedge.vision import normalize_digit

CANVAS_SIDE = 280
"""Pixels. The drawing comes as raw grey values, so that no image decoder can be attacked."""


def classify_drawing(ink: bytes, classifier: Classifier) -> dict[str, Any]:
    """Classify a drawing: CANVAS_SIDE * CANVAS_SIDE grey values, row by row, ink bright on 0.

    Returns:
        Plain JSON: digit, confidence, ten probabilities, and the (28, 28) crop as 784 grey values in base64.

    Raises:
        InputError: wrong size, or nothing is drawn.
    """
    if len(ink) != CANVAS_SIDE**2:
        raise InputError(f"expected the {CANVAS_SIDE} x {CANVAS_SIDE} grey values of a drawing, got {len(ink)} bytes")
    drawing = np.frombuffer(ink, np.uint8).reshape(CANVAS_SIDE, CANVAS_SIDE)
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
