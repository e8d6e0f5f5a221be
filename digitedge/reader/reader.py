"""A frame in, a reading out: vision and runtime put together."""

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import DEFAULT_THRESHOLD, load_model
from digitedge.errors import InputError
from digitedge.reader.classify import Guess, recognize
from digitedge.reader.rejection import LEAST, Verdict, decide
from digitedge.runtime import Classifier
from digitedge.utils.boxes import Box
from digitedge.vision import Writing, find_writing, numbers_of, rows_of

SCHEMA = "digitedge.reading/1"


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit found in a frame.

    Attributes:
        digit: 0 to 9.
        confidence: probability of that digit, 0 to 1.
        box: x, y, width, height in pixels of the frame.
        track: the same number in every frame of a camera that shows this written digit; None in an image.
    """

    digit: int
    confidence: float
    box: Box
    track: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; without the track where there is none."""
        digit = {"digit": self.digit, "confidence": self.confidence, "box": list(self.box)}
        return digit if self.track is None else digit | {"track": self.track}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one frame says.

    Attributes:
        digits: all digits, in reading order.
        rows: the strings that they form, top to bottom.
        numbers: for each row the strings that stand apart in it, parted at wide gaps.
        width: of the frame, in pixels; so is `height`.
        ms: milliseconds that reading took.
        source: where the frame is from: a path, a camera; "" if unknown.
        frame: its number in the source, from 0.
        time: seconds since the start of the source; None for an image.
        marks: verdicts on everything that was looked at, digits and what is none.
    """

    digits: tuple[Digit, ...]
    rows: tuple[str, ...]
    width: int
    height: int
    ms: float
    source: str = ""
    frame: int = 0
    time: float | None = None
    numbers: tuple[tuple[str, ...], ...] = ()
    marks: tuple[Verdict, ...] = ()

    def to_dict(self, *, verbose: bool = False) -> dict[str, Any]:
        """Plain JSON as `predict --json` and `camera --json` print it, schema "digitedge.reading/1".

        Args:
            verbose: whether to add "marks": everything that was looked at, with the reason why it is no digit and the
                points that each clue gave it.

        Examples:
            >>> reading = Reading((Digit(7, 0.99, (4, 5, 20, 30)),), ("7",), 640, 480, 3.1, source="desk.jpg")
            >>> reading.to_dict()["digits"]
            [{'digit': 7, 'confidence': 0.99, 'box': [4, 5, 20, 30]}]
        """
        reading = {
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
        return reading | {"marks": [mark.to_dict() for mark in self.marks]} if verbose else reading


class Reader:
    """Reads digits in frames with one model, which is loaded once."""

    def __init__(
        self, model: str | Path | None = None, *, threshold: float = LEAST, force: bool = False, threads: int = 1
    ) -> None:
        """Load a model.

        Args:
            model: a bundle, a `.tflite` or `.onnx` file, or None for the released bundle.
            threshold: least confidence of a digit that is reported, 0 to 1, whatever else speaks for it.
            force: run a model that failed parity.
            threads: of the runtime, see `load_classifier`.

        Raises:
            InputError: a threshold outside 0 to 1, or less than one thread.
            ModelError: the model is missing, damaged, or not what its manifest says.
            ParityError: it failed parity, and `force` is false.
            MissingExtraError: the runtime that it needs is not installed.
        """
        loaded = load_model(model, force=force, threads=threads)
        self._set(loaded.classifier, threshold, loaded.threshold)

    @classmethod
    def of(cls, classifier: Classifier, *, threshold: float = LEAST) -> Self:
        """Make a reader of a classifier that is loaded already, or of any three lines that score crops.

        Raises:
            InputError: a threshold outside 0 to 1.
        """
        reader = cls.__new__(cls)
        reader._set(classifier, threshold, DEFAULT_THRESHOLD)
        return reader

    def _set(self, classifier: Classifier, threshold: float, neutral: float) -> None:
        if not 0 <= threshold <= 1:  # also catches NaN
            raise InputError(f"threshold must be a probability from 0 to 1, got {threshold}. 0.5 is usual.")
        self.classifier = classifier
        self.threshold = threshold
        self.neutral = neutral

    def read(self, frame: NDArray[np.uint8], *, source: str = "", index: int = 0, time: float | None = None) -> Reading:
        """Read all digits in a frame.

        Args:
            frame: uint8 (H, W, 3) BGR, as OpenCV gives them, or (H, W) grey; either polarity.
            source: name of the camera or file, handed on to the reading.
            index: number of the frame in its source, from 0.
            time: seconds since the start of the source.

        Raises:
            InputError: another type or shape, or a frame without pixels.

        Examples:
            >>> class Sevens:
            ...     def probabilities(self, crops):
            ...         return np.tile(np.eye(10, dtype=np.float32)[7], (len(crops), 1))
            >>> page = np.full((120, 200), 230, np.uint8)
            >>> page[40:80, 60:65] = page[42:82, 90:95] = 40
            >>> Reader.of(Sevens()).read(page).rows
            ('77',)
        """
        started = clock.perf_counter()
        verdicts = self.judge(frame)
        digits = [Digit(v.digit, round(v.confidence, 4), v.box) for v in verdicts if v.kept]
        return Reading(
            **arrange(digits),
            marks=tuple(verdicts),
            width=frame.shape[1],
            height=frame.shape[0],
            ms=round(1000 * (clock.perf_counter() - started), 2),
            source=source,
            frame=index,
            time=time,
        )

    def judge(self, frame: NDArray[np.uint8]) -> list[Verdict]:
        """Say of every mark in a frame whether it is a digit, and of those that are not, why."""
        _check_frame(frame)
        return self.judge_writing(find_writing(frame))[1]

    def judge_writing(self, writing: Writing) -> tuple[list[Guess], list[Verdict]]:
        """Say of every mark what the classifier makes of it, and whether it is a digit."""
        guesses = recognize(writing, self.classifier)
        return guesses, decide(guesses, threshold=self.threshold, neutral=self.neutral)


class Arrangement(TypedDict):
    """The parts of a `Reading` that say what is written where."""

    digits: tuple[Digit, ...]
    rows: tuple[str, ...]
    numbers: tuple[tuple[str, ...], ...]


def arrange(digits: Sequence[Digit]) -> Arrangement:
    """Put digits into reading order, rows and numbers."""
    rows = [[digits[index] for index in row] for row in rows_of([digit.box for digit in digits])]
    return Arrangement(
        digits=tuple(digit for row in rows for digit in row),
        rows=tuple(map(_text, rows)),
        numbers=tuple(map(_numbers, rows)),
    )


def _text(digits: Sequence[Digit]) -> str:
    return "".join(str(digit.digit) for digit in digits)


def _numbers(row: Sequence[Digit]) -> tuple[str, ...]:
    return tuple(_text([row[i] for i in number]) for number in numbers_of([digit.box for digit in row]))


def _check_frame(frame: NDArray[np.uint8]) -> None:
    fits = isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.size > 0
    if not fits or not (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)):
        came = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise InputError(
            f"read() takes a frame of uint8 (H, W, 3) BGR or (H, W), got {came}. "
            "Read files with digitedge.utils.images.read_image(), which converts every depth and colour."
        )
