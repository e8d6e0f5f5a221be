"""MNIST in eleven steps of plain Keras, as in a textbook, then a convolutional network and its export.

Look at the data, train a dense network and measure it. Then train a small convolutional network, look at its first
layer, and export it to an int8 file that is compared with the original.

    python demos/first_steps.py                                  # MNIST, downloaded where it is missing; three minutes
    python demos/first_steps.py --data ~/datasets/mnist --epochs 3
    python demos/first_steps.py --data synthetic                 # rendered digits: no MNIST, no network

Needs the extra `train`: pip install '.[train]'. Writes images and models to runs/first-steps.
"""

import argparse
import sys
from pathlib import Path

import digitedge.training  # noqa: F401  # imports TensorFlow quietly, or says how to install it

# isort: split
import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure

from digitedge import DigitEdgeError
from digitedge.bundle.recipe import Format, choose_artifacts
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.load import load_dataset
from digitedge.exporting.export import ModelSource, export
from digitedge.training.architectures import count_macs
from digitedge.training.plots import plot_digits
from digitedge.utils.tables import percent

BATCH_SIZE = 128
VALIDATION_SPLIT = 0.2
CNN_EPOCHS = 6


def main() -> None:
    """Run all steps."""
    options = parse_options()
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)

    print("1. Load MNIST")
    name, digits = load_dataset([options.data] if options.data else None)
    digits = Dataset(*(array[: options.images] for array in digits))
    print(f"   {name}: {len(digits.x_train)} training images, {len(digits.x_test)} test images")

    print("2. Look at the first six training images")
    captions = [str(digit) for digit in digits.y_train[:6]]
    plot_digits(digits.x_train[:6], captions, folder / "six-images.png", title="training images", columns=6)
    print(f"   {folder / 'six-images.png'}: {' '.join(captions)}")

    print("3. Look at one image in detail")
    plot_pixels(digits.x_train[0], folder / "one-image.png")
    print(f"   {folder / 'one-image.png'}: values from {digits.x_train[0].min()} to {digits.x_train[0].max()}")

    print("4. Rescale the images from 0-255 to 0-1")
    x_train, x_test = (x[..., np.newaxis] / np.float32(255) for x in (digits.x_train, digits.x_test))  # (N, 28, 28, 1)
    print(f"   {x_train.dtype} {x_train.shape}, from {x_train.min():.0f} to {x_train.max():.0f}")

    print("5. One-hot the labels")
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (digits.y_train, digits.y_test))
    print(f"   {digits.y_train[0]} becomes {y_train[0].astype(int).tolist()}")

    print("6. Define the model")
    mlp = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        name="mlp",
    )
    mlp.summary()

    print("7. Compile it")
    mlp.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])

    print("8. Measure it before training")
    accuracy = mlp.evaluate(x_test, y_test, verbose=0)[1]
    print(f"   Test accuracy before training: {percent(accuracy, decimals=4)}")

    print("9. Train it, keeping the weights of the best validation accuracy")
    checkpoint = keras.callbacks.ModelCheckpoint(folder / "mlp.keras", monitor="val_accuracy", save_best_only=True)
    mlp.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=options.epochs,
        validation_split=VALIDATION_SPLIT,
        callbacks=[checkpoint],
        verbose=2,
    )

    print("10. Load the best weights")
    mlp.load_weights(folder / "mlp.keras")

    print("11. Measure it on the test images")
    mlp_accuracy = mlp.evaluate(x_test, y_test, verbose=0)[1]
    print(f"   Test accuracy: {percent(mlp_accuracy, decimals=4)}")

    print("\nDense and convolutional network")
    cnn = build_small_cnn()
    cnn.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    cnn.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=CNN_EPOCHS, validation_split=VALIDATION_SPLIT, verbose=2)
    cnn.save(folder / "cnn.keras")
    cnn_accuracy = cnn.evaluate(x_test, y_test, verbose=0)[1]
    for model, accuracy in ((mlp, mlp_accuracy), (cnn, cnn_accuracy)):
        print(
            f"   {model.name}: {model.count_params():7,} parameters, {count_macs(model):9,} multiplications an image, "
            f"test accuracy {percent(accuracy)}"
        )
    plot_filters(cnn, x_test[:1], folder / "filters.png")
    print(f"   {folder / 'filters.png'}: the filters of the first layer, and what each finds in the first test image")

    print("\nExport")
    # This model expects values from 0 to 1, so the exporter puts the division by 255 into the file.
    source = ModelSource(
        path=folder / "cnn.keras", name="first-steps", architecture="small cnn", seed=0, preprocess="0-1"
    )
    exported = export(
        source,
        choose_artifacts(["int8"], Format.TFLITE),
        digits,
        data_name=name,
        target=folder / "bundle",
        overwrite=True,
        log=lambda line: print(f"   {line}"),
    )
    for file_name, file in exported.bundle.manifest.files.items():
        print(
            f"   {file_name}: {file.bytes / 1000:.1f} kB, top-1 {percent(file.top1)}, same answer as Keras "
            f"{percent(file.agreement)}, {'passed' if file.passed else 'FAILED'}"
        )
    if exported.violations:
        sys.exit(f"error: {'; '.join(exported.violations)}. Train longer, or on more images.")
    print(f"   try it: digitedge camera --model {folder / 'bundle'}")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="folder of MNIST, or 'synthetic'; default: find it, else download it")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of the dense network (default: %(default)s)")
    parser.add_argument("--images", type=int, help="number of training and test images (default: all)")
    parser.add_argument("--output", type=Path, default=Path("runs/first-steps"), help="default: %(default)s")
    return parser.parse_args()


def build_small_cnn() -> keras.Model:
    """Build a small network: three convolutions and one dense layer."""
    model = keras.Sequential([keras.Input((28, 28, 1))], name="cnn")
    for stage, (filters, size) in enumerate(((16, 5), (32, 3), (48, 3)), 1):
        model.add(layers.Conv2D(filters, size, padding="same", use_bias=False, name=f"conv-{stage}"))
        # With Keras's momentum of 0.99 the running means lag behind in a short training.
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU(name=f"relu-{stage}"))
        if stage < 3:
            model.add(layers.MaxPooling2D())  # 28 -> 14 -> 7
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def plot_pixels(image: np.ndarray, path: Path) -> None:
    """Draw one image, uint8 (28, 28), enlarged, with the value of every pixel."""
    figure = Figure(figsize=(11, 11), layout="constrained")
    axes = figure.subplots()
    axes.imshow(image, cmap="gray")
    for (row, column), value in np.ndenumerate(image):
        axes.text(column, row, value, ha="center", va="center", color="white" if value < 128 else "black")
    figure.savefig(path)


def plot_filters(model: keras.Model, image: np.ndarray, path: Path) -> None:
    """Draw the 16 filters of the first layer (red is positive, blue negative) and the feature map of each."""
    (kernel,) = model.get_layer("conv-1").get_weights()  # (5, 5, 1, 16)
    features = keras.Model(model.inputs, model.get_layer("relu-1").output).predict(image, verbose=0)  # (1, 28, 28, 16)
    largest = np.abs(kernel).max()
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    grid = figure.subplots(4, 8)
    for axes in grid.flat:
        axes.set_axis_off()
    for index in range(16):
        row, column = 2 * (index // 8), index % 8
        grid[row, column].imshow(kernel[:, :, 0, index], cmap="bwr", vmin=-largest, vmax=largest)
        grid[row + 1, column].imshow(features[0, :, :, index], cmap="gray", vmin=0, vmax=features.max())
    figure.savefig(path)


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
