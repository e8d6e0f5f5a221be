import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import digitedge.bundle.bundle
from digitedge.bundle.bundle import (
    DEFAULT_REJECT_THRESHOLD,
    is_bundle,
    load_bundle,
    load_model,
    newest_passed_bundle,
    released_bundle,
)
from digitedge.bundle.golden import load_golden
from digitedge.bundle.made_here import is_made_here, remember_bundle
from digitedge.errors import InputError, ModelError, ParityError

INT8 = "model_int8.tflite"


@pytest.fixture
def bundle(released: Path, tmp_path: Path) -> Path:
    """A copy of the released bundle that a test may damage."""
    return Path(shutil.copytree(released, tmp_path / "export" / "mine"))


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a bundle's manifest."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def remember(bundle: Path) -> None:
    """Mark a bundle as exported here."""
    remember_bundle(bundle, (bundle / "manifest.json").read_bytes())


def mark_failed(manifest: dict[str, Any]) -> None:
    """Mark the int8 file, and so the bundle, as failed."""
    manifest.update(passed=False)
    manifest["files"]["model_int8.tflite"].update(passed=False)


def test_the_released_bundle_loads_and_passed(released: Path) -> None:
    manifest = load_bundle(released).manifest
    assert manifest.passed
    assert manifest.name == "cnn"
    assert manifest.data.name == "mnist"
    assert manifest.verified_on.samples == 10_000
    assert manifest.files["model_int8.tflite"].top1 >= 0.994
    assert manifest.files["model_int8.tflite"].agreement >= 0.999
    assert manifest.files["model_int8.tflite"].input.scale == 1.0
    assert manifest.files["model_int8.tflite"].input.zero_point == 0


def test_a_manifest_equals_itself_after_json(released: Path) -> None:
    manifest = load_bundle(released).manifest
    assert type(manifest).from_json(json.loads(json.dumps(manifest.to_dict())), where="here") == manifest


def test_a_changed_file_is_refused(bundle: Path) -> None:
    path = bundle / "model_int8.tflite"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model_int8\.tflite: expected sha256 .* the file was changed"):
        load_bundle(bundle)
    with pytest.raises(ModelError, match="the file was changed"):
        load_model(path)


