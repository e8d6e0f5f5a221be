"""Crops of the digits that were read, saved as a data set to correct, evaluate and train on.

    DIR/7/000123.png    28x28, grey: the input of the classifier, in the folder of the digit that was read

Correct it by moving crops to the right folder and deleting non-digits; then `digitedge eval --dataset DIR` measures the
classifier on this camera.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.loop import Update
from digitedge.camera.tracking.stable_rows import Change, StableRow
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader.reading import Reading
from digitedge.utils.boxes import share_within
from digitedge.utils.files import check_writable
from digitedge.utils.images import write_image


class CropSink:
    """Saves the crops of each stable row of a video or camera once, when it appears or changes, in a thread."""

    def __init__(
        self, folder: str | Path, *, max_files: int = 10_000, log: Callable[[str], object] = lambda line: None
    ) -> None:
        """Save up to `max_files` of less than 1 kB in a folder, including existing ones, which are kept.

        Only one program at a time may save there. `log` gets a line when it is full or a file cannot be written.

        Raises:
            InputError: `max_files` below 1.
            DigitEdgeError: the folder cannot be written to.
        """
        if max_files < 1:
            raise InputError(f"expected a limit of 1 file or more, got {max_files}")
        self._folder = Path(folder)
        self._max_files = max_files
        self._log = log
        check_writable(self._folder)
        files = list(self._folder.glob("[0-9]/*.png"))
        self._count = len(files)
        self._next = 1 + max((int(file.stem) for file in files if file.stem.isdecimal()), default=0)
        self._due: set[tuple[str, float]] = set()
        self._is_full = self._has_failed = False
        self._writer = ThreadPoolExecutor(1, "crops")

    def show(self, update: Update) -> bool:
        """See `Sink`."""
        self._due |= {_key(event.row) for event in update.events if event.change is not Change.LEFT}
        self._due &= {_key(row) for row in update.stable}
        if update.is_new and not self._is_full:
            for row in update.stable:
                if _key(row) in self._due:
                    self._save(row, update.reading)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown()

    def _save(self, row: StableRow, reading: Reading) -> None:
        """Save a row if this frame shows every digit of it; else it waits for a frame that does."""
        digits = [digit for digit in reading.digits if share_within(digit.box, row.box) == 1]
        crops = [(digit.crop, digit.digit) for digit in digits if digit.crop is not None]
        if len(crops) == len(digits) and "".join(str(digit.digit) for digit in digits) == row.text:
            self._due.discard(_key(row))
            for crop, digit in crops:
                self._writer.submit(self._write, crop, digit)

    def _write(self, crop: NDArray[np.uint8], digit: int) -> None:
        if self._count >= self._max_files:
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


def _key(row: StableRow) -> tuple[str, float]:
    """Identify a row while it moves."""
    return row.text, row.time
