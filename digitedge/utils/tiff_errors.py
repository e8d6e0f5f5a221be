"""Errors of libtiff, which OpenCV does not raise.

A strip that cannot be decoded is filled with zeros, and the rest of the image is returned. OpenCV logs the error only,
to the file descriptor 2 of the process, and Python cannot set another log.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread

from digitedge.utils.opencv import cv2

# As OpenCV 5.0 logs them; 4.x logs errors like warnings, so nothing is found there. What is wrong with the list of the
# pages costs none of the pages before.
_ERROR = re.compile(rb"TIFF_Error (?!\w*Directory).*\n")
_MAX_LINE_BYTES = 4096
_END = b"\0"
_LOCK = Lock()


class TiffErrors:
    """What was logged.

    Attributes:
        found: whether libtiff could not decode a part; set when the block has ended.
    """

    def __init__(self) -> None:
        self.found = False


@contextmanager
def watch_tiff_errors() -> Iterator[TiffErrors]:
    """Watch whether libtiff reports that it cannot decode a part while the block runs.

    Nothing is printed; what other threads write to the file descriptor 2 meanwhile is lost. One thread at a time.
    """
    errors = TiffErrors()
    with _LOCK:
        try:
            original = os.dup(2)
        except OSError:  # the process has none
            yield errors
            return
        reading, writing = os.pipe()
        reader = Thread(target=_read_log, args=(reading, errors), daemon=True)
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        os.dup2(writing, 2)
        reader.start()
        try:
            yield errors
        finally:
            os.dup2(original, 2)
            cv2.utils.logging.setLogLevel(level)
            os.write(writing, _END)  # a process that was started meanwhile may keep the pipe open
            reader.join()
            for descriptor in (original, reading, writing):
                os.close(descriptor)


def _read_log(reading: int, errors: TiffErrors) -> None:
    """Read as much as comes: a file of many damaged strips would fill a pipe or a disk."""
    text = b""
    while not text.endswith(_END):
        text = text.rpartition(b"\n")[2][-_MAX_LINE_BYTES:] + os.read(reading, 1 << 16)
        errors.found |= _ERROR.search(text) is not None
