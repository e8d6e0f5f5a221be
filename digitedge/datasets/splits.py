"""Two halves of a labelled set, so that one can choose on the first and report the second."""

import hashlib
from enum import StrEnum


class Half(StrEnum):
    """One of two parts; no group (writer) is in both."""

    FIRST = "first"
    SECOND = "second"


def half_of(group: str) -> Half:
    """The half that a group is in. A hash decides, so it stays there when other groups come or go.

    Examples:
        >>> [str(half_of(writer)) for writer in ("ada", "bela", "chris")]
        ['second', 'first', 'second']
    """
    digest = hashlib.md5(group.encode(), usedforsecurity=False).hexdigest()
    return list(Half)[int(digest, 16) % 2]
