"""Rendered digits in every form that data sets have, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.custom import load_custom_digits
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.errors import CameraError, DataError
from digitedge.metrics.classification import top1
from digitedge.runtime import load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.utils.opencv import cv2

CROPS, LABELS = synthetic_digits(120, seed=3)


def scaled(side: int) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if side < 28 else cv2.INTER_CUBIC
    return np.stack([cv2.resize(crop, (side, side), interpolation=method) for crop in CROPS])


def on_paper(side: int, *, noise: float, shade: float = 0) -> NDArray[np.uint8]:
    """Return grey images of ink on grey paper, darker to the right."""
    paper = 210 - np.linspace(0, shade, side)
    noises = np.random.default_rng(0).normal(0, noise, (len(CROPS), side, side))
    return np.clip(paper * (1 - 0.7 * scaled(side) / 255) + noises, 0, 255).astype(np.uint8)


def mixed() -> NDArray[np.uint8]:
    images = scaled(32)
    images[::2] = 255 - images[::2]
    return images


FORMS = {
    "as they are": CROPS,
    "floats 0 to 1": CROPS / 255,
    "floats -1 to 1": CROPS / 127.5 - 1,
    "dark on light": 255 - CROPS,
    "binary, 64 pixels": scaled(64) > 127,
    "binary, dark, 0 and 1": (scaled(64) < 127).astype(np.uint8),
    "16 pixels, 17 levels": scaled(16) // 15,
    "rows of pixels": CROPS.reshape(len(CROPS), -1),
    "channels first": np.repeat(CROPS[:, None], 3, axis=1),
    "one channel": CROPS[..., None],
    "colour": np.stack([on_paper(64, noise=3), on_paper(64, noise=3), 240 - scaled(64) // 4], axis=-1),
    "grey paper": on_paper(64, noise=8),
    "grey paper, shaded": on_paper(64, noise=3, shade=40),
    "both polarities": mixed(),
    "16 bits": scaled(40).astype(np.uint16) * 257,
}


@pytest.fixture(scope="module")
def released_top1(released: Path) -> Callable[[LabelledCrops], float]:
    """Accuracy of the released model on labelled crops."""
    classifier = load_classifier(released / "model_int8.tflite")
    return lambda digits: top1(classifier.probabilities(digits.crops), digits.labels)


@pytest.mark.parametrize("form", FORMS)
def test_digits_of_any_form_become_crops_that_are_classified(
    form: str, tmp_path: Path, released_top1: Callable[[LabelledCrops], float]
) -> None:
    np.savez(tmp_path / "digits.npz", x=FORMS[form], y=LABELS)
    digits = load_custom_digits(tmp_path / "digits.npz")
    assert digits.crops.shape == CROPS.shape
    assert digits.names[:2] == ("#0", "#1")
    np.testing.assert_array_equal(digits.labels, LABELS)
    assert released_top1(digits) >= 0.93


def test_the_set_decides_the_polarity_of_an_image_with_more_ink_than_paper(tmp_path: Path) -> None:
    images = scaled(20)
    images[0] = 255
    images[0, 8:12, 8:12] = 0  # a fat zero that fills its box
    np.savez(tmp_path / "digits.npz", images=images, labels=LABELS[:, None].astype(float))
    lines: list[str] = []
    digits = load_custom_digits(tmp_path / "digits.npz", log=lines.append)
    assert "120 digits, light ink on dark" in lines[0]
    assert digits.crops[0, 14, 4] > 200 > digits.crops[0, 14, 14]
    np.testing.assert_array_equal(digits.labels, LABELS)


@pytest.mark.parametrize("paper", [0, 255], ids=["light on dark", "dark on light"])
def test_blank_images_stay_blank_and_do_not_decide_the_polarity(paper: int, tmp_path: Path) -> None:
    images = scaled(20)[:20] if paper == 0 else 255 - scaled(20)[:20]
    for place, grey in enumerate((0, 7, 128, 200, 255)):
        images[place] = grey
    np.savez(tmp_path / "digits.npz", x=images, y=LABELS[:20])
    lines: list[str] = []
    crops = load_custom_digits(tmp_path / "digits.npz", log=lines.append).crops
    assert "others" not in lines[0]
    assert crops[:5].max() == 0
    assert crops[5:].max(axis=(1, 2)).min() > 200


def write_folder(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        digit = int(path.parent.name if path.parent != folder else name[0])
        cv2.imwrite(str(path), 255 - cv2.resize(CROPS[digit == LABELS][0], (400, 300)))


def test_what_is_no_digit_is_left_out(tmp_path: Path) -> None:
    crops, _ = synthetic_digits(4, seed=1)
    for name in ("sorted/7/a.png", "sorted/x/b.png", "named/7_1.png", "named/x_1.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), crops[0])
    assert load_custom_digits(tmp_path / "sorted").names == ("7/a.png",)
    assert load_custom_digits(tmp_path / "named").names == ("7_1.png",)


def test_images_beside_the_subfolders_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    crops, _ = synthetic_digits(4, seed=1)
    (tmp_path / "7").mkdir()
    cv2.imwrite(str(tmp_path / "7" / "a.png"), crops[0])
    cv2.imwrite(str(tmp_path / "7_b.png"), crops[0])
    lines: list[str] = []
    assert len(load_custom_digits(tmp_path, log=lines.append)) == 1
    assert lines[0] == f"{tmp_path}: 1 images beside the subfolders are left out, first 7_b.png"


def test_a_folder_is_labelled_by_its_subfolders(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", ["3/a.png", "3/b10.jpg", "3/b9.jpg", "0/one.png"])
    (tmp_path / "set" / "3" / "notes.txt").write_text("no image")
    (tmp_path / "set" / ".hidden").mkdir()
    (tmp_path / "set" / "7").mkdir()
    digits = load_custom_digits(tmp_path / "set")
    assert digits.name == "set"
    assert digits.names == ("0/one.png", "3/a.png", "3/b9.jpg", "3/b10.jpg")
    assert digits.labels.tolist() == [0, 3, 3, 3]
    assert digits.crops[:, :2].max() == 0  # paper became black
    assert digits.crops.max() > 240


def test_a_folder_of_files_is_labelled_by_their_names(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", ["3_0001.png", "3.png", "7-b.png"])
    digits = load_custom_digits(tmp_path / "set")
    assert dict(zip(digits.names, digits.labels.tolist(), strict=True)) == {"3_0001.png": 3, "3.png": 3, "7-b.png": 7}


LABEL_FORMS = {
    "one-hot": np.eye(10)[LABELS],
    "one-hot bool": np.eye(10, dtype=bool)[LABELS],
    "texts": LABELS.astype(str),
    "column": LABELS[:, None],
}


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_labels_of_any_form_are_read(form: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "digits.npz", x=CROPS, y=LABEL_FORMS[form])
    np.testing.assert_array_equal(load_custom_digits(tmp_path / "digits.npz").labels, LABELS)


@pytest.mark.parametrize("head", ["", "label," + ",".join(f"pixel{index}" for index in range(784)) + "\n"])
def test_a_csv_file_has_a_digit_and_its_pixels_in_each_line(
    head: str, tmp_path: Path, released_top1: Callable[[LabelledCrops], float]
) -> None:
    lines = (",".join(map(str, [y, *x.ravel()])) for x, y in zip(CROPS, LABELS, strict=True))
    (tmp_path / "train.csv").write_text(head + "\n".join(lines))
    digits = load_custom_digits(tmp_path / "train.csv")
    np.testing.assert_array_equal(digits.labels, LABELS)
    assert released_top1(digits) >= 0.93


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "in each line, got"),
        ("a,b\nc,d\n", "could not convert"),
        ("3\n4\n", "got 1 values"),
        ("1,2,3\n", "got (1, 2)"),
    ],
)
def test_a_csv_file_of_something_else_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(content)
    with pytest.raises(DataError) as caught:
        load_custom_digits(tmp_path / "odd.csv")
    assert message in str(caught.value)


X, Y = CROPS[:4], LABELS[:4]
INVALID_ARRAYS = {
    "no labels": ({"x": X}, "expected an array y or labels or y_test, got x"),
    "no images": ({"y": Y}, "expected an array x or images"),
    "fewer labels": ({"x": X, "y": Y[:3]}, "got images (4, 28, 28) and labels (3,)"),
    "two of ten": ({"x": X, "y": np.eye(10)[Y] + np.eye(10)[[0]]}, "labels (4, 10)"),
    "nothing": ({"x": X[:0], "y": Y[:0]}, "at least one image"),
    "no pixels": ({"x": X[:, :0], "y": Y}, "at least one image"),
    "no dimension": ({"x": np.uint8(3), "y": Y}, "got images ()"),
    "a label 10": ({"x": X, "y": [1, 2, 10, 3]}, "expected labels 0 to 9, got 10 at #2"),
    "a label -1": ({"x": X, "y": [1, 2, 3, -1]}, "got -1 at #3"),
    "a label 2.5": ({"x": X, "y": [1, 2.5, 3, 4]}, "got 2.5 at #1"),
    "a label NaN": ({"x": X, "y": [1, np.nan, 3, 4]}, "got nan at #1"),
    "words": ({"x": X, "y": ["one", "two", "three", "four"]}, "got one at #0"),
    "pickles": ({"x": np.array([X[0], X[1, :9]], dtype=object), "y": Y[:2]}, "cannot be read"),
    "pickled labels": ({"x": X, "y": np.array([None, 1, 2, 3])}, "cannot be read"),
    "complex": ({"x": X + 1j, "y": Y}, "images of numbers, got complex"),
    "NaN": ({"x": np.where(X > 9, np.nan, 0), "y": Y}, "finite numbers"),
    "blank": ({"x": np.full((4, 28, 28), 7), "y": Y}, "that are 7 everywhere"),
    "two channels": ({"x": np.zeros((4, 28, 28, 2)), "y": Y}, "got (4, 28, 28, 2)"),
    "no squares": ({"x": np.zeros((4, 783)), "y": Y}, "got (4, 783)"),
}


@pytest.mark.parametrize("case", INVALID_ARRAYS)
def test_invalid_arrays_are_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    arrays, message = INVALID_ARRAYS[case]
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(DataError) as caught:
        load_custom_digits(tmp_path / "odd.npz")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_without_labelled_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing at"):
        load_custom_digits(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="got no image"):
        load_custom_digits(tmp_path / "empty")
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(DataError, match="expected an npz file"):
        load_custom_digits(tmp_path / "one.npy")
    (tmp_path / "train" / "digits" / "1").mkdir(parents=True)
    with pytest.raises(DataError, match="got a subfolder 'digits'"):
        load_custom_digits(tmp_path / "train")
    write_folder(tmp_path / "named", ["3_a.png"])
    (tmp_path / "named" / "3_a.png").rename(tmp_path / "named" / "12.png")
    with pytest.raises(DataError, match=r"got 12\.png"):
        load_custom_digits(tmp_path / "named")
    write_folder(tmp_path / "damaged", ["3/a.png"])
    (tmp_path / "damaged" / "3" / "a.png").write_bytes(b"no image")
    with pytest.raises(CameraError, match=r"a\.png"):
        load_custom_digits(tmp_path / "damaged")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((6000, 1, 1), "6,000 digits would take 22 MB"),
        ((1, 900, 900), "1 digits would take 21 MB"),
        ((2, 10, 100_000, 3), "2 images in colour would take 14 MB"),
    ],
    ids=["many", "large", "colour"],
)
def test_digits_that_would_take_too_much_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], message: str
) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(shape, np.uint8), y=np.zeros(shape[0], np.uint8))
    monkeypatch.setenv("DIGITEDGE_MEMORY_MB", "10")
    with pytest.raises(DataError, match=rf"a\.npz: {message} of memory, .*DIGITEDGE_MEMORY_MB="):
        load_custom_digits(tmp_path / "a.npz")


def test_long_texts_are_no_labels(tmp_path: Path) -> None:
    labels = np.array(["7".ljust(100_000)] * 3)
    np.savez_compressed(tmp_path / "a.npz", x=CROPS[:3], y=labels)
    with pytest.raises(DataError, match="expected labels 0 to 9, got 7 "):
        load_custom_digits(tmp_path / "a.npz")


def test_a_folder_and_a_csv_file_have_the_limit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(9):
        cv2.imwrite(str(tmp_path / f"7_{index}.png"), np.full((600, 600), 200, np.uint8))
    with (tmp_path / "a.csv").open("w") as file:
        file.write("7,200\n" * 200_000)
    monkeypatch.setenv("DIGITEDGE_MEMORY_MB", "1")
    with pytest.raises(CameraError, match=r"7_0\.png: an image of 600x600 pixels would take 3 MB"):
        load_custom_digits(tmp_path)
    with pytest.raises(DataError, match=r"a\.csv: its numbers would take 4 MB"):
        load_custom_digits(tmp_path / "a.csv")
    for path in tmp_path.glob("*.png"):
        cv2.imwrite(str(path), np.full((256, 256), 200, np.uint8))
    with pytest.raises(DataError, match="the first 8 of 9 images would take 2 MB"):
        load_custom_digits(tmp_path)
