"""The size of the crop: one digit as the model sees it."""

CROP_SIZE = 28
"""Height and width of a crop in pixels."""
