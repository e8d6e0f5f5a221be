"""Checking the labels of a folder: the order, what is written, and what happens if files change meanwhile."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from labelled_folder import DIGITS, LABELS, classifier, crops_of, labels_in, make_folder

from digitedge.datasets.label_session import THUMBNAIL_SIDE, LabelChange, LabelSession, LabelSummary
from digitedge.errors import DataError
from digitedge.utils.images import write_image
from digitedge.utils.opencv import cv2

WRONG = {"1/000010.png", "8/000011.png"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "crops")


def ids_of(session: LabelSession) -> dict[str, int]:
    return {image["name"]: image["id"] for image in session.images()}


def test_doubtful_labels_come_first_and_checked_ones_last(folder: Path) -> None:
    session = LabelSession(folder, classifier())
    images = session.images()
    assert {image["name"] for image in images[:2]} == WRONG
    assert [image["predicted"] for image in images[:2]] in ([7, 3], [3, 7])
    assert images[0]["agreement"] <= images[1]["agreement"] < 0.1 < 0.9 < images[2]["agreement"]
    session.apply([LabelChange(images[0]["id"], images[0]["label"], True)])
    assert session.images()[-1] == images[0] | {"checked": True}


def test_a_label_is_written_at_once_and_can_be_taken_back(folder: Path) -> None:
    session = LabelSession(folder, classifier())
    id = ids_of(session)["1/000010.png"]
    [state], problems = session.apply([LabelChange(id, 7, True)])
    assert (state["name"], state["label"], state["checked"], problems) == ("7/000010.png", 7, True, [])
    assert labels_in(folder)["000010.png"] == (7, True)
    assert session.summary() == LabelSummary(images=12, checked=1, relabelled=1)
    session.apply([LabelChange(id, None, True)])
    assert labels_in(folder)["000010.png"] == (None, True)
    session.apply([LabelChange(id, 1, False)])
    assert labels_in(folder)["000010.png"] == (1, False)
    assert session.summary() == LabelSummary(images=12, checked=0, relabelled=0)


def test_what_is_no_digit_is_doubtful_if_the_model_is_sure_of_one(folder: Path) -> None:
    (folder / "x").mkdir()
    (folder / "7/000007.png").rename(folder / "x/000007.png")
    states = {state["name"]: state for state in LabelSession(folder, classifier()).images()}
    assert states["x/000007.png"]["label"] is None
    assert states["x/000007.png"]["agreement"] < 0.1


def test_a_flat_folder_of_dark_ink_keeps_its_layout_and_its_polarity(tmp_path: Path) -> None:
    for name, crop in zip(("7_a.png", "8_b.png"), crops_of([7, 3]), strict=True):
        write_image(tmp_path / name, cv2.resize(255 - crop, (90, 90)))
    session = LabelSession(tmp_path, classifier())
    states = {state["name"]: state for state in session.images()}
    assert [states[name]["predicted"] for name in ("7_a.png", "8_b.png")] == [7, 3]
    session.apply([LabelChange(states["8_b.png"]["id"], 3, True), LabelChange(states["7_a.png"]["id"], None, True)])
    assert labels_in(tmp_path) == {"3_b.png": (3, True), "x_a.png": (None, True)}
    again = LabelSession(tmp_path, classifier())
    assert {state["name"]: state["predicted"] for state in again.images()} == {"3_b.png": 3, "x_a.png": 7}


def test_an_image_that_was_removed_moved_or_replaced_is_a_problem_and_the_others_are_written(folder: Path) -> None:
    session = LabelSession(folder, classifier())
    ids = ids_of(session)
    (folder / "0/000000.png").unlink()
    (folder / "1/000001.png").rename(folder / "2/elsewhere.png")
    shutil.copy(folder / "4/000004.png", folder / "3/000003.png")
    changes = [LabelChange(ids[f"{digit}/00000{digit}.png"], 9, True) for digit in (0, 1, 3, 5)]
    states, problems = session.apply([*changes, LabelChange(99, 1, True)])
    names = ["0/000000.png", "1/000001.png", "3/000003.png", "9/000005.png"]
    assert [(state["name"], state["checked"]) for state in states] == [(name, name[0] == "9") for name in names]
    assert [problem["message"] for problem in problems] == [
        "0/000000.png is not there any more: it was moved or deleted meanwhile. Reload the page.",
        "1/000001.png is not there any more: it was moved or deleted meanwhile. Reload the page.",
        "3/000003.png was replaced by another image meanwhile. Reload the page.",
        "This image is not there any more. Reload the page.",
    ]
    assert (folder / "2/elsewhere.png").is_file()
    assert (folder / "3/000003.png").is_file()
    assert session.thumbnail(ids["0/000000.png"]) is None


def test_a_name_that_is_taken_loses_no_image(folder: Path) -> None:
    write_image(folder / "7/000010.png", crops_of([7, 7, 7])[2])
    session = LabelSession(folder, classifier())
    session.apply([LabelChange(ids_of(session)["1/000010.png"], 7, True)])
    assert sorted(path.name for path in (folder / "7").iterdir()) == ["000007.png", "000010-2.png", "000010.png"]


def test_a_scan_finds_new_images_and_keeps_the_ids_of_the_others(folder: Path) -> None:
    session = LabelSession(folder, classifier())
    before = ids_of(session)
    (folder / "0/000000.png").unlink()
    write_image(folder / "7/new.png", crops_of([7, 7, 7])[2])
    session.scan()
    after = ids_of(session)
    assert after.pop("7/new.png") not in before.values()
    assert after == {name: id for name, id in before.items() if name != "0/000000.png"}


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_left_out_because_their_images_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write_image(outside / "secret.png", crops_of([7])[0])
    (folder / "7/link.png").symlink_to(outside / "secret.png")
    (folder / "x").symlink_to(outside)
    messages: list[str] = []
    session = LabelSession(folder, classifier(), log=messages.append)
    assert len(session.images()) == len(DIGITS)
    assert messages == [f"{folder}: 1 links to images are left out"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_folder_that_becomes_a_link_is_neither_shown_nor_changed(folder: Path, tmp_path: Path) -> None:
    session = LabelSession(folder, classifier())
    id = ids_of(session)["7/000007.png"]
    (folder / "7").rename(tmp_path / "moved")
    (folder / "7").symlink_to(tmp_path / "moved")
    assert session.thumbnail(id) is None
    _, [problem] = session.apply([LabelChange(id, 1, True)])
    assert "not there any more" in problem["message"]
    assert (tmp_path / "moved/000007.png").is_file()


def test_damaged_and_blank_images_are_listed_first_and_can_be_labelled(folder: Path) -> None:
    (folder / "7/damaged.png").write_bytes(b"no image")
    write_image(folder / "7/blank.png", np.full((40, 40), 200, np.uint8))
    session = LabelSession(folder, classifier())
    first = session.images()[:2]
    assert sorted(state["name"] for state in first) == ["7/blank.png", "7/damaged.png"]
    assert [state["predicted"] for state in first] == [None, None]
    damaged = next(state["id"] for state in first if state["name"] == "7/damaged.png")
    assert session.thumbnail(damaged) is None
    session.apply([LabelChange(damaged, None, True)])
    assert (folder / "x/damaged.png").read_bytes() == b"no image"


def test_a_folder_that_cannot_be_written_to_is_a_problem_of_each_image(folder: Path) -> None:
    session = LabelSession(folder, classifier())
    (folder / "x").touch()  # a file in place of the folder
    [state], [problem] = session.apply([LabelChange(ids_of(session)["7/000007.png"], None, True)])
    assert (state["label"], state["checked"]) == (7, False)
    assert "cannot write" in problem["message"]
    assert (folder / "7/000007.png").is_file()


def test_a_thumbnail_is_small(folder: Path, tmp_path: Path) -> None:
    session = LabelSession(folder, classifier())
    png = session.thumbnail(ids_of(session)["7/000007.png"])
    assert png is not None
    small = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(small, crops_of([7])[0])
    write_image(tmp_path / "large/7_a.png", cv2.resize(255 - crops_of([7])[0], (900, 1800)))
    large = LabelSession(tmp_path / "large", classifier()).thumbnail(0)
    assert large is not None
    assert cv2.imdecode(np.frombuffer(large, np.uint8), cv2.IMREAD_COLOR).shape == (THUMBNAIL_SIDE, 56, 3)


def test_what_is_no_folder_of_images_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text("7,0,0\n")
    with pytest.raises(DataError, match=r"digits\.csv: expected a folder of images.*Save its digits as images"):
        LabelSession(tmp_path / "digits.csv", classifier())
    with pytest.raises(DataError, match=r"expected images of digits, got none"):
        LabelSession(tmp_path, classifier())
    with pytest.raises(DataError, match=r"got nothing at .*nowhere"):
        LabelSession(tmp_path / "nowhere", classifier())


def test_the_wrong_labels_of_the_test_folder_are_wrong(folder: Path) -> None:
    predicted = {state["name"][2:]: state["predicted"] for state in LabelSession(folder, classifier()).images()}
    assert [predicted[f"{index:06d}.png"] for index in range(len(DIGITS))] == DIGITS
    assert [labels_in(folder)[f"{index:06d}.png"] for index in range(len(DIGITS))] == [(one, False) for one in LABELS]
