"""The content of converted .tflite files."""

from pathlib import Path

from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from digitedge.bundle.recipe import RECIPES
from digitedge.exporting.tflite import convert_tflite, describe_tflite
from digitedge.exporting.tflite_strip import serialize_stripped
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.architectures import ARCHITECTURES


def test_only_inputs_and_outputs_keep_their_names() -> None:
    crops, _ = synthetic_digits(10, seed=0)
    content = convert_tflite(ARCHITECTURES["small"].build(0.0), RECIPES["int8"], crops)
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    named = {detail["name"] for detail in interpreter.get_tensor_details() if detail["name"]}
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert {end["name"] for end in ends} <= named
    assert not any("conv" in name for name in named)
    (signature,) = interpreter.get_signature_list().values()
    assert signature == {"inputs": ["image"], "outputs": ["features", "probabilities"]}
    assert len(content) < 23_500
    assert "RESHAPE" in describe_tflite(content)[2]  # channels are packed


def test_a_stripped_file_is_smaller_and_loses_nothing(released: Path) -> None:
    model = flatbuffer_utils.convert_bytearray_to_object((released / "model_int8.tflite").read_bytes())
    plain = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    content = serialize_stripped(model)
    assert len(content) < 0.95 * len(plain)
    read_again = flatbuffer_utils.convert_bytearray_to_object(content)
    assert bytes(flatbuffer_utils.convert_object_to_bytearray(read_again)) == plain
