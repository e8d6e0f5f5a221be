"""Damaged and hostile JSON, npz and csv files: read, or refused with the error of the caller, never anything else."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digitedge.bundle.manifest import Manifest
from digitedge.datasets.annotations import check_boxes, load_annotations
from digitedge.datasets.custom import load_custom_digits
from digitedge.errors import DataError, ModelError
from digitedge.utils.loading import read_json, read_npz
from digitedge.utils.tables import percent

few = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example writes its file anew
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400), 2**63, 2**64, 1e308]))
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["\x1b[31m\n", "\0", "x" * 5000, "../../etc", "\u202e"]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in parsed JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Parsed JSON with another value at a path."""
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"NaN",
        b"[1e999]",
        b"1" * 5000,
        b'"\\udcff"',
        b'{"a": 1',
        b"\0" * 100,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json: expected JSON, got a file that cannot be read .*\. Mend it\.$"):
        read_json(path, error=DataError, advice="Mend it.")


def test_what_is_not_a_file_is_refused() -> None:
    with pytest.raises(DataError, match="expected a regular file"):
        read_json(Path("/dev/zero"), error=DataError, advice="")


@few
@given(data=st.data())
@example(data=None)
def test_a_damaged_manifest_is_refused_or_can_be_printed(released: Path, data: Any) -> None:
    manifest = json.loads((released / "manifest.json").read_text())
    if data is None:
        changed = replaced(manifest, ("macs",), 10**400)
    else:
        changed = replaced(manifest, data.draw(st.sampled_from(places(manifest))), data.draw(JSON))
    with suppress(ModelError):
        found = Manifest.from_json(changed, where="manifest.json")
        json.dumps(found.to_dict(), allow_nan=False)
        assert found.macs is None or found.macs / 1e6 >= 0
        assert all(percent(entry.top1) for entry in found.files.values())


def test_a_figure_that_is_too_large_is_named(released: Path) -> None:
    manifest = json.loads((released / "manifest.json").read_text()) | {"macs": 10**400}
    with pytest.raises(ModelError, match=r"macs: expected int <= \d+, got 1000"):
        Manifest.from_json(manifest, where="manifest.json")


LABELS = [
    {
        "file": "a.png",
        "kind": "photo",
        "rows": ["7"],
        "digits": [{"label": 7, "box": [1, 2, 3, 4]}],
        "ignore": [[1, 2, 3, 4]],
        "layout": "rows",
        "group": "one",
    }
]


@few
@given(place=st.sampled_from(places(LABELS)), value=JSON)
@example(place=(0, "digits", 0, "box", 0), value=10**400)
@example(place=(0, "digits", 0, "box"), value=[0, 0, 2**62, 2**62])
@example(place=(0, "file"), value="a\0.png")
@example(place=(0, "file"), value="x" * 5000)
def test_damaged_annotations_are_refused_or_can_be_used(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "labels.json").write_text(json.dumps(replaced(LABELS, place, value)))
    with suppress(DataError):
        for image in load_annotations(tmp_path):
            check_boxes(image, width=640, height=480)


def npy(header: bytes, content: bytes = b"\x07" * 784) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


GOOD_HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 28), }\n"
HEADERS = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda at, new: GOOD_HEADER[:at] + new + GOOD_HEADER[at + len(new) :],
        st.integers(0, len(GOOD_HEADER) - 1),
        st.binary(min_size=1, max_size=6),
    ),
    st.sampled_from(
        [
            GOOD_HEADER.replace(b"(1, 28, 28)", shape)
            for shape in (b"(-1,)", b"(2**70,)", b"(1.5,)", b"'x'", b"(1" + b"0" * 400 + b",)", b"(0, 2)", b"()")
        ]
        + [GOOD_HEADER.replace(b"|u1", kind) for kind in (b"|O", b">f8", b"<U9999", b"<M8[s]", b"|V0", b"[('a','b')]")]
        + [b"(" * 500 + b")" * 500, b"{'descr': " + b"[" * 300 + b"]" * 300]
    ),
)


@few
@given(header=HEADERS, name=st.sampled_from(["x.npy", "x", "../x.npy", "\x1b[31m.npy", ".npy"]))
def test_damaged_arrays_are_refused_or_can_be_used(tmp_path: Path, header: bytes, name: str) -> None:
    path = tmp_path / "digits.npz"
    labels = io.BytesIO()
    np.save(labels, np.uint8([7]))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, npy(header))
        archive.writestr("y.npy", labels.getvalue())
    with suppress(DataError):
        read_npz(path, error=DataError, advice="")
        load_custom_digits(path)


@few
@given(at=st.integers(0, 10_000), new=st.binary(min_size=1, max_size=4))
def test_an_archive_with_other_bytes_is_refused_or_can_be_used(tmp_path: Path, at: int, new: bytes) -> None:
    path = tmp_path / "digits.npz"
    content = io.BytesIO()
    np.savez(content, x=np.zeros((1, 28, 28), np.uint8), y=np.uint8([7]))
    whole = content.getvalue()
    at %= len(whole)
    path.write_bytes(whole[:at] + new + whole[at + len(new) :])
    with suppress(DataError):
        load_custom_digits(path)


LINES = st.lists(st.lists(st.one_of(NUMBERS.map(str), TEXTS), max_size=6).map(",".join), max_size=4).map("\n".join)


@few
@given(text=st.one_of(LINES, TEXTS))
@example(text="7," + ",".join(["1e999"] * 9))
@example(text="7," + ",".join(["nan"] * 9))
@example(text="label,pixel\n")
@example(text="7,0,255,0\n7,0\n")
def test_damaged_lines_are_refused_or_can_be_used(tmp_path: Path, text: str) -> None:
    path = tmp_path / "digits.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(DataError):
        load_custom_digits(path)


@pytest.mark.parametrize("read", [read_json, read_npz, lambda path, **_: load_custom_digits(path)])
def test_the_error_names_the_file(tmp_path: Path, read: Callable[..., Any]) -> None:
    path = tmp_path / "digits.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"digits\.csv: expected "):
        read(path, error=DataError, advice="")
