"""The hand of one person fills in a printed form, which is then photographed: `sample_digit_hand`, `photograph`."""

from digitedge.synthetic.sheets.fill import CROSSINGS, cross_out, put_ink, write_in_box
from digitedge.synthetic.sheets.hand import DigitHand, Hand, sample_digit_hand
from digitedge.synthetic.sheets.photo import Shot, photograph

__all__ = [
    "CROSSINGS",
    "DigitHand",
    "Hand",
    "Shot",
    "cross_out",
    "photograph",
    "put_ink",
    "sample_digit_hand",
    "write_in_box",
]
