"""A running camera goes on with the model that `digitedge update` or a rollback has made current."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from digitedge.bundle.bundle import Model
from digitedge.bundle.versions import current_bundle
from digitedge.camera.capture import END_S
from digitedge.errors import DigitEdgeError, first_line
from digitedge.reader import Reader

# Seconds between two looks at the state of the folder, which is a file of a hundred bytes.
POLL_S = 1.0


class ModelWatcher:
    """Watches a version folder in a thread, while a `with` block runs.

    A new version is loaded in that thread, while frames are read with the one before; the next frame is read with the
    new one. A version that cannot be loaded is logged once, and the one before stays.
    """

    def __init__(
        self,
        folder: Path,
        current: Path,
        reader: Reader,
        load: Callable[[Path], Model],
        *,
        log: Callable[[str], object] = print,
        poll_s: float = POLL_S,
    ) -> None:
        """Prepare to watch.

        Args:
            folder: of the versions.
            current: the bundle that the reader was made with.
            reader: gets the models.
            load: loads a bundle.
            log: gets a line for every new version.
            poll_s: seconds between two looks.
        """
        self._folder = folder
        self._seen = current
        self._reader = reader
        self._load = load
        self._log = log
        self._poll_s = poll_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="model watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(END_S)

    def _watch(self) -> None:
        last = ""
        while not self._ended.wait(self._poll_s):
            try:
                self._look()
                last = ""
            except Exception as exc:  # whatever it is, the next version may be good
                is_known = isinstance(exc, DigitEdgeError | OSError)
                reason = str(exc) if is_known else f"unexpected {type(exc).__name__}: {first_line(exc)}"
                if reason != last:  # a damaged state would be logged every second
                    self._log(f"{self._folder}: the model stays as it is: {reason}")
                last = reason

    def _look(self) -> None:
        current = current_bundle(self._folder)
        if current == self._seen:
            return
        self._seen = current  # before it is loaded: a version that fails is tried once
        self._reader.use(self._load(current))
        self._log(f"model: {current}")
