import pytest

from digitedge.bundle.recipe import RECIPES, Format, Tolerance, choose_artifacts
from digitedge.errors import InputError


def test_without_a_recipe_all_files_are_made() -> None:
    assert [artifact.file_name for artifact in choose_artifacts([])] == [
        "model_float32.tflite",
        "model_float32.onnx",
        "model_float16.tflite",
        "model_dynamic.tflite",
        "model_int8.tflite",
        "model_int8.onnx",
    ]


def test_float32_is_always_made() -> None:
    names = [artifact.file_name for artifact in choose_artifacts(["float16"], Format.TFLITE)]
    assert names == ["model_float32.tflite", "model_float16.tflite"]


@pytest.mark.parametrize("name", ["float16", "dynamic"])
def test_a_recipe_that_a_format_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} does not exist for onnx"):
        choose_artifacts([name], Format.ONNX)


def test_an_unknown_recipe_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(InputError, match="'int4'; expected one of float32, float16, dynamic, int8"):
        choose_artifacts(["int4"])


def test_only_int8_is_calibrated() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.calibrated] == ["int8"]


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_tolerance_outside_0_to_1_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="must be from 0 to 1"):
        Tolerance(agreement=value)
