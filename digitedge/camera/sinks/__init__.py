"""Sinks: where the readings of the camera go."""
