"""Parquet: the same fields as in JSON, one schema for all files."""

from pathlib import Path

import pytest
from page_results import RESULTS

from digitedge.bulk.formats.parquet import encode_parquet, page_schema
from digitedge.reader.page_result import PageResult

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
dataset = pytest.importorskip("pyarrow.dataset")
SAME_IN_ALL = {"schema": "digitedge.reading/1", "frame": 0, "time": None, "ms": None}


def test_rows_are_those_of_the_json() -> None:
    pages = parquet.read_table(pa.BufferReader(encode_parquet(RESULTS))).to_pylist()
    expected = [result.to_dict() for result in RESULTS]
    expected[4]["source"] = "/data/../é\\udcff\n.png"
    assert [page | SAME_IN_ALL for page in pages] == expected


def test_all_files_have_one_schema_and_read_as_one_data_set(tmp_path: Path) -> None:
    shards = [RESULTS[:2], RESULTS[3:4], RESULTS[5:], ()]
    for number, shard in enumerate(shards):
        (tmp_path / f"{number}.parquet").write_bytes(encode_parquet(shard))
    schemas = [parquet.read_schema(path) for path in tmp_path.iterdir()]
    assert all(schema.equals(page_schema(), check_metadata=True) for schema in schemas)
    assert dataset.dataset(tmp_path).to_table().num_rows == 5
    damaged = dataset.field("error", "kind") == "damaged"
    assert dataset.dataset(tmp_path).to_table(filter=damaged)["source"].to_pylist() == ["=1.png"]


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(pa.ArrowInvalid):
        encode_parquet([PageResult("a.pdf", 2**31)])
