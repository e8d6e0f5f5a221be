"""Crops of the digits that were read, saved as a data set to correct, evaluate and train on.

    DIR/7/000123.png    28x28, grey: the input of the classifier, in the folder of the digit that was read

Correct it with `digitedge label DIR`; then `digitedge eval --dataset DIR` measures the classifier on this camera. The
folder is a collection, see `digitedge.datasets.collection`.

A camera sees the same digits for hours, and most of them teach nothing. So not all are saved: a few a minute, those
first of which the classifier is least sure, and of each digit a quota, half of which is kept for doubtful ones.
"""

import hashlib
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.loop import Update
from digitedge.camera.tracking.stable_rows import Change, StableRow
from digitedge.datasets.collection import (
    LABEL_FOLDERS,
    NON_DIGIT_FOLDER,
    CropRecord,
    add_crops,
    mark_checked,
    open_collection,
    relabel,
)
from digitedge.errors import DataError, DigitEdgeError, InputError
from digitedge.reader.reading import Digit, Reading
from digitedge.utils.boxes import share_within
from digitedge.utils.files import check_writable, hash_regular_file
from digitedge.utils.opencv import encode_image

MAX_PER_MINUTE = 60
QUOTA = 1000
"""Crops of one digit in the folder, with those that were there before."""
# A crop of this confidence is sure; sure ones take at most half of a quota.
SURE_FROM = 0.95
# How long crops are collected before the most doubtful of them are saved.
COLLECT_S = 5.0
# Crops that wait for the next minutes. Beyond, the surest are left out.
MAX_WAITING = 300
# Rows that can be corrected: those that were stable last.
MAX_ROWS = 50
MAX_CROP_BYTES = 1 << 20
SUFFIX = ".png"
MINUTE_S = 60.0


@dataclass(slots=True, eq=False)
class _Crop:
    """A crop that may be saved; `path` is the file it was saved in."""

    pixels: NDArray[np.uint8]
    digit: int
    confidence: float
    source: str
    sheet: str
    path: Path | None = None

    @property
    def is_sure(self) -> bool:
        return self.confidence >= SURE_FROM

    @property
    def sha256(self) -> str:
        """Of the file, by which the collection knows it."""
        return hashlib.sha256(encode_image(self.pixels, SUFFIX)).hexdigest()

    def record(self, *, checked: bool) -> CropRecord:
        return CropRecord(
            sheet=self.sheet,
            source=self.source,
            predicted=self.digit,
            confidence=round(self.confidence, 4),
            checked=checked,
        )


