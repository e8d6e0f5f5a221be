from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import Source, run
from digitedge.camera.sinks.crops import CropSaver
from digitedge.datasets.custom import load_foreign
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader.reader import Reader
from digitedge.synthetic.scenes.clip import render_clip
from digitedge.utils.images import read_image
from digitedge.utils.opencv import cv2


class Film(Source):
    """Frames of 25 a second that are there as fast as they are read."""

    def __init__(self, frames):
        super().__init__("film")
        self._list = frames

    def _frames(self):
        for number, frame in enumerate(self._list):
            self.time = number / 25
            yield frame


class Watched:
    """A classifier that keeps every crop that it was given, and what was most likely."""

    def __init__(self, classifier):
        self.classifier = classifier
        self.seen = {}

    def probabilities(self, crops):
        answers = self.classifier.probabilities(crops)
        self.seen.update({crop.tobytes(): int(answer.argmax()) for crop, answer in zip(crops, answers, strict=True)})
        return answers


def saved(folder: Path) -> list[tuple[int, np.ndarray]]:
    """The label and the crop of each file, in the order in which they were saved."""
    files = sorted(folder.glob("?/*.png"), key=lambda file: file.name)
    return [(int(file.parent.name), cv2.imread(str(file), cv2.IMREAD_UNCHANGED)) for file in files]


def test_what_the_net_saw_is_saved_once_for_each_row_under_what_was_read(tmp_path: Path) -> None:
    net = Watched(Reader().classifier)
    reader = Reader.of(net)
    scenes = list(islice(render_clip(seed=0), 30))
    with CropSaver(tmp_path, reader) as saver:
        run(Film([scene.frame for scene in scenes]), reader, [saver])
    crops = saved(tmp_path)
    assert sorted(str(label) for label, _ in crops) == sorted("".join(scenes[-1].rows))
    assert all(crop.shape == (28, 28) and crop.dtype == np.uint8 for _, crop in crops)
    assert [net.seen[crop.tobytes()] for _, crop in crops] == [label for label, _ in crops]
    assert max(file.stat().st_size for file in tmp_path.glob("?/*.png")) < 1000


def test_digits_that_touch_are_saved_as_they_were_cut(tmp_path: Path) -> None:
    page = np.full((300, 640), 225, np.uint8)
    for x in (150, 206, 500, 590):
        cv2.ellipse(page, (x, 150), (20, 32), 0, 0, 360, 40, 6)
    cv2.line(page, (170, 150), (186, 150), 40, 6)
    net = Watched(Reader().classifier)
    reader = Reader.of(net)
    assert reader.read(page).rows == ("0000",)
    with CropSaver(tmp_path, reader) as saver:
        run(Film([page] * 20), reader, [saver])
    assert [(label, net.seen[crop.tobytes()]) for label, crop in saved(tmp_path)] == [(0, 0)] * 4


def test_a_row_that_changes_is_saved_again(page, sevens, tmp_path: Path) -> None:
    with CropSaver(tmp_path, sevens) as saver:
        run(Film([page(1)] * 40 + [page(3)] * 60), sevens, [saver])
    assert len(saved(tmp_path)) == 1 + 3


def test_the_folder_is_a_data_set_that_eval_reads(page, sevens, tmp_path: Path) -> None:
    with CropSaver(tmp_path, sevens) as saver:
        run(Film([page(3)] * 20), sevens, [saver])
    (tmp_path / "1").mkdir()
    (tmp_path / "7" / "000002.png").rename(tmp_path / "1" / "000002.png")  # corrected by hand
    digits = load_foreign(tmp_path)
    assert digits.names == ("1/000002.png", "7/000001.png", "7/000003.png")
    assert digits.labels.tolist() == [1, 7, 7]
    as_saved = np.stack([read_image(tmp_path / name)[..., 0] for name in digits.names])
    assert np.abs(digits.crops.astype(int) - as_saved).mean() < 3


def test_what_was_saved_before_stays_and_counts(page, sevens, tmp_path: Path) -> None:
    for name in ("7/000041.png", "3/mine.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"kept")
    told: list[str] = []
    with CropSaver(tmp_path, sevens, limit=4, log=told.append) as saver:
        run(Film([page(1)] * 40 + [page(3)] * 60 + [page(2)] * 60), sevens, [saver])
    names = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.glob("?/*"))
    assert names == ["3/mine.png", "7/000041.png", "7/000042.png", "7/000043.png"]
    assert (tmp_path / "7/000041.png").read_bytes() == b"kept"
    assert told == [f"{tmp_path} holds 4 crops, which is the limit: no more are saved"]


def test_a_folder_that_cannot_be_written_to_is_an_error_at_once(sevens, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DigitEdgeError, match=r"cannot write .*file.*writable"):
        CropSaver(tmp_path / "file", sevens)


def test_a_limit_of_nothing_is_refused(sevens, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 file or more, got 0"):
        CropSaver(tmp_path, sevens, limit=0)


def test_a_disk_that_fails_later_is_a_remark_and_not_the_end(page, sevens, tmp_path: Path) -> None:
    told: list[str] = []
    with CropSaver(tmp_path, sevens, log=told.append) as saver:
        (tmp_path / "7").touch()  # where the folder should be made
        session = run(Film([page(2)] * 30), sevens, [saver])
    assert session.frames == 30
    assert [line.partition(":")[0] for line in told] == ["crops are not saved"]
    assert not saved(tmp_path)
