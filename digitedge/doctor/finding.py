"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How it stands. A note is worth knowing; only a problem is a failure."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was looked at, in one word.
        status: how it stands.
        found: what is there; further lines are details.
        mend: the line that mends it; None when nothing is to mend.
    """

    check: str
    status: Status
    found: str
    mend: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """As `digitedge doctor --json` prints it."""
        return {"check": self.check, "status": str(self.status), "found": self.found, "mend": self.mend}
