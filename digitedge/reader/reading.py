"""The result of reading an image: its digits, rows and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader.trace import Trace
from digitedge.utils.boxes import Box
from digitedge.utils.images import check_image
from digitedge.vision import split_numbers, split_rows

SCHEMA = "digitedge.reading/1"


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit that was read.

    Attributes:
        digit: 0 to 9.
        confidence: probability of that digit, 0 to 1.
        box: x, y, width, height in pixels of the image.
        track: the same number in every frame of a camera or video that shows this digit; None in a single image.
        crop: uint8 (28, 28), the input of the classifier; None if this frame does not show the digit.
        probabilities: float32 (10,), of all digits; None if this frame does not show the digit.
    """

    digit: int
    confidence: float
    box: Box
    track: int | None = None
    crop: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    probabilities: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON; without the track if there is none."""
        digit = {"digit": self.digit, "confidence": self.confidence, "box": list(self.box)}
        return digit if self.track is None else digit | {"track": self.track}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one image.

    Attributes:
        digits: all digits, in reading order.
        rows: the strings that they form, top to bottom.
        width: of the image, in pixels; so is `height`.
        ms: milliseconds that reading took.
        source: path of the image, or name of the camera; "" if unknown.
        frame: number of the frame in its source, from 0.
        time: seconds since the start of the source; None for a single image.
        numbers: for each row the numbers in it, split at wide gaps.
        trace: the result of every stage; None if the reading was not made by `Reader.read`. It holds the image and its
            working images, up to 35 MB for a photograph of 12 megapixels; `dataclasses.replace(reading, trace=None)`
            drops it.
    """

    digits: tuple[Digit, ...]
    rows: tuple[str, ...]
    width: int
    height: int
    ms: float = field(compare=False)
    source: str = ""
    frame: int = 0
    time: float | None = None
    numbers: tuple[tuple[str, ...], ...] = ()
    trace: Trace | None = field(default=None, compare=False, repr=False)

    def to_dict(self, *, verbose: bool = False) -> dict[str, Any]:
        """Return plain JSON as `predict --json` and `camera --json` print it, schema "digitedge.reading/1".

        Args:
            verbose: whether to add "candidates", every candidate with the decision and its evidence, and "stage_ms",
                the time of every stage.

        Examples:
            >>> reading = Reading((Digit(7, 0.99, (4, 5, 20, 30)),), ("7",), 640, 480, 3.1, source="desk.jpg")
            >>> reading.to_dict()["digits"]
            [{'digit': 7, 'confidence': 0.99, 'box': [4, 5, 20, 30]}]
        """
        reading: dict[str, Any] = {
            "schema": SCHEMA,
            "source": self.source,
            "frame": self.frame,
            "time": self.time,
            "width": self.width,
            "height": self.height,
            "digits": [digit.to_dict() for digit in self.digits],
            "rows": list(self.rows),
            "numbers": [list(row) for row in self.numbers],
            "ms": self.ms,
        }
        if verbose and self.trace is not None:
            reading["candidates"] = [decision.to_dict() for decision in self.trace.decisions]
            reading["stage_ms"] = {str(stage): round(ms, 3) for stage, ms in self.trace.stage_ms.items()}
        return reading

    @property
    def text(self) -> str:
        """The rows in one line, or "no digits"."""
        return " ".join(self.rows) or "no digits"

    def draw(self, image: NDArray[np.uint8] | None = None, *, caption: str | None = None) -> NDArray[np.uint8]:
        """Draw boxes, digits, confidence and rows on a copy of the image.

        Args:
            image: uint8 (H, W, 3) BGR or (H, W), the image that was read; None for that of the trace.
            caption: a short line for the upper right corner, such as "30 fps".

        Returns:
            uint8 (H, W, 3) BGR.

        Raises:
            InputError: another type, shape or size, or no image and no trace.
        """
        from digitedge.reader.overlay import draw_reading

        if image is None:
            if self.trace is None:
                raise InputError("this reading has no trace. Give draw() the image that was read.")
            image = self.trace.image
        check_image(image)
        if image.shape[:2] != (self.height, self.width):
            got = f"{image.shape[1]} x {image.shape[0]}"
            raise InputError(f"expected the image that was read, {self.width} x {self.height} pixels, got {got}")
        return draw_reading(image, self, caption=caption)


class Arrangement(TypedDict):
    """The fields of a `Reading` that follow from its digits."""

    digits: tuple[Digit, ...]
    rows: tuple[str, ...]
    numbers: tuple[tuple[str, ...], ...]


def arrange(digits: Sequence[Digit]) -> Arrangement:
    """Sort digits into reading order, rows and numbers."""
    return arrange_rows([[digits[i] for i in row] for row in split_rows([digit.box for digit in digits])])


def arrange_rows(rows: Sequence[Sequence[Digit]]) -> Arrangement:
    """Join the digits of each row, from left to right, and split them into numbers."""
    return Arrangement(
        digits=tuple(digit for row in rows for digit in row),
        rows=tuple(map(_join, rows)),
        numbers=tuple(
            tuple(_join([row[i] for i in number]) for number in split_numbers([digit.box for digit in row]))
            for row in rows
        ),
    )


def format_confidence(confidence: float) -> str:
    """Return a confidence as people read it.

    Examples:
        >>> format_confidence(0.968)
        '97 %'
    """
    return f"{100 * confidence:.0f} %"


def _join(digits: Sequence[Digit]) -> str:
    return "".join(str(digit.digit) for digit in digits)
