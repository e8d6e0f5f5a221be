"""Latency of the released models beside well-known ones, with one thread in one run. Part of `make bench`.

- the MNIST model of the ONNX model zoo in ONNX Runtime: https://github.com/onnx/models, MNIST-8, 26 kB;
- the model of Keras's example `mnist_cnn.py` in LiteRT, weights quantized by TFLite's default: 1.2 MB.

They are built here layer by layer with random weights, which take as long as trained ones. Their published top-1 on
MNIST's test images is 98.9 and 99.25 %. Medians in microseconds. The models alternate, because a busy machine slows all
of them; each runs many calls in its turn, as in a frame.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from digitedge.runtime import load_classifier
from digitedge.utils.quiet import quiet

TURNS = 40
CALLS = 50
BUNDLES = (Path("export/small"), Path("export/cnn"))
FILES = ("model_int8.tflite", "model_int8.onnx")


def build_zoo_model() -> bytes:
    """Two 5x5 convolutions with 8 and 16 filters, bias, ReLU and max pooling (2x2 and 3x3); one dense layer."""
    rng = np.random.default_rng(0)
    shapes = {"filters1": (8, 1, 5, 5), "bias1": (8, 1, 1), "filters2": (16, 8, 5, 5), "bias2": (16, 1, 1)}
    shapes |= {"weights": (256, 10), "bias3": (1, 10)}
    constants = [numpy_helper.from_array(rng.normal(0, 0.1, s).astype(np.float32), n) for n, s in shapes.items()]
    constants.append(numpy_helper.from_array(np.array([1, 256], np.int64), "flat"))
    nodes, source = [], "image"
    for number, side in ((1, 2), (2, 3)):
        layer_nodes = (
            ("Conv", [f"filters{number}"], {"kernel_shape": [5, 5], "auto_pad": "SAME_UPPER"}),
            ("Add", [f"bias{number}"], {}),
            ("Relu", [], {}),
            ("MaxPool", [], {"kernel_shape": [side, side], "strides": [side, side]}),
        )
        for kind, inputs, attributes in layer_nodes:
            nodes.append(helper.make_node(kind, [source, *inputs], [f"{kind}{number}"], **attributes))
            source = f"{kind}{number}"
    for kind, other in (("Reshape", "flat"), ("MatMul", "weights"), ("Add", "bias3")):
        nodes.append(helper.make_node(kind, [source, other], [f"{kind}3"]))
        source = f"{kind}3"
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])
    answer = helper.make_tensor_value_info(source, TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "zoo", [image], [answer], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=4)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def build_keras_example() -> bytes:
    """Two 3x3 convolutions with 32 and 64 filters, max pooling 2x2, dense layers of 128 and 10."""
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(1, 28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with quiet(1, 2):
        return bytes(converter.convert())


def load_onnx_runtime(file: bytes) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    image = {"image": np.random.default_rng(1).random((1, 1, 28, 28), np.float32)}
    return lambda: session.run(None, image)


def load_litert(file: bytes) -> Callable[[], object]:
    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    image = np.random.default_rng(1).random((1, 28, 28, 1), np.float32)

    def call() -> object:
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    return call


def main() -> None:
    zoo, example = build_zoo_model(), build_keras_example()
    models = {
        f"ONNX zoo, {len(zoo) / 1000:.0f} kB": load_onnx_runtime(zoo),
        f"Keras example, {len(example) / 1000:.0f} kB": load_litert(example),
    }
    crop = np.random.default_rng(1).integers(0, 256, (1, 28, 28), np.uint8)
    for path in (bundle / file for bundle in BUNDLES for file in FILES):
        name = f"{path.parent.name} {path.name}, {path.stat().st_size / 1000:.0f} kB"
        models[name] = partial(load_classifier(path).probabilities, crop)
    times: dict[str, list[float]] = {name: [] for name in models}
    for name, call in TURNS * list(models.items()):
        for _ in range(CALLS):
            started = time.perf_counter()
            call()
            times[name].append(1e6 * (time.perf_counter() - started))
    first, second = (median(times[name]) for name in list(models)[:2])
    for name, taken in times.items():
        us = median(taken)
        print(f"{name:32} {us:6.1f} us  {us / first:5.2f} x ONNX zoo  {us / second:5.2f} x Keras example")


if __name__ == "__main__":
    main()
