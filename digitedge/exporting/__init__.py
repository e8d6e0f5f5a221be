"""A Keras model in, a verified bundle out. Needs the extra `train`; the edge never imports this room.

One digit's way: `reference.py` opens the model and brings it under the contract, `calibration.py` chooses the images
that int8 observes, `tflite.py` and `onnx.py` convert, `judge.py` compares every file with the original, `threshold.py`
says from which confidence on a file is believed, and `export.py` puts the bundle together. A file counts as written
only after its runtime has loaded it again.
"""

from digitedge.errors import require
from digitedge.utils.quiet import quiet, require_tensorflow

require_tensorflow()
with quiet(2):
    require("tf2onnx", extra="train")
