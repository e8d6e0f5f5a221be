"""The result of a check."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """Status of a check; only a problem is a failure."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        check: its name, one word.
        status: of what was checked.
        found: the facts; further lines are details.
        fix: a command or action; None if there is nothing to fix.
    """

    check: str
    status: Status
    found: str
    fix: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """As `digitedge doctor --json` prints it."""
        return asdict(self)
