"""The result of reading an image: its digits, rows, numbers and tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader.rejection import Decision
from digitedge.reader.trace import Trace
from digitedge.utils.boxes import Box
from digitedge.utils.images import check_image
from digitedge.utils.transform import Transform
from digitedge.vision import split_numbers, split_rows
from digitedge.vision.segment import RejectReason

SCHEMA = "digitedge.reading/1"
# Least confidence of a rejected candidate that looks like a digit: below it are leaves, specks and most strokes.
LIKE_A_DIGIT = 0.5


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
class Cell:
    """A cell of a table.

    Attributes:
        text: its digits; "" if it has none.
        box: x, y, width, height in pixels of the image.
    """

    text: str
    box: Box

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"text": self.text, "box": list(self.box)}


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was found on the page.

    Attributes:
        box: x, y, width, height in pixels of the image.
        rows: from top to bottom, the cells of each from left to right, as many in each row. A merged cell
            is repeated at each place that it covers, with its text at the first one only.
    """

    box: Box
    rows: tuple[tuple[Cell, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON.

        Examples:
            >>> Table((4, 5, 60, 30), ((Cell("12", (5, 6, 28, 28)),),)).to_dict()
            {'box': [4, 5, 60, 30], 'rows': [[{'text': '12', 'box': [5, 6, 28, 28]}]]}
        """
        return {"box": list(self.box), "rows": [[cell.to_dict() for cell in row] for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one image.

    Attributes:
        digits: all digits, in reading order.
        rows: the strings that they form, top to bottom.
        width: of the image, in pixels; so is `height`.
        ms: milliseconds that reading took.
        source: path of the image or document, or name of the camera; "" if unknown.
        frame: number of the frame in its source, from 0.
        time: seconds since the start of the source; None for a single image.
        numbers: for each row the numbers in it, split at wide gaps.
        tables: the tables on the page, top to bottom. Their digits are in `digits` and `rows`, too.
        left_out: number of rows that a `RowFilter` left out.
        transform: what was done to the image before it was read. Boxes count in the image before, the trace is of the
            image after.
        trace: the result of every stage; None if the reading was not made by `Reader.read`. It holds the image and its
            working images, up to 35 MB for a photograph of 12 megapixels; `dataclasses.replace(reading, trace=None)`
            drops it.
        rejected: how many candidates look like writing and were not read; None if unknown. See `count_rejected`.
        page: number of the page in its document, from 1; None for a file of one image, and for a camera.
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
    tables: tuple[Table, ...] = ()
    left_out: int = 0
    transform: Transform = Transform()  # noqa: RUF009 - frozen
    trace: Trace | None = field(default=None, compare=False, repr=False)
    rejected: int | None = None
    page: int | None = None

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
            "page": self.page,
            "frame": self.frame,
            "time": self.time,
            "width": self.width,
            "height": self.height,
            "digits": [digit.to_dict() for digit in self.digits],
            "rows": list(self.rows),
            "numbers": [list(row) for row in self.numbers],
            "tables": [table.to_dict() for table in self.tables],
            "rejected": self.rejected,
            "left_out": self.left_out,
            "rotated": self.transform.rotate,
            "ms": self.ms,
        }
        if verbose and self.trace is not None:
            reading["candidates"] = [
                decision.to_dict() | {"box": list(self.given_box(decision.box))} for decision in self.trace.decisions
            ]
            reading["stage_ms"] = {str(stage): round(ms, 3) for stage, ms in self.trace.stage_ms.items()}
        return reading

    @property
    def text(self) -> str:
        """The rows in one line; without any, "no digits" or "no matching rows"."""
        return " ".join(self.rows) or ("no matching rows" if self.left_out else "no digits")

    @property
    def summary(self) -> str:
        """The text, and in brackets what else is to be known: rows that were left out, rejected candidates, a rotation.

        Examples:
            >>> reading = Reading((), (), 640, 480, 3.1, left_out=2, transform=Transform(rotate=90))
            >>> reading.summary
            'no matching rows   (2 rows left out, rotated by 90)'
        """
        text = self.text
        if self.rejected and not self.rows and not self.left_out:
            text += ", but what looks like writing"
        notes = [f"{self.left_out} row{'s' * (self.left_out > 1)} left out"] if self.left_out else []
        notes += [f"{self.rejected} rejected"] if self.rejected else []
        notes += [f"rotated by {self.transform.rotate}"] if self.transform.rotate else []
        return f"{text}   ({', '.join(notes)})" if notes else text

    def given_box(self, box: Box) -> Box:
        """Return a box of the trace in pixels of the image that was given, before the `transform`."""
        return self.transform.undo_box(box, self.width, self.height)

    def before(self, transform: Transform, *, width: int, height: int) -> "Reading":
        """Return the reading of a transformed image with the boxes of the image before, of this width and height.

        Examples:
            >>> reading = Reading((Digit(7, 0.99, (4, 5, 20, 30)),), ("7",), 200, 100, 3.1)
            >>> reading.before(Transform(roi=(50, 60, 200, 100)), width=640, height=480).digits[0].box
            (54, 65, 20, 30)
        """

        def given(box: Box) -> Box:
            return transform.undo_box(box, width, height)

        return replace(
            self,
            digits=tuple(replace(digit, box=given(digit.box)) for digit in self.digits),
            tables=tuple(
                Table(given(table.box), tuple(tuple(Cell(c.text, given(c.box)) for c in row) for row in table.rows))
                for table in self.tables
            ),
            width=width,
            height=height,
            transform=transform,
        )

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
            if self.trace is None or self.transform != Transform():
                raise InputError("this reading has no trace of the image that was given. Give draw() that image.")
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


def count_rejected(decisions: Sequence[Decision]) -> int:
    """Count the candidates that look like writing and were not read: like a digit, or as wide as a word."""
    rejected = [one.prediction for one in decisions if not one.kept]
    is_word = (one.candidate.reject_reason is RejectReason.TOO_WIDE for one in rejected)
    return sum(word or one.confidence >= LIKE_A_DIGIT for word, one in zip(is_word, rejected, strict=True))


def format_confidence(confidence: float) -> str:
    """Return a confidence as people read it.

    Examples:
        >>> format_confidence(0.968)
        '97 %'
    """
    return f"{100 * confidence:.0f} %"


def _join(digits: Sequence[Digit]) -> str:
    return "".join(str(digit.digit) for digit in digits)
