"""Where the adaptation of a model stands."""

from pathlib import Path

import pytest

from digitedge.bundle.adaptation import adaptation_path
from digitedge.bundle.bundle import Model, load_model
from digitedge.cli.common import EXPORT_FOLDER


class Nothing:
    def probabilities(self, crops):
        raise NotImplementedError


def place_of(path: Path) -> Path:
    return adaptation_path(Model(Nothing(), 0.5, path), EXPORT_FOLDER)


def test_it_stands_beside_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "export" / "mine"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text("{}")
    expected = tmp_path / "export" / "mine.adaptation.npz"
    assert place_of(bundle / "model_int8.tflite") == expected
    monkeypatch.chdir(bundle)
    assert place_of(Path("model_int8.tflite")) == expected


def test_that_of_the_released_bundle_stands_in_export() -> None:
    assert adaptation_path(load_model(), EXPORT_FOLDER) == Path("export/cnn.adaptation.npz")


def test_that_of_a_file_alone_stands_beside_it(fixtures: Path) -> None:
    assert place_of(fixtures / "good.tflite") == fixtures / "good.tflite.adaptation.npz"
