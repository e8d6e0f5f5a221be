"""Metrics of classification, detection and rejection."""
