"""Evaluate a classifier on labelled crops, or a reader on labelled images: models and data in, figures out."""
