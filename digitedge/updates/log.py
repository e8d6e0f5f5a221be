"""The log of a version folder: what was installed, refused and rolled back, a JSON object a line."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOG = "log.jsonl"
OLD_LOG = "log-1.jsonl"
# About 5,000 events. A full log becomes the old one, so the two take at most twice as much.
MAX_LOG_BYTES = 1024 * 1024
SCHEMA = "digitedge.update-event/1"


def log_event(folder: Path, event: str, log: Callable[[str], object], **about: Any) -> None:
    """Append an event to the log, and write it to the disk; where that fails, `log` gets a line, and nothing else."""
    line = {"schema": SCHEMA, "time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **about}
    path = folder / LOG
    try:
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(folder / OLD_LOG)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        log(f"cannot write {path}: {exc.strerror or exc}: {event!r} is not in the log")
