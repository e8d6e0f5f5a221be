"""Measure a classifier or a reader on labelled data."""
