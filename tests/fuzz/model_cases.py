"""Cases of the corpus: .tflite and .onnx files; see `corpus`."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from fuzz.case import Case, Content, Link, Pipe
from fuzz.tflite_lies import add_operator, add_tensor, content_of, name_of, options_for, pack, read_model, schema

INT8 = "export/small/model_int8.tflite"
FLOAT = "tests/fixtures/good.tflite"
FLOAT16 = "export/small/model_float16.tflite"
ONNX = "tests/fixtures/good.onnx"
EVIL_TEXT = "\x1b]0;title\x07\x1b[31mred\nerror: a second line"


def tflite_cases() -> Iterator[Case]:
    def case(lie: str, source: str, change: Callable[[Any], object]) -> Case:
        model = read_model(source)
        change(model)
        return Case(lie, source, {"model.tflite": pack(model)}, "model.tflite")

    def operators(source: str) -> Iterator[tuple[int, str, Any]]:
        model = read_model(source)
        for index, operator in enumerate(model.subgraphs[0].operators):
            yield index, name_of(model, operator), operator

    def at(index: int) -> Callable[[Any], Any]:
        return lambda model: model.subgraphs[0].operators[index]

    for source in (INT8, FLOAT):
        for index, name, operator in operators(source):
            get = at(index)
            for side in range(min(2, len(operator.inputs))):  # the third one is a bias, which may be missing
                lies = {"-1": -1, "outside": 1000, "its output": int(operator.outputs[0])}
                for what, value in lies.items() if source == INT8 and side == 0 else [("-1", -1)]:
                    yield case(
                        f"{name} {index} input {side} is {what}",
                        source,
                        lambda model, get=get, side=side, value=value: get(model).inputs.__setitem__(side, value),
                    )
            yield case(f"{name} {index} output is -1", source, lambda m, get=get: get(m).outputs.__setitem__(0, -1))
            for key, value in vars(operator.builtinOptions or object).items():
                if type(value) is int and re.match("stride|dilation|filter|depth|axis", key):
                    for new in (0, 2**31 - 1):

                        def set_option(model: Any, index: int = index, key: str = key, new: int = new) -> None:
                            setattr(model.subgraphs[0].operators[index].builtinOptions, key, new)

                        yield case(f"{name} {index} {key} is {new}", source, set_option)

    def tensor(model: Any, index: int) -> Any:
        return model.subgraphs[0].tensors[index]

    for index in (0, 6, 30):
        yield case(f"tensor {index} without a buffer", INT8, lambda m, i=index: setattr(tensor(m, i), "buffer", 0))
        for shape in ([1, 2**24, 28, 8], [-1, 28, 28, 1]):

            def reshape(model: Any, index: int = index, shape: list[int] = shape) -> None:
                tensor(model, index).shape = np.array(shape, np.int32)

            yield case(f"tensor {index} shape {shape[:4]}", INT8, reshape)
    for index, kind in ((0, 4), (30, 5)):  # INT64, STRING
        yield case(f"tensor {index} type {kind}", INT8, lambda m, i=index, k=kind: setattr(tensor(m, i), "type", k))
    many = np.ones(70, np.int32)
    yield case("a tensor of 70 dimensions", FLOAT, lambda m: setattr(tensor(m, 0), "shape", many))
    for name in ("STRIDED_SLICE", "CUSTOM"):
        number = getattr(schema.BuiltinOperator, name)

        def swap(model: Any, number: int = number) -> None:
            model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = min(number, 127)
            model.operatorCodes[0].customCode = b"TFLite_Detection_PostProcess"

        yield case(f"an operator called {name}", FLOAT, swap)
    for name, values in (("SPLIT", [2]), ("FILL", [2**15, 2**15])):

        def add(model: Any, name: str = name, values: list[int] = values) -> None:
            graph = model.subgraphs[0]
            sizes = add_tensor(model, graph, [len(values)], 2, values)
            result = add_tensor(model, graph, [1, 10], 0, None)
            add_operator(model, graph, name, [sizes, sizes], [result], options_for(name), place=0)

        yield case(f"one more {name}", FLOAT, add)
    yield case("no graphs", FLOAT, lambda m: setattr(m, "subgraphs", None))
    yield case("20,000 graphs", FLOAT, lambda m: m.subgraphs.extend([schema.SubGraphT()] * 20_000))
    yield case("no operators", INT8, lambda m: setattr(m.subgraphs[0], "operators", []))

    def repeat(model: Any) -> None:
        model.subgraphs[0].operators *= 1000

    yield case("4,000 operators", FLOAT, repeat)
    yield case("no buffers", INT8, lambda m: setattr(m, "buffers", None))
    for side in ("inputs", "outputs"):
        for index in (-1, 1000):
            array = np.array([index], np.int32)
            yield case(f"graph {side} [{index}]", INT8, lambda m, s=side, a=array: setattr(m.subgraphs[0], s, a))
    yield case("signature name no UTF-8", INT8, lambda m: setattr(m.signatureDefs[0].inputs[0], "name", b"\xff\xfe"))
    yield case("signature of tensor 1000", INT8, lambda m: setattr(m.signatureDefs[0].inputs[0], "tensorIndex", 1000))
    yield case("signature of graph 9", INT8, lambda m: setattr(m.signatureDefs[0], "subgraphIndex", 9))
    content = content_of("export/cnn/model_int8.tflite")
    for value in (3, 7):  # "double free or corruption", and SIGSEGV
        changed = content[:66011] + bytes([value]) + content[66012:]
        yield Case(f"byte 66011 is {value}", "cnn", {"model.tflite": changed}, "model.tflite")
    for size in (0, 3, 8, 100, len(content) // 2, len(content) - 1):
        yield Case(f"{size} bytes of it", "cnn", {"model.tflite": content[:size]}, "model.tflite")
    yield Case("pipe", "", {"model.tflite": Pipe()}, "model.tflite")
    yield Case("link", "", {"model.tflite": Link("/dev/zero")}, "model.tflite")
    yield case("tensor name no UTF-8", INT8, lambda m: setattr(tensor(m, 0), "name", b"\xff\xfe"))
    for side in ("inputs", "outputs"):
        for value in (None, np.array([], np.int32)):
            yield case(f"DEQUANTIZE without {side}", FLOAT16, lambda m, s=side, v=value: setattr(at(0)(m), s, v))

    def blockwise(model: Any) -> None:
        quantization = schema.QuantizationParametersT()
        quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
        quantization.details = schema.BlockwiseQuantizationT()
        quantization.details.scales = 256
        tensor(model, int(model.subgraphs[0].outputs[0])).quantization = quantization

    yield case("scales in a tensor that is not there", FLOAT, blockwise)


def onnx_cases() -> Iterator[Case]:
    import onnx
    from onnx import helper, numpy_helper

    def case(lie: str, change: Callable[[Any], object], **files: Content) -> Case:
        model = onnx.load_model_from_string(content_of(ONNX))
        change(model)
        return Case(lie, ONNX, {**files, "model.onnx": model.SerializeToString()}, "model.onnx")

    model = onnx.load_model_from_string(content_of(ONNX))
    for index, tensor in enumerate(model.graph.initializer):
        for dims in ([0], [-1], [2**31, 2**31], [2**62], [1] * 100, []):

            def reshape(model: Any, index: int = index, dims: list[int] = dims) -> None:
                model.graph.initializer[index].ClearField("dims")
                model.graph.initializer[index].dims.extend(dims)

            yield case(f"weight {tensor.name} dims {dims[:3]}", reshape)
        yield case(f"weight {tensor.name} missing", lambda m, i=index: m.graph.initializer.pop(i))
        for kind in (0, 8, 99):

            def retype(model: Any, index: int = index, kind: int = kind) -> None:
                model.graph.initializer[index].data_type = kind

            yield case(f"weight {tensor.name} type {kind}", retype)
    for index, node in enumerate(model.graph.node):
        for side in range(len(node.input)):
            for value in ("", "missing", node.output[0]):
                yield case(
                    f"{node.op_type} {index} input {side} is {value!r:.10}",
                    lambda m, i=index, s=side, v=value: m.graph.node[i].input.__setitem__(s, v),
                )
    for place in ("../x.bin", "/etc/passwd", "/dev/zero", "pipe.bin", "link.bin", "missing.bin", ""):

        def elsewhere(model: Any, place: str = place) -> None:
            tensor = model.graph.initializer[0]
            tensor.ClearField("raw_data")
            tensor.data_location = 1
            for key, value in (("location", place), ("length", "100000")):
                entry = tensor.external_data.add()
                entry.key, entry.value = key, value

        yield case(f"weights at {place}", elsewhere, **{"pipe.bin": Pipe(), "link.bin": Link("/dev/zero")})
    for name, inputs in (("ConstantOfShape", ["n"]), ("Range", ["a", "b", "c"])):
        for sizes in ([30_000, 30_000],):

            def grow(model: Any, name: str = name, inputs: list[str] = inputs, sizes: list[int] = sizes) -> None:
                values = {"n": sizes, "a": 0, "b": sizes[0] ** len(sizes), "c": 1}
                for key, value in values.items():
                    model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), key))
                model.graph.node.insert(0, helper.make_node(name, inputs, ["grown"]))
                model.graph.output.append(helper.make_tensor_value_info("grown", 1, None))

            yield case(f"{name} {sizes}", grow)
    yield case("opset 999", lambda m: setattr(m.opset_import[0], "version", 999))
    yield case("no opset", lambda m: m.opset_import.pop())
    yield case("no graph", lambda m: m.ClearField("graph"))
    yield case("no nodes", lambda m: m.graph.ClearField("node"))
    yield case("metadata with escapes", lambda m: setattr(m, "producer_name", EVIL_TEXT))
    yield case("a name with escapes", lambda m: setattr(m.graph.input[0], "name", EVIL_TEXT))
    content = content_of(ONNX)
    for size in (0, 3, 100, len(content) // 2, len(content) - 1):
        yield Case(f"{size} bytes of it", ONNX, {"model.onnx": content[:size]}, "model.onnx")
    yield Case("pipe", "", {"model.onnx": Pipe()}, "model.onnx")
    for name in (b"image", b"probabilities"):
        changed = content.replace(name, name[:-1] + b"\xff")
        yield Case(f"{name.decode()} is no UTF-8", ONNX, {"model.onnx": changed}, "model.onnx")
    yield case("weights at a name of 5,000 letters", lambda m: elsewhere(m, "a" * 5000))

    def count(model: Any) -> None:
        """The size of 8 GB of zeros, which shape inference works out by making them."""
        model.graph.initializer.append(numpy_helper.from_array(np.array([2**31], np.int64), "n"))
        model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["n"], ["grown"]))
        model.graph.node.insert(1, helper.make_node("Size", ["grown"], ["size"]))
        model.graph.node.insert(2, helper.make_node("Cast", ["size"], ["added"], to=1))
        last = model.graph.node[-1]
        shown, last.output[0] = last.output[0], "hidden"
        model.graph.node.append(helper.make_node("Add", ["hidden", "added"], [shown]))

    yield case("the size of 8 GB", count)