class CropSink:
    """Saves digits of photographs, and of each stable row of a video or camera when it appears or changes.

    Files are written by a thread. See the module for the rule by which crops of a video or camera are chosen.
    """

    def __init__(
        self, folder: str | Path, *, quota: int = QUOTA, log: Callable[[str], object] = lambda line: None
    ) -> None:
        """Save crops of less than 1 kB each in a folder; existing files are kept.

        Args:
            folder: of a collection; it is made if it is missing.
            quota: of each digit, with the existing files.
            log: gets a line when a digit has its quota, when a file cannot be written, and at the end.

        Raises:
            InputError: a quota below 1.
            DataError: the folder's collection.json is damaged.
            DigitEdgeError: the folder cannot be written to.
        """
        if quota < 1:
            raise InputError(f"expected a quota of 1 crop or more, got {quota}")
        self.folder = Path(folder)
        self._quota = quota
        self._log = log
        check_writable(self.folder)
        records = open_collection(self.folder).records
        self._known = set(records)  # before this run
        self._sure = Counter(one.predicted for one in records.values() if (one.confidence or 0) >= SURE_FROM)
        files = {label: list((self.folder / label).glob("*.png")) for label in LABEL_FOLDERS}
        self._counts = Counter({int(label): len(files[label]) for label in LABEL_FOLDERS if label != NON_DIGIT_FOLDER})
        stems = (file.stem for label in LABEL_FOLDERS for file in files[label])
        self._next = 1 + max((int(stem) for stem in stems if stem.isdecimal()), default=0)
        self._run = f"camera {datetime.now():%Y-%m-%d %H:%M:%S}"
        self._due: set[tuple[str, float]] = set()
        self._lock = threading.Lock()  # of the rows and of what was read wrong
        self._misread: set[str] = set()
        self._rows: OrderedDict[tuple[str, float], list[_Crop]] = OrderedDict()
        self._waiting: list[_Crop] = []
        self._saved_at = deque[float](maxlen=MAX_PER_MINUTE)
        self._now = self._collected_from = 0.0
        self._full: set[int] = set()
        self._has_failed = False
        self._saved = self._left_out = 0
        self._writer = ThreadPoolExecutor(1, "crops")

    def show(self, update: Update) -> bool:
        """See `Sink`."""
        if update.reading.time is None:
            if update.is_new:
                self._submit(
                    [crop for crop in _crops_of(update.reading.digits, update.reading) if self._has_room(crop)]
                )
            return True
        self._due |= {_key(event.row) for event in update.events if event.change is not Change.LEFT}
        self._due &= {_key(row) for row in update.stable}
        self._now = update.reading.time
        if update.is_new:
            for row in update.stable:
                if _key(row) in self._due:
                    self._collect(row, update.reading)
            if not 0 <= self._now - self._collected_from < COLLECT_S:  # a stream that starts again counts from 0
                self._choose()
        return True

    def correct(self, text: str, time: float, right: str) -> int:
        """Save a stable row with the right labels, in place of those that were read. May be called by any thread.

        A text that was wrong is not saved again when it appears again: it is the same row that is misread again.

        Args:
            text: of the row as it was read.
            time: when it became stable, as in `StableRow.to_dict`.
            right: a character for each digit of the row: the digit, or x for what is no digit.

        Returns:
            The number of crops that are saved with a label by a person now.

        Raises:
            InputError: another number of characters, or the row is not known (any more).
            DigitEdgeError: the crops cannot be written.
        """
        labels = parse_labels(text, right)
        with self._lock:
            row = self._rows.get((text, round(time, 3)))
        if row is None:
            raise InputError(
                f"the crops of {text} are not known: expected one of the last {MAX_ROWS} rows, of which one frame has "
                "shown every digit. Wait until it is read again."
            )
        with self._lock:
            if labels != parse_labels(text, text):
                self._misread.add(text)
            else:
                self._misread.discard(text)
        return self._writer.submit(self._write_correction, row, labels).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._choose()
        self._left_out += len(self._waiting)
        self._writer.shutdown()
        rest = f", {self._left_out} left out" if self._left_out else ""
        self._log(f"{self.folder}: {self._saved} crops saved{rest}")

    def _collect(self, row: StableRow, reading: Reading) -> None:
        """Take the crops of a row if this frame shows every digit of it; else it waits for a frame that does."""
        digits = [digit for digit in reading.digits if share_within(digit.box, row.box) == 1]
        crops = _crops_of(digits, reading, sheet=self._run)
        if len(crops) == len(digits) and "".join(str(digit.digit) for digit in digits) == row.text:
            self._due.discard(_key(row))
            if not self._waiting:
                self._collected_from = self._now
            with self._lock:
                if row.text not in self._misread:
                    self._waiting += crops
                self._rows[row.text, round(row.time, 3)] = crops  # as `StableRow.to_dict` has it
                if len(self._rows) > MAX_ROWS:
                    self._rows.popitem(last=False)

    def _choose(self) -> None:
        """Save the most doubtful of the crops that wait, as many as this minute allows."""
        self._collected_from = self._now
        left = MAX_PER_MINUTE - sum(0 <= self._now - at < MINUTE_S for at in self._saved_at)
        chosen: list[_Crop] = []
        waiting = deque(sorted(self._waiting, key=lambda crop: crop.confidence))
        while waiting and len(chosen) < left:
            crop = waiting.popleft()
            if self._has_room(crop):
                chosen.append(crop)
        self._waiting = list(waiting)[:MAX_WAITING]
        self._left_out += max(0, len(waiting) - MAX_WAITING)
        self._saved_at.extend([self._now] * len(chosen))
        self._submit(chosen)

    def _has_room(self, crop: _Crop) -> bool:
        """Count a crop, if it is new and the quota of its digit is not used up; half of it is for doubtful ones."""
        if crop.path is not None:  # corrected and saved meanwhile
            return False
        if crop.sha256 in self._known:  # of a photograph that is read again
            self._left_out += 1
            return False
        if self._counts[crop.digit] >= self._quota and crop.digit not in self._full:
            self._full.add(crop.digit)
            self._log(f"{self.folder} holds {self._quota} crops of {crop.digit}, which is the limit: no more are saved")
        sure_quota = -(-self._quota // 2)
        is_full = self._counts[crop.digit] >= self._quota or (crop.is_sure and self._sure[crop.digit] >= sure_quota)
        if is_full:
            self._left_out += 1
            return False
        self._counts[crop.digit] += 1
        self._sure[crop.digit] += crop.is_sure
        return True

    def _submit(self, crops: Sequence[_Crop]) -> None:
        if crops:
            self._writer.submit(self._write, crops)

    def _write(self, crops: Sequence[_Crop]) -> None:
        new = [crop for crop in crops if crop.path is None]
        try:
            self._add(new, [crop.digit for crop in new], checked=False)
            self._has_failed = False
        except DigitEdgeError as exc:
            if not self._has_failed:
                self._log(f"crops are not saved: {exc}")
            self._has_failed = True

    def _write_correction(self, row: Sequence[_Crop], labels: Sequence[int | None]) -> int:
        """Give the crops of a row their right labels, and save those that are not saved yet."""
        new, checked = [], []
        for crop, label in zip(row, labels, strict=True):
            if crop.path is None:
                new.append((crop, label))
                continue
            with suppress(DataError):  # moved or deleted meanwhile, by a person
                crop.path = relabel(self.folder, crop.path, label)
                checked.append(hash_regular_file(crop.path, max_bytes=MAX_CROP_BYTES, error=DataError)[0])
        mark_checked(self.folder, checked)
        self._add([crop for crop, _ in new], [label for _, label in new], checked=True)
        return len(checked) + len(new)

    def _add(self, crops: Sequence[_Crop], labels: Sequence[int | None], *, checked: bool) -> None:
        names = [f"{self._next + index:06d}{SUFFIX}" for index in range(len(crops))]
        records = [crop.record(checked=checked) for crop in crops]
        paths = add_crops(self.folder, [crop.pixels for crop in crops], labels, records, names)
        for crop, path in zip(crops, paths, strict=True):
            crop.path = path
        self._next += len(crops)
        self._saved += len(crops)


def parse_labels(text: str, right: str) -> list[int | None]:
    """Parse the right text of a row that was read as `text`: a digit, or x for a non-digit, for each of its digits.

    Raises:
        InputError: another number of characters, or others than these.

    Examples:
        >>> parse_labels("2026", " 202x")
        [2, 0, 2, None]
    """
    labels = right.strip().lower()
    if not labels or labels.strip("0123456789" + NON_DIGIT_FOLDER):
        raise InputError(f"expected digits, and x for what is no digit, got {right[:40]!r}")
    if len(labels) != len(text):
        raise InputError(
            f"expected {len(text)} characters, one for each digit of {text} (x for what is no digit), got {len(labels)}"
        )
    return [None if label == NON_DIGIT_FOLDER else int(label) for label in labels]


def _crops_of(digits: Sequence[Digit], reading: Reading, *, sheet: str | None = None) -> list[_Crop]:
    """The crops that this frame has of digits; the name of a photograph is that of its sheet, too."""
    sheet = sheet or reading.source or "photograph"
    return [
        _Crop(digit.crop, digit.digit, digit.confidence, reading.source, sheet)
        for digit in digits
        if digit.crop is not None
    ]


def _key(row: StableRow) -> tuple[str, float]:
    """Identify a row while it moves."""
    return row.text, row.time
