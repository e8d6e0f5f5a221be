"""Crops in, probabilities out: model files of every runtime behind one protocol.

In: uint8 (N, 28, 28) crops as `digitedge.vision` makes them, ink bright on 0.
Out: float32 (N, 10) probabilities; a file with a second output also gives its features. Quantization and batching
happen inside.
"""

from digitedge.runtime.classifier import Classifier, FeatureClassifier
from digitedge.runtime.load import RUNTIMES, Runtime, can_run, find_runtime, load_classifier, load_network

__all__ = [
    "RUNTIMES",
    "Classifier",
    "FeatureClassifier",
    "Runtime",
    "can_run",
    "find_runtime",
    "load_classifier",
    "load_network",
]
