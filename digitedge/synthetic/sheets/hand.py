"""The hand of one person: one way to write each digit, and the habits of one writer with one pen."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digit_skeletons import DIGIT_SKELETONS, DigitSkeleton
from digitedge.synthetic.handwriting.pen import draw_ink, scale_ink
from digitedge.synthetic.handwriting.writer import sample_single_writer, write_skeleton
from digitedge.synthetic.page.pens import Pen

# What sets a hand apart: skeletons that most writers of MNIST do not use.
_UNUSUAL = {
    0: ("slashed", "hooked start", "crossed ends"),
    1: ("upstroke", "long flag", "upstroke and foot"),
    2: ("zed", "swan", "flat loop"),
    3: ("flat top", "pointed", "looped"),
    4: ("open", "square", "stem apart"),
    5: ("long bar", "detached bar", "like an S"),
    6: ("straight", "tiny loop", "short stem"),
    7: ("barred", "barred serif", "barred curve"),
    8: (),
    9: (),
}


class Hand(Protocol):
    """Whoever fills in a form."""

    @property
    def pen(self) -> Pen:
        """That it writes with."""
        ...

    def write(self, digit: int, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
        """Write a digit once: its ink, uint8 (about `height`, W), bright on 0."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DigitHand:
    """How one person writes the ten digits.

    Attributes:
        skeletons: of the ten digits, one each.
        seed: of the writer's habits, which are the same for every digit.
        pen: its width is in heights of a digit.
        neatness: 0 to 1: how much each digit is like the one before.
        slant: shear that is added to the writer's: how far the top leans to the right, in heights.
        turn: rotation in radians that is added, clockwise.
        width: factor of the width of all digits.
    """

    skeletons: tuple[DigitSkeleton, ...]
    seed: int
    pen: Pen
    neatness: float
    slant: float = 0.0
    turn: float = 0.0
    width: float = 1.0

    def write(self, digit: int, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
        """Write a digit once: its ink, uint8 (about `height`, W), bright on 0, cropped to the ink.

        Raises:
            InputError: not a digit from 0 to 9.
        """
        if digit not in range(10):
            raise InputError(f"expected a digit from 0 to 9, got {digit!r}.")
        writer = sample_single_writer(np.random.default_rng(self.seed), 1)
        writer = replace(
            writer,
            slant=writer.slant + self.slant + rng.normal(0, 0.03, 1),
            turn=writer.turn + self.turn + rng.normal(0, 0.03, 1),
            aspect=writer.aspect * self.width,
            looseness=writer.looseness * (1.6 - self.neatness),
        )
        skeleton = self.skeletons[digit]
        lines = write_skeleton(skeleton, rng, writer)
        wide, high = np.ptp(lines[0], axis=0).tolist()
        ink = draw_ink(
            lines,
            skeleton.lengths,
            rng,
            longer_side=max(1.0, wide / max(high, 1e-3)),
            height=height,
            pen_width=max(1.0, self.pen.width * height),
            pen_type=self.pen.type,
        )
        return scale_ink(ink, height, of=ink.shape[0])


def sample_digit_hand(seed: int, pen: Pen, *, unusual: bool = True) -> DigitHand:
    """Sample the hand of a person.

    Args:
        seed: the same seed gives the same hand.
        pen: that it writes with.
        unusual: whether its digits look unlike most of MNIST: a 1 with a long upstroke, a 7 with a bar.

    Examples:
        >>> from digitedge.synthetic.page.pens import BALL
        >>> hand = sample_digit_hand(3, BALL.sample(np.random.default_rng(0)))
        >>> hand.skeletons[7].name, hand.write(7, np.random.default_rng(0), height=40).shape[0]
        ('barred serif', 40)
    """
    rng = np.random.default_rng(seed)
    skeletons = []
    for digit in range(10):
        names = _UNUSUAL[digit] if unusual else ()
        choice = [one for one in DIGIT_SKELETONS[digit] if one.name in names] or [
            one for one in DIGIT_SKELETONS[digit] if one.plain
        ]
        skeletons.append(choice[rng.integers(len(choice))])
    return DigitHand(tuple(skeletons), int(rng.integers(1 << 31)), pen, float(rng.uniform(0.4, 1)))
