"""Digits to train on: base and own digits, their split, and what is no digit."""

from pathlib import Path

import numpy as np

from digitedge.datasets.collection import CropRecord, add_crops
from digitedge.datasets.custom import load_custom_digits, load_non_digits
from digitedge.datasets.load import load_dataset, load_training_digits
from digitedge.synthetic.handwriting.digits import synthetic_digits


def save_collection(folder: Path, *, count: int = 80) -> None:
    """Save rendered digits on two sheets, and a non-digit."""
    crops, labels = synthetic_digits(count, seed=3)
    sheets = [f"sheet{index * 2 // count}" for index in range(count)]
    records = [CropRecord(sheet=sheet) for sheet in sheets]
    names = [f"{sheet}-{index}.png" for index, sheet in enumerate(sheets)]
    add_crops(folder, list(crops), labels.tolist(), records, names)
    add_crops(folder, [np.full((28, 28), 77, np.uint8)], [None], [CropRecord(sheet="sheet0")], ["cross.png"])


def test_crops_of_a_collection_are_taken_as_they_are(tmp_path: Path) -> None:
    save_collection(tmp_path)
    loaded = load_custom_digits(tmp_path)
    crops, labels = synthetic_digits(80, seed=3)
    order = [int(Path(name).stem.rpartition("-")[2]) for name in loaded.names]
    assert np.array_equal(loaded.crops, crops[order])
    assert np.array_equal(loaded.labels, labels[order])
    assert set(loaded.groups) == {"/sheet0", "/sheet1"}


def test_what_is_no_digit_is_loaded_apart(tmp_path: Path) -> None:
    save_collection(tmp_path)
    assert load_non_digits(tmp_path).tolist() == np.full((1, 28, 28), 77).tolist()
    assert not any("cross" in name for name in load_custom_digits(tmp_path).names)


def test_own_digits_alone_are_split_into_training_and_test(tmp_path: Path) -> None:
    save_collection(tmp_path)
    digits = load_training_digits([str(tmp_path)])
    assert digits.name == "own" and digits.base is None and len(digits.non_digits) == 1
    data = digits.joined()
    assert (len(data.x_train), len(data.x_test)) == (40, 40)


def test_mnist_and_own_digits_make_one_data_set(tmp_path: Path, mnist: Path) -> None:
    save_collection(tmp_path)
    name, data = load_dataset([str(mnist), str(tmp_path)])
    assert name == "mnist+own"
    assert (len(data.x_train), len(data.x_test)) == (60_040, 10_040)
