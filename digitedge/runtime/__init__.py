"""Crops in, probabilities out: the exported files behind one protocol.

In: uint8 (N, 28, 28) crops as `digitedge.vision` makes them, ink bright on 0.
Out: float32 (N, 10) probabilities. Quantization and batching happen inside, so every file looks the same from outside.
"""

from digitedge.runtime.classifier import Classifier
from digitedge.runtime.load import RUNTIMES, can_run, load_classifier

__all__ = ["RUNTIMES", "Classifier", "can_run", "load_classifier"]
