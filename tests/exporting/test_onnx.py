"""The conversion to ONNX."""

import keras
import numpy as np
import pytest

from digitedge.bundle.recipe import RECIPES, NumberFormat, Recipe, Tolerance
from digitedge.errors import ModelError
from digitedge.exporting.onnx import convert_onnx


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPES["float16"],
        RECIPES["dynamic"],
        Recipe(name="mixed", activations=NumberFormat.INT8, tolerance=Tolerance(agreement=1)),
    ],
    ids=lambda recipe: recipe.name,
)
def test_a_number_format_that_is_not_supported_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ModelError, match=f"recipe {recipe.name}: ONNX files with .* are not supported"):
        convert_onnx(keras.Model(), recipe, np.zeros((1, 28, 28), np.uint8))


def test_an_operator_that_onnx_does_not_have_is_a_model_error() -> None:
    edges = keras.layers.Discretization(bin_boundaries=[50.0, 200.0], output_mode="int", dtype="float32")
    layers = [keras.Input((28, 28, 1)), edges, keras.layers.Flatten(), keras.layers.Dense(10)]
    with pytest.raises(ModelError, match="ONNX has no Bucketize"):
        convert_onnx(keras.Sequential(layers), RECIPES["float32"], np.zeros((1, 28, 28), np.uint8))
