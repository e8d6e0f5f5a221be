"""A scene type in, a written page out: paper, rows of digits, clutter, a desk, and occluders over its border."""
