"""Non-digit crops to evaluate a model on: of the same kinds as those of training, but different ones."""

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.non_digits.glyphs import synthetic_glyphs
from digitedge.synthetic.non_digits.samples import synthetic_non_digits
from digitedge.synthetic.scenes.crops import crop_scenes

# Different from the seeds of training and validation (digitedge.training.training_data).
EVALUATION_SEED = 90_210
# Per scene. A scene itself gives about two non-digits.
DRAWINGS = 5
GLYPHS = 2


def make_non_digits(scenes: int, *, seed: int = EVALUATION_SEED) -> dict[str, NDArray[np.uint8]]:
    """Make non-digit crops.

    Args:
        scenes: number of scenes to render, >= 0.
        seed: the same seed gives the same crops.

    Returns:
        uint8 (N, 28, 28) for each source: non-digits in scenes, drawn ones, and characters of invented scripts.
        Sources without crops are left out.

    Examples:
        >>> {source: crops.shape for source, crops in make_non_digits(1).items() if source != "scene crops"}
        {'drawings': (5, 28, 28), 'glyphs': (2, 28, 28)}
    """
    found = crop_scenes(scenes, seed=seed)
    sources = {
        "scene crops": found.crops[found.digits == NON_DIGIT],
        "drawings": synthetic_non_digits(DRAWINGS * scenes, seed=seed),
        "glyphs": synthetic_glyphs(GLYPHS * scenes, seed=seed),
    }
    return {source: crops for source, crops in sources.items() if len(crops)}
