"""Data in, a trained Keras model and its run folder out. Needs the extra `train`; edge code never imports it."""

from digitedge.utils.quiet import require_tensorflow

require_tensorflow()
