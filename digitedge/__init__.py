"""Handwritten digits at the edge: train, shrink, verify, and read them from a camera without TensorFlow."""

__version__ = "0.1.0"
