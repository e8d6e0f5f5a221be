"""Lines of tables, forms, boxes and ruled paper: found among the strokes of digits, and removed from the mask.

In: the connected components of the mask of one level of the pyramid, on which a digit is 20 to 46 pixels high.
Out: lines, and the mask without them, in which the strokes that cross or touch them stay.

`detection` runs the search: `strokes` finds thin strokes, `chains` joins those that continue each other, `long_lines`
chooses the chains that are longer than any stroke of a digit, `following` gives each its path, and `short_lines` finds
dividers and boxes. `removal` removes lines. `line` is one line, `paths` the table of many strokes or lines.
See docs/decisions/line-removal.md.
"""

from digitedge.vision.lines.detection import find_lines
from digitedge.vision.lines.line import Line
from digitedge.vision.lines.removal import remove_lines

__all__ = ["Line", "find_lines", "remove_lines"]
