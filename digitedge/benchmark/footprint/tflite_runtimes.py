"""Which runtimes know the operators of a .tflite file.

Sources:
    `SINCE`: the table in tflite/converter/tools/versioning/runtime_version.cc of google-ai-edge/LiteRT, from which the
    converter writes `min_runtime_version` (read in November 2026, newest entries 2.23.0).
    `MICRO`: each built-in operator was offered to the package tflite-micro 0.dev20261023182759, whose resolver has all
    kernels; on a device, only those that the program registers.
    `CMSIS_NN`: the files of tensorflow/lite/micro/kernels/cmsis_nn in tflite-micro (November 2026).
    `ETHOS_U`: `vela --supported-ops-report` of ethos-u-vela 5.2.0, the table for Ethos-U55 and U65.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from digitedge.benchmark.footprint.graph import Graph, Kind, Operator, Tensor, names
from digitedge.benchmark.footprint.runtimes import RuntimeSupport, listed, version_key

MICRO = names(
    """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS
    BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
    DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD
    FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS
    LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM
    MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU
    RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX
    SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF
    TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
    """
)
CMSIS_NN = names(
    """
    ADD AVERAGE_POOL_2D BATCH_MATMUL CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED MAXIMUM MAX_POOL_2D MINIMUM MUL PAD
    SOFTMAX SVDF TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM
    """
)
ETHOS_U = names(
    """
    ABS ADD ARG_MAX AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION CONV_2D DEPTHWISE_CONV_2D ELU EXP EXPAND_DIMS
    FULLY_CONNECTED GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG PACK
    PAD PADV2 PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR
    RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RSQRT SLICE SOFTMAX SPLIT SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE
    SUB SUM TANH TILE TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK
    """
)
# Operator -> version of TensorFlow Lite since which it has version 1, 2, 3 ... of the operator; "-" where none counts.
SINCE = {
    line.split()[0]: line.split()[1:]
    for line in """
    ABS 1.13.0 2.4.0 2.5.0 2.6.0 2.12.0
    ADD 1.5.0 1.14.0 2.4.0 2.6.0 2.13.0 2.23.0
    ADD_N 1.14.0
    ARG_MAX 1.9.0 1.14.0 2.9.0
    ARG_MIN 1.9.0 1.14.0 2.9.0
    ASSIGN_VARIABLE 2.6.0
    ATAN2 2.10.0
    AVERAGE_POOL_2D 1.5.0 1.14.0 2.3.0
    BATCH_MATMUL 2.3.0 2.3.0 2.4.0 2.5.0
    BATCH_TO_SPACE_ND 1.6.0 1.14.0 2.3.0 2.12.0
    BIDIRECTIONAL_SEQUENCE_LSTM 1.14.0 1.14.0 1.14.0
    BIDIRECTIONAL_SEQUENCE_RNN 1.14.0 1.14.0 2.3.0
    BITCAST 2.13.0
    BITWISE_XOR 2.13.0
    BROADCAST_ARGS 2.6.0
    BROADCAST_TO - 2.5.0 2.5.0
    BUCKETIZE 2.8.0
    CALL_ONCE 2.5.0
    CAST 1.5.0 2.7.0 2.8.0 2.9.0 2.12.0 2.15.0 2.17.0 2.21.0
    CEIL 1.14.0
    COMPLEX_ABS 2.5.0
    CONCATENATION 1.5.0 1.14.0 2.3.0 2.14.0 2.21.0 2.23.0
    CONV_2D 1.5.0 1.14.0 1.14.0 2.3.0 2.4.0 2.9.0 2.11.0 2.15.0
    CONV_3D 2.5.0
    CONV_3D_TRANSPOSE 2.6.0
    COS 1.14.0 2.23.0
    CUMSUM 2.4.0
    DENSIFY 2.2.0
    DEPTHWISE_CONV_2D 1.5.0 1.12.0 1.14.0 2.2.0 2.3.0 2.3.0 2.11.0
    DEPTH_TO_SPACE 2.1.0 2.5.0
    DEQUANTIZE 1.13.1 1.14.0 1.15.0 2.2.0 2.7.0 2.18.0 2.21.0 2.22.0
    DILATE 2.15.0
    DIV 1.6.0 2.3.0
    DYNAMIC_UPDATE_SLICE 2.9.0 2.17.0 2.19.0 2.20.0 2.21.0 2.22.0
    ELU 1.14.0
    EMBEDDING_LOOKUP 1.13.0 1.14.0 1.14.0 2.18.0 2.21.0
    EMBEDDING_LOOKUP_SPARSE 1.5.0
    EQUAL 1.14.0 1.14.0 2.3.0 2.13.0 2.21.0
    EXP 1.7.0 2.12.0
    EXPAND_DIMS 1.10.0
    FAKE_QUANT 1.5.0 1.10.0
    FILL 1.13.0 2.3.0 2.5.0 2.12.0
    FLOOR 1.9.0
    FLOOR_DIV 1.14.0 1.14.0 2.13.0
    FLOOR_MOD 1.13.0 2.13.0
    FULLY_CONNECTED 1.5.0 1.10.0 1.14.0 1.14.0 2.0.0 2.1.0 2.3.0 2.3.0 2.3.0 2.11.0 2.15.0 2.17.0 2.18.0 2.21.0
    GATHER 1.6.0 1.14.0 1.15.0 2.4.0 2.5.0 2.13.0 2.15.0
    GATHER_ND 1.14.0 2.3.0 2.5.0 2.13.0 2.16.0
    GELU 2.9.0 2.9.0
    GREATER 1.14.0 1.14.0
    GREATER_EQUAL 1.14.0 1.14.0 2.13.0
    HARD_SWISH 1.15.0
    HASHTABLE 2.5.0
    HASHTABLE_FIND 2.5.0
    HASHTABLE_IMPORT 2.5.0
    HASHTABLE_LOOKUP 1.5.0
    HASHTABLE_SIZE 2.5.0
    IF 1.15.0
    IMAG 2.5.0
    L2_NORMALIZATION 1.5.0 1.14.0
    L2_POOL_2D 1.5.0
    LEAKY_RELU 1.13.1 2.3.0
    LESS 1.14.0 1.14.0 2.13.0
    LESS_EQUAL 1.14.0 1.14.0
    LOCAL_RESPONSE_NORMALIZATION 1.5.0
    LOG 1.14.0 2.15.0
    LOGICAL_AND 1.11.0
    LOGICAL_NOT 1.11.0
    LOGICAL_OR 1.11.0
    LOGISTIC 1.14.0 1.14.0 2.3.0
    LOG_SOFTMAX 1.14.0 1.14.0
    LSH_PROJECTION 1.5.0
    LSTM 1.7.0 1.10.0 1.14.0 2.3.0
    MATRIX_DIAG 1.14.0
    MATRIX_SET_DIAG 1.14.0
    MAXIMUM 1.14.0 1.14.0 2.3.0 2.3.0
    MAX_POOL_2D 1.5.0 1.14.0 2.3.0
    MEAN 1.6.0 1.14.0 2.4.0
    MINIMUM 1.14.0 1.14.0 2.3.0 2.3.0
    MIRROR_PAD 1.13.1 2.3.0 2.12.0
    MUL 1.5.0 1.14.0 1.15.0 2.3.0 2.6.0 2.11.0 2.13.0 2.23.0
    MULTINOMIAL 2.8.0
    NEG 1.9.0
    NON_MAX_SUPPRESSION_V4 2.1.0
    NON_MAX_SUPPRESSION_V5 2.1.0
    NOT_EQUAL 1.14.0 1.14.0 2.3.0 2.21.0
    ONE_HOT 1.11.0
    PACK 1.11.0 1.14.0 2.3.0 2.13.0
    PAD 1.5.0 1.14.0 2.4.0 2.6.0 2.20.0
    PADV2 1.9.0 1.14.0 2.4.0 2.6.0 2.20.0
    POW 1.10.0
    PRELU 1.8.0
    QUANTIZE 1.14.0 1.15.0 2.7.0 2.21.0 2.21.0 2.21.0
    RANDOM_STANDARD_NORMAL 2.8.0
    RANDOM_UNIFORM 2.8.0
    RANGE 1.13.0 2.14.0
    RANK 1.14.0
    READ_VARIABLE 2.6.0
    REAL 2.5.0
    REDUCE_ALL 2.6.0
    REDUCE_ANY 1.11.0
    REDUCE_MAX 1.11.0 1.14.0 2.5.0
    REDUCE_MIN 1.11.0 1.14.0 2.5.0
    REDUCE_PROD 1.11.0 2.6.0
    REDUCE_WINDOW 2.15.0
    RELU 1.5.0 2.1.0 2.5.0
    RELU6 1.5.0 1.14.0 2.5.0
    RELU_0_TO_1 2.10.0
    RELU_N1_TO_1 1.5.0
    RESHAPE 1.5.0
    RESIZE_BILINEAR 1.7.0 1.14.0 2.2.0 2.5.0
    RESIZE_NEAREST_NEIGHBOR 1.13.1 1.14.0 2.3.0 2.4.0
    REVERSE_SEQUENCE 1.14.0
    REVERSE_V2 1.14.0 2.2.0 2.5.0
    RFFT2D 2.5.0
    RIGHT_SHIFT 2.13.0
    RNN 1.5.0 1.14.0 2.3.0
    ROUND 1.14.0
    RSQRT 1.10.0 2.5.0 2.15.0
    SCATTER_ND 2.1.0
    SEGMENT_SUM 2.2.0
    SELECT 1.14.0 1.14.0 2.12.0 2.12.0
    SELECT_V2 2.2.0 2.12.0
    SHAPE 1.10.0
    SIGN 2.11.0 2.12.0
    SIN 1.9.0 2.23.0
    SKIP_GRAM 1.5.0
    SLICE 1.14.0 1.14.0 1.14.0 2.4.0 2.5.0 2.14.0 2.21.0 2.23.0
    SOFTMAX 1.5.0 1.14.0 2.3.0 2.23.0
    SPACE_TO_BATCH_ND 1.6.0 1.14.0 2.3.0 2.12.0
    SPACE_TO_DEPTH 1.5.0 1.14.0
    SPARSE_TO_DENSE 1.9.0 1.14.0 1.15.0
    SPLIT 1.5.0 1.14.0 1.14.0 2.3.0
    SPLIT_V 1.13.1 2.3.0
    SQRT 1.10.0 2.21.0
    SQUARE 1.12.0
    SQUARED_DIFFERENCE 1.13.1 2.5.0
    SQUEEZE 1.6.0 2.5.0
    STABLEHLO_ADD 2.16.0
    STABLEHLO_AND 2.17.0
    STABLEHLO_CASE 2.17.0
    STABLEHLO_CBRT 2.17.0
    STABLEHLO_COMPOSITE 2.17.0
    STABLEHLO_GATHER 2.16.0
    STABLEHLO_MAXIMUM 2.16.0
    STABLEHLO_MINIMUM 2.16.0
    STABLEHLO_MULTIPLY 2.16.0
    STABLEHLO_PAD 2.16.0
    STABLEHLO_REDUCE_WINDOW 2.16.0
    STABLEHLO_RNG_BIT_GENERATOR 2.15.0
    STABLEHLO_SCATTER 2.15.0
    STABLEHLO_SHIFT_LEFT 2.17.0
    STRIDED_SLICE 1.6.0 1.14.0 2.1.0 2.2.0 2.5.0 2.6.0 2.14.0 2.14.0
    SUB 1.6.0 1.14.0 2.3.0 2.4.0 2.4.0
    SUM 1.10.0 1.15.0
    SVDF 1.5.0 1.14.0 2.2.0 2.3.0
    TANH 1.14.0 1.14.0 2.3.0
    TILE 1.10.1 2.2.0 2.8.0
    TOPK_V2 1.7.0 1.14.0 2.13.0
    TRANSPOSE 1.6.0 1.14.0 1.15.0 2.3.0 2.4.0 2.12.0 2.14.4 2.22.0 2.23.0
    TRANSPOSE_CONV 1.9.0 2.2.0 2.3.0 2.13.0 2.15.0
    UNIDIRECTIONAL_SEQUENCE_LSTM 1.13.1 1.14.0 2.3.0 2.12.0
    UNIDIRECTIONAL_SEQUENCE_RNN 1.14.0 1.14.0 2.3.0
    UNIQUE 1.14.0
    UNPACK 1.11.0 1.14.0 2.2.0 2.3.0 2.22.0
    UNSORTED_SEGMENT_MAX 2.10.0
    UNSORTED_SEGMENT_MIN 2.11.0
    UNSORTED_SEGMENT_PROD 2.10.0
    UNSORTED_SEGMENT_SUM 2.10.0
    VAR_HANDLE 2.6.0
    WHERE 1.14.0 2.8.0
    WHILE 1.15.0
    ZEROS_LIKE 1.12.0
    """.strip().splitlines()
}

_QUANTIZED = ("int8", "int16")
# Their kernels in TFLite Micro refuse float values with int8 weights ("Hybrid models are not supported").
_NO_HYBRID = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def tflite_support(graphs: Sequence[Graph], *, stated: str | None) -> list[RuntimeSupport]:
    """Say which runtimes know the operators of a .tflite file; `stated` is the oldest one as its converter wrote it."""
    micro = _micro(graphs)
    return [_litert(graphs, stated), micro, *([_cmsis_nn(graphs)] if micro.runs else []), _ethos_u(graphs)]


def _litert(graphs: Sequence[Graph], stated: str | None) -> RuntimeSupport:
    """The oldest version that knows each operator in its version, or what the converter stated, if that is newer."""
    name = "LiteRT or TensorFlow Lite"
    operators = [operator for graph in graphs for operator in graph.operators]
    custom = [operator.name for operator in operators if operator.name.startswith("custom ")]
    if custom:
        return RuntimeSupport(name=name, runs=None, reason=f"only with an extension for {listed(custom)}")
    found = {operator: _since(operator) for operator in operators if operator.name in SINCE}
    unknown = [f"{one.name} {one.version}" for one in operators if found.get(one) is None]
    known = [(since, f"{one.name} {one.version}") for one, since in found.items() if since]
    minimum, reason = max(known, key=lambda entry: version_key(entry[0]), default=(None, ""))
    if stated and (minimum is None or version_key(stated) > version_key(minimum)):
        minimum, reason = stated, "as its converter states"
    if unknown:
        reason = f"no list has {listed(unknown)}"
    return RuntimeSupport(name=name, runs=None if unknown else True, minimum=minimum, reason=reason)


def _since(operator: Operator) -> str | None:
    versions = SINCE[operator.name]
    if operator.version is None or not 1 <= operator.version <= len(versions):
        return None
    since = versions[operator.version - 1]
    return None if since == "-" else since


def _micro(graphs: Sequence[Graph]) -> RuntimeSupport:
    missing = listed(one.name for graph in graphs for one in graph.operators if one.name not in MICRO)
    wrong = listed(chain.from_iterable(_types_unknown_to_micro(graph) for graph in graphs))
    reasons = [f"no kernel for {missing}"] if missing else []
    reasons += [f"no kernel for {wrong}"] if wrong else []
    return RuntimeSupport(
        name="TFLite Micro", runs=not reasons, reason="; ".join(reasons) or "a kernel for every operator"
    )


def _types_unknown_to_micro(graph: Graph) -> Iterator[str]:
    """Types that its kernels refuse although it has the operator; seen with the package named above."""
    for operator in graph.operators:
        tensors = [graph.tensors[index] for index in operator.inputs if index >= 0]
        if operator.name == "DEQUANTIZE" and any(tensor.dtype == "float16" for tensor in tensors):
            yield "DEQUANTIZE of float16 weights"
        if operator.name in _NO_HYBRID and _is_hybrid(tensors):
            yield f"{operator.name} of float values with int8 weights"


def _is_hybrid(tensors: Sequence[Tensor]) -> bool:
    types = {tensor.dtype for tensor in tensors}
    return "float32" in types and not types.isdisjoint(("int8", "int4", "int2"))


def _cmsis_nn(graphs: Sequence[Graph]) -> RuntimeSupport:
    """CMSIS-NN has kernels for values of int8 and int16; TFLite Micro takes its own for everything else."""
    operators = [(one, graph) for graph in graphs for one in graph.operators]
    fast = [one.name for one, graph in operators if one.name in CMSIS_NN and _values(one, graph) <= {*_QUANTIZED}]
    if not fast:
        return RuntimeSupport(name="CMSIS-NN", runs=False, reason="it has kernels for int8 and int16 only")
    rest = listed(one.name for one, _ in operators if one.name not in fast)
    return RuntimeSupport(
        name="CMSIS-NN",
        runs=True,
        reason=f"kernels for {listed(fast)}{f'; TFLite Micro runs {rest}' if rest else ''}",
    )


def _ethos_u(graphs: Sequence[Graph]) -> RuntimeSupport:
    """What Vela may place on the NPU; its further conditions, such as on strides, are not checked."""
    operators = [(one, graph) for graph in graphs for one in graph.operators]
    on_npu = [one.name for one, graph in operators if one.name in ETHOS_U and _fits_npu(_values(one, graph))]
    name = "Ethos-U55 or U65"
    if not on_npu:
        return RuntimeSupport(name=name, runs=False, reason="the NPU takes int8, uint8 and int16 only")
    rest = listed(one.name for one, _ in operators if one.name not in on_npu)
    return RuntimeSupport(
        name=name, runs=True, reason=f"Vela leaves {rest} to the CPU" if rest else "Vela lists every operator"
    )


def _fits_npu(types: set[str]) -> bool:
    return types <= {"int8", "uint8", "int16", "int32"} and types != {"int32"}  # of int32 only, it counts loops


def _values(operator: Operator, graph: Graph) -> set[str]:
    """Return the types of the values that an operator reads and writes, without its constants."""
    tensors = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
    return {tensor.dtype for tensor in tensors if tensor.kind is not Kind.CONSTANT}
