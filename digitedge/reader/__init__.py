"""The reader: an image in, a reading out.

`reader` runs the pipeline: the vision stages find candidates, `classify` predicts a digit for each, `rejection` decides
which are digits. `reading` holds the result and `trace` that of every stage; `overlay` and `stages` draw them.
"""

from digitedge.reader.reader import Reader
from digitedge.reader.reading import Digit, Reading
from digitedge.reader.trace import Trace

__all__ = ["Digit", "Reader", "Reading", "Trace"]
