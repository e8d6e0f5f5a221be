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
