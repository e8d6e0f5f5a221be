"""A Keras model in, a verified bundle out. Needs the extra `train`; nothing on the edge imports this package."""

from digitedge.errors import require
from digitedge.utils.quiet import quiet, require_tensorflow

require_tensorflow()
with quiet(2):
    require("tf2onnx", extra="train")
