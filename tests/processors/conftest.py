"""The programs in this folder are not tests."""

collect_ignore = ["arm64.py"]  # imports its neighbour, which works in a program only
