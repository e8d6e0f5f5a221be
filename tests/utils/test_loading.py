from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from digitedge.errors import DataError
from digitedge.utils.loading import build_dataclass, read_json, read_npz


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
