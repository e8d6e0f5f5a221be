"""Values of options that lie."""

import random

from fuzz.case import FLOATS, LONG_INTEGERS, TEXTS, Case

VALUES = (
    *map(str, LONG_INTEGERS),
    *map(str, FLOATS),
    *TEXTS,
    *(
        "1,2,3,4",
        "0,0,0,0",
        "-1,-1,5,5",
        "1e9,0,1,1",
        "0,0,99999999999999999999,1",
        "1,2,3",
        ",,,",
        "1;2;3;4",
        "nan,nan,nan,nan",
    ),
    *(
        "(",
        "[",
        "*",
        "(?P<a",
        "(a",
        ".*",
        "\\",
        "(?:" * 200,
        "[0-9]{1000000000}",
        "a{99999999999}",
        "(\\d+)+x",
        "(?i)" * 3,
    ),
    *("0-1", "0-255,inverted", "mean-std,pad,pad", "imagenet,", ",", "inverted", "0-1,transposed,crop,resize"),
    *(
        "/dev/null",
        "/dev/zero",
        "/proc/self/mem",
        "missing.tflite",
        "a" * 5000,
        "~",
        "$HOME",
        "file:///etc/passwd",
        "-",
        "--",
    ),
)
PREDICT = ("--rotate", "--flip", "--roi", "--expect-length", "--pattern", "--model", "--preprocess", "--threshold")
OTHERS = (("predict",), ("info",), ("verify", "--golden"), ("eval", "--dataset"), ("eval", "photos"))
# Not `camera` and `service`: they open devices and install units.


def make_options(rng: random.Random) -> Case:
    """Draw the words of a command line; IMAGE stands for an image."""
    value = rng.choice(VALUES)
    if rng.random() < 0.7:
        names = rng.sample(PREDICT, rng.choice((1, 1, 2)))
        words = ["predict", "IMAGE"]
        for name in names:
            words += [f"{name}={value}"] if rng.random() < 0.5 else [name, value]
            value = rng.choice(VALUES)
    else:
        words = [*rng.choice(OTHERS), value]
    words = [word.replace("\0", "") for word in words]  # the system passes none on
    return Case(
        " ".join(word.partition("=")[0] for word in words if word.startswith("--")) or words[0],
        f"{words}"[:300],
        {},
        values=tuple(words),
    )
