import io
import os
import struct
import tracemalloc
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from msgspec import Meta

from digitedge.errors import DataError
from digitedge.utils.loading import MAX_JSON_BYTES, build_dataclass, read_json, read_npz


@dataclass(frozen=True)
class Item:
    label: Annotated[int, Meta(ge=0, le=9)]
    box: tuple[int, int, int, int]
    kind: Literal["photo", "scan"] = "photo"


def build(value: Any, kind: Any = list[Item], **options: bool) -> Any:
    return build_dataclass(kind, value, where="labels.json", error=DataError, advice="Fix it.", **options)


def test_json_becomes_dataclasses_with_their_defaults() -> None:
    assert build([{"label": 7, "box": [1, 2, 3, 4]}]) == [Item(7, (1, 2, 3, 4))]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "expected array, got {}"),
        ([1], r"\[0\]: expected object, got 1"),
        ([{"label": 7}], r"\[0\]: missing key 'box'"),
        ([{"label": 10, "box": [1, 2, 3, 4]}], r"\[0\]\.label: expected int <= 9, got 10"),
        ([{"label": True, "box": [1, 2, 3, 4]}], r"\[0\]\.label: expected int, got True"),
        ([{"label": 1, "box": [1, 2, 3]}], r"\[0\]\.box: expected array of length 4, got \[1, 2, 3\]"),
        ([{"label": 1, "box": [1, 2, "x" * 99, 4]}], r"\[0\]\.box\[2\]: expected int, got 'xxx.*\.\.\..*x'"),
        ([{"label": 1, "box": [1, 2, 3, 4], "kind": "film"}], r"\[0\]\.kind: expected photo or scan, got 'film'"),
        ([{"label": 1, "box": [1, 2, 3, 4], "color": 1}], r"unknown key '0\.color'"),
    ],
)
def test_the_message_names_file_field_and_value(value: Any, message: str) -> None:
    with pytest.raises(DataError, match=rf"^labels\.json: {message}.*\. Fix it\.$"):
        build(value)


def test_unknown_keys_can_be_ignored() -> None:
    assert build({"label": 1, "box": [1, 2, 3, 4], "note": "?"}, Item, unknown_keys=True) == Item(1, (1, 2, 3, 4))


def test_a_wrong_value_in_a_dict_is_refused() -> None:
    with pytest.raises(DataError, match=r"^labels\.json: \[\.\.\.\]: expected int, got str\. Fix it\.$"):
        build({"a": "b"}, dict[str, int])


@pytest.mark.parametrize(
    ("value", "kind", "path"),
    [
        ("x", Literal["a", "b"], ""),
        ({"one": "x"}, dict[str, Literal["a", "b"]], r"\[\.\.\.\]: "),
        ([["x"]], list[tuple[Literal["a", "b"], ...] | None], r"\[0\]\[0\]: "),
    ],
    ids=["alone", "dict", "optional tuple"],
)
def test_the_choices_of_a_literal_are_listed(value: Any, kind: Any, path: str) -> None:
    with pytest.raises(DataError, match=f"^labels.json: {path}expected a or b, got 'x'. Fix it.$"):
        build(value, kind)


@pytest.mark.parametrize("read", [read_json, read_npz])
def test_a_missing_file_is_named_with_advice(tmp_path: Path, read: Any) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "gone", error=DataError, advice="Make it.")
    assert str(caught.value) == f"there is no {tmp_path / 'gone'}. Make it."


def test_a_json_file_has_at_most_16_mib(tmp_path: Path) -> None:
    """60 MB of empty lists took 1.6 GB."""
    path = tmp_path / "labels.json"
    path.write_bytes(b"[" + b" " * (16 * 1024 * 1024 - 2) + b"]")
    assert read_json(path, error=DataError, advice="Split it.") == []
    path.write_bytes(b"[" + b"[]," * (MAX_JSON_BYTES // 3) + b"[]]")
    with pytest.raises(DataError, match=r"labels\.json.*16"):
        read_json(path, error=DataError, advice="Split it.")


def write_npz(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy_header(shape: str, dtype: str = "|u1", *, padding: int = 0) -> bytes:
    """The header of an array, with as many spaces at its end."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".encode() + b" " * padding
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.npy": npy_header("(40000, 40000)")}, "a.npy has 0 bytes, its header says 1,600,000,000"),
        ({"a.npy": npy_header("(9,)", "<U99999999") + bytes(40)}, "a.npy has 40 bytes, its header says 3,599,999,964"),
        ({"a.npy": npy_header("()", padding=9_000_000)}, "cannot be read"),
        ({"a.npy": npy_header("(10000000,)") + bytes(10_000_000)}, "arrays would take 11 MB of memory"),
        ({f"{i}.npy": npy_header("(10**6,)") + bytes(10**6) for i in range(10)}, "arrays would take 11 MB of memory"),
        ({"a.npy": bytes(9_000_000)}, "cannot be read"),
        ({"a.npy": npy_header("(" + "(" * 900 + ")" * 900 + ",)")}, "cannot be read"),
    ],
    ids=["shape", "texts", "long header", "large", "large together", "no array", "deep header"],
)
def test_npz_that_asks_for_more_than_it_has_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: dict[str, bytes], message: str
) -> None:
    monkeypatch.setenv("DIGITEDGE_MEMORY_MB", "10")
    write_npz(tmp_path / "a.npz", members)
    tracemalloc.start()  # NumPy's arrays are traced, too
    with pytest.raises(DataError, match=message):
        read_npz(tmp_path / "a.npz", error=DataError, advice="Make it.")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_npz_of_every_kind_of_array_is_read(tmp_path: Path) -> None:
    arrays = {
        "empty": np.zeros((0, 3)),
        "number": np.array(7),
        "text": np.array("seven"),
        "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "records": np.zeros(2, [("ä", "f4"), ("b", "i8")]),
    }
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    (tmp_path / "a.npz").write_bytes(stream.getvalue())
    read = read_npz(tmp_path / "a.npz", error=DataError, advice="Make it.")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_npz_that_is_a_pipe_or_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", tmp_path):
        with pytest.raises(DataError, match="expected an npz file, got a folder, device or pipe"):
            read_npz(path, error=DataError, advice="Make it.")
