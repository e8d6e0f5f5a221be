"""A seed in, frames with the exact ground truth out: single scenes of any difficulty, documents, an endless clip.

`crops` turns scenes into labelled crops, as the reader would cut them.
"""

from digitedge.synthetic.documents import DOCUMENT_TYPES, EVALUATION_DOCUMENT_TYPES, TRAINING_DOCUMENT_TYPES
from digitedge.synthetic.page.scene_types import NEGATIVE_SCENE_TYPES, PLAIN_SCENE_TYPES, SCENE_TYPES, Difficulty
from digitedge.synthetic.scenes.clip import render_clip
from digitedge.synthetic.scenes.ground_truth import Scene, TrueCell, TrueDigit, TrueTable
from digitedge.synthetic.scenes.scene import render_document, render_scene

__all__ = [
    "DOCUMENT_TYPES",
    "EVALUATION_DOCUMENT_TYPES",
    "NEGATIVE_SCENE_TYPES",
    "PLAIN_SCENE_TYPES",
    "SCENE_TYPES",
    "TRAINING_DOCUMENT_TYPES",
    "Difficulty",
    "Scene",
    "TrueCell",
    "TrueDigit",
    "TrueTable",
    "render_clip",
    "render_document",
    "render_scene",
]
