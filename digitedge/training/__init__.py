"""Data in, a trained Keras model and its run folder out. Needs the extra `train`; the edge never imports this room."""

from digitedge.utils.quiet import require_tensorflow

require_tensorflow()
