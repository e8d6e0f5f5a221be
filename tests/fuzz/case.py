"""One input from outside that lies: files, and words for what is wrong with them."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Numbers at which types, sizes and signs change.
INTEGERS = (
    *(0, 1, -1, 2, 3, 5, 7, 16, 100, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536, 10**6, -2, -128, -65536),
    *(2**24, 2**29, 2**30, 2**31 - 1, -(2**31), 2**31 - 2),
)
LONG_INTEGERS = (*INTEGERS, 2**31, 2**32 - 1, 2**32, 2**33, -(2**31) - 1, 2**62, 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-38, 1e-45, 1e38, -1e38, float("nan"), float("inf"), float("-inf"))
TEXTS = (
    *("", " ", "a", "a" * 70_000, "\x1b[31m\x1b]0;x\x07", "two\nlines", "a\0b", "\udcff", "é", "\u202e", "../..", "/"),
    *("%s%n", "{}", "[bold]", "-1", "nan", "1e999", "0x10", "\uffff", "🙂" * 300, "NaN", "null", "٣", "²"),
)

CODE_MARK = Path(tempfile.gettempdir()) / "digitedge-fuzz-code-has-run"
"""A file that code in a model would write."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in place of a file."""

    target: str


@dataclass(frozen=True, slots=True)
class Pipe:
    """A named pipe in place of a file: whoever opens it to read waits for ever."""


Content = bytes | Link | Pipe | Path
"""What a file of a case is; a path is an unchanged file."""


@dataclass(frozen=True, slots=True)
class Case:
    """An input.

    Attributes:
        lie: the sort of lie, for tables.
        detail: what exactly, for people.
        files: content by path.
        main: the path among them that is loaded; "" is the folder of them all.
        values: that no file holds, such as the words of a command line.
    """

    lie: str
    detail: str
    files: Mapping[str, Content]
    main: str = ""
    values: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Write the files into an empty folder; return the path that is loaded."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Link):
                path.symlink_to(content.target)
            elif isinstance(content, Pipe):
                os.mkfifo(path)
            elif isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                path.write_bytes(content)
        return folder / self.main


Make = Callable[[random.Random], Case]


class Unbuildable(Exception):
    """A lie that the format cannot express; another one is drawn."""


def hostile(rng: random.Random, current: Any = 0) -> int:
    """An integer of 32 bits: one where something changes, or a neighbour of the present one."""
    near = int(current or 0) if isinstance(current, int | float) and abs(current or 0) < 2**30 else 0
    return rng.choice((*INTEGERS, near + 1, near - 1, near * 2, -near, near + 256))


def damage(rng: random.Random, content: bytes, *, other: bytes = b"") -> tuple[str, bytes]:
    """Damage the bytes of a file; returns the sort of damage and what is left."""
    size = len(content)
    place = rng.randrange(size)
    if rng.random() < 0.3:  # the structure of most formats is at one of the ends
        place = min(rng.randrange(4096), size - 1) if rng.random() < 0.5 else max(0, size - 1 - rng.randrange(4096))
    choice = rng.randrange(10)
    if choice < 4:
        value = rng.choice((0, 1, 2, 3, 7, 0x7F, 0x80, 0xFF, content[place] ^ (1 << rng.randrange(8))))
        return "byte", content[:place] + bytes([value]) + content[place + 1 :]
    if choice == 4:
        return "truncated", content[:place]
    if choice == 5:
        place -= place % 4
        order = rng.choice(("little", "big"))
        value = (rng.choice(INTEGERS) % 2**32).to_bytes(4, order)
        return "number", content[:place] + value + content[place + 4 :]
    if choice == 6:
        changed = bytearray(content)
        for _ in range(rng.choice((2, 8, 64))):
            changed[rng.randrange(size)] = rng.randrange(256)
        return "bytes", bytes(changed)
    if choice == 7:
        end = min(size, place + rng.choice((1, 4, 100, 4000)))
        return "removed", content[:place] + content[end:]
    if choice == 8:
        return "inserted", content[:place] + rng.randbytes(rng.choice((1, 4, 100, 4000))) + content[place:]
    other = other or content
    return "spliced", content[:place] + other[rng.randrange(len(other)) :]