@pytest.mark.parametrize("name", ["model_float32.onnx", "model.keras", "golden.npz"])
def test_a_missing_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(colour="blue"), "unknown key 'colour'"),
        (lambda m: m["calibration"].update(colour="blue"), r"unknown key 'calibration\.colour'"),
        (lambda m: m["files"][INT8].update(colour="blue"), r"model_int8\.tflite: unknown key 'colour'"),
        (lambda m: m.pop("macs"), "missing key 'macs'"),
        (lambda m: m.pop("crop"), "missing key 'crop'"),
        (lambda m: m.update(passed="yes"), "passed: expected bool, got 'yes'"),
        (lambda m: m.update(parameters=True), "parameters: expected int, got True"),
        (lambda m: m.update(data=[]), "data: expected object, got \\[\\]"),
        (
            lambda m: m.update(schema="digitedge.bundle/99"),
            "expected schema 'digitedge.bundle/1', got 'digitedge.bundle/99'",
        ),
        (lambda m: m.update(files={}), "files: expected object of length >= 1, got {}"),
        (lambda m: m.update(files=[]), "files: expected object, got \\[\\]"),
        (lambda m: m["files"].update({"../evil.tflite": m["files"][INT8]}), "expected plain file names"),
        (lambda m: m["others"].clear(), "expected the hashes of model.keras and golden.npz"),
        (lambda m: m["crop"].update(size=32), "expected CropContract"),
        (lambda m: m["model"].update(input="0 to 1"), "expected ModelContract"),
        (lambda m: m["files"][INT8].update(recipe="int4"), "expected recipes of"),
        (
            lambda m: m["files"][INT8].update(reject_threshold=7),
            r"model_int8\.tflite: reject_threshold: expected float <= 1\.0, got 7",
        ),
        (lambda m: m["files"][INT8].update(top1=float("nan")), "expected JSON, got a file that cannot be read"),
        (lambda m: m["files"][INT8].update(agreement=-0.1), r"agreement: expected float >= 0\.0, got -0\.1"),
        (lambda m: m["files"][INT8].update(mcnemar_p=1.5), r"mcnemar_p: expected float <= 1\.0, got 1\.5"),
        (lambda m: m["files"][INT8].update(max_abs_diff=float("inf")), "expected JSON, got a file that cannot be read"),
        (
            lambda m: m["files"][INT8].update(max_abs_diff=float("nan")),
            "expected JSON, got a file that cannot be read",
        ),
        (lambda m: m["files"][INT8].update(bytes=-1), r"model_int8\.tflite: bytes: expected int >= 0, got -1"),
        (lambda m: m["files"][INT8].update(reject_threshold=10**400), "reject_threshold: number out of range"),
        (lambda m: m["files"][INT8].update(reject_threshold=None), "reject_threshold: expected float, got None"),
        (lambda m: m["files"][INT8]["tolerance"].update(agreement=2), "tolerance: tolerance agreement must be from 0"),
        (
            lambda m: m["files"][INT8].update(passed=False),
            "expected passed False, as its files and comparisons say, got True",
        ),
        (lambda m: m["files"][INT8].pop("sha256"), r"model_int8\.tflite: missing key 'sha256'"),
        (lambda m: m["others"]["golden.npz"].update(bytes=-1), r"golden\.npz: bytes: expected int >= 0, got -1"),
        (lambda m: m.update(reference_top1=7.0), r"reference_top1: expected float <= 1\.0, got 7\.0"),
        (lambda m: m.update(macs=-5), "macs: expected int >= 0, got -5"),
        (lambda m: m.update(parameters=-1), "parameters: expected int >= 0, got -1"),
        (lambda m: m["verified_on"].update(samples=-1), r"verified_on\.samples: expected int >= 0, got -1"),
        (lambda m: m["calibration"].update(samples=-1), r"calibration\.samples: expected int >= 0, got -1"),
        (lambda m: m.update(created="yesterday"), "expected created as an ISO 8601 time"),
        (lambda m: m.update(created="2026-01-01T00:00:00"), "time with its zone, got '2026-01-01T00:00:00'"),
        (lambda m: m.update(created="0001-01-01T00:00:00"), "time with its zone"),
    ],
)
def test_a_damaged_manifest_is_refused(bundle: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    edit(bundle, change)
    with pytest.raises(ModelError, match=message):
        load_bundle(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff", "[" * 100_000], ids=range(6))
def test_a_manifest_that_is_not_a_json_object_is_refused(bundle: Path, text: str) -> None:
    (bundle / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"manifest\.json"):
        load_bundle(bundle)


def test_what_is_not_a_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").touch()
    with pytest.raises(ModelError, match=r"no bundle at .*digitedge export"):
        load_bundle(tmp_path)
    with pytest.raises(ModelError, match=r"nothing at .*none: expected a bundle"):
        load_bundle(tmp_path / "none")
    with pytest.raises(ModelError, match=r"expected a bundle, which is a folder, got the file .*model\.tflite"):
        load_bundle(tmp_path / "model.tflite")


def test_an_empty_path_of_a_model_is_refused() -> None:
    with pytest.raises(InputError, match="expected the path of a model, got an empty one"):
        load_model("")


def test_a_failed_bundle_is_refused_unless_forced(bundle: Path) -> None:
    edit(bundle, mark_failed)
    link = bundle.parent / "link.tflite"
    link.symlink_to(bundle / "model_int8.tflite")
    for path in (bundle, bundle / "model_int8.tflite", link):
        with pytest.raises(ParityError, match="--force"):
            load_model(path)
        assert load_model(path, force=True).path.resolve() == bundle / "model_int8.tflite"
    assert load_model(bundle / "model_float32.tflite").path.name == "model_float32.tflite"


def test_a_bundle_runs_its_int8_tflite_file_with_its_threshold(released: Path) -> None:
    model = load_model(released)
    assert model.path.name == "model_int8.tflite"
    assert model.reject_threshold == load_bundle(released).manifest.files["model_int8.tflite"].reject_threshold


def test_a_file_without_a_manifest_runs_with_the_default_threshold(fixtures: Path) -> None:
    assert load_model(fixtures / "good.tflite").reject_threshold == DEFAULT_REJECT_THRESHOLD


def test_the_newest_bundle_that_passed_is_found(bundle: Path) -> None:
    folder = bundle.parent
    newer = Path(shutil.copytree(bundle, folder / "newer"))
    newest = Path(shutil.copytree(bundle, folder / "newest"))
    edit(bundle, lambda m: m.update(created="2026-01-01T00:00:00+00:00"))
    edit(newer, lambda m: m.update(created="2026-01-02T00:00:00+00:00"))
    edit(newest, lambda m: (m.update(created="2026-01-03T00:00:00+00:00"), mark_failed(m)))
    shutil.copytree(newer, folder / ".newer-draft")
    edit(folder / ".newer-draft", lambda m: m.update(created="2026-01-04T00:00:00+00:00"))
    damaged = Path(shutil.copytree(newer, folder / "damaged"))
    (damaged / "manifest.json").write_text("{")
    for path in (bundle, newer, newest, folder / ".newer-draft"):
        remember(path)
    lines: list[str] = []
    assert newest_passed_bundle(folder, log=lines.append) == newer
    assert len(lines) == 1
    assert str(damaged) in lines[0]
    assert newest_passed_bundle(folder / "nowhere") is None


def test_a_bundle_whose_time_has_no_zone_is_skipped(bundle: Path) -> None:
    other = Path(shutil.copytree(bundle, bundle.parent / "other"))
    edit(other, lambda m: m.update(created="2026-01-01T00:00:00"))
    remember(bundle)
    lines: list[str] = []
    assert newest_passed_bundle(bundle.parent, log=lines.append) == bundle
    assert [line.startswith(f"skipped: {other}") for line in lines] == [True]


def test_a_failed_file_may_have_a_difference_above_1(bundle: Path) -> None:
    edit(bundle, lambda m: (mark_failed(m), m["files"]["model_int8.tflite"].update(max_abs_diff=12.5)))
    assert load_bundle(bundle).manifest.files["model_int8.tflite"].max_abs_diff == 12.5


def test_the_released_bundle_of_a_wheel_is_found_inside_the_package(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(digitedge.bundle.bundle.__file__).parents[1]
    assert released_bundle() in {released, package / "released"}  # the source tree, or this install
    installed = tmp_path / "site-packages" / "digitedge"
    shutil.copytree(released, installed / "released")
    monkeypatch.setattr(digitedge.bundle.bundle, "__file__", str(installed / "bundle" / "bundle.py"))
    assert released_bundle() == installed / "released"
    shutil.rmtree(installed / "released")
    with pytest.raises(ModelError, match="no released model"):
        released_bundle()


def test_a_file_that_the_manifest_does_not_list_is_refused(bundle: Path, fixtures: Path) -> None:
    shutil.copy(fixtures / "good.tflite", bundle / "mine.tflite")
    with pytest.raises(ModelError, match="whose manifest does not list it"):
        load_model(bundle / "mine.tflite")


@pytest.mark.parametrize("arrays", [{}, {"crops": 3}, {"crops": [[1.0]]}], ids=["none", "scalar", "floats"])
def test_a_golden_set_of_another_shape_is_refused(tmp_path: Path, arrays: dict[str, object]) -> None:
    np.savez(tmp_path / "golden.npz", **arrays)
    with pytest.raises(ModelError, match=r"expected crops uint8 \(N, 28, 28\)"):
        load_golden(tmp_path / "golden.npz")


@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: c[:5000], lambda c: c[:3000] + b"damaged" + c[3007:]])
def test_a_damaged_golden_set_is_refused(released: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    (tmp_path / "golden.npz").write_bytes(damage((released / "golden.npz").read_bytes()))
    with pytest.raises(ModelError, match="expected an npz file of arrays"):
        load_golden(tmp_path / "golden.npz")


def put_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def put_link(path: Path) -> None:
    shutil.copy(path.with_name("elsewhere"), path.parents[1] / "outside")
    path.symlink_to(path.parents[1] / "outside")


REPLACEMENTS = {
    "pipe": (os.mkfifo, "device or pipe"),
    "device": (put_device, "symbolic link"),
    "link to the same content": (put_link, "symbolic link"),
    "folder": (Path.mkdir, "got a folder"),
    "sparse": (lambda path: (path.touch(), os.truncate(path, 1 << 40)), "at most"),
    "cut": (lambda path: path.write_bytes(path.with_name("elsewhere").read_bytes()[:-2]), "was changed|expected JSON"),
}


@pytest.mark.skipif(os.name == "nt", reason="pipes with a name and devices are of POSIX")
@pytest.mark.parametrize("name", ["manifest.json", "golden.npz", "labels.txt", "model.keras", INT8])
@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_a_file_that_is_no_regular_one_of_its_size_is_refused_at_once(
    bundle: Path, name: str, replacement: str
) -> None:
    replace, message = REPLACEMENTS[replacement]
    (bundle / name).rename(bundle / "elsewhere")
    replace(bundle / name)
    begin = time.monotonic()
    with pytest.raises(ModelError, match=message):
        load_bundle(bundle)
    if name == INT8:
        with pytest.raises(ModelError, match="no bundle at" if replacement == "folder" else message):
            load_model(bundle / name)
    if name == "golden.npz":
        with pytest.raises(ModelError):
            load_golden(bundle / name)
    assert time.monotonic() - begin < 2


def test_more_bytes_than_a_bundle_may_have_are_refused_before_they_are_read(bundle: Path) -> None:
    edit(bundle, lambda m: m["files"][INT8].update(bytes=1 << 30))
    with pytest.raises(ModelError, match="expected files of at most 1,073,741,824 bytes together"):
        load_bundle(bundle)
    edit(bundle, lambda m: m["files"][INT8].update(bytes=1 << 31))
    with pytest.raises(ModelError, match="bytes: expected int <= 1073741824"):
        load_bundle(bundle)


def test_a_golden_set_that_changed_since_it_was_hashed_is_refused(bundle: Path) -> None:
    sha256 = load_bundle(bundle).manifest.others["golden.npz"].sha256
    assert load_golden(bundle / "golden.npz", sha256=sha256).crops.shape == (250, 28, 28)
    with pytest.raises(ModelError, match="changed while it was read"):
        load_golden(bundle / "golden.npz", sha256="0" * 64)


def test_a_newer_bundle_that_was_not_exported_here_is_passed_over(bundle: Path) -> None:
    holiday = Path(shutil.copytree(bundle, bundle.parent / "holiday\x1b[31m"))
    edit(holiday, lambda m: m.update(created="2099-01-01T00:00:00+00:00"))
    older = Path(shutil.copytree(bundle, bundle.parent / "older"))
    edit(older, lambda m: m.update(created="2001-01-01T00:00:00+00:00"))
    remember(bundle)
    lines: list[str] = []
    assert newest_passed_bundle(bundle.parent, log=lines.append, name_it="--model ") == bundle
    name = f"{bundle.parent}/holiday\\x1b[31m"
    assert lines == [f"passed over: {name} was not exported here. To use it: --model {name}"]


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: bundle.rename(bundle.parent / "moved"),
        lambda bundle: edit(bundle, lambda m: m.update(name="other")),
        lambda bundle: bundle.parent.rename(bundle.parents[1] / "other"),
    ],
    ids=["renamed", "changed", "folder renamed"],
)
def test_the_mark_of_a_bundle_is_of_its_place_and_content(
    bundle: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    remember(bundle)
    assert newest_passed_bundle(bundle.parent) == bundle
    change(bundle)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert newest_passed_bundle(folder) is None


def test_a_bundle_keeps_its_mark_until_the_next_one_takes_its_place(bundle: Path) -> None:
    contents = [(bundle / "manifest.json").read_bytes(), b"second", b"third"]
    remember_bundle(bundle, contents[0])
    remember_bundle(bundle, contents[1])
    assert [is_made_here(bundle, content) for content in contents] == [True, True, False]
    (bundle / "manifest.json").write_bytes(contents[1])
    remember_bundle(bundle, contents[2])
    assert [is_made_here(bundle, content) for content in contents] == [False, True, True]


def test_the_released_bundle_of_the_source_tree_needs_no_mark(released: Path) -> None:
    assert newest_passed_bundle(released.parent) == released


Command = Callable[..., subprocess.CompletedProcess[str]]


def test_commands_pass_a_strangers_bundle_over(digitedge: Command, bundle: Path, tmp_path: Path) -> None:
    edit(bundle, lambda m: m.update(created="2099-01-01T00:00:00+00:00"))
    (bundle / INT8).write_bytes(b"must never be loaded")
    done = digitedge("info")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "passed over: export/mine was not exported here. To use it: digitedge info export/mine",
        f"model: {released_bundle()}",
    ]
    asked = digitedge("info", "export/mine")
    assert (asked.returncode, "the file was changed" in asked.stderr) == (1, True)


def test_a_link_to_a_bundle_that_was_exported_here_is_that_bundle(bundle: Path) -> None:
    remember(bundle)
    place = bundle.parents[1] / "other" / "latest"
    place.parent.mkdir()
    place.symlink_to(bundle)
    assert newest_passed_bundle(place.parent) == place
    remember_bundle(place, b"the export that replaces the link")
    place.unlink()
    place.mkdir()
    assert is_made_here(place, b"the export that replaces the link")


def test_a_saved_model_in_a_bundle_does_not_turn_off_its_checks(bundle: Path) -> None:
    (bundle / "saved_model.pb").write_bytes(b"junk")
    assert is_bundle(bundle)
    (bundle / "model_int8.tflite").write_bytes(b"changed")
    with pytest.raises(ModelError, match="the file was changed"):
        load_model(bundle)


def test_what_is_checked_of_an_original_is_what_runs(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original is exchanged after it was hashed and before it is loaded."""
    pytest.importorskip("tensorflow")
    original = bundle / "model.keras"

    def exchange(path: Path, entry: object) -> None:
        path.write_bytes(b"another")

    monkeypatch.setattr("digitedge.bundle.bundle._check_file", exchange)
    with pytest.raises(ModelError, match="the file was changed"):
        load_model(original)
