"""Google's LiteRT Quantizer beside TensorFlow's converter: accuracy, size and latency of quantized TFLite files.

    pip install litert-quantizer
    DIGITEDGE_DATA=FOLDER python tests/experiments/quantizers.py [--networks FOLDER] [NAME ...]

Takes the released `cnn` and `small` and six typical networks of others, which are trained here for three epochs (about
10 minutes) and kept in --networks. Both quantize the same float network; calibration uses 500 training images, the
figures come from MNIST's 10,000 test images. Conversions run in a process of their own, because some crash.
Latency is that of one call of the bare interpreter with one thread, the smallest of many turns, as a share of that of
the float32 file; the files of a network alternate. See docs/decisions/quantizer-library.md.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from numpy.typing import NDArray
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.recipe import RECIPES
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.load import load_dataset
from digitedge.errors import DigitEdgeError
from digitedge.exporting.calibration import calibration_indices
from digitedge.exporting.contract_model import build_contract_model
from digitedge.exporting.tflite import convert_tflite
from digitedge.exporting.tflite_channel_packing import pack_channels
from digitedge.exporting.tflite_strip import serialize_stripped
from digitedge.runtime.adapter import Adapter, Pixels, Preprocessing
from digitedge.training.keras_io import load_keras
from digitedge.utils.quiet import quiet

EPOCHS = 3
TURNS = 60
CALLS = 30
RELEASED = ("cnn", "small")
pool: ProcessPoolExecutor | None = None  # the process that converts; another one after a crash


def lenet(x: Any) -> Any:
    """LeNet-5 with tanh and average pooling."""
    x = layers.AveragePooling2D(2)(layers.Conv2D(6, 5, padding="same", activation="tanh")(x))
    x = layers.AveragePooling2D(2)(layers.Conv2D(16, 5, activation="tanh")(x))
    return layers.Dense(84, activation="tanh")(layers.Dense(120, activation="tanh")(layers.Flatten()(x)))


def keras_example(x: Any) -> Any:
    """`simple_mnist_convnet` of the documentation of Keras."""
    x = layers.MaxPooling2D(2)(layers.Conv2D(32, 3, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(64, 3, activation="relu")(x))
    return layers.Dropout(0.5)(layers.Flatten()(x))


def mlp(x: Any) -> Any:
    """784-512-512-10 with dropout."""
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dropout(0.2)(layers.Dense(512, activation="relu")(x))
    return x


def residual(x: Any) -> Any:
    """Batch normalization, a residual block of plain convolutions and one of separable convolutions."""
    x = layers.MaxPooling2D(2)(layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(x))))
    x = residual_block(x, layers.Conv2D)
    x = layers.Conv2D(32, 3, padding="same", strides=2, activation="relu")(x)
    return layers.GlobalAveragePooling2D()(residual_block(x, layers.SeparableConv2D))


def residual_block(x: Any, convolution: type[layers.Layer]) -> Any:
    filters = x.shape[-1]
    hidden = layers.BatchNormalization()(convolution(filters, 3, padding="same", use_bias=False)(x))
    hidden = convolution(filters, 3, padding="same", use_bias=False)(layers.ReLU()(hidden))
    return layers.ReLU()(layers.Add()([x, layers.BatchNormalization()(hidden)]))


def transformer(x: Any) -> Any:
    """A tiny vision transformer: 16 patches of 7x7 pixels, positions by a depthwise convolution, two blocks."""
    x = layers.Conv2D(32, 7, strides=7)(x)
    x = layers.Reshape((16, 32))(layers.Add()([x, layers.DepthwiseConv2D(3, padding="same")(x)]))
    for _ in range(2):
        normalized = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 16)(normalized, normalized)])
        hidden = layers.Dense(64, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(32)(hidden)])
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))


def lstm(x: Any) -> Any:
    """The rows of the image are the steps of a sequence."""
    return layers.LSTM(64)(layers.Reshape((28, 28))(x))


OTHERS: dict[str, Callable[[Any], Any]] = {
    "LeNet-5": lenet,
    "Keras example": keras_example,
    "MLP": mlp,
    "residual": residual,
    "transformer": transformer,
    "LSTM": lstm,
}


@dataclass(frozen=True, slots=True)
class LiteRTRecipe:
    """What LiteRT Quantizer is asked for: bits of weights and activations; 32-bit activations are float."""

    weight_bits: int
    activation_bits: int = 32
    explicit_dequantize: bool = False
    minimum_and_maximum: bool = True
    """Range of an activation: the smallest and largest value seen, or the moving average of each, its default."""


BY_LITERT = {
    "int8, default": LiteRTRecipe(8, 8, minimum_and_maximum=False),
    "int8": LiteRTRecipe(8, 8),
    "dynamic int8": LiteRTRecipe(8),
    "weights int8": LiteRTRecipe(8, explicit_dequantize=True),
    "dynamic int4": LiteRTRecipe(4),
    "weights int4": LiteRTRecipe(4, explicit_dequantize=True),
    "int4 and int8": LiteRTRecipe(4, 8),
}
BY_TENSORFLOW = {"float32": "float32", "int8": "int8", "dynamic int8": "dynamic"}


def main() -> None:
    """Print the rows of a network as soon as it is done."""
    parser = argparse.ArgumentParser(description="See the top of this file.")
    parser.add_argument("--networks", type=Path, default=Path("runs/quantizers"), help="folder of trained networks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*RELEASED, *OTHERS)))
    arguments = parser.parse_args()
    _, data = load_dataset()
    print("| network | by | file | top-1 | agreement | bytes | bytes, packed and stripped | time |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name in arguments.names or (*RELEASED, *OTHERS):
        path = Path(f"export/{name}/model.keras") if name in RELEASED else trained(name, arguments.networks, data)
        for row in measure(path, data):
            print(f"| {name} | {row} |", flush=True)


def trained(name: str, folder: Path, data: Dataset) -> Path:
    """Train one of the others on pixels from 0 to 1, unless it was before, and adapt it as `digitedge export` does."""
    path = folder / f"{name.replace(' ', '-')}.keras"
    if not path.exists():
        keras.utils.set_random_seed(0)
        image = keras.Input((28, 28, 1))
        model = keras.Model(image, layers.Dense(10, activation="softmax")(OTHERS[name](image)))
        model.compile("adam", "sparse_categorical_crossentropy")
        images = data.x_train[..., None].astype(np.float32) / 255
        model.fit(images, data.y_train.astype(np.int64), batch_size=128, epochs=EPOCHS, verbose=0)
        folder.mkdir(parents=True, exist_ok=True)
        unit = Adapter(preprocessing=Preprocessing(pixels=Pixels.UNIT))
        build_contract_model(model, unit, (28, 28, 1)).save(path)
    return path


def measure(path: Path, data: Dataset) -> list[str]:
    """Convert a network in every way; the columns of each file after the name of the network."""
    files: dict[tuple[str, str], bytes | str] = {}
    for file, recipe in BY_TENSORFLOW.items():
        files["TensorFlow", file] = in_new_process(by_tensorflow, path, recipe)
    original = files["TensorFlow", "float32"]
    assert isinstance(original, bytes), original
    files["TensorFlow, from float32.tflite", "int8"] = in_new_process(by_tensorflow_file, original)
    for file, recipe in BY_LITERT.items():
        files["LiteRT Quantizer", file] = in_new_process(by_litert, original, recipe)
    packed = {key: pack_and_strip(content) for key, content in files.items() if isinstance(content, bytes)}
    times = latencies_us({**{(*key, "plain"): c for key, c in files.items() if isinstance(c, bytes)}, **packed}, data)
    scores = {key: predict(content, data.x_test) for key, content in packed.items()}
    reference = scores["TensorFlow", "float32"]
    rows = []
    for (by, file), content in files.items():
        if isinstance(content, str):
            rows.append(f"{by} | {file} | {content} | | | |")
            continue
        answers, key = scores[by, file], (by, file)
        plain = predict(content, data.x_test[:200])
        assert np.array_equal(plain, answers[:200]), "packing changed the predictions"
        ratios = [times[k] / times["TensorFlow", "float32"] for k in ((*key, "plain"), key)]
        rows.append(
            f"{by} | {file} | {np.mean(answers == data.y_test):.2%} | {np.mean(answers == reference):.2%} | "
            f"{len(content):,} | {len(packed[key]):,} | {ratios[0]:.2f}, {ratios[1]:.2f}"
        )
    return [f"{rows[0]} of {times['TensorFlow', 'float32']:.0f} us", *rows[1:]]


def in_new_process(function: Callable[..., bytes], *arguments: Any) -> Any:
    """Call a function that makes a file, and run the file, in another process; the file, or the reason of a failure."""
    global pool
    pool = pool or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    try:
        return pool.submit(make_and_run, function, *arguments).result()
    except BrokenProcessPool:
        pool = None
        return "crashes"
    except (DigitEdgeError, ValueError, RuntimeError, KeyError, AttributeError) as exc:
        return f"{type(exc).__name__}: {str(exc).splitlines()[0]}"


def make_and_run(function: Callable[..., bytes], *arguments: Any) -> bytes:
    content = function(*arguments)
    predict(content, np.zeros((1, 28, 28), np.uint8))
    return content


def by_tensorflow(path: Path, recipe: str) -> bytes:
    """Convert as digitedge does, but without packing and stripping."""
    _, data = load_dataset()
    calibration = data.x_train[calibration_indices(data.y_train)]
    with (
        patch("digitedge.exporting.tflite.pack_channels", lambda _: None),
        patch("digitedge.exporting.tflite.serialize_stripped", flatbuffer_utils.convert_object_to_bytearray),
    ):
        return bytes(convert_tflite(load_keras(path), RECIPES[recipe], calibration))


def by_tensorflow_file(original: bytes) -> bytes:
    """Quantize a float file to int8 with what TensorFlow's converter calls itself; it is not public."""
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    _, data = load_dataset()
    crops = data.x_train[calibration_indices(data.y_train)][:, None, ..., None].astype(np.float32)
    with quiet(1, 2):
        calibrated = Calibrator(original).calibrate(lambda: ([crop] for crop in crops))
        return bytes(mlir_quantize(calibrated, fully_quantize=True, input_data_type=tf.uint8))


