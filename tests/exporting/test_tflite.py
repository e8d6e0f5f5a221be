"""What is in a converted .tflite file."""

from pathlib import Path

from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.recipe import RECIPES
from digitedge.exporting.tflite import convert_tflite, describe_tflite
from digitedge.exporting.tflite_strip import compact
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.architectures import ARCHITECTURES


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
    assert len(content) < 23_500
    assert "RESHAPE" in describe_tflite(content)[2]  # pixels are packed


def test_equal_vectors_are_written_once_and_nothing_is_lost(released: Path) -> None:
    model = flatbuffer_utils.convert_bytearray_to_object((released / "model_int8.tflite").read_bytes())
    plain = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    content = compact(model)
    assert len(content) < 0.95 * len(plain)
    read_again = flatbuffer_utils.convert_bytearray_to_object(content)
    assert bytes(flatbuffer_utils.convert_object_to_bytearray(read_again)) == plain
