"""The reader: a frame in, a reading out."""