def by_litert(original: bytes, recipe: LiteRTRecipe) -> bytes:
    """Quantize a float file; input and output of int8 as digitedge's contract wants them: uint8 in, float32 out."""
    from litert_quantizer import calibrator, qtyping, quantizer, recipe_manager
    from litert_quantizer.utils import qsv_utils

    operations, manager = qtyping.TFLOperationName, recipe_manager.RecipeManager()
    everything = ".*", operations.ALL_SUPPORTED
    if recipe.activation_bits == 8:
        manager.add_static_config(*everything, activation_num_bits=8, weight_num_bits=8)
        if recipe.weight_bits == 4:
            for operation in (operations.CONV_2D, operations.FULLY_CONNECTED):
                manager.add_static_config(".*", operation, activation_num_bits=8, weight_num_bits=4)
    elif recipe.explicit_dequantize:
        manager.add_weight_only_config(*everything, num_bits=recipe.weight_bits)
    else:
        manager.add_dynamic_config(*everything, num_bits=recipe.weight_bits)
    if recipe.activation_bits == 8 and recipe.minimum_and_maximum:
        byte = qtyping.TensorQuantizationConfig(8, symmetric=False, dtype=qtyping.TensorDataType.UINT)
        weights = qtyping.TensorQuantizationConfig(8)
        config = qtyping.OpQuantizationConfig(byte, weights, compute_precision=qtyping.ComputePrecision.INTEGER)
        manager.add_quantization_config(".*", operations.INPUT, config)
        manager.add_quantization_config(".*", operations.OUTPUT, None, "no_quantize")
    model = quantizer.Quantizer(original, manager.get_quantization_recipe())
    ranges = None
    if model.need_calibration:
        _, data = load_dataset()
        crops = data.x_train[calibration_indices(data.y_train)][:, None, ..., None].astype(np.float32)
        update = qsv_utils.min_max_update if recipe.minimum_and_maximum else qsv_utils.moving_average_update
        mode = calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED
        run = calibrator.Calibrator(original, 1, mode, update)
        run.calibrate({"serving_default": [{"image": crop} for crop in crops]}, manager)
        ranges = run.get_model_qsvs()
    return bytes(model.quantize(ranges, enable_progress_report=False).quantized_model)


