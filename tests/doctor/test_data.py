import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from digitedge.bundle.bundle import released_bundle
from digitedge.bundle.made_here import remember_bundle
from digitedge.datasets.mnist import SHA256, cache_folder
from digitedge.doctor.data import check_bundles, check_mnist
from digitedge.doctor.finding import Finding, Status


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home folder of a user without data."""
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("DIGITEDGE_DATA", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_missing_mnist_is_a_note(home: Path) -> None:
    finding = check_mnist()
    assert (finding.status, finding.fix) == (Status.NOTE, "digitedge data get")


def test_mnist_in_the_cache_is_found(home: Path) -> None:
    cache_folder().mkdir(parents=True)
    for name in SHA256:
        (cache_folder() / f"{name}.gz").touch()
    assert check_mnist() == Finding("mnist", Status.OK, str(cache_folder()))


def test_an_empty_digitedge_data_folder_is_a_problem(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITEDGE_DATA", str(home))
    finding = check_mnist()
    assert finding.status is Status.PROBLEM
    assert finding.found.startswith(f"no MNIST at {home} ($DIGITEDGE_DATA)")
    assert "DIGITEDGE_DATA" in str(finding.fix)


@pytest.fixture
def bundle(tmp_path: Path, released: Path) -> Path:
    """A copy of the released bundle, to be damaged."""
    path = Path(shutil.copytree(released, tmp_path / "export" / "mine"))
    remember_bundle(path, (path / "manifest.json").read_bytes())
    return path


def test_each_good_bundle_is_listed_once(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "export" / "released").symlink_to(released_bundle(), target_is_directory=True)
    shutil.copytree(bundle, tmp_path / "export" / ".draft")
    findings = list(check_bundles(tmp_path / "export"))
    assert [finding.status for finding in findings] == [Status.OK, Status.OK]
    assert findings[1].found == f"{bundle}: passed, hashes match, model_int8.tflite loads"


def flip_a_bit(bundle: Path) -> None:
    path = bundle / "model_int8.tflite"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)


def fail_parity(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    for entry in manifest["files"].values():
        entry["passed"] = False
    manifest["passed"] = False
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    remember_bundle(bundle, (bundle / "manifest.json").read_bytes())


@pytest.mark.parametrize(
    ("damage", "status", "found"),
    [
        (flip_a_bit, Status.PROBLEM, "the file was changed"),
        (lambda bundle: (bundle / "model_float32.onnx").unlink(), Status.PROBLEM, "cannot read"),
        (fail_parity, Status.NOTE, "failed the parity check"),
    ],
    ids=["a byte", "a file", "failed"],
)
def test_a_damaged_or_failed_bundle_is_reported(
    bundle: Path, damage: Callable[[Path], object], status: Status, found: str
) -> None:
    damage(bundle)
    _, finding = check_bundles(bundle.parent)
    assert finding.status is status
    assert str(bundle) in finding.found
    assert found in finding.found
    assert finding.fix


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: bundle.rename(bundle.parent / "moved"),
        lambda bundle: (bundle / "manifest.json").write_text("{"),
        lambda bundle: os.mkfifo(bundle.parent / "manifest.json"),
    ],
    ids=["moved", "changed", "pipe"],
)
def test_a_bundle_that_was_not_made_here_is_named_and_not_loaded(
    bundle: Path, change: Callable[[Path], object]
) -> None:
    (bundle / "model_int8.tflite").write_bytes(b"would not load")
    change(bundle)
    if (bundle.parent / "manifest.json").exists():
        (bundle / "manifest.json").unlink()
        (bundle.parent / "manifest.json").rename(bundle / "manifest.json")
    _, finding = check_bundles(bundle.parent)
    (path,) = bundle.parent.iterdir()
    assert finding.status is Status.NOTE
    assert finding.found.startswith(f"{path}: not exported here, or changed since")
    assert str(finding.fix).endswith(f"digitedge info {path}")
