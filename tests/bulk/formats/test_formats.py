"""All formats: the same bytes for the same results, in every process; a missing package is said before the job."""

import subprocess
import sys

import pytest
from page_results import RESULTS

from digitedge.bulk.formats import FORMATS
from digitedge.errors import MissingExtraError
from digitedge.reader.page_result import PageResult

HASHES = """
import hashlib
from digitedge.bulk.formats import FORMATS
from page_results import RESULTS
for name, one in FORMATS.items():
    print(name, one.suffix, hashlib.sha256(one.encode(RESULTS)).hexdigest())
"""


def hashes(hash_seed: str) -> str:
    """Hashes of all formats in a process of its own, with another order of sets and another time zone."""
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path), "TZ": f"XYZ{hash_seed}"}
    run = subprocess.run([sys.executable, "-c", HASHES], env=environment, capture_output=True, text=True, timeout=60)
    assert not run.stderr
    return run.stdout


def test_the_same_results_give_the_same_bytes_in_every_process() -> None:
    first = hashes("1")
    assert len(first.splitlines()) == 4
    assert hashes("2") == first


@pytest.mark.parametrize("name", FORMATS)
def test_other_results_and_another_order_give_other_bytes(name: str) -> None:
    encode = FORMATS[name].encode
    assert len({encode(RESULTS), encode(RESULTS[::-1]), encode(RESULTS[:-1]), encode(())}) == 4


@pytest.mark.parametrize("name", FORMATS)
def test_a_page_without_a_reading_can_be_written(name: str) -> None:
    assert FORMATS[name].encode([PageResult("a.png", None)])


def test_a_format_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in FORMATS.values():
        one.check_installed()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="parquet"):
        FORMATS["parquet"].check_installed()
    FORMATS["csv"].check_installed()
