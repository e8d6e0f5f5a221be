"""Small Keras files that unpack to gigabytes are refused before TensorFlow is loaded."""

import io
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from digitedge.bundle.bundle import released_bundle
from digitedge.errors import ModelError
from digitedge.runtime.load import load_network

h5py: Any = pytest.importorskip("h5py")
pytestmark = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs TensorFlow")


def make_hdf5(side: int) -> bytes:
    """A few kilobytes that hold an array of zeros."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("weights", shape=(side, side), dtype="f4", chunks=(100, 100), compression="gzip")
    return stream.getvalue()


def make_keras(path: Path, weights: bytes) -> Path:
    """The released model with other weights."""
    with (
        zipfile.ZipFile(released_bundle() / "model.keras") as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for name in source.namelist():
            copy.writestr(name, weights if name.endswith(".h5") else source.read(name))
    return path


def test_a_small_file_that_becomes_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(make_hdf5(30_000))
    with pytest.raises(ModelError, match=r"a\.h5: its weights would take 3,600 MB of memory"):
        load_network(tmp_path / "a.h5")
    with pytest.raises(ModelError, match=r"a\.keras: its weights would take 3,601 MB of memory"):
        load_network(make_keras(tmp_path / "a.keras", make_hdf5(30_000)))
    with pytest.raises(ModelError, match=r"b\.keras: expected a model, got .* bytes that unpacks to 30,"):
        load_network(make_keras(tmp_path / "b.keras", bytes(30_000_000)))


def test_tensorflow_is_not_loaded_for_that(tmp_path: Path) -> None:
    path = make_keras(tmp_path / "a.keras", bytes(30_000_000))
    code = f"""
import sys
from digitedge.errors import ModelError
from digitedge.runtime.load import load_network
try:
    load_network({str(path)!r})
except ModelError:
    print("tensorflow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
