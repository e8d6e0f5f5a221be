from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitedge.synthetic.scenes.crops import SceneCrops, crop_scenes, join_crops
from digitedge.training import crop_cache
from digitedge.training.crop_cache import cached_crops


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setattr(crop_cache, "cache_folder", lambda: tmp_path / "crops")
    return tmp_path / "crops"


def must_not_run(scenes: int, *, seed: int) -> SceneCrops:
    pytest.fail("cached crops were made again")


def test_crops_are_made_once(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = cached_crops(crop_scenes, 2, seed=5)
    printed = capsys.readouterr()
    assert printed.err == (
        "rendering 2 scenes and cropping what is found; the crops are cached for the next training\n"
    )
    assert printed.out == ""
    again = cached_crops(must_not_run, 2, seed=5)
    for crops in (again, crop_scenes(2, seed=5)):
        np.testing.assert_array_equal(first.crops, crops.crops)
        np.testing.assert_array_equal(first.labels, crops.labels)
    assert [path.name for path in cache.iterdir()] == ["2-5.npz"]


@pytest.mark.parametrize("changed", crop_cache.SOURCES)
def test_crops_of_other_code_are_made_again(changed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cached_crops(crop_scenes, 1, seed=5)
    monkeypatch.setattr(crop_cache, "SOURCES", tuple(source for source in crop_cache.SOURCES if source != changed))
    assert len(cached_crops(lambda scenes, *, seed, written: join_crops([]), 1, seed=5)) == 0


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"x"), lambda path: np.savez(path, code="?")], ids=["bytes", "arrays"]
)
def test_a_damaged_cache_is_replaced(cache: Path, damage: Callable[[Path], None]) -> None:
    whole = cached_crops(crop_scenes, 1, seed=5)
    damage(cache / "1-5.npz")
    np.testing.assert_array_equal(cached_crops(crop_scenes, 1, seed=5).crops, whole.crops)
    np.testing.assert_array_equal(cached_crops(must_not_run, 1, seed=5).crops, whole.crops)


def test_an_unwritable_cache_is_reported_and_not_used(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.write_text("a file in place of the folder")
    assert len(cached_crops(crop_scenes, 1, seed=5)) > 0
    assert "the crops are not cached: cannot write" in capsys.readouterr().err
