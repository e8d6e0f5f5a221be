"""Crops of the digits that were read, kept as a data set: to see what the net sees, to correct it, and to train on it.

    DIR/7/000123.png    28x28, grey, as the net got it; the folder is what was read

A wrong one is moved by hand to the folder of the right digit, one that is no digit is deleted, and then
`digitedge eval --dataset DIR` says how good the net is on this camera.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.loop import Update
from digitedge.camera.sources.base import Frame
from digitedge.camera.tracking.stable_rows import Change, StableRow
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader.reader import Digit, Reader, Reading
from digitedge.utils.boxes import Box
from digitedge.utils.files import check_writable
from digitedge.utils.images import write_image
from digitedge.vision import find_writing, normalize_digit

LIMIT = 10_000


class CropSaver:
    """Saves the crops of each stable row once, when it appears or changes. Files are written in a thread.

    Rows become stable in videos and in front of cameras; of single images nothing is saved.
    """

    def __init__(
        self,
        folder: str | Path,
        reader: Reader,
        *,
        limit: int = LIMIT,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Name a folder; what is in it stays.

        Args:
            folder: made where it is missing. One program at a time saves there.
            reader: the one whose readings are shown: it looks at the frame once more, because where digits touch or
                are broken, only the classifier tells which ink it was given.
            limit: of the files in the folder, those that are there already among them; each has less than 1 kB.
            log: gets a line when the limit is reached, and when a file cannot be written.

        Raises:
            InputError: a limit under 1.
            DigitEdgeError: the folder cannot be written to.
        """
        if limit < 1:
            raise InputError(f"expected a limit of 1 file or more, got {limit}")
        self._folder = Path(folder)
        self._reader = reader
        self._limit = limit
        self._log = log
        check_writable(self._folder)
        files = list(self._folder.glob("[0-9]/*.png"))
        self._count = len(files)
        self._next = 1 + max((int(file.stem) for file in files if file.stem.isdecimal()), default=0)
        self._due: set[tuple[str, float]] = set()
        self._is_full = self._has_failed = False
        self._writer = ThreadPoolExecutor(1, "crops")

    def show(self, update: Update) -> bool:
        """See `Output`."""
        self._due |= {_key(event.row) for event in update.events if event.change is not Change.LEFT}
        self._due &= {_key(row) for row in update.stable}
        if self._due and update.is_new and not self._is_full:
            self._save([row for row in update.stable if _key(row) in self._due], update)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown()

    def _save(self, rows: list[StableRow], update: Update) -> None:
        """Save the rows of which this frame shows every digit; the others wait for a frame that does."""
        shown = [(row, digits) for row in rows if (digits := _digits_of(row, update.reading))]
        crops = crops_of(update.frame, self._reader) if shown else {}
        for row, digits in shown:
            if all(digit.box in crops for digit in digits):
                self._due.discard(_key(row))
                for digit in digits:
                    self._writer.submit(self._write, crops[digit.box], digit.digit)

    def _write(self, crop: NDArray[np.uint8], digit: int) -> None:
        if self._count >= self._limit:
            if not self._is_full:
                self._log(f"{self._folder} holds {self._count} crops, which is the limit: no more are saved")
            self._is_full = True
            return
        try:
            write_image(self._folder / str(digit) / f"{self._next:06d}.png", crop)
        except DigitEdgeError as exc:
            if not self._has_failed:
                self._log(f"crops are not saved: {exc}")
            self._has_failed = True
            return
        self._has_failed = False
        self._count += 1
        self._next += 1


def crops_of(frame: Frame, reader: Reader) -> dict[Box, NDArray[np.uint8]]:
    """The crops of all digits that a reader finds in a frame, by their boxes: uint8 (28, 28), as its net gets them.

    Examples:
        >>> class Sevens:
        ...     def probabilities(self, crops):
        ...         return np.tile(np.eye(10, dtype=np.float32)[7], (len(crops), 1))
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = page[42:82, 90:95] = 40
        >>> {box: crop.shape for box, crop in crops_of(page, Reader.of(Sevens())).items()}
        {(60, 40, 5, 40): (28, 28), (90, 42, 5, 40): (28, 28)}
    """
    guesses, verdicts = reader.judge_writing(find_writing(frame))
    kept = [guess for guess, verdict in zip(guesses, verdicts, strict=True) if verdict.kept]
    return {guess.box: normalize_digit(guess.mark.ink) for guess in kept}


def _key(row: StableRow) -> tuple[str, float]:
    """What stays the same while a row moves."""
    return row.text, row.time


def _digits_of(row: StableRow, reading: Reading) -> list[Digit]:
    """The digits of a stable row in a reading; none where this one reads otherwise."""
    x, y, width, height = row.box
    inside = [
        digit
        for digit in reading.digits
        if x <= digit.box[0]
        and y <= digit.box[1]
        and digit.box[0] + digit.box[2] <= x + width
        and digit.box[1] + digit.box[3] <= y + height
    ]
    return inside if "".join(str(digit.digit) for digit in inside) == row.text else []
