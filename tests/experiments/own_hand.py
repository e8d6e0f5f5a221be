"""How much a fine-tuning on own digits gains on a hand that the released model does not know, and what it forgets.

    DIGITEDGE_DATA=FOLDER python tests/experiments/own_hand.py [--model NAME] [--digits N] [--epochs N] [HAND ...]

Each hand is fine-tuned on as `digitedge train --from export/NAME --data FOLDER` does, of N labelled digits (200,
of which `train` holds a fifth out), and judged on at least 800 other digits of that hand. The hands are strong, fixed
transforms of MNIST's training images 50,000 to 55,000, which are not rehearsed, and digits of one odd writer that
digitedge renders. What is forgotten shows on MNIST's last 5,000 training images, clean and corrupted, and on other
scenes. The test images are not used. Two minutes a hand on two cores. See docs/decisions/own-hand.md.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import number_crops
from digitedge.datasets.load import load_dataset
from digitedge.datasets.non_digits import draw_non_digits
from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.metrics.classification import top1
from digitedge.metrics.ood import NON_DIGIT, measure_ood
from digitedge.synthetic.handwriting.digit_skeletons import DIGIT_SKELETONS
from digitedge.synthetic.handwriting.pen import draw_strokes, line_widths, sample_stroke_profile
from digitedge.synthetic.handwriting.writer import Writer, write_skeleton
from digitedge.synthetic.scenes.crops import SceneCrops, crop_scenes
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.crop_cache import cached_crops
from digitedge.training.keras_io import load_keras, predict_probabilities
from digitedge.training.own_hand import for_own_digits, split_for
from digitedge.training.train import train
from digitedge.vision.normalize import WORKING_SIZE, normalize_digit

Crop = NDArray[np.uint8]
Hand = tuple[NDArray[np.uint8], NDArray[np.uint8]]
EXPORT = Path(__file__).parents[2] / "export"
REHEARSED, HANDS = 50_000, slice(50_000, 55_000)  # of MNIST's training images; the others judge
DIGITS_OF_A_HAND = 1_000
CORRUPTED = 300  # digits, under every corruption at severity 2
SCENES, SCENE_SEED = 150, 4_711


def slanted(crop: Crop, *, slant: float, wide: float, turn: float = 0) -> Crop:
    """Shear by `slant`, stretch and turn, enlarged fourfold."""
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.array([[wide, -slant], [0, 1]])
    large = cv2.resize(crop, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    shift = 112 - linear @ (56, 56)
    return np.asarray(cv2.warpAffine(large, np.column_stack([linear, shift]), (224, 224)), np.uint8)


def squared(crop: Crop, *, side: int, threshold: int | None = None) -> Crop:
    """Stretch the ink to a square of few pixels, grey or black and white, as data sets of post offices have it."""
    x, y, width, height = cv2.boundingRect((crop > 40).astype(np.uint8))
    small = cv2.resize(crop[y : y + height, x : x + width], (side, side), interpolation=cv2.INTER_AREA)
    if threshold is not None:
        small = (small > threshold).astype(np.uint8) * 255
    return np.asarray(cv2.resize(np.pad(small, 1), None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR), np.uint8)


TRANSFORMED: dict[str, Callable[[Crop], Crop]] = {
    "leans back": lambda crop: slanted(crop, slant=-0.75, wide=0.8),
    "leans and wide": lambda crop: slanted(crop, slant=0.7, wide=1.4),
    "turned": lambda crop: slanted(cv2.erode(crop, np.ones((2, 2), np.uint8)), slant=0, wide=0.8, turn=32),
    "14 px, black": lambda crop: squared(crop, side=14, threshold=90),
    "9 px, grey": lambda crop: squared(crop, side=9),
}


def odd_writer(rng: np.random.Generator) -> Hand:
    """Render digits in the rarest forms, by one writer who leans back."""
    crops, labels = [], []
    count = DIGITS_OF_A_HAND // 10
    for digit, skeletons in enumerate(DIGIT_SKELETONS):
        skeleton = min(skeletons, key=lambda one: one.weight)
        writer = Writer(
            slant=rng.normal(-0.5, 0.06, count),
            turn=rng.normal(-0.1, 0.05, count),
            aspect=0.8 * np.exp(rng.normal(0, 0.08, count)),
            looseness=np.ones(count),
        )
        lines = write_skeleton(skeleton, rng, writer)
        widths = line_widths(lines, skeleton.lengths, sample_stroke_profile(rng, count, spread=0.2))
        for line, width in zip(lines, widths, strict=True):
            crops.append(normalize_digit(draw_strokes(line, width, skeleton.lengths, size=WORKING_SIZE)))
            labels.append(digit)
    order = rng.permutation(len(labels))
    return np.stack(crops)[order], np.uint8(labels)[order]


def make_hand(name: str, data: Dataset) -> Hand:
    """Make the digits of a hand."""
    if name == "odd writer":
        return odd_writer(np.random.default_rng(1))
    index = list(TRANSFORMED).index(name) * DIGITS_OF_A_HAND
    x, y = (one[HANDS][index : index + DIGITS_OF_A_HAND] for one in (data.x_train, data.y_train))
    return np.stack([normalize_digit(TRANSFORMED[name](crop)) for crop in x]), y


def measure(model: Path, hand: Hand, data: Dataset, scenes: SceneCrops) -> list[float]:
    """Errors on the hand, MNIST, digits of scenes, and corrupted digits; FPR at 99 % TPR; all in percent."""
    keras_model = load_keras(model)

    def error(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
        return 1 - top1(predict_probabilities(keras_model, images), labels)

    x, y = data.x_test, data.y_test
    is_digit = scenes.labels != NON_DIGIT
    corrupted = np.concatenate([kind.apply(x[:CORRUPTED], 2) for kind in CORRUPTIONS])
    drawn = list(draw_non_digits(SCENES, seed=SCENE_SEED).values())
    mixed = np.concatenate([x, scenes.crops[~is_digit], *drawn])
    labels = np.concatenate([y, np.full(len(mixed) - len(y), NON_DIGIT, np.uint8)])
    ood = measure_ood(predict_probabilities(keras_model, mixed), labels)
    return [
        100 * share
        for share in (
            error(*hand),
            error(x, y),
            error(scenes.crops[is_digit], scenes.labels[is_digit]),
            error(corrupted, np.tile(y[:CORRUPTED], len(CORRUPTIONS))),
            np.nan if ood is None else ood.fpr_at_99_tpr,
        )
    ]


def main() -> None:
    """Print a table, a row as soon as a hand is done."""
    hands = [*TRANSFORMED, "odd writer"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hands", nargs="*", metavar="HAND", help=", ".join(hands))
    parser.add_argument("--model", default="cnn", choices=("cnn", "small"))
    parser.add_argument("--digits", type=int, default=200)
    parser.add_argument("--epochs", type=int)
    args = parser.parse_args()
    _, mnist = load_dataset()
    x, y = mnist.x_train, mnist.y_train
    data = Dataset(x[:REHEARSED], y[:REHEARSED], x[HANDS.stop :], y[HANDS.stop :])
    scenes = cached_crops(crop_scenes, SCENES, seed=SCENE_SEED)
    start = EXPORT / args.model / "model.keras"
    config = replace(ARCHITECTURES[args.model].defaults, start=str(start))
    print("| hand | own digits | MNIST | scenes | corrupted | non-digits | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in args.hands or hands:
        crops, labels = make_hand(name, mnist)
        mine = number_crops(name, crops[: args.digits], labels[: args.digits])
        own = split_for(start, mine, runs=Path("nowhere"), log=print)
        others = crops[args.digits :], labels[args.digits :]
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            tuning = for_own_digits(config, epochs=args.epochs)
            result = train(tuning, data, data_name="mnist+own", folder=Path(folder), own=own, log=lambda _: None)
            seconds = time.monotonic() - started
            before, after = (measure(model, others, data, scenes) for model in (start, result.folder / "model.keras"))
        cells = [f"{one:.2f} -> {two:.2f}" for one, two in zip(before, after, strict=True)]
        print(f"| {name} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
