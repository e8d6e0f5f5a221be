"""What a model file needs: MACs, memory of activations, operators with their versions, and runtimes that know them.

In: any .tflite or .onnx file, also one that does not meet the model contract. Out: a `Footprint`. Everything is read
from the file, nothing is run.
"""

from digitedge.benchmark.footprint.footprint import Footprint, OperatorUse, read_footprint, try_footprint
from digitedge.benchmark.footprint.runtimes import RuntimeSupport
from digitedge.benchmark.footprint.text import footprint_cells, footprint_text, runtime_lines

__all__ = [
    "Footprint",
    "OperatorUse",
    "RuntimeSupport",
    "footprint_cells",
    "footprint_text",
    "read_footprint",
    "runtime_lines",
    "try_footprint",
]
