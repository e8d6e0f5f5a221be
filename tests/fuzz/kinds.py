"""The table of kinds: how an input is made, and how digitedge loads it."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.case import CODE_MARK, ROOT, Case, Make
from fuzz.folder_lies import make_bundle, make_data, make_keras, make_run
from fuzz.image_lies import make_image
from fuzz.onnx_lies import make_onnx
from fuzz.option_lies import make_options
from fuzz.tflite_lies import make_tflite
from fuzz.traps import load_trap, make_trap

IMAGE = ROOT / "demos" / "page.jpg"
# Larger images are decoded, but not read: what is read of them does not depend on their format.
READ_VALUES = 300_000
UNEXPECTED = "error: unexpected "
"""How the command line begins the line about an error that is not digitedge's."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input.

    Attributes:
        name: for the command line and tables.
        make: draws a case.
        load: loads it with the functions that the commands use.
        command: the words of a command line that loads it; None where no command does.
        prepare: imports what `load` needs, before memory is measured.
        weight: its share of all inputs; 0: only where it is asked for.
        tensorflow: whether it needs TensorFlow, whose own memory is not counted.
    """

    name: str
    make: Make
    load: Callable[[Path, Case], object]
    command: Callable[[Path, Case], list[str] | None]
    prepare: Callable[[], object]
    weight: int
    tensorflow: bool = False


@cache
def _golden() -> Any:
    from digitedge.bundle.golden import load_golden

    return load_golden(ROOT / "export" / "cnn" / "golden.npz")


def _digits() -> Any:
    """A few labelled digits, on which the preprocessing of a third-party file is found."""
    golden = _golden()
    return golden.crops[:16], golden.probabilities["reference"][:16].argmax(axis=1).astype("uint8")


def load_model_file(path: Path, case: Case) -> None:
    """What `predict --model` and `info` do."""
    from digitedge.benchmark.footprint import read_footprint
    from digitedge.bundle.bundle import load_model
    from digitedge.errors import DigitEdgeError

    try:
        load_model(path, force=True, digits=_digits).classifier.probabilities(_golden().crops[:4])
    except DigitEdgeError:
        read_footprint(path)
        raise
    read_footprint(path)


def _prepare_models() -> None:
    _golden()
    for suffix in ("tflite", "onnx"):
        load_model_file(ROOT / "tests" / "fixtures" / f"good.{suffix}", Case("", "", {}))


def _predict_with(path: Path, case: Case) -> list[str]:
    return ["predict", str(IMAGE), "--model", str(path)]


class RawOutput(Exception):
    """Control characters in what a command prints, which a terminal would obey."""


class Unexpected(Exception):
    """An error that is not digitedge's, which the command line tells in one line."""


class CodeRun(Exception):
    """Code in a file has run."""


