from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitedge.synthetic.scenes.crops import Cuttings, cut_scenes, join
from digitedge.training import crop_cache
from digitedge.training.crop_cache import kept_cuttings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setattr(crop_cache, "cache_folder", lambda: tmp_path / "cuttings")
    return tmp_path / "cuttings"


def never(scenes: int, *, seed: int) -> Cuttings:
    pytest.fail("what is kept was made again")


def test_cuttings_are_made_once(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = kept_cuttings(cut_scenes, 2, seed=5)
    told = capsys.readouterr()
    assert told.err == "rendering 2 scenes and cutting out what is found; it is kept for the next training\n"
    assert told.out == ""
    again = kept_cuttings(never, 2, seed=5)
    for cuttings in (again, cut_scenes(2, seed=5)):
        np.testing.assert_array_equal(first.crops, cuttings.crops)
        np.testing.assert_array_equal(first.digits, cuttings.digits)
    assert [path.name for path in cache.iterdir()] == ["2-5.npz"]


@pytest.mark.parametrize("room", crop_cache.SOURCES)
def test_cuttings_of_other_code_are_made_again(room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_cuttings(cut_scenes, 1, seed=5)
    monkeypatch.setattr(crop_cache, "SOURCES", tuple(source for source in crop_cache.SOURCES if source != room))
    assert len(kept_cuttings(lambda scenes, *, seed: join([]), 1, seed=5)) == 0


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"x"), lambda path: np.savez(path, code="?")], ids=["bytes", "arrays"]
)
def test_a_damaged_cache_is_mended(cache: Path, damage: Callable[[Path], None]) -> None:
    whole = kept_cuttings(cut_scenes, 1, seed=5)
    damage(cache / "1-5.npz")
    np.testing.assert_array_equal(kept_cuttings(cut_scenes, 1, seed=5).crops, whole.crops)
    np.testing.assert_array_equal(kept_cuttings(never, 1, seed=5).crops, whole.crops)


def test_a_cache_that_cannot_be_written_is_done_without(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.write_text("a file where a folder should be")
    assert len(kept_cuttings(cut_scenes, 1, seed=5)) > 0
    assert "the cuttings are not kept: cannot write" in capsys.readouterr().err
