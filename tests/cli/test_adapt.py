"""`digitedge adapt` with a hand that leans back, and what `predict` makes of it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from digitedge.bundle.adaptation import load_adaptation, load_adapted
from digitedge.bundle.bundle import load_model
from digitedge.cli.app import app
from digitedge.errors import DigitEdgeError, InputError, ModelError
from digitedge.reader import Reader
from digitedge.synthetic.handwriting.digit_skeletons import DIGIT_SKELETONS
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.handwriting.pen import draw_strokes
from digitedge.synthetic.handwriting.writer import Writer, write_skeleton
from digitedge.utils.opencv import cv2
from digitedge.vision.normalize import WORKING_SIZE, normalize_digit

ROOT = Path(__file__).parents[2]


def write_hand(count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Digits of one writer, who leans back and writes broad digits: crops and labels."""
    rng = np.random.default_rng(0)
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    crops = np.zeros((count, 28, 28), np.uint8)
    for digit in range(10):
        places, skeleton = np.flatnonzero(labels == digit), DIGIT_SKELETONS[digit][-1]
        habits = (np.full(len(places), habit) for habit in (-0.7, -0.1, 1.5, 0.8))
        lines = write_skeleton(skeleton, rng, Writer(*habits))
        for place, line in zip(places, lines, strict=True):
            width = np.full(len(line), 0.09)
            crops[place] = normalize_digit(draw_strokes(line, width, skeleton.lengths, size=WORKING_SIZE))
    return crops, labels


@pytest.fixture(scope="module")
def hand() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return write_hand(300)