def pack_and_strip(content: bytes) -> bytes:
    """What digitedge does with a file of TensorFlow's converter.

    LiteRT Quantizer stores large buffers behind the FlatBuffer, where digitedge's functions do not look.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(content)
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    pack_channels(model)
    return serialize_stripped(model)


def load(content: bytes) -> tuple[Any, int, int, float, int]:
    """Interpreter, indices of its tensors, scale and zero point of its input (0 for float)."""
    with quiet(2):
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    return interpreter, source["index"], target["index"], *source["quantization"]


def inputs(content: bytes, crops: NDArray[np.uint8]) -> NDArray[Any]:
    """Crops as the input of a file takes them, one in a batch."""
    interpreter, _, _, scale, zero_point = load(content)
    dtype = interpreter.get_input_details()[0]["dtype"]
    values = crops[:, None, ..., None].astype(np.float32)
    if dtype != np.float32:
        values = np.clip(np.rint(values / scale) + zero_point, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return values.astype(dtype)


def predict(content: bytes, crops: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The digit of every crop."""
    interpreter, source, target, _, _ = load(content)
    answers = []
    for crop in inputs(content, crops):
        interpreter.set_tensor(source, crop)
        interpreter.invoke()
        answers.append(int(np.argmax(interpreter.get_tensor(target))))
    return np.array(answers)


def latencies_us(files: dict[Any, bytes], data: Dataset) -> dict[Any, float]:
    """Smallest mean of a turn's calls in microseconds; the files take turns."""
    loaded = {key: (*load(content)[:3], inputs(content, data.x_test[:CALLS])) for key, content in files.items()}
    best = dict.fromkeys(files, np.inf)
    for _ in range(TURNS):
        for key, (interpreter, source, target, crops) in loaded.items():
            started = time.perf_counter()
            for crop in crops:
                interpreter.set_tensor(source, crop)
                interpreter.invoke()
                interpreter.get_tensor(target)
            best[key] = min(best[key], (time.perf_counter() - started) / len(crops) * 1e6)
    return best


if __name__ == "__main__":
    main()
