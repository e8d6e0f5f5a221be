"""The programs of this folder are no tests."""

collect_ignore = ["arm64.py"]  # it imports its neighbour, which a program can and a collected module cannot
