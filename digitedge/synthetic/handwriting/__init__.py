"""A skeleton in, ink out: digits, letters and words as different writers write them with different pens."""
