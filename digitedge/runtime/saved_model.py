"""SavedModel folders: refused if anything in them would touch files, Python or the network, and loaded else.

Loading alone runs code of a SavedModel, its initializers. So every function in it is checked before, in the file.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitedge.errors import ModelError, first_line
from digitedge.runtime.load import SAVED_MODEL
from digitedge.utils.files import read_regular_file
from digitedge.utils.memory_limit import memory_limit
from digitedge.utils.quiet import quiet

GRAPH_ADVICE = "Save its graph, in the program that made it, with model.export('FOLDER'), and give that folder"
# Functions with which a checkpoint is written and read; nothing calls them when a model is used.
_SAVERS = re.compile(r"__inference__traced_(save|restore)_\w+")
# Operators with a state that a network may have: variables, calls, conditions, random numbers, tables of constants.
_ALLOWED_STATE = {
    *("VarHandleOp", "ReadVariableOp", "AssignVariableOp", "VarIsInitializedOp", "DestroyResourceOp"),
    *("AssignAddVariableOp", "AssignSubVariableOp", "ResourceGather", "MutexV2", "Assert"),
    *("StatefulPartitionedCall", "PartitionedCall", "If", "While", "Case", "Placeholder"),
    *("RandomUniform", "RandomStandardNormal", "RandomUniformInt", "TruncatedNormal", "Multinomial"),
    *("StatefulStandardNormalV2", "StatefulUniform", "RngReadAndSkip", "HashTableV2", "LookupTableImportV2"),
    *("TensorArrayV3", "TensorArrayWriteV3", "TensorArrayReadV3", "TensorArrayGatherV3", "TensorArraySizeV3"),
    *("TensorArrayScatterV3", "TensorArrayCloseV3", "StatefulRandomBinomial"),
    *("CudnnRNN", "CudnnRNNV2", "CudnnRNNV3", "CudnnRNNBackprop", "CudnnRNNBackpropV2", "CudnnRNNBackpropV3"),
}
# Names of stateless operators that read or write nevertheless.
_TOUCHES = re.compile(
    r"File|Dataset|Reader|PyFunc|Save|Restore|Checkpoint|Summary|Rpc|Debug|Print|Directory|Socket|Bigtable"
)


def load_saved_model(folder: Path) -> Any:
    """Load a SavedModel as a `keras.Model` with one layer.

    Raises:
        ModelError: it would touch files, Python or the network; it has no signature with one image; or it is damaged.
    """
    import keras
    import tensorflow as tf

    _refuse_access(folder)
    try:
        with quiet(2):
            signatures = dict(tf.saved_model.load(str(folder)).signatures)
            name = "serving_default" if "serving_default" in signatures else next(iter(signatures), None)
            if name is None:
                raise ModelError(f"{folder}: expected a signature, got none. {GRAPH_ADVICE}.")
            (spec,) = signatures[name].structured_input_signature[1].values()
            layer = keras.layers.TFSMLayer(str(folder), call_endpoint=name)
            image = keras.Input(batch_shape=tuple(spec.shape), dtype=spec.dtype.name)
            return keras.Model(image, layer(image))
    except ModelError:
        raise
    except Exception as exc:  # TensorFlow raises ValueError, OSError, its own OpError and others
        raise ModelError(f"{folder}: expected a SavedModel with one image as input, got: {first_line(exc)}") from exc


def _refuse_access(folder: Path) -> None:
    """Raise ModelError if a function of a SavedModel has an operator that is not of a network."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel()
    try:
        content = read_regular_file(folder / SAVED_MODEL, max_bytes=memory_limit(), error=ModelError)
        saved.ParseFromString(content)
    except DecodeError as exc:
        raise ModelError(f"{folder}: expected a SavedModel, got: {first_line(exc)} Save it again.") from exc
    if len(saved.meta_graphs) != 1:
        raise ModelError(
            f"{folder}: expected a SavedModel with one graph, got {len(saved.meta_graphs)}. Save it again."
        )
    (meta,) = saved.meta_graphs
    if not meta.HasField("object_graph_def"):
        raise ModelError(f"{folder}: expected a SavedModel of TensorFlow 2, got one of version 1. {GRAPH_ADVICE}.")
    refused = sorted({op for one in meta.graph_def.library.function for op in _refused_in(one)})
    if refused:
        raise ModelError(
            f"{folder}: it contains {', '.join(refused)}, which may touch files, Python or the network, and is "
            "not loaded."
        )


def _refused_in(function: Any) -> Iterator[str]:
    from tensorflow.python.framework import op_def_registry

    if _SAVERS.fullmatch(function.signature.name):
        return
    for node in function.node_def:
        known = op_def_registry.get(node.op)
        is_state = known is None or (known.is_stateful and node.op not in _ALLOWED_STATE)
        if is_state or _TOUCHES.search(node.op):
            yield node.op
        called = [value.func.name for value in node.attr.values() if value.HasField("func")]
        called += [one.name for value in node.attr.values() if value.HasField("list") for one in value.list.func]
        yield from (name for name in called if _SAVERS.fullmatch(name))
