"""docs/make_images.py: the page that README.md shows is read correctly, and the live page can be captured."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def make_images() -> ModuleType:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    spec = importlib.util.spec_from_file_location("make_images", ROOT / "docs/make_images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_read_correctly_and_drawn(make_images: ModuleType) -> None:
    width, height = make_images.draw_page().size
    assert width == make_images.WIDTH
    assert height > make_images.HEIGHT, "the rows are on a strip below the page"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt install chromium)")
def test_the_live_page_is_captured_and_small_enough(make_images: ModuleType, tmp_path: Path) -> None:
    make_images.save(make_images.capture_live_page(CHROMIUM), tmp_path / "live-page.png")
    assert (tmp_path / "live-page.png").stat().st_size <= make_images.MAX_BYTES


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt install chromium)")
def test_the_labelling_page_is_captured_and_small_enough(make_images: ModuleType, tmp_path: Path) -> None:
    make_images.save(make_images.capture_label_page(CHROMIUM), tmp_path / "label-page.png")
    assert (tmp_path / "label-page.png").stat().st_size <= make_images.MAX_BYTES
