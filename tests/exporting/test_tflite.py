"""What is in a converted .tflite file."""

from ai_edge_litert.interpreter import Interpreter

from digitedge.exporting.tflite import convert_tflite
from digitedge.recipe import RECIPES
from digitedge.rendering.hand.synthetic import synthetic_digits
from digitedge.training.models import ARCHITECTURES


def test_only_the_tensors_of_the_contract_have_names() -> None:
    crops, _ = synthetic_digits(10, seed=0)
    content = convert_tflite(ARCHITECTURES["small"](0.0), RECIPES["int8"], crops)
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    named = {detail["name"] for detail in interpreter.get_tensor_details() if detail["name"]}
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert {end["name"] for end in ends} <= named
    assert not any("conv" in name for name in named)
    (signature,) = interpreter.get_signature_list().values()
    assert signature == {"inputs": ["image"], "outputs": ["probabilities"]}
    assert len(content) < 24_500