@pytest.fixture(scope="module")
def place(hand: tuple[NDArray[np.uint8], NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with export/small, 150 digits of the hand in own.npz, and the adaptation that was learned of them."""
    folder = tmp_path_factory.mktemp("adapt")
    shutil.copytree(ROOT / "export" / "small", folder / "export" / "small")
    np.savez(folder / "own.npz", x=hand[0][:150], y=hand[1][:150])
    with pytest.MonkeyPatch.context() as patch:
        at(folder, patch)
        done = run("own.npz", "--model", "export/small", "--json")
    assert done.exit_code == 0, done.stderr
    (folder / "answer.json").write_text(done.stdout)
    cv2.imwrite(str(folder / "page.png"), 255 - np.pad(hand[0][0], 40))
    return folder


def at(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Work in a folder, on a machine without MNIST."""
    patch.chdir(folder)
    patch.delenv("DIGITEDGE_DATA", raising=False)
    for name in ("HOME", "XDG_CACHE_HOME", "KERAS_HOME"):
        patch.setenv(name, str(folder / "home"))


@pytest.fixture
def here(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as that of `place`, in which the adaptation is a copy, which is not made there."""
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    at(tmp_path, monkeypatch)
    return Path("export/small.adaptation.npz")


def run(*arguments: str | Path, command: str = "adapt"):
    return CliRunner().invoke(app, [command, *map(str, arguments)])


def errors_of(reader: Reader, crops: NDArray[np.uint8], labels: NDArray[np.uint8]) -> int:
    return int((reader.classifier.probabilities(crops).argmax(axis=1) != labels).sum())


def test_other_digits_of_the_hand_are_misread_a_third_less(
    place: Path, hand: tuple[NDArray[np.uint8], NDArray[np.uint8]]
) -> None:
    crops, labels = hand[0][150:], hand[1][150:]
    model = place / "export" / "small"
    before = errors_of(Reader(model), crops, labels)
    after = errors_of(Reader(model, adaptation=place / "export" / "small.adaptation.npz"), crops, labels)
    assert after <= before * 2 / 3
    answer = json.loads((place / "answer.json").read_text())
    assert (answer["schema"], answer["passed"], answer["problem"]) == ("digitedge.adapt/1", True, None)
    assert [one["name"] for one in answer["changes"]][2:] == [
        "rendered digits",
        "corrupted digits",
        "non-digits that are accepted",
        "golden digits, unlike the original",
    ]


def test_predict_uses_it_unasked_says_so_and_can_leave_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(place, monkeypatch)
    with_it = run("page.png", "--model", "export/small", command="predict")
    assert "adaptation: export/small.adaptation.npz, of 150 digits; without it: --no-adaptation" in with_it.stderr
    without = run("page.png", "--model", "export/small", "--no-adaptation", command="predict")
    assert (with_it.exit_code, without.exit_code) == (0, 0)
    assert "adaptation" not in without.stderr


def test_one_that_was_not_made_here_is_not_used_unasked(here: Path) -> None:
    done = run("page.png", "--model", "export/small", command="predict")
    assert done.exit_code == 0
    assert f"adaptation not used: {here} was not made here by digitedge adapt." in done.stderr
    Reader("export/small", adaptation=here)  # named, it is used


def test_one_of_another_model_is_refused(here: Path) -> None:
    with pytest.raises(ModelError, match=r"expected an adaptation of .*export/cnn.* got one of another file"):
        load_adapted(load_model(ROOT / "export" / "cnn"), here)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:1000], "expected an npz file of arrays"),
        (lambda content: b"", "expected an npz file of arrays"),
    ],
    ids=["cut", "empty"],
)
def test_a_damaged_file_is_one_line(here: Path, damage, message: str) -> None:
    here.write_bytes(damage(here.read_bytes()))
    with pytest.raises(ModelError, match=message):
        Reader("export/small", adaptation=here)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros((3, 10), np.float32)}, "expected anchors float32"),
        ({"anchors": np.full((2, 40), np.nan, np.float32), "weights": np.zeros((2, 10), np.float32)}, "got others"),
        (
            {"anchors": np.zeros((2, 41), np.float32), "weights": np.zeros((2, 10), np.float32)},
            "of 40 features, got 41",
        ),
        ({"about": np.frombuffer(b"{}", np.uint8)}, "missing key"),
        ({"about": np.frombuffer(b"nonsense", np.uint8)}, "expected JSON"),
    ],
    ids=["lengths", "NaN", "features", "keys", "JSON"],
)
def test_a_file_with_other_content_is_one_line(
    here: Path, change: dict[str, NDArray[np.generic]], message: str
) -> None:
    arrays = dict(np.load(here))
    np.savez(here, **{**arrays, **change})
    with pytest.raises(ModelError, match=message):
        Reader("export/small", adaptation=here)


def test_one_that_has_not_passed_is_not_used(here: Path) -> None:
    arrays = dict(np.load(here))
    about = json.loads(arrays["about"].tobytes()) | {"passed": False}
    np.savez(here, **{**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8)})
    assert not load_adaptation(here).info.passed
    with pytest.raises(ModelError, match="it has not passed its check, and is not used"):
        Reader("export/small", adaptation=here)


def test_what_is_learned_from_wrong_labels_is_not_kept_and_what_was_learned_before_stays(here: Path) -> None:
    before = here.read_bytes()
    crops, labels = synthetic_digits(100, seed=6)
    np.savez("wrong.npz", x=crops, y=(labels + 1) % 10)
    done = run("wrong.npz", "--model", "export/small")
    assert done.exit_code == 1
    assert "the adaptation is not kept: nothing gained: own digits, learned from the others: " in done.stderr
    assert f"{here}, of before, stays." in done.stderr
    assert "own digits, learned from the others" in done.stdout
    assert here.read_bytes() == before


def test_remove_takes_it_away(here: Path) -> None:
    assert run("--remove", "--model", "export/small").stdout == f"removed: {here}\n"
    assert not here.exists()
    assert run("--remove", "--model", "export/small").stdout == f"nothing to remove at {here}\n"


@pytest.mark.parametrize("arguments", [[], ["own.npz", "--remove"]], ids=["nothing", "both"])
def test_folders_or_remove(here: Path, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "expected folders of digits, or --remove alone" in done.stderr


def test_a_file_without_features_is_refused(here: Path, fixtures: Path) -> None:
    done = run("own.npz", "--model", fixtures / "good.tflite")
    assert done.exit_code == 1
    assert "expected a file with the second output features, got one without" in done.stderr
    assert "Traceback" not in done.stderr


def test_too_few_digits_are_refused(here: Path, hand: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    np.savez("few.npz", x=hand[0][:9], y=hand[1][:9])
    before = here.read_bytes()
    done = run("few.npz", "--model", "export/small")
    assert done.exit_code == 1
    assert "few.npz: expected at least 10 digits to learn from, got 9." in done.stderr
    assert here.read_bytes() == before


def test_an_adaptation_needs_a_model_that_was_loaded(here: Path) -> None:
    classifier = load_model("export/small").classifier
    with pytest.raises(InputError, match="expected a model of `load_model` for the adaptation"):
        Reader(classifier, adaptation=here)
    assert issubclass(ModelError, DigitEdgeError)
