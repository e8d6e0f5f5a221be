import pytest

from digitedge.bundle.recipe import RECIPES, Format, Tolerance, choose_artifacts
from digitedge.errors import InputError


def test_without_a_flag_every_recipe_of_both_formats_is_made() -> None:
    assert [artifact.file_name for artifact in choose_artifacts([])] == [
        "model_float32.tflite",
        "model_float32.onnx",
        "model_float16.tflite",
        "model_dynamic.tflite",
        "model_int8.tflite",
        "model_int8.onnx",
    ]


def test_the_yardstick_is_always_made() -> None:
    names = [artifact.file_name for artifact in choose_artifacts(["float16"], Format.TFLITE)]
    assert names == ["model_float32.tflite", "model_float16.tflite"]


@pytest.mark.parametrize("name", ["float16", "dynamic"])
def test_a_combination_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} does not exist for onnx"):
        choose_artifacts([name], Format.ONNX)


def test_an_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'int4'; expected one of float32, float16, dynamic, int8"):
        choose_artifacts(["int4"])


def test_only_int8_is_calibrated() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.calibrated] == ["int8"]


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_tolerance_is_a_share(value: float) -> None:
    with pytest.raises(InputError, match="share from 0 to 1"):
        Tolerance(agreement=value)
