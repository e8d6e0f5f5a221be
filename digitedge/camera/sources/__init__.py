"""Sources: where the frames of the camera come from."""
