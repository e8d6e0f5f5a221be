"""A Keras model in, a verified bundle out. Needs the extra `train`; nothing on the edge imports this package.

`keras_reference.py` loads the model and adapts it to the model contract, `calibration.py` chooses the images that int8
observes, `tflite.py` and `onnx.py` convert, `verify.py` compares every file with the original, `reject_threshold.py`
sets its threshold, and `export.py` puts the bundle together. Every exported file is loaded again by its runtime.
"""

from digitedge.errors import require
from digitedge.utils.quiet import quiet, require_tensorflow

require_tensorflow()
with quiet(2):
    require("tf2onnx", extra="train")
