import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitedge.bundle.golden import load_golden
from digitedge.bundle.recipe import RECIPES
from digitedge.errors import InputError, MissingExtraError, ModelError
from digitedge.runtime import RUNTIMES, Runtime, can_run, load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits

CONTRACT_RUNTIMES = [runtime for runtime in RUNTIMES if runtime.runs_exported_files]
SUFFIXES = [runtime.suffixes[0] for runtime in CONTRACT_RUNTIMES]
FILES = [f"good{suffix}" for suffix in SUFFIXES]


@pytest.mark.parametrize("name", FILES)
def test_probabilities_have_shape_type_and_sum(fixtures: Path, name: str) -> None:
    crops, labels = synthetic_digits(200, seed=5)
    scores = load_classifier(fixtures / name).probabilities(crops)
    assert scores.shape == (200, 10)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.mean(scores.argmax(axis=1) == labels) > 0.6  # it only compares with mean digits


@pytest.mark.parametrize("name", FILES)
def test_no_crops_give_no_rows(fixtures: Path, name: str) -> None:
    assert load_classifier(fixtures / name).probabilities(np.empty((0, 28, 28), np.uint8)).shape == (0, 10)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((1, 28, 28), np.float32),
        np.zeros((1, 28, 27), np.uint8),
        np.zeros((1, 28, 28, 1), np.uint8),
        [[0]],
    ],
    ids=["one crop alone", "float", "27 wide", "channel", "list"],
)
def test_input_of_another_type_or_shape_is_refused(fixtures: Path, name: str, crops: object) -> None:
    with pytest.raises(InputError, match=r"takes uint8 \(N, 28, 28\), got .*normalize_digit"):
        load_classifier(fixtures / name).probabilities(crops)  # type: ignore[arg-type]


def test_all_runtimes_give_equal_probabilities(fixtures: Path) -> None:
    crops, _ = synthetic_digits(50, seed=6)
    first, *others = (load_classifier(fixtures / name).probabilities(crops) for name in FILES)
    for other in others:
        np.testing.assert_allclose(first, other, atol=RECIPES["float32"].tolerance.max_abs_diff)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_model_that_expects_0_to_1_is_refused(fixtures: Path, suffix: str) -> None:
    with pytest.raises(ModelError, match=r"it wants other pixels\. Make a bundle of it"):
        load_classifier(fixtures / f"wants_zero_to_one{suffix}")


def test_a_file_that_gives_logits_is_refused(fixtures: Path) -> None:
    with pytest.raises(ModelError, match="expected 10 probabilities that sum to 1"):
        load_classifier(fixtures / "gives_logits.tflite")


def test_a_file_with_other_tensor_names_is_refused(fixtures: Path) -> None:
    with pytest.raises(ModelError, match=r"expected a signature serving_default with inputs \['image'\], got \['x'\]"):
        load_classifier(fixtures / "other_names.tflite")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x00" * 5000], ids=["empty", "text", "zeros"])
def test_files_that_are_not_models_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"broken{suffix}: expected"):
        load_classifier(path)


@pytest.mark.parametrize("name", FILES)
def test_truncated_models_are_refused(fixtures: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((fixtures / name).read_bytes()[:20_000])
    with pytest.raises(ModelError):
        load_classifier(path)


def test_a_missing_file_and_an_unknown_suffix_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model file at .*none\.tflite"):
        load_classifier(tmp_path / "none.tflite")
    with pytest.raises(ModelError, match=r"expected a model file \(\.tflite, \.onnx.*\), got model\.pb"):
        load_classifier("model.pb")


def test_every_released_file_gives_its_golden_probabilities(released: Path) -> None:
    golden = load_golden(released / "golden.npz")
    files = [path for path in released.iterdir() if path.suffix in SUFFIXES]
    assert len(files) == 6
    for path in files:
        scores = load_classifier(path).probabilities(golden.crops)
        np.testing.assert_allclose(scores, golden.probabilities[path.name], atol=1 / 16, err_msg=path.name)


@pytest.mark.parametrize("runtime", CONTRACT_RUNTIMES, ids=lambda runtime: runtime.name)
def test_a_runtime_that_is_not_installed_is_named_with_its_install_command(
    fixtures: Path, monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    monkeypatch.setitem(sys.modules, runtime.module.partition(".")[0], None)
    path = fixtures / f"good{runtime.suffixes[0]}"
    assert not can_run(path)
    with pytest.raises(MissingExtraError, match=re.escape(f"{runtime.title} is not installed. Run: pip install ")):
        load_classifier(path)


def test_the_table_of_runtimes_is_read_without_numpy() -> None:
    code = "import sys; sys.modules['numpy'] = None; from digitedge.runtime import RUNTIMES; print(len(RUNTIMES))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{len(RUNTIMES)}\n", done.stderr
