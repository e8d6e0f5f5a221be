"""A fine-tuned model passes if it is better on its own digits and no worse on all others: every way to fail fails."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops, number_crops
from digitedge.errors import ModelError
from digitedge.exporting.parent_check import (
    OWN,
    ParentCheck,
    ParentModel,
    check_against_parent,
)
from digitedge.runtime import Classifier
from digitedge.runtime.adapter import CONTRACT, AdaptedClassifier
from digitedge.runtime.keras import KerasNetwork

Change = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.float32]]
SCENES = 4


class Changed:
    """A model that gives other probabilities than another one."""

    def __init__(self, classifier: Classifier, change: Change) -> None:
        self._classifier, self._change = classifier, change

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._change(crops, self._classifier.probabilities(crops).copy())


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def parent(contract_model: Path) -> ParentModel:
    return ParentModel(
        name="first", file=contract_model, sha256=hashlib.sha256(contract_model.read_bytes()).hexdigest()
    )


@pytest.fixture(scope="module")
def classifier(contract_model: Path) -> Classifier:
    return AdaptedClassifier(KerasNetwork(contract_model), CONTRACT)


@pytest.fixture(scope="module")
def unseen(data: Dataset) -> LabelledCrops:
    return number_crops("synthetic", data.x_test, data.y_test)


@pytest.fixture(scope="module")
def own(classifier: Classifier, data: Dataset) -> LabelledCrops:
    """Forty digits, the dark lower half cut off: the parent misreads some of them."""
    crops = data.x_test[:40].copy()
    crops[:, 17:] = 0
    wrong = classifier.probabilities(crops).argmax(axis=1) != data.y_test[:40]
    assert 3 < wrong.sum() < 37
    return number_crops("own", crops, data.y_test[:40])


def reads_right(digits: LabelledCrops) -> Change:
    """Read these digits right, and all others as before."""
    known = {crop.tobytes(): label for crop, label in zip(digits.crops, digits.labels, strict=True)}

    def change(crops: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        for index, crop in enumerate(crops):
            if (label := known.get(crop.tobytes())) is not None:
                probabilities[index] = np.eye(10, dtype=np.float32)[label]
        return probabilities

    return change


def failed(check: ParentCheck) -> list[str]:
    return [one.name for one in check.comparisons if not one.passed]


def test_a_better_model_passes_and_the_image_shows_what_changed(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    model = Changed(classifier, reads_right(own))
    check = check_against_parent(parent, model, own, unseen, scenes=SCENES)
    assert check.violations == []
    assert [one.name for one in check.comparisons] == [
        *(OWN, "synthetic test images", "digits of rendered scenes", "corrupted digits", "rejected non-digits"),
    ]
    ours = check.comparisons[0]
    assert ours.after == 1 > ours.before
    assert ours.max_drop is None and ours.soft_error_after == 0
    assert check.changed.ndim == 3 and check.changed.shape[0] > 150


def test_a_model_that_is_no_better_fails(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    check = check_against_parent(parent, classifier, own, unseen, scenes=SCENES)
    assert failed(check) == [OWN]
    assert "expected fewer errors, or as many and clearly less soft error" in check.violations[0]


def test_a_model_that_forgets_test_images_fails(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    """Fifteen of 400 images are more than chance and than a tenth of a point."""
    right = np.flatnonzero(classifier.probabilities(unseen.crops).argmax(axis=1) == unseen.labels)[:15]
    forgotten = unseen.choose(right)
    wrong = LabelledCrops("wrong", forgotten.crops, (forgotten.labels + 1) % 10, forgotten.names)

    def change(crops: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        return reads_right(wrong)(crops, reads_right(own)(crops, probabilities))

    check = check_against_parent(parent, Changed(classifier, change), own, unseen, scenes=SCENES)
    assert failed(check) == ["synthetic test images"]


def test_a_model_that_forgets_digits_of_an_earlier_fine_tuning_fails(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    right = np.flatnonzero(classifier.probabilities(unseen.crops).argmax(axis=1) == unseen.labels)[20:60]
    earlier = unseen.choose(right)
    wrong = LabelledCrops("wrong", earlier.crops, (earlier.labels + 1) % 10, earlier.names)

    def change(crops: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        return reads_right(wrong)(crops, reads_right(own)(crops, probabilities))

    with_earlier = ParentModel(name="first", file=parent.file, sha256=parent.sha256, earlier={"of Ana": earlier})
    others = unseen.choose(np.setdiff1d(np.arange(len(unseen)), right))
    check = check_against_parent(with_earlier, Changed(classifier, change), own, others, scenes=SCENES)
    assert failed(check) == ["of Ana"]


def test_a_model_that_is_sure_of_everything_fails(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    def change(crops: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        probabilities = reads_right(own)(crops, probabilities)
        return np.eye(10, dtype=np.float32)[probabilities.argmax(axis=1)]

    check = check_against_parent(parent, Changed(classifier, change), own, unseen, scenes=SCENES)
    assert failed(check) == ["rejected non-digits"]


def test_nan_fails_everywhere(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    broken = Changed(classifier, lambda crops, probabilities: probabilities * np.float32(np.nan))
    check = check_against_parent(parent, broken, own, unseen, scenes=SCENES)
    assert OWN in failed(check) and "synthetic test images" in failed(check)


def test_without_held_out_digits_nothing_shows_a_gain(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    none = own.choose(np.arange(0))
    check = check_against_parent(parent, classifier, none, unseen, scenes=SCENES)
    assert check.violations[0].startswith(f"{OWN}: there are none, so nothing shows a gain")


def test_another_file_than_the_parent_is_refused(
    parent: ParentModel, classifier: Classifier, own: LabelledCrops, unseen: LabelledCrops
) -> None:
    other = ParentModel(name="first", file=parent.file, sha256="0" * 64)
    with pytest.raises(ModelError, match="expected the model that was fine-tuned"):
        check_against_parent(other, classifier, own, unseen, scenes=SCENES)
