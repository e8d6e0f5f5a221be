"""What `--data` names: MNIST by its word or its content, rendered digits, the user's own, and several together."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.load import is_own, load_test_crops, load_training_digits
from digitedge.datasets.mnist import SHA256, load_mnist
from digitedge.errors import DataError
from digitedge.synthetic.handwriting.digits import synthetic_digits


@pytest.fixture
def own(tmp_path: Path) -> Path:
    crops, labels = synthetic_digits(20, seed=4)
    np.savez(tmp_path / "own.npz", x=crops, y=labels)
    return tmp_path / "own.npz"


def test_mnist_is_known_by_its_content_whatever_its_name(mnist: Path, tmp_path: Path) -> None:
    data = load_mnist(mnist)
    np.savez(tmp_path / "download.npz", **data._asdict())
    assert not is_own(str(mnist))
    assert not is_own(str(tmp_path / "download.npz"))
    digits = load_test_crops([str(tmp_path / "download.npz")])
    assert (digits.name, digits.names[:2]) == ("mnist", ("#0", "#1"))
    np.testing.assert_array_equal(digits.crops, data.x_test)


def test_the_word_mnist_means_mnist_in_its_usual_place(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITEDGE_DATA", str(mnist))
    assert len(load_test_crops(["mnist"])) == 10_000


def test_other_digits_in_the_arrays_of_mnist_are_the_users_own(tmp_path: Path) -> None:
    crops, labels = synthetic_digits(30, seed=4)
    arrays = {"x_train": crops[:20], "y_train": labels[:20], "x_test": crops[20:], "y_test": labels[20:]}
    np.savez(tmp_path / "own.npz", **arrays)
    assert is_own(str(tmp_path / "own.npz"))
    np.testing.assert_array_equal(load_test_crops([str(tmp_path / "own.npz")]).labels, labels[20:])
    np.savez(tmp_path / "mnist.npz", **arrays)  # its name says what it should be
    with pytest.raises(DataError, match="expected MNIST's train-images-idx3-ubyte"):
        load_test_crops([str(tmp_path / "mnist.npz")])


def test_several_sets_are_joined_and_every_digit_tells_its_source(own: Path) -> None:
    other = own.with_name("other.npz")
    shutil.copy(own, other)
    lines: list[str] = []
    digits = load_test_crops([str(own), str(other)], log=lines.append)
    assert digits.name == "own.npz + other.npz"
    assert len(set(digits.names)) == len(digits) == 40
    assert (digits.names[0], digits.names[20]) == (f"{own} #0", f"{other} #0")
    assert len(lines) == 2


def test_all_own_digits_are_there_to_evaluate_on(own: Path) -> None:
    digits = load_training_digits([str(own)])
    judged, joined = digits.for_evaluation(), digits.joined()
    assert (len(judged.x_test), len(judged.x_train)) == (20, 20)
    assert len(joined.x_test) + len(joined.x_train) == 20
    base = Dataset(*synthetic_digits(3, seed=1), *synthetic_digits(2, seed=2))
    both = replace(digits, base=base).for_evaluation()
    assert (len(both.x_test), len(both.x_train)) == (22, 3)
    np.testing.assert_array_equal(both.y_test[2:], judged.y_test)


@pytest.mark.parametrize("again", ["own.npz", "./own.npz"])
def test_a_set_that_is_given_twice_is_refused(own: Path, again: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.parent)
    with pytest.raises(DataError, match="expected every set of digits once"):
        load_test_crops(["own.npz", again])


def test_the_error_of_an_unknown_thing_lists_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"an image")
    for source, problem in (
        ("nmist", "nothing at nmist"),
        ("", "nothing at ''"),
        (str(tmp_path / "page.png"), "page.png"),
    ):
        with pytest.raises(DataError, match=rf"{problem}: expected mnist, synthetic, .*7_0001\.png.*npz.*csv"):
            load_test_crops([source])


def test_photographs_with_labels_are_sent_to_their_command(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("[]")
    with pytest.raises(DataError, match="Run: digitedge eval photos"):
        load_test_crops([str(tmp_path)])


def test_no_message_advises_to_move_or_delete_what_is_the_users_own(tmp_path: Path) -> None:
    (tmp_path / SHA256.copy().popitem()[0]).write_bytes(b"labels of another set")
    (tmp_path / "sorted" / "notes").mkdir(parents=True)
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "IMG_1.png").touch()
    np.savez(tmp_path / "odd.npz", a=np.zeros(3))
    for name in ("", "sorted", "named", "odd.npz"):
        with pytest.raises(DataError) as caught:
            load_test_crops([str(tmp_path / name)])
        assert not {"delete", "move", "remove", "rename"} & set(str(caught.value).lower().split()), caught.value
