"""Crops that are no digits, to examine a model with: made like those of training, but none of them."""

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.ood import NOTHING
from digitedge.synthetic.non_digits.glyphs import synthetic_glyphs
from digitedge.synthetic.non_digits.samples import synthetic_marks
from digitedge.synthetic.scenes.crops import cut_scenes

# Apart from the seeds of training and of its validation (digitedge.training.training_data), and of everything else.
EXAMINATION_SEED = 90_210
# For each scene: marks and glyphs. Two or so of what is cut out of it are no digits.
MARKS, GLYPHS = 5, 2


def non_digits(scenes: int, *, seed: int = EXAMINATION_SEED) -> dict[str, NDArray[np.uint8]]:
    """Make crops that are no digits.

    Args:
        scenes: how many to render, >= 0.
        seed: the same seed gives the same crops.

    Returns:
        uint8 (N, 28, 28) for each source: what is cut by mistake out of scenes, drawn marks, and characters of no
        script. Sources that gave none are left out.

    Examples:
        >>> {source: crops.shape for source, crops in non_digits(1).items() if source != "cuttings"}
        {'marks': (5, 28, 28), 'glyphs': (2, 28, 28)}
    """
    cut = cut_scenes(scenes, seed=seed)
    sources = {
        "cuttings": cut.crops[cut.digits == NOTHING],
        "marks": synthetic_marks(MARKS * scenes, seed=seed),
        "glyphs": synthetic_glyphs(GLYPHS * scenes, seed=seed),
    }
    return {source: crops for source, crops in sources.items() if len(crops)}
