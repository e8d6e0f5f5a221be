"""Collections: crops are added once, relabelled by moving them, and forgotten with everything that names a writer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.collection import (
    COLLECTION_FILE,
    CropRecord,
    add_crops,
    add_writer,
    forget_writer,
    list_images,
    mark_checked,
    open_collection,
    relabel,
)
from digitedge.errors import DataError


def crop_of(value: int) -> NDArray[np.uint8]:
    crop = np.zeros((28, 28), np.uint8)
    crop[4:24, 10:14] = value
    return crop


def fill(folder: Path, writer: str = "") -> list[Path]:
    """Save a 7 and a 1."""
    records = [CropRecord(writer=writer, sheet="s1", cell=cell, asked=7, predicted=1) for cell in ("r7c00", "r7c01")]
    names = ["s1-r7c00.png", "s1-r7c01.png"]
    return add_crops(folder, [crop_of(200), crop_of(100)], [7, 1], records, names)


def test_crops_lie_in_the_folder_of_their_label_and_keep_their_record(tmp_path: Path) -> None:
    assert fill(tmp_path) == [tmp_path / "7/s1-r7c00.png", tmp_path / "1/s1-r7c01.png"]
    one, seven = list_images(tmp_path)
    assert (one.label, seven.label) == (1, 7)
    assert seven.record == CropRecord(sheet="s1", cell="r7c00", asked=7, predicted=1)


def test_the_same_crop_is_not_added_again_even_after_its_label_was_corrected(tmp_path: Path) -> None:
    moved = relabel(tmp_path, fill(tmp_path)[0], 9)
    assert moved == tmp_path / "9/s1-r7c00.png"
    assert fill(tmp_path) == []
    assert [image.label for image in list_images(tmp_path)] == [1, 9]


def test_another_crop_of_the_same_name_is_kept_beside_the_first(tmp_path: Path) -> None:
    fill(tmp_path)
    added = add_crops(tmp_path, [crop_of(50)], [7], [CropRecord()], ["s1-r7c00.png"])
    assert added == [tmp_path / "7/s1-r7c00-2.png"]


def test_what_is_no_digit_moves_to_x_and_back(tmp_path: Path) -> None:
    path = relabel(tmp_path, fill(tmp_path)[0], None)
    assert path == tmp_path / "x/s1-r7c00.png"
    assert [image.label for image in list_images(tmp_path)] == [1, None]
    assert relabel(tmp_path, path, 7) == tmp_path / "7/s1-r7c00.png"


def test_relabel_never_overwrites_an_image(tmp_path: Path) -> None:
    first, _ = fill(tmp_path)
    add_crops(tmp_path, [crop_of(60)], [3], [CropRecord()], [first.name])
    assert relabel(tmp_path, first, 3) == tmp_path / "3/s1-r7c00-2.png"
    assert len(list_images(tmp_path)) == 3


def test_relabel_renames_an_image_of_a_flat_folder(tmp_path: Path) -> None:
    source, *_ = fill(tmp_path / "made")
    flat = tmp_path / "flat"
    flat.mkdir()
    path = source.rename(flat / "7_0001.png")
    assert relabel(flat, path, 2) == flat / "2_0001.png"
    assert relabel(flat, flat / "2_0001.png", None) == flat / "x_0001.png"
    assert [image.label for image in list_images(flat)] == [None]


def test_nothing_moves_through_a_link_out_of_the_folder(tmp_path: Path) -> None:
    path, _ = fill(tmp_path / "own")
    (tmp_path / "outside").mkdir()
    (tmp_path / "own/3").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="expected a folder, got a link"):
        relabel(tmp_path / "own", path, 3)
    with pytest.raises(DataError, match="expected a folder, got a link"):
        add_crops(tmp_path / "own", [crop_of(9)], [3], [CropRecord(sheet="s")], ["a.png"])
    assert path.is_file() and not list((tmp_path / "outside").iterdir())


def test_a_folder_that_is_named_like_a_digit_keeps_its_images(tmp_path: Path) -> None:
    source, *_ = fill(tmp_path / "made")
    folder = tmp_path / "7"
    folder.mkdir()
    path = source.rename(folder / "7_0001.png")
    assert relabel(folder, path, 3) == folder / "3_0001.png"


def test_relabel_says_that_an_image_is_gone(tmp_path: Path) -> None:
    path, _ = fill(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="is not there any more"):
        relabel(tmp_path, path, 3)


def test_a_checked_image_stays_checked_when_it_is_relabelled(tmp_path: Path) -> None:
    fill(tmp_path)
    seven = list_images(tmp_path)[1]
    mark_checked(tmp_path, [seven.sha256])
    relabel(tmp_path, seven.path, 2)
    assert [image.record.checked for image in list_images(tmp_path)] == [False, True]


def test_a_writer_has_one_random_id_and_the_name_stands_in_collection_json_alone(tmp_path: Path) -> None:
    writer = add_writer(tmp_path, "../Ana")
    assert add_writer(tmp_path, "../Ana") == writer
    assert add_writer(tmp_path, "Ben") != writer
    fill(tmp_path, writer)
    names = [path.name for path in tmp_path.rglob("*")]
    assert not any("Ana" in name for name in names)
    assert open_collection(tmp_path).writers[writer] == "../Ana"


def test_forgetting_a_writer_leaves_no_trace_of_him_and_all_of_the_others(tmp_path: Path) -> None:
    ana, ben = add_writer(tmp_path, "Ana"), add_writer(tmp_path, "Ben")
    fill(tmp_path, ana)
    add_crops(tmp_path, [crop_of(30)], [5], [CropRecord(writer=ben, sheet="s2", cell="r5c00")], ["s2-r5c00.png"])
    edited = tmp_path / "7/s1-r7c00.png"
    edited.write_bytes((tmp_path / "5/s2-r5c00.png").read_bytes()[:-1] + b"x")  # another hash, the same place
    assert forget_writer(tmp_path, "Ana") == (ana, 2)
    assert [image.path.name for image in list_images(tmp_path)] == ["s2-r5c00.png"]
    text = (tmp_path / COLLECTION_FILE).read_text()
    assert "Ana" not in text and ana not in text and "s1" not in text and "Ben" in text


def test_forgetting_an_unknown_writer_names_the_known_ones(tmp_path: Path) -> None:
    add_writer(tmp_path, "Ana")
    with pytest.raises(DataError, match="expected the name of a writer, 'Ana', got 'Ben'"):
        forget_writer(tmp_path, "Ben")


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "digitedge.collection/2"}', '{"records": {"a": {}}}'])
def test_a_damaged_collection_json_is_refused_and_stays(tmp_path: Path, content: str) -> None:
    (tmp_path / COLLECTION_FILE).write_text(content)
    with pytest.raises(DataError, match=r"collection\.json"):
        fill(tmp_path)
    assert (tmp_path / COLLECTION_FILE).read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == [COLLECTION_FILE]


def test_two_processes_add_to_a_collection_at_the_same_time(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from digitedge.datasets.collection import CropRecord, add_crops\n"
        "for i in range(15):\n"
        "    crop = np.full((28, 28), 10 * i + int(sys.argv[2]), np.uint8)\n"
        "    add_crops(sys.argv[1], [crop], [i % 10], [CropRecord(sheet=sys.argv[2])], [f'{sys.argv[2]}-{i}.png'])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen([*command, name], env={**os.environ}) for name in ("1", "2")]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(json.loads((tmp_path / COLLECTION_FILE).read_text())["records"]) == 30
    assert {image.record.sheet for image in list_images(tmp_path)} == {"1", "2"}
