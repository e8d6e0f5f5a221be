"""Text from outside, such as file names and the words of a server, made safe for a terminal and a log."""

import re

# Control characters, which a terminal obeys, and the marks that turn the direction of writing.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Text with every control character written as an escape, so that it is one line and a terminal obeys nothing.

    Bytes of a file name that are not UTF-8, which Python keeps as surrogates, are written as escapes too.

    Examples:
        >>> printable("red \x1b[31m\nerror: fake")
        'red \\x1b[31m\\nerror: fake'
        >>> printable("naïve 7")
        'naïve 7'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
