"""Two halves of annotated images: choose settings on the first, report on the second."""

import hashlib
from enum import StrEnum


class Half(StrEnum):
    """One of two halves; all images of a group (writer) are in the same."""

    FIRST = "first"
    SECOND = "second"


def half_of(group: str) -> Half:
    """Return the half of a group. A hash decides, so it does not change when other groups are added or removed.

    Examples:
        >>> [str(half_of(writer)) for writer in ("ada", "bela", "chris")]
        ['second', 'first', 'second']
    """
    digest = hashlib.md5(group.encode(), usedforsecurity=False).hexdigest()
    return list(Half)[int(digest, 16) % 2]
