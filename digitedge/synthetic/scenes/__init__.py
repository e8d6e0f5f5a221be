"""A seed in, frames with the exact ground truth out: single scenes of any difficulty, and an endless clip.

`crops` turns scenes into labelled crops, as the reader would cut them.
"""

from digitedge.synthetic.page.scene_types import NEGATIVE_SCENE_TYPES, PLAIN_SCENE_TYPES, SCENE_TYPES, Difficulty
from digitedge.synthetic.scenes.clip import render_clip
from digitedge.synthetic.scenes.ground_truth import Scene, TrueDigit
from digitedge.synthetic.scenes.scene import render_scene

__all__ = [
    "NEGATIVE_SCENE_TYPES",
    "PLAIN_SCENE_TYPES",
    "SCENE_TYPES",
    "Difficulty",
    "Scene",
    "TrueDigit",
    "render_clip",
    "render_scene",
]
