"""Non-digit crops for training, and different ones of the same kinds to evaluate a model on."""

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.non_digits.glyphs import synthetic_glyphs
from digitedge.synthetic.non_digits.samples import synthetic_non_digits
from digitedge.synthetic.scenes.crops import crop_scenes

# Different from the seeds of training and validation (digitedge.training.training_data).
EVALUATION_SEED = 90_210
# Per scene. A scene itself gives about two non-digits.
DRAWINGS = 7
GLYPHS = 2


def make_non_digits(scenes: int, *, seed: int = EVALUATION_SEED) -> dict[str, NDArray[np.uint8]]:
    """Make the non-digit crops of a number of scenes.

    Returns:
        uint8 (N, 28, 28) for each source: non-digits in scenes, drawn ones, and characters of invented scripts.
        Sources without crops are left out.

    Examples:
        >>> {source: crops.shape for source, crops in make_non_digits(1).items() if source != "scene crops"}
        {'drawings': (7, 28, 28), 'glyphs': (2, 28, 28)}
    """
    found = crop_scenes(scenes, seed=seed)
    sources = {"scene crops": found.crops[found.labels == NON_DIGIT], **draw_non_digits(scenes, seed=seed)}
    return {source: crops for source, crops in sources.items() if len(crops)}


def draw_non_digits(scenes: int, *, seed: int) -> dict[str, NDArray[np.uint8]]:
    """Draw the non-digits that go with a number of scenes: uint8 (N, 28, 28) for each source, drawings and glyphs."""
    return {
        "drawings": synthetic_non_digits(DRAWINGS * scenes, seed=seed),
        "glyphs": synthetic_glyphs(GLYPHS * scenes, seed=seed),
    }
