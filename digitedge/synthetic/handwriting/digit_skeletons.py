"""How people write digits: several skeletons for each digit, drawn by hand, in a notation that can be read.

A skeleton is one way to move the pen: points "x y" in hundredths of the digit's height, y downwards, with commas
between. The pen passes through all points in a smooth curve; `!` makes a point a corner, `;` lifts the pen:

    4, open:   "8 2, 3 55!, 68 52; 57 0, 50 100"

Weights say how common a skeleton is among all ways to write that digit: American and European writers, by estimate.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.spline import stroke_matrix


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """One way to write one sign.

    Attributes:
        sign: what it shows.
        name: unique among the skeletons of the sign.
        weight: how common it is, relative to the other skeletons of the sign; > 0.
        strokes: the movement of the pen in the notation of this module.
        points: float64 (K, 2), control points, x and y in heights of the digit.
        stroke_of: intp (K,), the stroke that each control point belongs to.
        matrix: float64 (M, K), `matrix @ points` is the line the pen draws, all strokes after each other.
        lengths: how many of those M points each stroke has.
    """

    sign: int | str
    name: str
    weight: float
    strokes: str
    points: NDArray[np.float64] = field(init=False, repr=False)
    stroke_of: NDArray[np.intp] = field(init=False, repr=False)
    matrix: NDArray[np.float64] = field(init=False, repr=False)
    lengths: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parsed = [parse_stroke(text) for text in self.strokes.split(";")]
        blocks = [stroke_matrix(points, corners) for points, corners in parsed]
        object.__setattr__(self, "points", np.concatenate([points for points, _ in parsed]))
        object.__setattr__(self, "stroke_of", np.repeat(np.arange(len(parsed)), [len(points) for points, _ in parsed]))
        object.__setattr__(self, "matrix", _block_diagonal(blocks))
        object.__setattr__(self, "lengths", tuple(len(block) for block in blocks))


@dataclass(frozen=True, slots=True, eq=False)
class DigitSkeleton(Skeleton):
    """One way to write one digit. Not everyone reads those at once that are not plain: they are for training only.

    Examples:
        >>> four = DigitSkeleton(4, "open", 1.0, "8 2, 3 55!, 68 52; 57 0, 50 100")
        >>> four.points.shape, four.lengths
        ((5, 2), (17, 9))
        >>> line = four.matrix @ four.points
        >>> line[0].tolist(), line[-1].tolist()  # pen down, pen up
        ([0.08, 0.02], [0.5, 1.0])
    """

    sign: int
    plain: bool = True


def parse_stroke(text: str) -> tuple[NDArray[np.float64], list[int]]:
    """Parse one stroke: points, float64 (K, 2) in heights of the digit, and the indices of those that are corners.

    Raises:
        InputError: fewer than two points, or a point that is not "x y" or "x y!".

    Examples:
        >>> points, corners = parse_stroke("0 5, 60 5!, 25 100")
        >>> points.tolist(), corners
        ([[0.0, 0.05], [0.6, 0.05], [0.25, 1.0]], [1])
    """
    parts = [part.strip() for part in text.split(",")]
    corners = [index for index, part in enumerate(parts) if part.endswith("!")]
    try:
        points = np.array([[float(number) for number in part.rstrip("!").split()] for part in parts]) / 100
    except ValueError:
        points = np.empty((0, 0))
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
        raise InputError(f'expected a stroke such as "0 5, 60 5!, 25 100", got {text!r}. Give two points or more.')
    return points, corners


def _block_diagonal(blocks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    matrix = np.zeros((sum(len(block) for block in blocks), sum(block.shape[1] for block in blocks)))
    row = column = 0
    for block in blocks:
        matrix[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return matrix


# Name, weight and strokes; "doubtful" ones are not plain. The comment of a digit says in what its skeletons differ.
_SKELETONS: dict[int, tuple[tuple[str, float, str] | tuple[str, float, str, str], ...]] = {
    # where the loop closes, and how well it does.
    0: (
        ("round", 4, "42 2, 14 14, 2 50, 13 86, 38 99, 64 85, 74 50, 65 14, 42 2"),
        ("closed right", 3, "56 8, 30 1, 6 26, 4 68, 24 97, 52 92, 72 60, 66 20, 46 4"),
        ("overlapping", 2, "58 14, 34 1, 8 22, 2 64, 24 98, 56 86, 70 46, 56 12, 30 6, 18 16"),
        ("clockwise", 1, "30 6, 58 12, 70 48, 58 86, 32 99, 8 80, 2 44, 12 14, 36 3"),
        ("curled in", 1, "40 20, 22 6, 5 34, 4 70, 26 98, 56 88, 70 54, 62 16, 40 4, 30 20"),
        ("open top", 1, "30 4, 8 26, 2 62, 20 96, 50 94, 70 66, 70 26, 52 4"),
        ("long tail", 0.6, "36 4, 10 24, 2 62, 22 98, 54 90, 70 52, 56 14, 34 8, 62 4, 84 -4", "doubtful"),
        ("hooked start", 0.8, "52 26, 40 8, 16 14, 2 48, 12 88, 38 99, 64 82, 70 44, 58 12, 38 4"),
        ("spiral", 0.4, "48 30, 34 14, 12 28, 4 62, 20 94, 50 94, 70 60, 64 20, 40 0, 18 6", "doubtful"),
        ("slashed", 0.1, "42 2, 12 18, 4 60, 36 99, 68 80, 72 40, 42 2; 72 4, 8 96", "doubtful"),
        ("crossed ends", 0.8, "66 -2, 40 0, 10 24, 2 64, 26 98, 58 84, 70 48, 52 14, 22 -4"),
        ("ends apart", 0.4, "26 4, 5 30, 4 72, 28 98, 58 86, 69 50, 63 20, 46 6"),
        ("open right", 0.3, "62 20, 46 2, 16 10, 2 54, 20 96, 52 92, 70 58, 68 34", "doubtful"),
    ),
    # a bar, perhaps with a flag, perhaps with a foot.
    1: (
        ("bar", 10, "10 0, 10 50, 10 100"),
        ("bent bar", 2, "8 0, 14 30, 14 66, 8 100"),
        ("small flag", 2, "0 14, 16 0!, 15 50, 14 100"),
        ("flag", 1, "0 26, 28 0!, 27 50, 26 100"),
        ("long flag", 0.6, "-10 42, 10 24, 28 0!, 27 50, 26 100"),
        ("upstroke", 0.7, "0 64, 20 28, 34 0!, 33 50, 32 100"),
        ("whole upstroke", 0.3, "0 98, 22 46, 40 0!, 40 50, 40 100", "doubtful"),
        ("upstroke and foot", 0.3, "0 54, 18 26, 32 0!, 31 50, 30 97; 4 99, 58 98"),
        ("slanted bar", 0.8, "36 0, 19 50, 0 100"),
        ("very slanted bar", 0.5, "66 0, 34 50, 0 100", "doubtful"),
        ("leaning back", 0.4, "0 0, 14 50, 26 100"),
        ("flag and foot", 1.2, "2 24, 28 0!, 27 50, 26 97; 0 99, 54 98"),
        ("foot", 0.3, "26 0, 27 50, 26 97; 2 99, 50 98", "doubtful"),
        ("curled flag", 0.4, "0 22, 14 16, 26 0!, 24 50, 20 90, 26 100", "doubtful"),
        ("wide foot", 0.7, "6 20, 34 0!, 30 50, 26 96; -6 97, 30 96, 66 94"),
        ("serif", 0.4, "10 6, 32 0!, 30 50, 28 97; 8 99, 50 97"),
    ),
    # a loop, a corner or a wave at the lower left; an arch or a bar on top.
    2: (
        ("looped", 4, "10 20, 33 2, 60 18, 50 54, 26 86, 8 95, 3 84, 16 76, 42 90, 74 95"),
        ("plain", 4, "8 22, 34 1, 62 20, 48 54, 3 98!, 40 97, 70 98"),
        ("zed", 2, "4 8, 30 5, 60 6!, 32 50, 2 96!, 36 93, 72 95", "doubtful"),
        ("rounded zed", 3, "2 14, 30 2, 58 10, 46 42, 4 94!, 38 90, 76 96"),
        ("swan", 2, "8 26, 24 2, 56 8, 60 36, 34 72, 4 92, 30 88, 54 98, 78 88"),
        ("big loop", 1.5, "4 18, 28 2, 54 16, 50 50, 30 84, 8 98, -4 84, 10 68, 38 80, 82 98"),
        ("curled top", 1, "22 30, 6 24, 14 6, 42 0, 62 18, 50 52, 6 96!, 34 92, 72 98"),
        ("small base", 0.3, "6 22, 32 0, 56 20, 46 56, 16 94, 12 88, 28 88, 50 100"),
        ("wide loop", 1, "4 22, 26 4, 58 8, 62 40, 40 80, 14 96, 2 82, 20 70, 50 82, 86 84"),
        ("flat loop", 1.4, "12 24, 30 4, 56 16, 52 50, 32 80, 6 84, 2 68, 28 64, 58 80, 92 76"),
        ("round loop", 1.4, "6 20, 26 0, 52 12, 54 46, 40 78, 18 94, 2 80, 10 62, 34 66, 56 84, 84 96"),
        ("curled in", 0.7, "34 32, 14 34, 6 18, 24 0, 54 10, 54 44, 32 78, 10 92, 4 80, 22 76, 72 94"),
        ("steep", 0.3, "10 26, 26 2, 46 12, 44 44, 34 76, 18 96, 4 90, 16 80, 40 86, 62 84"),
        ("closed head", 0.4, "40 30, 14 38, 4 18, 28 0, 52 20, 40 60, 8 96!, 34 92, 70 96", "doubtful"),
        ("great loop", 1, "10 16, 36 0, 58 24, 52 66, 30 96, 4 88, 6 60, 28 50, 48 72, 74 90", "doubtful"),
        ("short tail", 1.2, "8 20, 32 0, 56 18, 50 56, 28 92, 6 94, 4 74, 20 66, 40 80, 54 92", "doubtful"),
        ("flat arch", 0.8, "0 18, 24 6, 50 14, 46 44, 20 78, 0 86, 10 70, 36 74, 66 84, 92 76"),
        ("flat", 0.5, "0 26, 36 0, 84 16, 70 54, 10 94!, 76 92, 136 97"),
        ("flat with loop", 0.5, "0 24, 40 0, 84 20, 60 62, 14 94, 2 78, 30 70, 80 92, 140 92"),
        ("long base", 0.5, "6 22, 30 0, 58 18, 44 56, 2 96!, 54 94, 112 98"),
    ),
    # where the two bows meet: a dent, a corner, a loop; round or flat on top.
    3: (
        ("round", 5, "6 14, 30 0, 58 18, 44 42, 22 47!, 50 52, 64 76, 38 99, 2 88"),
        ("smooth", 2, "8 10, 36 0, 58 20, 40 42, 26 47, 46 52, 64 74, 44 97, 2 94"),
        ("looped", 2, "8 14, 32 0, 56 16, 42 42, 24 50, 20 44, 34 44, 60 60, 58 88, 30 100, 0 92"),
        ("flat top", 1.5, "2 4, 30 3, 62 4!, 26 42!, 54 48, 66 72, 46 97, 2 92"),
        ("flat ends", 1.5, "4 6, 48 2, 62 16, 48 40, 18 48!, 52 52, 66 76, 46 96, 2 97"),
        ("big belly", 1, "10 10, 34 0, 50 16, 38 34, 18 40!, 56 44, 70 70, 46 98, 0 90"),
        ("small belly", 1, "4 16, 34 0, 66 22, 46 50, 18 58!, 46 58, 60 80, 36 99, 4 96"),
        ("slanted", 1, "10 8, 44 0, 62 14, 42 38, 20 46!, 44 50, 54 72, 32 96, -6 98"),
        ("pointed", 0.7, "0 6, 36 0, 54 10, 38 34, 18 48!, 48 56, 50 78, 30 96, 4 94"),
        ("curled foot", 0.6, "6 14, 34 0, 56 18, 40 42, 22 46!, 52 52, 62 76, 38 99, 6 94, 0 82, 12 78"),
        ("curled head", 0.6, "20 26, 4 18, 28 0, 58 14, 46 40, 26 48!, 54 54, 62 78, 38 99, 2 88"),
    ),
    # open or closed, pointed or round, one stroke or two.
    4: (
        ("open", 4, "8 2, 6 28, 3 55!, 34 54, 68 52; 57 0, 54 50, 50 100"),
        ("round open", 3, "6 4, 4 40, 18 56, 44 50, 64 38; 62 2, 58 50, 56 100"),
        ("one stroke", 2, "6 6, 2 42, 16 56, 46 48, 62 6!, 60 50, 56 100"),
        ("closed", 2, "50 0, 24 34, 0 66!, 38 66, 76 64; 51 2, 50 50, 49 100"),
        ("one line closed", 1, "44 100, 48 50, 52 0!, 26 34, 0 64!, 36 65, 74 63"),
        ("leaning", 2, "22 4, 12 28, 0 54!, 34 52, 72 46; 60 2, 46 50, 36 100"),
        ("low stem", 1, "16 0, 10 24, 2 48!, 34 48, 70 46; 48 22, 45 60, 42 100"),
        ("half closed", 1, "44 2, 16 32, 2 54!, 34 54, 70 50; 54 2, 52 50, 48 100"),
        ("looped corner", 1, "14 2, 8 34, 2 58, 8 62, 20 52, 66 48; 58 2, 52 50, 48 100"),
        ("square", 1, "4 4, 4 30, 4 52!, 34 52, 62 52!; 60 4, 61 50, 62 100"),
        ("stem apart", 0.5, "6 2, 4 28, 2 54!, 28 54, 50 52; 66 8, 64 50, 62 100"),
        ("flat", 0.5, "16 -2, 10 30, 0 64!, 48 62, 98 58; 74 2, 72 50, 70 100"),
        ("flat closed", 0.4, "72 0, 38 28, 0 64!, 50 63, 104 62; 72 0, 71 50, 70 100"),
    ),
    # one stroke or two; how the bar sits, and how round the neck is.
    5: (
        ("one stroke", 3, "64 4, 40 4, 16 6!, 10 42!, 38 36, 60 58, 52 88, 26 99, 0 92"),
        ("two strokes", 3, "16 8, 13 26, 10 44!, 38 38, 60 60, 50 88, 24 99, 0 90; 16 8, 40 6, 70 3"),
        ("long bar", 2, "24 16, 18 30, 12 44!, 34 42, 50 62, 40 88, 18 98, -6 90; 22 16, 56 9, 94 2"),
        ("like an S", 2, "62 6, 32 6, 16 18, 18 36, 44 52, 58 72, 46 94, 22 99, 0 90"),
        ("no corner", 1.5, "66 2, 36 4, 18 14, 14 36, 38 42, 56 62, 46 90, 20 99, -4 92"),
        ("open neck", 1, "16 12, 14 30, 14 46, 40 42, 58 64, 46 92, 18 99, 2 90; 26 6, 46 4, 72 2"),
        ("flat belly", 1, "66 3, 40 4, 14 4!, 12 24, 10 44!, 48 44, 62 60, 54 88, 30 97, 0 97"),
        ("leaning", 1, "70 2, 48 4, 28 8!, 20 26, 12 42!, 36 44, 42 64, 28 90, 6 98, -8 90"),
        ("hooked", 1, "60 0, 40 8, 20 6!, 14 40!, 36 34, 54 52, 50 82, 22 98, 2 90, 8 82"),
        ("closing", 0.8, "66 2, 40 4, 20 6!, 14 46!, 40 38, 58 60, 50 90, 24 99, 6 88, 8 72", "doubtful"),
        ("steep neck", 1, "66 0, 44 8, 30 14!, 18 36, 8 52!, 32 48, 46 64, 36 90, 14 98, -4 92"),
        ("short bar", 0.8, "42 4, 28 5, 16 6!, 12 24, 8 40!, 34 34, 58 56, 50 86, 22 99, 0 92"),
        ("high belly", 0.6, "14 6, 12 16, 10 28!, 40 26, 60 52, 50 86, 24 99, 0 90; 14 6, 40 5, 70 2"),
        ("detached bar", 0.8, "18 18, 15 32, 12 46!, 40 41, 60 62, 50 90, 24 99, 0 91; 28 4, 52 1, 78 -4"),
        ("bar far right", 0.5, "20 10, 16 28, 12 44!, 40 39, 60 61, 50 89, 24 99, 0 91; 36 8, 62 4, 90 2"),
    ),
    # how straight the stem, how large the loop, where it closes.
    6: (
        ("curved", 4, "48 0, 22 24, 5 56, 8 88, 30 99, 54 86, 54 64, 34 54, 8 72"),
        ("straight", 3, "40 0, 22 26, 8 56, 6 84, 26 99, 50 88, 50 66, 30 56, 8 74"),
        ("hooked top", 1.5, "58 8, 40 0, 16 18, 3 54, 10 88, 34 99, 58 84, 54 60, 30 52, 6 70"),
        ("small loop", 1.5, "44 0, 20 30, 4 68, 14 96, 38 96, 48 78, 36 66, 18 74, 10 86"),
        ("wide loop", 1.5, "36 0, 14 24, 2 60, 16 94, 46 98, 68 80, 60 56, 34 52, 8 72"),
        ("curled in", 1.5, "46 0, 20 24, 4 58, 12 92, 38 98, 56 80, 44 58, 22 64, 20 84, 28 88"),
        ("open", 0.7, "44 0, 18 28, 4 62, 14 94, 40 98, 58 80, 50 58, 32 60", "doubtful"),
        ("big loop", 1, "34 0, 12 30, 2 64, 16 96, 46 94, 58 66, 44 42, 20 44, 6 62"),
        ("broad loop", 1.3, "26 0, 10 24, 0 58, 14 92, 48 96, 72 74, 60 50, 34 58, 14 82"),
        ("crossing loop", 1, "34 0, 14 26, 2 62, 12 94, 44 90, 66 62, 52 48, 28 66, 24 92"),
        ("flat loop", 0.8, "36 4, 14 30, 0 66, 18 96, 56 90, 76 66, 56 58, 24 72, 6 84"),
        ("short stem", 0.8, "22 8, 6 34, 2 70, 22 98, 52 88, 58 58, 38 42, 14 58"),
        ("slanting loop", 0.8, "42 0, 16 36, 2 76, 18 97, 48 82, 68 54, 56 42, 30 62, 16 92", "doubtful"),
        ("bent stem", 0.5, "30 0, 6 10, 4 44, 6 84, 30 99, 52 84, 48 60, 28 54, 8 70", "doubtful"),
        ("tiny loop", 0.7, "46 0, 18 38, 2 80, 14 99, 34 94, 36 80, 22 76, 8 86"),
    ),
    # bar and stem; a serif, a wave, a round shoulder, a cross bar.
    7: (
        ("plain", 5, "0 6, 30 5, 60 4!, 42 50, 24 100"),
        ("curved stem", 3, "0 6, 32 4, 64 4!, 44 38, 32 68, 28 100"),
        ("serif", 1.5, "2 22, 2 14, 4 5!, 32 5, 62 4!, 44 50, 26 100"),
        ("wave", 1.5, "0 18, 10 6, 34 10, 64 2!, 48 50, 34 100"),
        ("round shoulder", 1.5, "0 14, 22 4, 52 6, 56 30, 46 64, 36 100"),
        ("upright", 1, "0 8, 24 6, 50 5!, 46 50, 44 100"),
        ("barred", 1.5, "0 6, 32 5, 64 4!, 44 50, 28 100; 16 52, 40 50, 64 47"),
        ("barred serif", 0.7, "2 20, 4 6!, 34 6, 66 4!, 46 50, 30 100; 14 54, 38 52, 66 50"),
        ("barred curve", 0.7, "0 10, 32 2, 64 5!, 46 38, 38 70, 36 100; 14 56, 40 52, 64 54"),
        ("hooked", 0.6, "0 28, 6 8, 26 4, 56 6!, 58 30, 44 62, 38 100"),
        ("long serif", 0.8, "0 34, 4 20, 8 6!, 36 8, 66 4!, 44 50, 26 100"),
        ("curled stem", 0.7, "0 8, 30 6, 60 5!, 38 46, 30 78, 38 100"),
        ("looped corner", 0.5, "0 16, 10 4, 32 10, 58 8, 64 0, 56 4, 42 44, 26 100", "doubtful"),
        ("footed", 0.3, "0 8, 30 6, 60 4!, 40 50, 26 96; 6 98, 50 96", "doubtful"),
        ("high bar", 0.7, "0 10, 32 6, 62 2!, 44 50, 30 100; 22 38, 44 36, 68 32"),
        ("deep wave", 0.8, "2 4, 4 22, 28 20, 62 0!, 46 50, 26 100", "doubtful"),
        ("deep serif", 0.5, "0 2, 0 26!, 28 18, 60 4!, 44 50, 24 100", "doubtful"),
        ("bent stem", 1, "0 8, 30 4, 58 6!, 50 36, 32 70, 12 98"),
        ("round corner", 0.8, "0 12, 26 2, 54 8, 50 34, 34 70, 22 100"),
        ("winding stem", 0.6, "0 14, 8 4, 34 8, 60 6!, 40 44, 34 70, 38 100"),
    ),
    # two loops, or an S that closes; where it starts and how well it closes.
    8: (
        ("crossed S", 4, "54 10, 32 0, 8 18, 26 42, 54 70, 38 98, 8 90, 10 68, 36 42, 56 20, 48 2"),
        ("open top", 2, "48 10, 26 4, 8 22, 28 44, 48 70, 32 98, 6 92, 8 70, 34 44, 70 2"),
        ("tall S", 2, "56 16, 38 0, 10 12, 14 36, 48 60, 56 84, 32 99, 4 86, 16 60, 46 36, 56 16"),
        ("from the left", 1.5, "22 42, 8 20, 30 0, 54 16, 38 42, 8 70, 18 97, 46 96, 56 74, 22 42"),
        ("two loops", 1.2, "34 2, 10 20, 32 44, 54 22, 32 2; 32 46, 4 72, 32 99, 60 74, 34 46"),
        ("small head", 1.2, "48 10, 30 0, 16 14, 26 34, 58 66, 40 99, 4 90, 10 60, 38 32, 46 12, 34 2"),
        ("big head", 1, "60 20, 34 0, 4 22, 22 52, 48 76, 34 99, 12 92, 14 72, 44 48, 60 18"),
        ("from the middle", 0.8, "32 46, 10 22, 34 0, 54 20, 32 46, 6 74, 30 99, 56 76, 32 46"),
        ("loose", 1, "60 8, 36 4, 12 16, 22 40, 52 66, 44 96, 12 98, 2 80, 24 54, 58 28, 74 6"),
        ("open loop", 1.2, "60 6, 30 2, 10 20, 30 44, 50 72, 30 98, 8 82, 24 56, 46 38, 62 24"),
        ("flat head", 0.8, "66 6, 34 4, 6 14, 20 36, 46 64, 36 96, 10 94, 12 72, 40 46, 72 14"),
        ("wide head", 0.8, "54 24, 58 6, 30 0, 2 14, 10 36, 40 52, 46 80, 28 99, 12 82, 24 60, 54 30", "doubtful"),
        ("tiny foot", 0.6, "56 14, 32 0, 6 18, 18 46, 36 66, 34 92, 20 98, 14 82, 30 56, 56 22"),
        ("ribbon", 0.3, "56 98, 16 42, 8 14, 32 0, 54 14, 46 42, 2 98", "doubtful"),
        ("open head", 0.7, "4 10, 18 36, 48 66, 42 96, 12 97, 8 74, 38 42, 66 2", "doubtful"),
        ("narrow waist", 0.6, "62 12, 40 0, 14 10, 12 28, 52 62, 54 88, 26 100, 2 88, 14 62, 56 30, 62 12"),
        ("open left", 0.4, "16 24, 34 2, 54 14, 44 38, 14 66, 10 90, 36 98, 54 80, 44 58, 12 34", "doubtful"),
        (
            "two circles",
            0.8,
            "34 0, 11 12, 14 36, 36 44, 56 26, 34 0; 32 49, 5 61, 6 88, 32 100, 60 87, 58 60, 32 49",
        ),
        ("wide open top", 0.6, "20 4, 12 22, 32 44, 54 70, 36 99, 8 90, 10 66, 38 42, 58 22, 62 0"),
    ),
    # how straight the stem, where it turns at the foot, how round the head.
    9: (
        ("straight", 4, "54 12, 32 1, 6 22, 14 46, 40 42, 56 14!, 52 56, 46 100"),
        ("round head", 3, "52 18, 34 0, 6 16, 10 44, 36 48, 54 22, 54 20, 52 60, 44 100"),
        ("curved tail", 2, "56 14, 32 0, 5 20, 16 46, 42 40, 57 14!, 58 52, 46 88, 6 96"),
        ("leaning tail", 2, "54 12, 34 2, 8 22, 18 44, 42 36, 56 10!, 46 56, 26 100"),
        ("small head", 1.5, "50 8, 34 0, 16 14, 22 34, 42 30, 52 8!, 50 50, 44 100"),
        ("big head", 1, "60 16, 32 0, 2 26, 12 58, 44 54, 60 20, 60 22, 56 60, 50 100"),
        ("open head", 0.8, "50 12, 30 3, 6 22, 14 48, 42 44, 58 4!, 54 52, 46 100"),
        ("hooked tail", 1, "54 14, 32 0, 6 20, 18 44, 42 38, 56 14!, 56 60, 42 96, 14 92, 8 80"),
        ("one curve", 1.5, "48 32, 26 48, 4 30, 22 4, 48 6, 58 32, 52 68, 42 100"),
        ("round tail", 1, "52 30, 26 46, 4 24, 28 0, 54 16, 56 56, 40 94, 4 96"),
        ("square head", 0.8, "50 8, 22 6, 8 22, 10 42, 30 46, 52 38, 56 10!, 54 56, 50 100"),
        ("wide head", 0.8, "62 18, 36 2, 4 16, 2 42, 30 50, 60 30!, 58 60, 52 100"),
        ("overlapping", 1, "58 20, 44 4, 16 8, 4 34, 22 50, 48 32, 58 6!, 54 54, 42 100"),
        ("crooked", 0.6, "48 14, 26 4, 6 26, 20 46, 46 38!, 50 64, 34 100", "doubtful"),
        ("pointed head", 0.6, "46 8, 22 18, 4 34, 14 46, 40 38, 56 8!, 54 54, 46 100", "doubtful"),
        ("unclosed", 1.2, "40 4, 14 14, 4 36, 22 50, 46 34, 58 2!, 54 54, 48 100", "doubtful"),
        ("like a g", 0.8, "54 14, 32 0, 6 16, 12 40, 38 40, 54 12!, 56 60, 40 95, 10 98, 0 84"),
        ("like a q", 0.5, "54 12, 32 0, 6 18, 14 44, 40 40, 54 8!, 53 60, 50 97!, 68 80"),
        ("flat head", 0.5, "74 16, 40 0, 4 18, 22 48, 58 44, 76 8!, 75 50, 74 100"),
    ),
}

DIGIT_SKELETONS: tuple[tuple[DigitSkeleton, ...], ...] = tuple(
    tuple(DigitSkeleton(digit, name, weight, strokes, plain=not doubtful) for name, weight, strokes, *doubtful in table)
    for digit, table in _SKELETONS.items()
)
"""All ways to write each digit."""
