from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.camera import CameraState, CropSink, Frame, Source, Update, run
from digitedge.camera.sinks import crops as crops_module
from digitedge.camera.tracking import Change, RowEvent, StableRow
from digitedge.datasets.collection import list_images, relabel
from digitedge.datasets.custom import load_custom_digits
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader import Digit, Reader, Reading
from digitedge.runtime import Classifier
from digitedge.synthetic.scenes import render_clip
from digitedge.utils.images import read_image
from digitedge.utils.opencv import cv2

Page = Callable[[int], Frame]
Timed = Callable[..., Source]


class RecordingClassifier:
    """A classifier that keeps every crop it gets with the most likely digit."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.digits: dict[bytes, int] = {}

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = self.classifier.probabilities(crops)
        self.digits.update({crop.tobytes(): int(row.argmax()) for crop, row in zip(crops, rows, strict=True)})
        return rows


def saved_crops(folder: Path) -> list[tuple[int, NDArray[np.uint8]]]:
    """Label and crop of each file, in the order in which they were saved."""
    files = sorted(folder.glob("?/*.png"), key=lambda file: file.name)
    return [(int(file.parent.name), cv2.imread(str(file), cv2.IMREAD_UNCHANGED)) for file in files]


def test_inputs_of_the_classifier_are_saved_once_per_row_under_their_digits(tmp_path: Path, timed: Timed) -> None:
    classifier = RecordingClassifier(Reader().classifier)
    scenes = list(islice(render_clip(seed=0), 30))
    with CropSink(tmp_path) as sink:
        run(timed([scene.frame for scene in scenes]), Reader(classifier), [sink])
    crops = saved_crops(tmp_path)
    assert sorted(str(label) for label, _ in crops) == sorted("".join(scenes[-1].rows))
    assert all(crop.shape == (28, 28) and crop.dtype == np.uint8 for _, crop in crops)
    assert [classifier.digits[crop.tobytes()] for _, crop in crops] == [label for label, _ in crops]
    assert max(file.stat().st_size for file in tmp_path.glob("?/*.png")) < 1000


def test_touching_digits_are_saved_as_they_were_split(tmp_path: Path, timed: Timed) -> None:
    page = np.full((300, 640), 225, np.uint8)
    for x in (150, 206, 500, 590):
        cv2.ellipse(page, (x, 150), (20, 32), 0, 0, 360, 40, 6)
    cv2.line(page, (170, 150), (186, 150), 40, 6)
    classifier = RecordingClassifier(Reader().classifier)
    reader = Reader(classifier)
    assert reader.read(page).rows == ("0000",)
    with CropSink(tmp_path) as sink:
        run(timed([page] * 20), reader, [sink])
    assert [(label, classifier.digits[crop.tobytes()]) for label, crop in saved_crops(tmp_path)] == [(0, 0)] * 4


def test_row_that_changes_is_saved_again(page: Page, sevens: Reader, timed: Timed, tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        run(timed([page(1)] * 40 + [page(3)] * 60), sevens, [sink])
    assert len(saved_crops(tmp_path)) == 1 + 3


def test_folder_is_a_data_set_that_eval_loads(page: Page, sevens: Reader, timed: Timed, tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        run(timed([page(3)] * 20), sevens, [sink])
    (tmp_path / "1").mkdir()
    (tmp_path / "7" / "000002.png").rename(tmp_path / "1" / "000002.png")  # corrected by hand
    digits = load_custom_digits(tmp_path)
    assert digits.names == ("1/000002.png", "7/000001.png", "7/000003.png")
    assert digits.labels.tolist() == [1, 7, 7]
    as_saved = np.stack([read_image(tmp_path / name)[..., 0] for name in digits.names])
    assert np.abs(digits.crops.astype(int) - as_saved).mean() < 3


def test_existing_files_are_kept_and_count(page: Page, doubtful_sevens: Reader, timed: Timed, tmp_path: Path) -> None:
    for name in ("7/000041.png", "3/mine.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"kept")
    messages: list[str] = []
    with CropSink(tmp_path, quota=4, log=messages.append) as sink:
        run(timed([page(1)] * 40 + [page(3)] * 60), doubtful_sevens, [sink])
    names = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.glob("?/*"))
    assert names == ["3/mine.png", "7/000041.png", "7/000042.png", "7/000043.png", "7/000044.png"]
    assert (tmp_path / "7/000041.png").read_bytes() == b"kept"
    assert messages == [
        f"{tmp_path} holds 4 crops of 7, which is the limit: no more are saved",
        f"{tmp_path}: 3 crops saved, 1 left out",
    ]


def test_folder_that_cannot_be_written_to_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DigitEdgeError, match=r"cannot write .*file.*writable"):
        CropSink(tmp_path / "file")


def test_quota_of_0_crops_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 crop or more, got 0"):
        CropSink(tmp_path, quota=0)


def test_file_that_cannot_be_written_is_logged_once_and_the_loop_goes_on(
    page: Page, sevens: Reader, timed: Timed, tmp_path: Path
) -> None:
    messages: list[str] = []
    with CropSink(tmp_path, log=messages.append) as sink:
        (tmp_path / "7").touch()  # a file in place of the folder
        session = run(timed([page(2)] * 30), sevens, [sink])
    assert session.frames == 30
    assert [line.partition(":")[0] for line in messages] == ["crops are not saved", str(tmp_path)]
    assert messages[1].endswith(": 0 crops saved")
    assert not saved_crops(tmp_path)


def show_row(sink: CropSink, text: str, confidences: list[float], time: float) -> None:
    """Show a frame with one row, which has just become stable; no two crops are the same."""
    digits = []
    for index, (digit, confidence) in enumerate(zip(text, confidences, strict=True)):
        crop = np.random.default_rng([index, int(1000 * time)]).integers(0, 256, (28, 28), np.uint8)
        digits.append(Digit(int(digit), confidence, (10 * index, 0, 10, 20), 1, crop))
    row = StableRow(text, min(confidences), (0, 0, 10 * len(text), 20), time)
    reading = Reading(tuple(digits), (text,), 640, 480, 1.0, source="desk", time=time)
    event = RowEvent(Change.APPEARED, row, None, time)
    sink.show(Update(np.zeros((480, 640), np.uint8), reading, CameraState.LIVE, True, 1.0, 25.0, (row,), (event,)))


def saved_confidences(folder: Path) -> list[float]:
    return sorted(image.record.confidence or 0 for image in list_images(folder))


def test_no_more_than_so_many_are_saved_a_minute_the_most_doubtful_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crops_module, "MAX_PER_MINUTE", 3)
    messages: list[str] = []
    with CropSink(tmp_path, log=messages.append) as sink:
        show_row(sink, "1234", [0.99, 0.5, 0.98, 0.97], 0.0)
        show_row(sink, "56", [0.4, 0.9], 1.0)
        show_row(sink, "7", [0.3], 10.0)  # the first are chosen now
        show_row(sink, "8", [0.2], 30.0)  # this minute is full
        sink._writer.submit(int).result()  # what was chosen is written
        assert saved_confidences(tmp_path) == [0.3, 0.4, 0.5]
        show_row(sink, "9", [0.95], 71.0)
    assert saved_confidences(tmp_path) == [0.2, 0.3, 0.4, 0.5, 0.9, 0.95]
    assert messages == [f"{tmp_path}: 6 crops saved, 3 left out"]


def test_half_of_a_quota_is_kept_for_doubtful_digits(tmp_path: Path) -> None:
    with CropSink(tmp_path, quota=4) as sink:
        show_row(sink, "7777", [0.99, 0.98, 0.97, 0.96], 0.0)
    assert saved_confidences(tmp_path) == [0.96, 0.97]
    with CropSink(tmp_path, quota=4) as sink:  # what was there before counts
        show_row(sink, "7777", [0.99, 0.6, 0.7, 0.8], 1.0)
        show_row(sink, "1", [0.99], 2.0)
    assert saved_confidences(tmp_path) == [0.6, 0.7, 0.96, 0.97, 0.99]


def test_what_is_known_of_a_crop_is_saved_with_it(tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        show_row(sink, "12", [0.91, 0.5], 3.0)
    first, second = list_images(tmp_path)
    assert (first.label, first.record.predicted, first.record.confidence, first.record.source) == (1, 1, 0.91, "desk")
    assert first.record.is_crop
    assert first.record.sheet == second.record.sheet
    assert not first.record.checked


def test_a_row_that_is_corrected_before_it_is_saved_is_saved_once_with_the_right_labels(tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        show_row(sink, "127", [0.9, 0.9, 0.9], 3.25)
        assert sink.correct("127", 3.25, "72x") == 3
        found = [(image.label, image.record.predicted, image.record.checked) for image in list_images(tmp_path)]
        assert found == [(2, 2, True), (7, 1, True), (None, 7, True)]
    assert len(list_images(tmp_path)) == 3


def test_a_text_that_was_wrong_is_not_saved_when_it_is_misread_again(tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        show_row(sink, "12", [0.9, 0.9], 3.0)
        show_row(sink, "34", [0.9, 0.9], 4.0)
        sink.correct("12", 3.0, "72")
        sink.correct("34", 4.0, "34")  # it was right
        show_row(sink, "12", [0.9, 0.9], 5.0)
        show_row(sink, "34", [0.9, 0.9], 6.0)
        assert sink.correct("12", 5.0, "72") == 2
    assert [image.label for image in list_images(tmp_path)] == [2, 2, 3, 3, 4, 4, 7, 7]


def test_a_correction_leaves_alone_what_a_person_has_moved(tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        show_row(sink, "12", [0.9, 0.9], 3.0)
        show_row(sink, "3", [0.9], 9.0)
        sink._writer.submit(int).result()
        [one] = (tmp_path / "1").iterdir()
        relabel(tmp_path, one, 5)
        assert sink.correct("12", 3.0, "77") == 1
    assert [image.label for image in list_images(tmp_path)] == [3, 5, 7]


def test_a_correction_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    with CropSink(tmp_path) as sink:
        show_row(sink, "12", [0.9, 0.9], 3.0)
        with pytest.raises(InputError, match=r"expected 2 characters, one for each digit of 12 .*, got 3"):
            sink.correct("12", 3.0, "123")
        with pytest.raises(InputError, match="expected digits, and x for what is no digit, got '1o'"):
            sink.correct("12", 3.0, "1o")
        with pytest.raises(InputError, match="the crops of 12 are not known: expected one of the last 50 rows"):
            sink.correct("12", 4.0, "13")


def test_a_damaged_collection_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "collection.json").write_text("{}{")
    with pytest.raises(DigitEdgeError, match=r"collection\.json: expected JSON"):
        CropSink(tmp_path)