def run_command(words: list[str]) -> None:
    """Run the command line in this process.

    Raises:
        DigitEdgeError: it failed with a message.
        RawOutput: it printed control characters.
        Unexpected: it failed with an error that is not digitedge's.
    """
    from typer.testing import CliRunner

    from digitedge.cli.app import app
    from digitedge.errors import DigitEdgeError

    result = CliRunner().invoke(app, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if found := raw_characters(result.output):
        raise RawOutput(found)
    if UNEXPECTED in result.output:
        raise Unexpected(result.output.strip()[-300:])
    if result.exit_code:
        raise DigitEdgeError(result.output.strip()[-300:])


def raw_characters(text: str) -> str:
    """The first control character in the output of a command, with what is around it; "" if there is none."""
    found = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", text)
    return repr(text[max(0, found.start() - 60) : found.end() + 20]) if found else ""


def load_bundle_folder(path: Path, case: Case) -> None:
    """What `predict`, `verify --golden` and `info` do."""
    from digitedge.bundle.bundle import load_bundle, load_model
    from digitedge.bundle.golden import check_bundle

    run_command(["info", str(path)])
    check_bundle(load_bundle(path), log=lambda line: None)
    load_model(path, force=True).classifier.probabilities(_golden().crops[:4])


@cache
def _reader() -> Any:
    from digitedge.reader import Reader

    return Reader()


def load_image(path: Path, case: Case) -> None:
    """What `predict` does."""
    from digitedge.utils.images import read_image

    image = read_image(path)
    if image.size <= READ_VALUES:
        _reader().read(image).to_dict(verbose=True)


def load_data(path: Path, case: Case) -> None:
    """What `train --data`, `eval --dataset` and `eval --images` do."""
    from digitedge.datasets.annotations import check_boxes, load_annotations
    from digitedge.datasets.custom import load_custom_digits
    from digitedge.datasets.mnist import find_mnist, read_mnist
    from digitedge.utils.images import read_image

    if path.name == "mnist":
        read_mnist(find_mnist(path) or path)
    elif path.name == "pages":
        for annotated in load_annotations(path):
            height, width = read_image(annotated.path).shape[:2]
            check_boxes(annotated, width=width, height=height)
    else:
        load_custom_digits(path)


def load_run_folder(path: Path, case: Case) -> None:
    """What `export` and `train --resume` do."""
    from digitedge.errors import DigitEdgeError
    from digitedge.training.run_folder import find_interrupted_run, find_newest_run, load_run, read_history

    with suppress(DigitEdgeError):  # of a finished run there is none
        find_interrupted_run(path)
    with suppress(DigitEdgeError):
        find_newest_run(path.parent)
    read_history(path)
    run = load_run(path)
    assert run.config
    run.data_sources  # noqa: B018


def load_keras_file(path: Path, case: Case) -> None:
    """What `export FILE` does first."""
    from digitedge.bundle.bundle import load_model

    CODE_MARK.unlink(missing_ok=True)
    try:
        load_model(path, force=True, digits=_digits).classifier.probabilities(_golden().crops[:4])
    finally:
        if CODE_MARK.exists():
            raise CodeRun(case.detail)


def run_options(path: Path, case: Case) -> None:
    """Run the words of a command line."""
    run_command(_options_command(path, case))


def _evaluate(path: Path, case: Case) -> list[str]:
    if path.name == "pages":
        return ["eval", "photos", str(path)]
    return ["eval", str(ROOT / "export" / "small" / "model_int8.tflite"), "--dataset", str(path)]


def _options_command(path: Path, case: Case) -> list[str]:
    return [str(IMAGE) if word == "IMAGE" else word for word in case.values]


def _prepare_commands() -> None:
    run_command(["predict", str(IMAGE)])
    run_command(["info", str(ROOT / "export" / "small")])


def _prepare_data() -> None:
    from digitedge.datasets import custom, mnist  # noqa: F401

    _reader()


def _prepare_tensorflow() -> None:
    load_keras_file(ROOT / "export" / "small" / "model.keras", Case("", "", {}))


def _prepare_runs() -> None:
    import digitedge.training.run_folder  # noqa: F401


KINDS = {
    kind.name: kind
    for kind in (
        Kind("tflite", make_tflite, load_model_file, _predict_with, _prepare_models, 30),
        Kind("onnx", make_onnx, load_model_file, _predict_with, _prepare_models, 20),
        Kind("bundle", make_bundle, load_bundle_folder, _predict_with, _prepare_commands, 12),
        Kind("image", make_image, load_image, lambda path, case: ["predict", str(path)], _prepare_data, 20),
        Kind("data", make_data, load_data, _evaluate, _prepare_data, 10),
        Kind("run", make_run, load_run_folder, lambda path, case: None, _prepare_runs, 2, tensorflow=True),
        Kind(
            "keras",
            make_keras,
            load_keras_file,
            lambda path, case: ["info", str(path)],
            _prepare_tensorflow,
            2,
            tensorflow=True,
        ),
        Kind("trap", make_trap, load_trap, lambda path, case: None, lambda: None, 0),
        Kind("options", make_options, run_options, _options_command, _prepare_commands, 4),
    )
}
"""All kinds. The weights follow from what an input costs, and from how much of it is native code."""
