"""Whole frames with the truth about every digit: plain ones, hard ones, an endless clip, and cuttings of them."""
