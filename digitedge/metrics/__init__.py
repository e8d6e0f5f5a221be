"""Metrics of classification, detection and OOD detection: arrays or boxes in, numbers out."""
