"""Fine-tuning with fake quantization (QAT) beside the same fine-tuning without: does int8 or int4 gain accuracy?

    DIGITEDGE_DATA=FOLDER python tests/experiments/quantize_aware.py [--networks FOLDER] [--seeds N] [NAME ...]

Takes the released `cnn` and `small` and three weak networks, which are trained here for three epochs (about 3 minutes)
and kept in --networks. Each is fine-tuned for STEPS steps on the training images but for the last 5,000, on which
rates were tried (--validate); the figures come from MNIST's 10,000 test images, as means of the seeds. Then the fake
quantizers are left out, and digitedge exports the plain network with the new weights. All takes about 20 minutes on two
cores.

Weights: symmetric, per output channel. A frozen batch normalization behind a convolution scales whole channels, so the
kernels need no folding: their codes are those of the folded ones. Activations: 8 bits, per tensor, in moving averages
of the smallest and largest value; not between layers that are fused and not inside layers, but for the steps of
LayerNormalization. int4 is simulated: kernels with 15 values per channel in the float network.
See docs/decisions/quantize-aware-training.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from quantizers import residual, transformer

from digitedge.bundle.recipe import RECIPES
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.load import load_dataset
from digitedge.exporting.calibration import calibration_indices
from digitedge.exporting.onnx import convert_onnx
from digitedge.exporting.tflite import convert_tflite
from digitedge.runtime import load_classifier
from digitedge.training.keras_io import load_keras

EPOCHS = 3
STEPS, BATCH, WARMUP = 300, 128, 20
RATES = {"cnn": 1e-4, "small": 3e-4}
RATE = 1e-3  # of the weak networks
HELD_OUT = 5_000
AVERAGE = 0.95  # share of the old range in a moving average
RELEASED = ("cnn", "small")
PASSING = (layers.MaxPooling2D, layers.Reshape, layers.Flatten, layers.Dropout, layers.InputLayer)  # keep their codes
FUSED = (layers.BatchNormalization, layers.ReLU)  # with the layer before them


def mobile(x: Any) -> Any:
    """MobileNet in small: depthwise and 1x1 convolutions with batch normalization and ReLU6."""
    x = normalized(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x))
    for filters, strides in ((16, 1), (24, 2), (24, 1), (32, 2), (32, 1)):
        x = normalized(layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x))
        x = normalized(layers.Conv2D(filters, 1, use_bias=False)(x))
    return layers.GlobalAveragePooling2D()(x)


def normalized(x: Any) -> Any:
    return layers.ReLU(6)(layers.BatchNormalization()(x))


WEAK = {"mobile": mobile, "residual": residual, "transformer": transformer}


def trained(name: str, folder: Path, data: Dataset) -> Path:
    """Train a weak network on pixels from 0 to 1, unless it was before."""
    path = folder / f"{name}.keras"
    if not path.exists():
        keras.utils.set_random_seed(0)
        image = keras.Input((28, 28, 1))
        answer = layers.Dense(10, activation="softmax")(WEAK[name](layers.Rescaling(1 / 255)(image)))
        model = keras.Model(image, answer)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(*batch_of(data, slice(-HELD_OUT)), batch_size=BATCH, epochs=EPOCHS, verbose=0)
        folder.mkdir(parents=True, exist_ok=True)
        model.save(path)
    return path


def batch_of(data: Dataset, chosen: Any) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return data.x_train[chosen][..., None].astype(np.float32), data.y_train[chosen].astype(np.int64)


def kernels(layer: layers.Layer) -> list[keras.Variable]:
    return [one for one in layer.weights if one.path.rsplit("/", 1)[-1].endswith("kernel")]


def channel_axes(kernel: keras.Variable) -> tuple[int, ...]:
    """The axes with one scale for all: all but the output channels, which have two axes in depthwise convolutions."""
    return tuple(range(len(kernel.shape) - (2 if "depthwise" in kernel.path else 1)))


def rounded(kernel: keras.Variable, bits: int) -> Any:
    """The values that are left with `bits` bits, symmetric and per channel."""
    value = tf.convert_to_tensor(kernel.value)
    largest = tf.reduce_max(tf.abs(value), channel_axes(kernel), keepdims=True)
    scale = tf.maximum(largest, 1e-12) / (2 ** (bits - 1) - 1)
    return tf.round(value / scale) * scale


class MovingRange(layers.Layer):
    """Rounds to 8 bits between moving averages of the smallest and largest value, with 0 between them."""

    def __init__(self) -> None:
        super().__init__()
        self.range = self.add_weight(shape=(2,), initializer="zeros", trainable=False, name="range")
        self.is_set = self.add_weight(shape=(), initializer="zeros", trainable=False, name="is_set")
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            seen = tf.stack([tf.minimum(tf.reduce_min(x), 0), tf.maximum(tf.reduce_max(x), 1e-6)])
            share = AVERAGE * self.is_set
            self.range.assign(share * self.range + (1 - share) * tf.stop_gradient(seen))
            self.is_set.assign(1)
        return tf.quantization.fake_quant_with_min_max_vars(x, *tf.unstack(tf.convert_to_tensor(self.range.value)))


class FakeQuantized(layers.Layer):
    """Another layer, whose weights it shares, with rounded kernels and a rounded output."""

    def __init__(self, layer: layers.Layer, bits: int, *, is_rounded: bool) -> None:
        super().__init__(name=f"{layer.name}_rounded")
        self.layer, self.bits = layer, bits
        steps = 7 if isinstance(layer, layers.LayerNormalization) else 0
        self.steps = [MovingRange() for _ in range(steps)]
        self.output_range = MovingRange() if is_rounded else layers.Identity()
        self.built = True

    def call(self, *inputs: Any, training: bool = False) -> Any:
        if self.steps:
            return self.output_range(self.normalize(*inputs, training), training=training)
        state = []
        for kernel in kernels(self.layer):  # the gradient is that of the kernel: straight-through estimator
            value = tf.convert_to_tensor(kernel.value)
            state.append((kernel, value + tf.stop_gradient(rounded(kernel, self.bits) - value)))
        with keras.StatelessScope(state):
            options = {"training": training} if self.layer._call_has_training_arg else {}
            output = self.layer(*inputs, **options)
        return self.output_range(output, training=training)

    def normalize(self, x: Any, training: bool) -> Any:
        """Layer normalization in the steps of the .tflite file, each of which int8 rounds."""
        q = iter([lambda value, one=one: one(value, training=training) for one in self.steps])
        mean = next(q)(tf.reduce_mean(x, -1, keepdims=True))
        squares = next(q)(tf.math.squared_difference(x, mean))
        variance = next(q)(tf.reduce_mean(squares, -1, keepdims=True))
        inverse = next(q)(tf.math.rsqrt(tf.nn.relu(variance) + self.layer.epsilon))
        scale = next(q)(inverse * self.layer.gamma)
        return next(q)(x * scale) + next(q)(self.layer.beta - mean * scale)

    def compute_output_spec(self, *inputs: Any, **_: Any) -> Any:
        return self.layer.compute_output_spec(*inputs)


def quantize_aware(model: keras.Model, bits: int) -> keras.Model:
    """The same network on the same weights, with fake quantizers."""
    readers = {layer: {node.operation for node in layer._outbound_nodes} for layer in model.layers}
    last = model.layers[-1]  # its softmax has a fixed range

    def call(layer: layers.Layer, *inputs: Any, **_: Any) -> Any:
        if isinstance(layer, PASSING):
            return layer(*inputs)
        is_fused = len(readers[layer]) == 1 and isinstance(*readers[layer], FUSED)
        return FakeQuantized(layer, bits, is_rounded=layer is not last and not is_fused)(*inputs)

    return keras.models.clone_model(
        keras.Model(model.inputs, model.outputs), clone_function=lambda layer: layer, call_function=call
    )


def fine_tune(model: keras.Model, data: Dataset, *, bits: int | None, rate: float, seed: int) -> None:
    """Fine-tune with fake quantization for weights of so many bits, or without it; batch normalization is frozen."""
    keras.utils.set_random_seed(seed)
    for layer in model.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    trainer = model if bits is None else quantize_aware(model, bits)
    decay = keras.optimizers.schedules.CosineDecay(0.0, STEPS - WARMUP, warmup_target=rate, warmup_steps=WARMUP)
    trainer.compile(keras.optimizers.Adam(decay), "sparse_categorical_crossentropy")
    order = np.random.default_rng(seed).permutation(len(data.x_train) - HELD_OUT)
    trainer.fit(*batch_of(data, order[: STEPS * BATCH]), batch_size=BATCH, verbose=0)


def measure(model: keras.Model, data: Dataset, crops: NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[float]:
    """Top-1 in float; then top-1 and agreement with float of the int8 files and of int4, all in %.

    The files: TFLite, ONNX, and TFLite with the layer normalizations in float, NaN where there are none.
    """
    calibration = data.x_train[calibration_indices(data.y_train)]
    int8, images = RECIPES["int8"], crops[..., None].astype(np.float32)
    kept = [layer.name for layer in model.layers if isinstance(layer, layers.LayerNormalization)]
    files = {
        "int8.tflite": convert_tflite(model, int8, calibration),
        "int8.onnx": convert_onnx(model, int8, calibration),
        "kept.tflite": convert_tflite(model, int8, calibration, keep_float=kept) if kept else None,
    }
    reference = model.predict(images, 500, verbose=0).argmax(axis=1)
    figures = [top1(reference, labels)]

    def add(digits: NDArray[np.int64]) -> None:
        figures.extend((top1(digits, labels), top1(digits, reference)))

    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            if content is None:
                figures.extend((np.nan, np.nan))
                continue
            path = Path(folder) / name
            path.write_bytes(content)
            add(load_classifier(path).probabilities(crops).argmax(axis=1))
    for layer in model.layers:
        for kernel in kernels(layer):
            kernel.assign(rounded(kernel, 4))
    add(model.predict(images, 500, verbose=0).argmax(axis=1))
    return figures


def top1(digits: NDArray[np.int64], expected: NDArray[Any]) -> float:
    return 100 * float(np.mean(digits == expected))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row as soon as it is done."""
    parser = argparse.ArgumentParser(description="See the top of this file.")
    parser.add_argument("--networks", type=Path, default=Path("runs/quantize-aware"), help="folder of trained networks")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rate", type=float, help="peak rate of the fine-tuning")
    parser.add_argument("--validate", action="store_true", help="measure on the held-out training images")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*RELEASED, *WEAK)))
    options = parser.parse_args(arguments)
    _, data = load_dataset()
    held_out = data.x_train[-HELD_OUT:], data.y_train[-HELD_OUT:]
    evaluated = held_out if options.validate else (data.x_test, data.y_test)
    print("| network | fine-tuning | float32 | int8 TFLite | int8 ONNX | normalizations in float | int4 weights |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name in options.names or (*RELEASED, *WEAK):
        path = Path(f"export/{name}/model.keras") if name in RELEASED else trained(name, options.networks, data)
        for title, bits, seeds in (
            ("none", None, 0),
            ("plain", None, options.seeds),
            ("QAT, 8 bits", 8, options.seeds),
            ("QAT, 4 bits", 4, options.seeds),
        ):
            rows = []
            for seed in range(max(seeds, 1)):
                model = load_keras(path)
                if seeds:
                    rate = options.rate or RATES.get(name, RATE)
                    fine_tune(model, data, bits=bits, rate=rate, seed=seed)
                rows.append(measure(model, data, *evaluated))
                print(name, title, seed, np.round(rows[-1], 2), file=sys.stderr, flush=True)
            float_top1, *others = np.mean(rows, axis=0)
            pairs = [
                "-" if np.isnan(a) else f"{a:.2f}, {b:.2f}" for a, b in zip(others[::2], others[1::2], strict=True)
            ]
            print(f"| {name} | {title} | {float_top1:.2f} | {' | '.join(pairs)} |", flush=True)


if __name__ == "__main__":
    main()
